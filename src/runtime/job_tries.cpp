#include "runtime/job_tries.hpp"

#include <algorithm>
#include <condition_variable>
#include <random>
#include <thread>

#include "core/refuse.hpp"
#include "runtime/log.hpp"

namespace boxoffice
{

namespace
{

using Steady = std::chrono::steady_clock;

constexpr Micros kLaneLook = std::chrono::milliseconds(5);
constexpr std::size_t kWhyBytesMax = 500;

/// Up to a quarter longer, so that what failed together is not tried again together.
Micros with_jitter(Micros pause)
{
    thread_local std::minstd_rand dice{std::random_device{}()};
    return pause + Micros(std::uniform_int_distribution<Micros::rep>(0, pause.count() / 4)(dice));
}

/// To whole characters: half of one is refused by PostgreSQL, however often it is told.
void cut(std::string& why)
{
    if (why.size() <= kWhyBytesMax) return;
    const auto is_continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
    std::size_t end = kWhyBytesMax;
    while (end > 0 && is_continuation(why[end])) --end;
    why.resize(end);
}

/// A store that could not do it now, and may be able to later.
bool may_pass(const Outcome& outcome)
{
    const Error* const error = std::get_if<Error>(&outcome);
    if (error == nullptr) return false;
    return error->code == Code::busy || error->code == Code::storage_failed || error->code == Code::storage_full;
}

}  // namespace

std::string why_of(const Outcome& outcome)
{
    const Error* const error = std::get_if<Error>(&outcome);
    if (error == nullptr) return "an answer of another kind";
    return error->detail.empty() ? error->message : error->detail;
}

Outcome submit_and_wait(WriteLane& writes, const Act& act, Micros patience)
{
    std::mutex mutex;
    std::condition_variable arrived;
    bool there = false;
    Outcome outcome;
    const auto give_up = Steady::now() + patience;
    for (;;) {
        auto job = std::make_unique<LaneJob>();
        job->act = act;
        job->done = [&](LaneJob& finished) {
            // Notified under the lock: the waiter's condition variable is gone as soon as it may go on.
            const std::lock_guard lock(mutex);
            outcome = std::move(finished.outcome);
            there = true;
            arrived.notify_one();
        };
        if (writes.submit(std::move(job))) break;
        if (Steady::now() >= give_up) return refuse(Code::busy);
        std::this_thread::sleep_for(kLaneLook);
    }
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return there; });
    return outcome;
}

Outcome submit_with_retries(WriteLane& writes, const Act& act, const RetryPolicy& how)
{
    const auto give_up = Steady::now() + how.patience;
    for (;;) {
        Outcome outcome = submit_and_wait(writes, act, kLanePatience);
        if (!may_pass(outcome) || how.stopping() || Steady::now() >= give_up) return outcome;
        std::this_thread::sleep_for(how.pause);
    }
}

JobTries::TryResult JobTries::run(const Effect& effect, std::string& why)
{
    MailFailure::Kind kind = MailFailure::Kind::transient;
    try {
        job_(effect);
        metrics_.job(effect.kind, JobResult::done);
        return TryResult::done;
    } catch (const JobLeftOff&) {
        if (const auto more = job_log_.due())
            log::info("a job was interrupted and continues later", {{"effect", effect.id}, {"unlogged", *more}});
        return TryResult::left_off;
    } catch (const MailFailure& failure) {
        why = failure.what();
        kind = failure.kind();
    } catch (const std::exception& failure) {
        why = failure.what();
    }
    cut(why);
    return failed(effect, why, kind);
}

JobTries::TryResult JobTries::failed(const Effect& effect, const std::string& why, MailFailure::Kind kind)
{
    const bool dead = kind == MailFailure::Kind::permanent || effect.tries + 1 >= options_.tries_max;
    metrics_.job(effect.kind, dead ? JobResult::dead : JobResult::failed);
    if (dead) {
        log::error("a job failed for good (dead)",
                   {{"effect", effect.id}, {"tries", std::int64_t{effect.tries} + 1}, {"why", why}});
    } else if (const auto more = job_log_.due()) {
        log::warn("a job failed and will be retried", {{"effect", effect.id}, {"why", why}, {"unlogged", *more}});
    }
    PostponeEffect act{effect.id, std::nullopt, why, clock_.now()};
    if (!dead) act.due_at = act.now + pause_after(effect.tries);
    if (!say(act)) return TryResult::not_recorded;
    return dead ? TryResult::dead : TryResult::postponed;
}

Micros JobTries::pause_after(int tries) const
{
    Micros pause = options_.try_again;
    for (int i = 0; i < tries && pause < options_.try_again_max; ++i) pause *= 2;
    return with_jitter(std::min(pause, options_.try_again_max));
}

bool JobTries::settle(const std::vector<std::int64_t>& effects) { return say(SettleEffects{effects}); }

bool JobTries::say(const Act& act)
{
    for (;;) {
        const Outcome outcome = boxoffice::submit_and_wait(writes_, act, kLanePatience);
        if (std::holds_alternative<Done>(outcome)) return true;
        const Error* const error = std::get_if<Error>(&outcome);
        if (error != nullptr && error->code == Code::busy && !hurried_) continue;
        if (store_log_.due()) log::error("the outcome of a job could not be recorded", {{"why", why_of(outcome)}});
        return false;
    }
}

}  // namespace boxoffice
