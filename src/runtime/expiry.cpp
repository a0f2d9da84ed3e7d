#include "runtime/expiry.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "core/limits.hpp"
#include "core/search.hpp"
#include "runtime/jobs.hpp"
#include "runtime/log.hpp"
#include "runtime/log_throttle.hpp"

namespace boxoffice
{

namespace
{

constexpr std::size_t kForgottenAtOnce = 500;
constexpr Micros kForgetEvery = std::chrono::minutes(1);
/// What a node of the version before has written is searched in the old index until then.
constexpr Micros kReindexEvery = std::chrono::seconds(10);
/// Twice the time of a batch: an upgrade has two thirds of the lane left to sales.
constexpr Micros kReindexPause = std::chrono::milliseconds(20);
/// The longest sleep: so that a system clock that jumps forward is noticed, and on a shared store a hold made elsewhere whose
/// notification was lost.
constexpr Micros kSleepMax = std::chrono::seconds(1);
/// After a failure, and while the lane is full.
constexpr Micros kRetryAfter = std::chrono::milliseconds(100);
/// While others have locked all that is due; doubled up to the above.
constexpr Micros kOthersFirst = std::chrono::milliseconds(5);
constexpr Micros kNoPatience{0};  // with a full lane: this thread has a pause of its own

}  // namespace

class Expiry::Self
{
public:
    Self(Store& store, WriteLane& writes, const Clock& clock, Metrics& metrics, Options options)
        : store_(store), writes_(writes), clock_(clock), metrics_(metrics), options_(options)
    {
    }

    void start()
    {
        writes_.on_batch([this](const BatchNews& news) {
            if (news.earliest_deadline) hold_made(*news.earliest_deadline);
        });
        thread_ = std::thread([this] { run(); });
    }

    void stop()
    {
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_one();
        if (thread_.joinable()) thread_.join();
    }

    /// Whatever it sleeps for may not be the earliest deadline any more.
    void look() { hold_made(Instant::min()); }

private:
    void hold_made(Instant deadline)
    {
        {
            std::lock_guard lock(mutex_);
            if (deadline >= sleeping_until_) return;
            sleeping_until_ = deadline;
        }
        wake_.notify_one();
    }

    void run()
    {
        pthread_setname_np(pthread_self(), "expiry");
        Instant forget_at = clock_.now();
        Instant reindex_at = forget_at;
        while (!stopped()) {
            const Instant now = clock_.now();
            if (now >= forget_at) {
                // However much there is to forget, deadlines are looked at in between.
                forget_at = forget(now) ? now : now + kForgetEvery;
            }
            // Between two batches sales go on, and a second's pause would make a large store wait for an hour.
            if (now >= reindex_at) reindex_at = reindex() ? now + kReindexPause : now + kReindexEvery;
            Instant next = std::min({forget_at, reindex_at, now + kSleepMax});
            {
                // Holds made from here on are noticed, even while the store is being asked.
                std::lock_guard lock(mutex_);
                sleeping_until_ = next;
            }
            if (const auto deadline = next_deadline(now)) {
                if (*deadline <= now) {
                    lapse(now);
                    continue;
                }
                next = std::min(next, *deadline);
            }
            if (next > now) sleep(next);
        }
    }

    std::optional<Instant> next_deadline(Instant now)
    {
        try {
            return store_.next_deadline();
        } catch (const std::exception& error) {
            if (store_log_.due()) log::error("the next deadline could not be read", {{"why", std::string_view(error.what())}});
            return now + kRetryAfter;
        }
    }

    void sleep(Instant next)
    {
        std::unique_lock lock(mutex_);
        sleeping_until_ = std::min(sleeping_until_, next);
        while (!stopping_) {
            const Instant now = clock_.now();
            if (now >= sleeping_until_) break;
            wake_.wait_for(lock, sleeping_until_ - now);
        }
    }

    void lapse(Instant now)
    {
        const Outcome outcome = submit_and_wait(writes_, ExpireHolds{now, options_.at_once}, kNoPatience);
        const auto* const lapsed = std::get_if<ExpiredHolds>(&outcome);
        if (!lapsed) return pause(kRetryAfter);
        if (lapsed->deadlines.empty()) {
            // Another node has all that is due, for a moment or for longer.
            pause(others_have_it_);
            others_have_it_ = std::min(others_have_it_ * 2, kRetryAfter);
            return;
        }
        others_have_it_ = kOthersFirst;
        const Instant done = clock_.now();
        for (const Instant deadline : lapsed->deadlines)
            metrics_.hold_expired(std::chrono::duration<double>(done - deadline).count());
    }

    /// True when there is more to forget.
    bool forget(Instant now)
    {
        const Outcome outcome = submit_and_wait(writes_, ForgetAnswers{now - kAnswerLife, kForgottenAtOnce}, kNoPatience);
        const auto* const done = std::get_if<Done>(&outcome);
        return done && done->more;
    }

    /// True when there is more to index.
    bool reindex()
    {
        const Outcome outcome = submit_and_wait(writes_, Reindex{kReindexedAtOnce}, kNoPatience);
        const auto* const done = std::get_if<Done>(&outcome);
        return done && done->more;
    }

    void pause(Micros span)
    {
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, span, [&] { return stopping_; });
    }

    bool stopped()
    {
        std::lock_guard lock(mutex_);
        return stopping_;
    }

    Store& store_;
    WriteLane& writes_;
    const Clock& clock_;
    Metrics& metrics_;
    const Options options_;
    LogThrottle store_log_;
    Micros others_have_it_ = kOthersFirst;

    std::mutex mutex_;  // protects what follows
    std::condition_variable wake_;
    Instant sleeping_until_ = Instant::min();  // awake
    bool stopping_ = false;
    std::thread thread_;
};

Expiry::Expiry(Store& store, WriteLane& writes, const Clock& clock, Metrics& metrics, Options options)
    : self_(std::make_unique<Self>(store, writes, clock, metrics, options))
{
}
Expiry::~Expiry() { stop(); }
void Expiry::start() { self_->start(); }
void Expiry::look() { self_->look(); }
void Expiry::stop() { self_->stop(); }

}  // namespace boxoffice
