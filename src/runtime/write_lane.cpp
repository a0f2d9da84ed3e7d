#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/refuse.hpp"
#include "runtime/batch_listeners.hpp"
#include "runtime/lane_acts.hpp"
#include "runtime/lane_queue.hpp"
#include "runtime/lanes.hpp"
#include "runtime/log.hpp"
#include "runtime/log_throttle.hpp"
#include "runtime/parked.hpp"

namespace boxoffice
{

namespace
{

using Steady = std::chrono::steady_clock;

/// Fewer than this are no crowd: one buyer after the other must not wait for a second that never comes.
constexpr std::size_t kCrowd = 4;

/// Long enough that a probe every few seconds sees it.
constexpr std::chrono::seconds kTroubleFor{5};

/// A full disk makes every batch fail, and every act of it once more: the log is told of one in so long.
constexpr std::chrono::seconds kFailuresLogged{1};

/// Without work for this long the lane is quiet enough for the store's housekeeping: longer than any gap in a busy on-sale.
constexpr std::chrono::milliseconds kQuiet{50};

/// Acts whose row another session keeps block no others, but take memory: of a lane's queue one in this many.
constexpr std::size_t kParkedShare = 4;

/// What a client is told of a commit whose outcome is unknown.
constexpr std::string_view kUnclear =
    "It is unknown whether the request took effect. Repeat it with the same Idempotency-Key, or look before trying again.";

/// One thread, its queue and its transactions.
class Lane
{
public:
    using Batch = LaneQueue::Batch;

    Lane(Store& store, WriteLane::Options options, std::string name, BatchListeners& listeners, Metrics& metrics)
        : store_(store),
          options_(options),
          name_(std::move(name)),
          listeners_(listeners),
          metrics_(metrics),
          parked_(std::max<std::size_t>(1, options.depth_max / kParkedShare), options.blocked_most),
          queue_(options.depth_max, options.batch_max),
          thread_([this] { run(); })
    {
    }

    /// Empty, or why not.
    std::string_view offer(std::unique_ptr<LaneJob> job)
    {
        bool was_waiting = false;
        {
            std::lock_guard lock(mutex_);
            if (stopping_) return kLaneStopping;
            const std::string_view why_not = queue_.offer(job);
            if (!why_not.empty()) return why_not;
            was_waiting = waiting_ && queue_.depth() >= expected_;  // it is not woken for each of a crowd
        }
        if (was_waiting) wake_.notify_one();
        return {};
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
        return queue_.depth();
    }

    std::size_t parked() const { return parked_count_; }

    bool full() const
    {
        std::lock_guard lock(mutex_);
        return queue_.full();
    }

    std::optional<Code> trouble() const
    {
        std::lock_guard lock(mutex_);
        if (!trouble_ || Steady::now() - trouble_at_ > kTroubleFor) return std::nullopt;
        return trouble_;
    }

private:
    void run()
    {
        pthread_setname_np(pthread_self(), name_.c_str());
        for (Batch batch = take(); !batch.empty(); batch = take()) {
            execute(batch);
            batch = parked_.keep(std::move(batch), stopping());
            parked_count_ = parked_.size();
            notify_listeners(batch);
            for (auto& job : batch) answer(*job);
        }
    }

    /// What was committed stays so, whatever becomes of its answer: a failure here must neither undo nor repeat anything.
    void answer(LaneJob& job)
    {
        try {
            job.done(job);
        } catch (const std::exception& error) {
            if (answer_log_.due()) log::error("an answer could not be delivered", {{"why", std::string_view(error.what())}});
        }
    }

    bool stopping() const
    {
        const std::lock_guard lock(mutex_);
        return stopping_;
    }

    /// Everything that waits, most urgent first; waits when nothing does. Empty: the lane is stopped and drained.
    Batch take()
    {
        for (;;) {
            std::unique_lock lock(mutex_);
            wait(lock);
            // By turns, so that one that goes on in many steps does not keep the others waiting.
            Batch batch;
            if (!was_parked_ || queue_.depth() == 0) batch = parked_.take(options_.batch_max, stopping_);
            was_parked_ = !batch.empty();
            if (batch.empty()) batch = queue_.take();
            if (!batch.empty() || (stopping_ && parked_.empty())) return batch;
        }
    }

    void wait(std::unique_lock<std::mutex>& lock)
    {
        const auto something = [&] { return queue_.depth() > 0 || stopping_; };
        waiting_ = true;
        if (!parked_.empty()) {
            wake_.wait_until(lock, parked_.due_at(), something);
        } else if (!wake_.wait_for(lock, kQuiet, something)) {
            lock.unlock();
            idle();
            lock.lock();
            wake_.wait(lock, something);
        }
        gather(lock);
        waiting_ = false;
    }

    /// Under load, buyers answered by one batch come back while the next is under way, and a crowd falls apart into a large batch
    /// and a small one by turns, each at the price of a whole transaction.
    void gather(std::unique_lock<std::mutex>& lock)
    {
        const std::size_t crowd = queue_.crowd();
        if (options_.gather == Micros(0) || crowd < kCrowd) return;
        expected_ = crowd;
        wake_.wait_for(lock, options_.gather, [&] { return queue_.depth() >= crowd || stopping_; });
        expected_ = 0;
    }

    void idle()
    {
        try {
            store_.idle();
        } catch (const std::exception& error) {
            if (idle_log_.due()) log::error("store housekeeping failed", {{"why", std::string_view(error.what())}});
        }
    }

    void execute(Batch& batch)
    {
        jobs_.assign(batch.size(), nullptr);
        std::transform(batch.begin(), batch.end(), jobs_.begin(), [](const auto& job) { return job.get(); });
        for (WriteJob* const job : jobs_) {
            job->deferrable = true;
            job->again = job->deferred != Deferred::no;
            job->deferred = Deferred::no;
        }
        const auto begun = Steady::now();
        if (!try_execute(jobs_)) replay();
        metrics_.batch_committed(batch.size(), std::chrono::duration<double>(Steady::now() - begun).count());
    }

    /// Of what failed together nothing has happened: one by one, only the act that caused the failure fails.
    void replay()
    {
        // But an unclear transaction may have happened after all; and what was waited for in vain is not waited for by each.
        if (jobs_.size() == 1 || unclear_ || unavailable_) {
            for (WriteJob* const job : jobs_) fail_job(*job);
            return;
        }
        metrics_.batch_replayed();
        const auto until = Steady::now() + options_.replay_most;
        for (WriteJob* const& job : jobs_) {
            job->outcome = std::monostate{};
            job->deferred = Deferred::no;
            if (!unavailable_ && Steady::now() >= until) {
                job->outcome = refuse(Code::busy);
            } else if (unavailable_ || !try_execute(std::span(&job, 1))) {
                fail_job(*job);
            }
        }
    }

    bool try_execute(std::span<WriteJob* const> jobs)
    {
        unavailable_ = false;
        try {
            store_.execute(jobs);
        } catch (const StoreFailure& failure) {
            note_failure(failure, jobs.size());
            return false;
        } catch (const std::exception& error) {
            code_ = Code::internal;
            why_ = error.what();
            unclear_ = false;
            log_failure(jobs.size());
            return false;
        }
        // From here on it has happened.
        if (trouble_) clear_trouble_after_write(jobs);
        return true;
    }

    void note_failure(const StoreFailure& failure, std::size_t acts)
    {
        code_ = failure.code();
        why_ = failure.what();
        unclear_ = failure.unclear();
        unavailable_ = failure.unavailable();
        if (code_ == Code::storage_full || code_ == Code::storage_failed) {
            const std::lock_guard lock(mutex_);
            trouble_ = code_;
            trouble_at_ = Steady::now();
        }
        log_failure(acts);
    }

    void log_failure(std::size_t acts)
    {
        const auto more = failure_log_.due();
        if (!more) return;
        log::error("a write batch failed",
                   {{"acts", static_cast<std::int64_t>(acts)}, {"why", std::string_view(why_)}, {"unlogged", *more}});
    }

    /// Most batches that succeed on a full disk are looks at what is due, and have written nothing.
    void clear_trouble_after_write(std::span<WriteJob* const> jobs)
    {
        if (std::none_of(jobs.begin(), jobs.end(), [](const WriteJob* job) { return has_written(*job); })) return;
        std::lock_guard lock(mutex_);
        trouble_.reset();
    }

    void fail_job(WriteJob& job) const
    {
        Error error = refuse(code_);
        error.detail = why_;
        if (unclear_) error.message = kUnclear;
        job.outcome = std::move(error);
    }

    /// Listeners also poll now and then; the batch is committed, and those who wait for its answers come first.
    void notify_listeners(const Batch& batch)
    {
        try {
            BatchNews news;
            for (const auto& job : batch) gather_news(*job, news);
            listeners_.notify(news);
        } catch (const std::exception& error) {
            if (answer_log_.due())
                log::error("listeners could not be notified of a batch", {{"why", std::string_view(error.what())}});
        }
    }

    Store& store_;
    const WriteLane::Options options_;
    const std::string name_;
    BatchListeners& listeners_;
    Metrics& metrics_;
    std::vector<WriteJob*> jobs_;  // the lane's thread only, as what follows
    Code code_ = Code::internal;
    std::string why_;
    bool unclear_ = false;
    bool unavailable_ = false;
    LogThrottle failure_log_{kFailuresLogged};
    LogThrottle idle_log_;
    LogThrottle answer_log_;
    Parked parked_;
    bool was_parked_ = false;                    // the last batch
    std::atomic<std::size_t> parked_count_ = 0;  // parked_.size(), for any thread

    mutable std::mutex mutex_;  // protects what follows
    std::condition_variable wake_;
    LaneQueue queue_;
    std::size_t expected_ = 0;  // while it gathers: so many are worth a wake
    bool waiting_ = false;
    bool stopping_ = false;
    std::optional<Code> trouble_;  // changed by the lane's thread only, which may read it unlocked
    Steady::time_point trouble_at_;

    std::thread thread_;  // last: it uses all of the above
};

}  // namespace

class WriteLane::Self
{
public:
    Self(Store& store, Options options, Metrics& metrics) : metrics_(metrics)
    {
        metrics_.lane("write");
        const unsigned lanes = std::max(1U, options.lanes);
        // Half of everything may well be of one event, so the queues are not made shorter by much.
        options.depth_max = std::max<std::size_t>(1, lanes == 1 ? options.depth_max : options.depth_max / lanes * 2);
        for (unsigned i = 0; i < lanes; ++i) {
            std::string name = lanes == 1 ? "write" : "write-" + std::to_string(i);
            lanes_.push_back(std::make_unique<Lane>(store, options, std::move(name), listeners_, metrics));
        }
    }

    std::string_view offer(std::unique_ptr<LaneJob> job)
    {
        Lane& lane = *lanes_[lane_of(job->act, lanes_.size())];
        const std::string_view why_not = lane.offer(std::move(job));
        if (!why_not.empty()) metrics_.lane_refused("write");
        return why_not;
    }

    void stop()
    {
        for (const auto& lane : lanes_) lane->stop();
    }

    std::size_t depth() const
    {
        std::size_t depth = 0;
        for (const auto& lane : lanes_) depth += lane->depth();
        return depth;
    }

    std::size_t parked() const
    {
        std::size_t parked = 0;
        for (const auto& lane : lanes_) parked += lane->parked();
        return parked;
    }

    bool full() const
    {
        return std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->full(); });
    }

    std::optional<Code> trouble() const
    {
        for (const auto& lane : lanes_) {
            if (const auto trouble = lane->trouble()) return trouble;
        }
        return std::nullopt;
    }

    BatchListeners listeners_;

private:
    Metrics& metrics_;
    std::vector<std::unique_ptr<Lane>> lanes_;  // last: their threads use the above
};

WriteLane::WriteLane(Store& store, Options options, Metrics& metrics) : self_(std::make_unique<Self>(store, options, metrics)) {}
WriteLane::~WriteLane() { stop(); }
std::string_view WriteLane::offer(std::unique_ptr<LaneJob> job) { return self_->offer(std::move(job)); }
void WriteLane::on_batch(std::function<void(const BatchNews&)> listener) { self_->listeners_.add(std::move(listener)); }
void WriteLane::stop() { self_->stop(); }
std::size_t WriteLane::depth() const { return self_->depth(); }
std::size_t WriteLane::parked() const { return self_->parked(); }
bool WriteLane::full() const { return self_->full(); }
std::optional<Code> WriteLane::trouble() const { return self_->trouble(); }

}  // namespace boxoffice
