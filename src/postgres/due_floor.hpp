#pragma once
#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

#include "core/core.hpp"

namespace boxoffice::postgres
{

/// Below which time no hold is due any more. Holds that were paid or have lapsed leave dead entries in the indexes of due holds,
/// and as long as any session keeps an old snapshot (a nightly dump) nothing may clear them away: a search that begins at the
/// very first walks over all of them, each time. So searches begin where the last look has found the first live one.
///
/// A node may still make a hold with a deadline below, when its act took longer than the hold and kMargin; such a one is found by
/// the next full look. Reads judge holds by their deadline anyway. Any thread.
class DueFloor
{
public:
    using Steady = std::chrono::steady_clock;

    /// Longer than a commit of another node is under way unseen: its hold is made for a time after its act's.
    static constexpr Micros kMargin = std::chrono::seconds(10);
    static constexpr std::chrono::seconds kFullLookEvery{30};

    [[nodiscard]] Instant from() const
    {
        const std::lock_guard lock(mutex_);
        return floor_;
    }

    /// An act of this node is executed at `now`.
    void seen(Instant now)
    {
        const std::lock_guard lock(mutex_);
        seen_ = std::max(seen_, now);
    }
    /// This node makes a hold with this deadline.
    void made(Instant deadline)
    {
        const std::lock_guard lock(mutex_);
        if (deadline >= seen_ - kMargin) return;  // no floor is above
        floor_ = std::min(floor_, deadline);
        ++lowered_;
    }

    /// A look for the earliest deadline: where it begins, and what was known by then.
    struct Look {
        Instant from;
        Instant seen;
        std::uint64_t lowered = 0;
        Steady::time_point begun;
    };
    [[nodiscard]] Look begin()
    {
        const auto now = Steady::now();
        const std::lock_guard lock(mutex_);
        return {now >= full_look_at_ ? Instant{} : floor_, seen_, lowered_, now};
    }
    /// What it has found; nothing: no hold is live.
    void end(const Look& look, std::optional<Instant> earliest)
    {
        const auto now = Steady::now();
        const std::lock_guard lock(mutex_);
        // A full look over very many dead entries is not worth more than a twentieth of the time.
        if (look.from == Instant{}) full_look_at_ = now + std::max<Steady::duration>(kFullLookEvery, 20 * (now - look.begun));
        if (look.lowered != lowered_) return;
        const Instant sure = std::max(Instant{}, look.seen == Instant{} ? Instant{} : look.seen - kMargin);
        floor_ = std::min(earliest.value_or(sure), sure);
    }

private:
    mutable std::mutex mutex_;  // protects what follows
    Instant floor_{};
    Instant seen_{};  // the latest time of an act
    std::uint64_t lowered_ = 0;
    Steady::time_point full_look_at_{};
};

}  // namespace boxoffice::postgres
