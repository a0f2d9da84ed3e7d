#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "fake_outbox.hpp"
#include "fake_stream.hpp"
#include "runtime/jobs.hpp"

namespace boxoffice
{

class ManualClock final : public Clock
{
public:
    Instant now() const override { return Instant(Micros(micros_.load())); }
    void set(Instant now) { micros_ = now.time_since_epoch().count(); }
    void add(Micros time) { micros_ += time.count(); }

private:
    std::atomic<std::int64_t> micros_ = Micros(std::chrono::hours(1)).count();
};

/// What was executed, counted by effect.
class Ledger
{
public:
    void count(const Effect& effect)
    {
        const std::lock_guard lock(mutex_);
        ++times_[effect.id];
        changed_.notify_all();
    }
    int times(std::int64_t effect)
    {
        const std::lock_guard lock(mutex_);
        return times_[effect];
    }
    bool wait_for(std::int64_t effect, int times)
    {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return times_[effect] >= times; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::int64_t, int> times_;
};

/// A runner that looks often: what a test waits for must not take a second.
inline JobRunner::Options quick()
{
    JobRunner::Options options;
    options.look = std::chrono::milliseconds(2);
    return options;
}

/// A runner over a lane over an outbox in memory.
class Jobs : public testing::Test
{
protected:
    void start(JobRunner::Job job, JobStream* through = nullptr, const JobRunner::Options& options = quick())
    {
        lane = std::make_unique<WriteLane>(outbox, WriteLane::Options{}, metrics);
        runner = std::make_unique<JobRunner>(*lane, clock, through, std::move(job), metrics, options);
        runner->start();
    }
    void stop()
    {
        if (runner) runner->stop();
        if (lane) lane->stop();
    }
    void TearDown() override { stop(); }

    bool wait_for_try(std::int64_t effect, int tries)
    {
        return outbox.wait_until(
            [&](const auto& rows) { return rows.contains(effect) && rows.at(effect).effect.tries == tries; });
    }
    bool counted(const std::string& sample) { return metrics.render().find(sample) != std::string::npos; }

    FakeOutbox outbox;
    ManualClock clock;
    Metrics metrics;
    Ledger ledger;
    FakeStream stream;
    std::unique_ptr<WriteLane> lane;
    std::unique_ptr<JobRunner> runner;
};

}  // namespace boxoffice
