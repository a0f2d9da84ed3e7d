#pragma once
#include <atomic>
#include <string>
#include <vector>

#include "runtime/jobs.hpp"
#include "runtime/log_throttle.hpp"

namespace boxoffice
{

/// A full lane is no lasting state, and a stop must be prompt.
inline constexpr Micros kLanePatience = std::chrono::milliseconds(500);

/// What stands in the log about an unexpected outcome.
[[nodiscard]] std::string why_of(const Outcome& outcome);

/// One try at a job, and the store told how it went. Any thread.
class JobTries
{
public:
    /// not_recorded: it failed, and the store could not be told. left_off: the store need not be told.
    enum class TryResult : std::uint8_t { done, postponed, dead, not_recorded, left_off };

    JobTries(WriteLane& writes, const Clock& clock, JobRunner::Job job, Metrics& metrics, const JobRunner::Options& options)
        : writes_(writes), clock_(clock), job_(std::move(job)), metrics_(metrics), options_(options)
    {
    }

    /// Has the job of `effect` done; when it fails, has the store postpone it or count it as dead. Done ones are the caller's to
    /// settle, many at once. `why` is filled in when it did not succeed.
    [[nodiscard]] TryResult run(const Effect& effect, std::string& why);
    /// False when the store cannot be told: then these are done again once their lease has lapsed.
    bool settle(const std::vector<std::int64_t>& effects);
    /// From here on a full lane is waited for a moment only.
    void hurry() { hurried_ = true; }

private:
    TryResult failed(const Effect& effect, const std::string& why, MailFailure::Kind kind);
    [[nodiscard]] Micros pause_after(int tries) const;
    bool say(const Act& act);

    WriteLane& writes_;
    const Clock& clock_;
    const JobRunner::Job job_;
    Metrics& metrics_;
    const JobRunner::Options options_;
    LogThrottle store_log_;
    LogThrottle job_log_;
    std::atomic<bool> hurried_ = false;
};

}  // namespace boxoffice
