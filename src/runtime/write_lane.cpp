#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/refuse.hpp"
#include "runtime/lanes.hpp"
#include "runtime/log.hpp"

namespace boxoffice
{

namespace
{

using Steady = std::chrono::steady_clock;

/// Paying keeps a promise that was already made, so it goes first; then what makes or frees holds; then the rest.
constexpr std::size_t kUrgencies = 3;

std::size_t urgency_of(const Act& act)
{
    if (std::holds_alternative<Pay>(act) || std::holds_alternative<Cancel>(act)) return 0;
    if (std::holds_alternative<Reserve>(act) || std::holds_alternative<LapseDue>(act)) return 1;
    return 2;
}

/// Of every batch, one in this many places is kept for each less urgent kind that waits, so that nothing starves.
constexpr std::size_t kShareKept = 16;

/// Without work for this long the lane is quiet enough for the store's housekeeping: longer than any gap in a busy on-sale.
constexpr std::chrono::milliseconds kQuiet{50};

void fail(LaneJob& job, Code code, const char* detail)
{
    Error error = refuse(code);
    error.detail = detail;
    job.outcome = std::move(error);
}

}  // namespace

class WriteLane::Self
{
public:
    using Batch = std::vector<std::unique_ptr<LaneJob>>;

    Self(Store& store, Options options, Metrics& metrics)
        : store_(store), options_(options), metrics_(metrics), thread_([this] { run(); })
    {
        metrics_.lane("write");
    }

    bool submit(std::unique_ptr<LaneJob> job)
    {
        const std::size_t urgency = urgency_of(job->act);
        bool was_waiting = false;
        {
            std::lock_guard lock(mutex_);
            if (stopping_ || depth_ >= options_.depth_max) {
                metrics_.lane_refused("write");
                return false;
            }
            queues_[urgency].push_back(std::move(job));
            ++depth_;
            was_waiting = waiting_;
        }
        if (was_waiting) wake_.notify_one();
        return true;
    }

    void stop()
    {
        {
            std::lock_guard lock(mutex_);
            if (stopping_) return;
            stopping_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    std::size_t depth() const
    {
        std::lock_guard lock(mutex_);
        return depth_;
    }

    bool full() const
    {
        std::lock_guard lock(mutex_);
        return depth_ >= options_.depth_max;
    }

    std::function<void(Instant)> on_hold_;

private:
    void run()
    {
        pthread_setname_np(pthread_self(), "write");
        for (Batch batch = take(); !batch.empty(); batch = take()) {
            carry_out(batch);
            tell_of_holds(batch);
            for (auto& job : batch) job->done(*job);
        }
    }

    /// Everything that waits, most urgent first; waits when nothing does. Empty: the lane is stopped and drained.
    Batch take()
    {
        const auto something = [&] { return depth_ > 0 || stopping_; };
        std::unique_lock lock(mutex_);
        waiting_ = true;
        if (!wake_.wait_for(lock, kQuiet, something)) {
            lock.unlock();
            idle();
            lock.lock();
            wake_.wait(lock, something);
        }
        waiting_ = false;
        Batch batch;
        batch.reserve(std::min(depth_, options_.batch_max));
        for (std::size_t urgency = 0; urgency < kUrgencies; ++urgency) {
            std::size_t kept = 0;
            for (std::size_t later = urgency + 1; later < kUrgencies; ++later) {
                kept += std::min(queues_[later].size(), options_.batch_max / kShareKept);
            }
            auto& queue = queues_[urgency];
            while (!queue.empty() && batch.size() + kept < options_.batch_max) {
                batch.push_back(std::move(queue.front()));
                queue.pop_front();
            }
        }
        depth_ -= batch.size();
        return batch;
    }

    void idle()
    {
        try {
            store_.idle();
        } catch (const std::exception& error) {
            log::error("housekeeping of the store failed", {{"why", std::string_view(error.what())}});
        }
    }

    void carry_out(Batch& batch)
    {
        jobs_.assign(batch.size(), nullptr);
        std::transform(batch.begin(), batch.end(), jobs_.begin(), [](const auto& job) { return job.get(); });
        const auto begun = Steady::now();
        if (!try_carry_out(jobs_)) {
            if (jobs_.size() > 1) {
                // Nothing of the batch has happened: one by one, only the act that caused the accident fails.
                metrics_.batch_replayed();
                for (WriteJob* const& job : jobs_) {
                    job->outcome = std::monostate{};
                    if (!try_carry_out(std::span(&job, 1))) fail_job(*job);
                }
            } else {
                fail_job(*jobs_.front());
            }
        }
        metrics_.batch_committed(batch.size(), std::chrono::duration<double>(Steady::now() - begun).count());
    }

    bool try_carry_out(std::span<WriteJob* const> jobs)
    {
        try {
            store_.carry_out(jobs);
            return true;
        } catch (const StoreFailure& failure) {
            code_ = failure.code();
            why_ = failure.what();
        } catch (const std::exception& error) {
            code_ = Code::internal;
            why_ = error.what();
        }
        log::error("a write batch failed", {{"acts", static_cast<std::int64_t>(jobs.size())}, {"why", std::string_view(why_)}});
        return false;
    }

    void fail_job(WriteJob& job) { fail(static_cast<LaneJob&>(job), code_, why_.c_str()); }

    void tell_of_holds(const Batch& batch) const
    {
        if (!on_hold_) return;
        std::optional<Instant> earliest;
        for (const auto& job : batch) {
            const Ticket* const ticket = std::get_if<Ticket>(&job->outcome);
            if (ticket && ticket->status == TicketStatus::reserved && (!earliest || ticket->expires_at < *earliest))
                earliest = ticket->expires_at;
        }
        if (earliest) on_hold_(*earliest);
    }

    Store& store_;
    const Options options_;
    Metrics& metrics_;
    std::vector<WriteJob*> jobs_;  // the lane's thread only, as the next two
    Code code_ = Code::internal;
    std::string why_;

    mutable std::mutex mutex_;  // protects what follows
    std::condition_variable wake_;
    std::array<std::deque<std::unique_ptr<LaneJob>>, kUrgencies> queues_;
    std::size_t depth_ = 0;
    bool waiting_ = false;
    bool stopping_ = false;

    std::thread thread_;  // last: it uses all of the above
};

WriteLane::WriteLane(Store& store, Options options, Metrics& metrics) : self_(std::make_unique<Self>(store, options, metrics)) {}
WriteLane::~WriteLane() { stop(); }
bool WriteLane::submit(std::unique_ptr<LaneJob> job) { return self_->submit(std::move(job)); }
void WriteLane::on_hold(std::function<void(Instant)> listener) { self_->on_hold_ = std::move(listener); }
void WriteLane::stop() { self_->stop(); }
std::size_t WriteLane::depth() const { return self_->depth(); }
bool WriteLane::full() const { return self_->full(); }

}  // namespace boxoffice
