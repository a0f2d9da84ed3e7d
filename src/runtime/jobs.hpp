#pragma once
#include <exception>
#include <functional>
#include <memory>

#include "core/ports.hpp"
#include "runtime/lanes.hpp"
#include "runtime/metrics.hpp"

namespace boxoffice
{

/// Has `act` executed through the lane and waits for what became of it. A full lane is tried again for as long as `patience`;
/// then Error busy, and nothing has happened. Any thread but the lane's own.
[[nodiscard]] Outcome submit_and_wait(WriteLane& writes, const Act& act, Micros patience);

struct RetryPolicy {
    Micros patience = std::chrono::minutes(10);  // a server's restart, a disk that an operator makes room on
    Micros pause = std::chrono::seconds(1);      // between tries; a stop waits as long
    std::function<bool()> stopping;              // then what the last try has come to is the outcome
};
/// For an act that tells of something that cannot be undone, and may be executed twice: again and again while the store is
/// busy, full or failing. Any thread but the lane's own.
[[nodiscard]] Outcome submit_with_retries(WriteLane& writes, const Act& act, const RetryPolicy& how);

/// Thrown by a job that leaves off before its end, at a stop or because it has taken its time: no try has failed, and the rest is
/// done once the effect's lease has lapsed.
class JobLeftOff : public std::exception
{
public:
    [[nodiscard]] const char* what() const noexcept override { return "the job was left off"; }
};

/// Carries out what follows from changes: takes effects from the outbox and has their jobs done, at least once each. With a job
/// stream, effects go through it to whichever worker is free, on any machine; without one they are done here. Either way the
/// outbox row stays until the job is done, so a stream that loses its memory costs only time, and a job that
/// fails waits in the outbox for its next try. After the last try an effect is dead: it stays for `doctor` and the
/// operator to look at.
class JobRunner
{
public:
    struct Options {
        std::size_t batch = 100;                        // most effects taken at once
        unsigned threads = 2;                           // that execute jobs: they wait for a mail server most of the time
        Micros look = std::chrono::seconds(1);          // at the latest, when no notification came
        Micros relay_again = std::chrono::minutes(10);  // an effect in the stream whose job was not done by then goes there again
        Micros try_again = std::chrono::seconds(5);     // after the first failure; doubled by each
        Micros try_again_max = std::chrono::minutes(30);
        int tries_max = 11;  // over more than an hour: longer than a mail server's restart
        bool mail = true;    // false: effects whose job is a message are left to processes that can send one
    };
    /// What an effect means. Throws when it has to be tried again; a permanent MailFailure: dead at once; JobLeftOff: no
    /// failure. Called on several threads.
    using Job = std::function<void(const Effect&)>;

    /// `stream` may be null. All outlive the runner.
    JobRunner(WriteLane& writes, const Clock& clock, JobStream* stream, Job job, Metrics& metrics, Options options);
    ~JobRunner();  // stop()
    JobRunner(const JobRunner&) = delete;
    JobRunner& operator=(const JobRunner&) = delete;

    /// Registers with the lane and starts the threads.
    void start();
    /// An effect was made, here or elsewhere: look at once. Any thread.
    void wake();
    /// Lets running jobs finish; what was taken and not begun is taken again later by another process. Call before the lane is
    /// stopped. Idempotent.
    void stop();

private:
    class Self;
    WriteLane& writes_;
    std::shared_ptr<Self> self_;
};

}  // namespace boxoffice
