#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "runtime/live.hpp"

/// Where every thread leaves a note for the hub's: which events have changed, and who has come to watch. Notes about events
/// without watchers are not taken, and the hub is woken only when it may look. Private to this module.
namespace boxoffice
{

class LiveBoard
{
public:
    using Steady = std::chrono::steady_clock;

    struct Arrival {
        EventId event;
        std::shared_ptr<LiveHub::Watcher> watcher;
        std::optional<std::uint64_t> last_seen;
    };

    // Any thread.
    void mark(std::span<const EventId> events);
    [[nodiscard]] bool arrive(Arrival arrival);  // false once closed
    void close();
    [[nodiscard]] bool watched(EventId event) const;
    [[nodiscard]] std::size_t watchers() const { return watchers_.load(std::memory_order_relaxed); }
    void forget_watchers(std::size_t count) { watchers_.fetch_sub(count, std::memory_order_relaxed); }

    // The hub's thread.
    /// Sleeps until there is something to do, or until `latest`. False: closed.
    [[nodiscard]] bool wait(Steady::time_point latest);
    [[nodiscard]] std::vector<Arrival> take_arrivals();
    /// Marks of this event are taken from now on; it is marked, and not to be looked at before `not_before`.
    void begin(EventId event, Steady::time_point not_before);
    void end(EventId event);
    void mark_all();
    /// The marked events that may be looked at now; their next time is `every` later.
    [[nodiscard]] std::vector<EventId> take_marked(Steady::time_point now, Micros every);
    /// One of those just taken could not be looked at.
    void put_back(EventId event, Steady::time_point not_before);

private:
    enum class Mark : std::uint8_t { clean, changed };
    struct Watched {
        Mark mark = Mark::clean;
        Steady::time_point not_before;
    };

    void mark(EventId event, Watched& watched);

    std::atomic<std::size_t> watchers_{0};
    mutable std::mutex mutex_;  // protects what follows
    std::condition_variable wake_;
    std::unordered_map<EventId, Watched> watched_;
    std::vector<EventId> changed_;  // those marked so
    std::vector<Arrival> arrivals_;
    Steady::time_point sleeping_until_ = Steady::time_point::min();  // awake
    enum class State : std::uint8_t { open, closed } state_ = State::open;
};

}  // namespace boxoffice
