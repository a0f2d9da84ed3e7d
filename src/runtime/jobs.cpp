#include "runtime/jobs.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "runtime/job_tries.hpp"
#include "runtime/log.hpp"

namespace boxoffice
{

namespace
{

using Steady = std::chrono::steady_clock;

/// Without a stream an effect taken is this process's own for so long; should it die, another one takes the effect then.
constexpr Micros kLease = std::chrono::minutes(2);
/// Effects in hand for each job thread: enough that a take serves many, few enough that other processes have some too.
constexpr std::size_t kInHandToAThread = 16;
/// Deliveries a job thread takes from the stream at once, and for how long it begins them: whatever is not begun by then is left
/// for another worker. The last one begun may take 45 s (25 in app/mail_notifier.cpp and a message's 20), and all is to be over
/// before the stream takes them for abandoned after 60.
constexpr std::size_t kDeliveriesAtOnce = 8;
constexpr auto kDeliveriesFor = std::chrono::seconds(10);
/// Jobs done are settled many in one act, at the latest when the first of them has waited for so long.
constexpr std::size_t kSettledAtOnce = 50;
constexpr auto kSettledWithin = std::chrono::milliseconds(200);
/// With so many batches in the stream the relay waits: a mail server that is down for a day must not have the whole outbox
/// added to the stream again and again.
constexpr std::int64_t kBatchesInStream = 10;
/// How long a job thread waits in the stream: a stop waits as long.
constexpr Micros kStreamWait = std::chrono::seconds(1);
/// Between tries to reach a stream that is unavailable, doubled by each.
constexpr Micros kPauseMin = std::chrono::milliseconds(50);
constexpr Micros kPauseMax = std::chrono::seconds(5);

}  // namespace

class JobRunner::Self
{
public:
    Self(WriteLane& writes, const Clock& clock, JobStream* stream, Job job, Metrics& metrics, const Options& options)
        : writes_(writes),
          clock_(clock),
          stream_(stream),
          options_(options),
          tries_(writes, clock, std::move(job), metrics, options)
    {
        options_.batch = std::max<std::size_t>(options_.batch, 1);
        options_.threads = std::max(options_.threads, 1U);
    }

    void start()
    {
        threads_.emplace_back([this] { stream_ != nullptr ? relay_into_stream() : relay_into_hand(); });
        for (unsigned i = 0; i < options_.threads; ++i)
            threads_.emplace_back([this] { stream_ != nullptr ? work_from_stream() : work_from_hand(); });
        pthread_setname_np(threads_.front().native_handle(), "relay");
        for (std::size_t i = 1; i < threads_.size(); ++i) pthread_setname_np(threads_[i].native_handle(), "jobs");
    }

    void wake()
    {
        {
            const std::lock_guard lock(mutex_);
            woken_ = true;
        }
        relay_wake_.notify_one();
    }

    void stop()
    {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        tries_.hurry();
        relay_wake_.notify_all();
        work_wake_.notify_all();
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }

private:
    using TryResult = JobTries::TryResult;

    using Try = std::pair<std::int64_t, int>;  // an effect's id and how often it has failed before

    struct InHand {
        Effect effect;
        Instant until;
    };

    // ---- the relay ----

    void relay_into_hand()
    {
        const std::size_t most = std::min(options_.batch, options_.threads * kInHandToAThread);
        while (wait_for_news()) {
            std::size_t room = 0;
            {
                std::unique_lock lock(mutex_);
                relay_wake_.wait(lock, [&] { return stopping_ || in_hand_.size() <= most / 2; });
                room = most - std::min(most, in_hand_.size());
            }
            const Instant until = clock_.now() + kLease;
            const std::vector<Effect> taken = take(room, until);
            if (taken.size() >= room) wake();
            {
                const std::lock_guard lock(mutex_);
                for (const Effect& effect : taken) {
                    // One whose lease has lapsed while it is being worked on here is in good hands; after a failure it is
                    // another try.
                    if (in_hand_.insert({effect.id, effect.tries}).second) queue_.push_back({effect, until});
                }
            }
            work_wake_.notify_all();
        }
    }

    void relay_into_stream()
    {
        while (wait_for_news()) {
            const Instant until = clock_.now() + options_.relay_again;
            if (!stream_has_room()) continue;
            const std::vector<Effect> taken = take(options_.batch, until);
            if (taken.empty()) continue;
            // Kept in hand while the stream is unavailable: a worker that takes them after their lease has counted no try.
            for (Micros pause = kPauseMin; !try_add(taken); pause = std::min(pause * 2, kPauseMax)) {
                if (!sleep(pause) || clock_.now() >= until) break;
            }
            if (taken.size() >= options_.batch) wake();
        }
    }

    bool try_add(const std::vector<Effect>& effects)
    {
        try {
            stream_->add(effects);
            return true;
        } catch (const std::exception& failure) {
            log_stream_unavailable(failure.what());
            return false;
        }
    }

    bool stream_has_room()
    {
        try {
            return stream_->counts().waiting < kBatchesInStream * static_cast<std::int64_t>(options_.batch);
        } catch (const std::exception& failure) {
            log_stream_unavailable(failure.what());
            return false;
        }
    }

    void log_stream_unavailable(std::string_view why)
    {
        if (stream_log_.due()) log::warn("the job stream is unavailable; jobs wait in the outbox", {{"why", why}});
    }

    /// False when stopping.
    bool wait_for_news()
    {
        std::unique_lock lock(mutex_);
        relay_wake_.wait_for(lock, options_.look, [&] { return stopping_ || woken_; });
        woken_ = false;
        return !stopping_;
    }

    std::vector<Effect> take(std::size_t most, Instant until)
    {
        if (most == 0) return {};
        Outcome outcome = submit_and_wait(writes_, TakeEffects{clock_.now(), most, until, options_.mail}, kLanePatience);
        if (Effects* const effects = std::get_if<Effects>(&outcome)) return std::move(effects->taken);
        if (store_log_.due()) log::error("the outbox could not be read", {{"why", why_of(outcome)}});
        return {};
    }

    // ---- the job threads ----

    void work_from_hand()
    {
        std::vector<Try> done;
        std::string why;
        auto settle_at = Steady::time_point::max();
        for (;;) {
            if (done.empty()) wait_for_work();
            const std::optional<InHand> next = pop();
            if (!next && done.empty()) {
                if (stopped()) return;
                continue;  // another thread was faster
            }
            if (next) {
                const Try one{next->effect.id, next->effect.tries};
                const bool ours = clock_.now() < next->until;
                if (ours && tries_.run(next->effect, why) == TryResult::done) {
                    if (done.empty()) settle_at = Steady::now() + kSettledWithin;
                    done.push_back(one);
                } else {
                    let_go({&one, 1});
                }
            }
            if (!done.empty() && (!next || done.size() >= kSettledAtOnce || Steady::now() >= settle_at)) {
                std::vector<std::int64_t> effects(done.size());
                std::transform(done.begin(), done.end(), effects.begin(), [](const Try& one) { return one.first; });
                tries_.settle(effects);
                let_go(done);
                done.clear();
            }
        }
    }

    void wait_for_work()
    {
        std::unique_lock lock(mutex_);
        work_wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    }

    /// Nothing when there is none or the runner stops.
    std::optional<InHand> pop()
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || queue_.empty()) return std::nullopt;
        InHand next = std::move(queue_.front());
        queue_.pop_front();
        return next;
    }

    void let_go(std::span<const Try> tries)
    {
        {
            const std::lock_guard lock(mutex_);
            for (const Try& one : tries) in_hand_.erase(one);
        }
        relay_wake_.notify_one();
    }

    void work_from_stream()
    {
        Micros pause = kPauseMin;
        while (!stopped()) {
            try {
                const std::vector<StreamedJob> deliveries = stream_->take(kDeliveriesAtOnce, kStreamWait);
                pause = kPauseMin;
                if (!deliveries.empty()) work_on(deliveries);
            } catch (const std::exception& failure) {
                log_stream_unavailable(failure.what());
                sleep(pause);
                pause = std::min(pause * 2, kPauseMax);
            }
        }
    }

    void work_on(const std::vector<StreamedJob>& deliveries)
    {
        const auto until = Steady::now() + kDeliveriesFor;
        std::vector<std::int64_t> done;
        std::vector<std::string> settled;
        std::vector<std::string> postponed;
        std::string why;
        for (const StreamedJob& delivery : deliveries) {
            if (stopped() || Steady::now() >= until) break;
            switch (tries_.run(delivery.effect, why)) {
                case TryResult::done:
                    done.push_back(delivery.effect.id);
                    settled.push_back(delivery.token);
                    break;
                case TryResult::dead:
                    dead_letter(delivery.effect, why);
                    [[fallthrough]];
                case TryResult::postponed:
                    postponed.push_back(delivery.token);
                    break;
                case TryResult::not_recorded:
                case TryResult::left_off:
                    break;  // without an acknowledgement it is delivered again
            }
        }
        if (!done.empty() && tries_.settle(done)) postponed.insert(postponed.end(), settled.begin(), settled.end());
        if (!postponed.empty()) stream_->acknowledge(postponed);
    }

    void dead_letter(const Effect& effect, std::string_view why)
    {
        try {
            stream_->dead_letter(effect, why);
        } catch (const std::exception& failure) {
            log_stream_unavailable(failure.what());  // the outbox knows of the dead one too
        }
    }

    bool stopped()
    {
        const std::lock_guard lock(mutex_);
        return stopping_;
    }

    /// False when stopping.
    bool sleep(Micros pause)
    {
        std::unique_lock lock(mutex_);
        return !work_wake_.wait_for(lock, pause, [&] { return stopping_; });
    }

    WriteLane& writes_;
    const Clock& clock_;
    JobStream* const stream_;
    Options options_;
    JobTries tries_;
    LogThrottle stream_log_;
    LogThrottle store_log_;

    std::mutex mutex_;  // protects what follows but the threads
    std::condition_variable relay_wake_;
    std::condition_variable work_wake_;
    bool woken_ = true;  // what an earlier life has left is looked for at once
    bool stopping_ = false;
    std::deque<InHand> queue_;
    std::set<Try> in_hand_;  // queued or being worked on

    std::vector<std::thread> threads_;  // the relay first
};

JobRunner::JobRunner(WriteLane& writes, const Clock& clock, JobStream* stream, Job job, Metrics& metrics, Options options)
    : writes_(writes), self_(std::make_shared<Self>(writes, clock, stream, std::move(job), metrics, options))
{
}
JobRunner::~JobRunner() { stop(); }
void JobRunner::start()
{
    // The lane may outlive the runner.
    writes_.on_batch([runner = std::weak_ptr(self_)](const BatchNews& news) {
        if (!news.made_effects) return;
        if (const auto self = runner.lock()) self->wake();
    });
    self_->start();
}
void JobRunner::wake() { self_->wake(); }
void JobRunner::stop() { self_->stop(); }

}  // namespace boxoffice
