#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/ports.hpp"

namespace boxoffice
{

/// A stream in memory, as Redis would be: what was taken and not acknowledged is delivered again when it is given up.
class FakeStream final : public JobStream
{
public:
    void add(std::span<const Effect> effects) override
    {
        const std::lock_guard lock(mutex_);
        need();
        if (adds_refused_ > 0) {
            --adds_refused_;
            throw StreamFailure("went away");
        }
        for (const Effect& effect : effects) waiting_.push_back({std::to_string(++last_), effect});
        changed_.notify_all();
    }
    std::vector<StreamedJob> take(std::size_t most, Micros wait) override
    {
        std::unique_lock lock(mutex_);
        need();
        changed_.wait_for(lock, wait, [&] { return !waiting_.empty() || unavailable_; });
        need();
        std::vector<StreamedJob> jobs;
        while (!waiting_.empty() && jobs.size() < most) {
            jobs.push_back(waiting_.front());
            taken_[jobs.back().token] = jobs.back();
            waiting_.pop_front();
        }
        return jobs;
    }
    void acknowledge(std::span<const std::string> tokens) override
    {
        const std::lock_guard lock(mutex_);
        need();
        for (const std::string& token : tokens) taken_.erase(token);
        changed_.notify_all();
    }
    void dead_letter(const Effect& effect, std::string_view why) override
    {
        const std::lock_guard lock(mutex_);
        need();
        dead_[effect.id] = why;
    }
    StreamCounts counts() override
    {
        const std::lock_guard lock(mutex_);
        need();
        ++asked_;
        changed_.notify_all();
        return {static_cast<std::int64_t>(waiting_.size() + taken_.size()), static_cast<std::int64_t>(dead_.size())};
    }

    void refuse_adds(int count)
    {
        const std::lock_guard lock(mutex_);
        adds_refused_ = count;
    }
    void go_away()
    {
        const std::lock_guard lock(mutex_);
        unavailable_ = true;
        changed_.notify_all();
    }
    void come_back_empty()
    {
        const std::lock_guard lock(mutex_);
        unavailable_ = false;
        waiting_.clear();
        taken_.clear();
    }
    void come_back()
    {
        const std::lock_guard lock(mutex_);
        unavailable_ = false;
    }
    void deliver_abandoned_again()
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [token, job] : taken_) waiting_.push_back({std::to_string(++last_), job.effect});
        taken_.clear();
        changed_.notify_all();
    }
    /// Until counts() was called so often from now on.
    bool wait_until_asked(int times)
    {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&, until = asked_ + times] { return asked_ >= until; });
    }
    bool wait_until_nothing_is_left()
    {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_.empty() && taken_.empty(); });
    }
    std::map<std::int64_t, std::string> dead()
    {
        const std::lock_guard lock(mutex_);
        return dead_;
    }

private:
    void need() const
    {
        if (unavailable_) throw StreamFailure("away");
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<StreamedJob> waiting_;
    std::map<std::string, StreamedJob> taken_;
    std::map<std::int64_t, std::string> dead_;
    int last_ = 0;
    int adds_refused_ = 0;
    int asked_ = 0;
    bool unavailable_ = false;
};

}  // namespace boxoffice
