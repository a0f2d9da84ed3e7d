#pragma once
#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <vector>

#include "core/refuse.hpp"
#include "runtime/lanes.hpp"

namespace boxoffice
{

/// Acts of a lane that the store has put off, because another session keeps a row that they need, or to go on with them in
/// another transaction. They are brought again, before what came later, and hear that the store is busy when it takes too long.
/// The lane's thread only.
class Parked
{
public:
    using Batch = std::vector<std::unique_ptr<LaneJob>>;
    using Clock = std::chrono::steady_clock;

    /// Between two looks at a row that another session keeps: a look is one short round trip.
    static constexpr std::chrono::milliseconds kAgainAfter{50};
    /// An act that goes on in steps makes progress with each of them; a proxy answers in our place after 65 s.
    static constexpr std::chrono::seconds kUnfinishedMost{40};

    Parked(std::size_t most, Micros blocked_most) : most_(most), blocked_most_(blocked_most) {}

    [[nodiscard]] bool empty() const { return waiting_.empty(); }
    [[nodiscard]] std::size_t size() const { return waiting_.size(); }
    [[nodiscard]] Clock::time_point due_at() const { return due_at_; }

    /// Those that are due, at most `most`. All count as due for a lane that is being stopped.
    [[nodiscard]] Batch take(std::size_t most, bool stopping)
    {
        Batch batch;
        if (waiting_.empty() || (!stopping && Clock::now() < due_at_)) return batch;
        while (!waiting_.empty() && batch.size() < most) {
            batch.push_back(std::move(waiting_.front()));
            waiting_.pop_front();
        }
        if (!waiting_.empty()) due_at_ = Clock::now();
        return batch;
    }

    /// Keeps what the store has put off, and gives back the rest. `stopping`: it will not be submitted again.
    [[nodiscard]] Batch keep(Batch batch, bool stopping)
    {
        const auto put_off = [](const auto& job) { return job->deferred != Deferred::no; };
        if (std::none_of(batch.begin(), batch.end(), put_off)) return batch;
        Batch done;
        done.reserve(batch.size());
        const auto now = Clock::now();
        for (auto& job : batch) {
            if (put_off(job) && may_wait(*job, now, stopping)) {
                const bool soon = job->deferred == Deferred::unfinished;
                due_at_ = std::min(waiting_.empty() ? Clock::time_point::max() : due_at_, soon ? now : now + kAgainAfter);
                waiting_.push_back(std::move(job));
            } else {
                done.push_back(std::move(job));
            }
        }
        return done;
    }

private:
    /// False: it has been told so.
    bool may_wait(LaneJob& job, Clock::time_point now, bool stopping) const
    {
        if (!job.put_off_at) job.put_off_at = now;
        const Clock::duration most = job.deferred == Deferred::blocked ? Clock::duration(blocked_most_) : kUnfinishedMost;
        const bool may = !stopping && waiting_.size() < most_ && now - *job.put_off_at < most;
        if (may) return true;
        Error error = refuse(Code::busy);
        error.detail = job.deferred == Deferred::blocked ? "another session keeps a row of the database locked"
                                                         : "it takes more steps than one request may wait for";
        job.outcome = std::move(error);
        return false;
    }

    const std::size_t most_;
    const Micros blocked_most_;
    std::deque<std::unique_ptr<LaneJob>> waiting_;
    Clock::time_point due_at_ = Clock::time_point::max();
};

}  // namespace boxoffice
