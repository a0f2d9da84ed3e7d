#include "postgres/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include "core/search.hpp"
#include "postgres/outbox.hpp"
#include "postgres/writes.hpp"

namespace boxoffice::postgres
{

namespace
{

using Steady = std::chrono::steady_clock;

/// A batch that lost to another one is tried again so often: more would mean that something else is wrong.
constexpr int kRetriesMax = 3;
/// The longest pause before the first of these; doubled by each.
constexpr std::chrono::milliseconds kRetryPause{10};
/// Between two tries to reach a server that is unavailable: soon enough that a restart costs little, seldom enough not to hinder
/// it.
constexpr std::chrono::milliseconds kBackoffFirst{50};
constexpr std::chrono::milliseconds kBackoffMax{1000};
/// A row that changes hands is wanted by many nodes: their batches before this one take some milliseconds each.
constexpr Micros kContendedPatience = std::chrono::seconds(2);
constexpr std::string_view kLockNotAvailable = "55P03";
/// For what became of a commit, after an outage that has been waited for; and for one answer at the end of a longer wait.
constexpr std::chrono::seconds kSilentPatience{2};
constexpr std::chrono::seconds kSilentCommit{5};
constexpr std::chrono::seconds kAnswerPatience{1};
constexpr std::chrono::minutes kSilenceRemembered{1};
/// Of effects made, other nodes' workers are notified at most this often: a NOTIFY costs every commit of the database a lock.
constexpr Micros kEffectNotifyInterval = std::chrono::milliseconds(50);

std::mt19937_64& dice()
{
    thread_local std::mt19937_64 engine{std::random_device{}()};
    return engine;
}

std::array<unsigned char, 16> new_mark()
{
    std::array<unsigned char, 16> mark{};
    const std::uint64_t words[2] = {dice()(), dice()()};
    std::memcpy(mark.data(), words, mark.size());
    return mark;
}

void pause(std::chrono::milliseconds most)
{
    std::uniform_int_distribution<std::int64_t> span(most.count() * 500, most.count() * 1000);
    std::this_thread::sleep_for(std::chrono::microseconds(span(dice())));
}

}  // namespace

Writer::Writer(const PostgresOptions& options, const Zones& zones, SharedState& shared)
    : options_(options), zones_(zones), shared_(shared), db_(options_, Connection::Purpose::write)
{
}

Wanted Writer::wanted_of(std::span<WriteJob* const> jobs) const
{
    Wanted wanted(jobs, options_.arrivals ? options_.arrivals->tickets() : 0);
    wanted.careful = shared_.blocked.careful();
    if (wanted.now != Instant::min()) shared_.due_floor.seen(wanted.now);
    wanted.due_from = shared_.due_floor.from();
    if (wanted.lapse > 0) wanted.passed_by = shared_.blocked.events();
    return wanted;
}

void Writer::defer(Jobs& jobs, const Probe& probe, const std::set<LockedRow>& blocked)
{
    if (blocked.empty()) return;
    std::erase_if(jobs, [&](WriteJob* job) {
        const std::vector<LockedRow> rows = rows_of(Wanted(std::span(&job, 1)), probe);
        const bool waits = std::any_of(rows.begin(), rows.end(), [&](const LockedRow& row) { return blocked.contains(row); });
        if (waits) job->deferred = Deferred::blocked;
        return waits;
    });
}

void Writer::halve(Jobs& jobs)
{
    if (jobs.size() == 1) {
        jobs.front()->deferred = Deferred::blocked;
        return jobs.clear();
    }
    const std::size_t half = jobs.size() / 2;
    std::for_each(jobs.begin() + static_cast<std::ptrdiff_t>(half), jobs.end(),
                  [](WriteJob* job) { job->deferred = Deferred::unfinished; });
    jobs.resize(half);
}

bool Writer::leave_out_known(Jobs& jobs)
{
    if (shared_.blocked.empty()) return false;
    Wanted wanted(jobs);
    wanted.lapse = 0;  // it passes by what is known
    if (!shared_.blocked.concerns(wanted)) return false;
    const Probe found = probe(db_, wanted);
    const auto seen = shared_.blocked.learn(wanted, found, Blocked::After::nothing);
    defer(jobs, found, seen.blocked);
    return seen.contended;
}

bool Writer::leave_out_blocked(Jobs& jobs)
{
    const Wanted wanted = wanted_of(jobs);
    const Probe found = probe(db_, wanted);
    const auto seen = shared_.blocked.learn(wanted, found, Blocked::After::waiting_in_vain);
    if (wanted.lapse > 0 || !wanted.reserves.empty() || !wanted.removals.empty()) shared_.blocked.be_careful();
    const std::size_t before = jobs.size();
    defer(jobs, found, seen.blocked);
    return jobs.size() < before || seen.news;
}

void Writer::execute(std::span<WriteJob* const> all)
{
    Jobs jobs(all.begin(), all.end());
    const bool may_defer = std::all_of(all.begin(), all.end(), [](const WriteJob* job) { return job->deferrable; });
    std::optional<Micros> patience;
    if (!may_defer) patience = options_.lock_timeout;
    auto backoff = kBackoffFirst;
    int waits = 0;
    for (int retries = 0; !jobs.empty();) {
        try {
            if (may_defer && waits == 0 && leave_out_known(jobs)) patience = kContendedPatience;
            if (jobs.empty()) return;
            attempt(jobs, patience);
            outage_.reset();
            return;
        } catch (const Refused& refused) {
            outage_.reset();
            if (may_defer && refused.state() == kLockNotAvailable) {
                // The first time it may be that no holder is found because it has just released its lock.
                if (!leave_out_blocked(jobs) && ++waits > 1) halve(jobs);
                continue;
            }
            if (!refused.transient() || ++retries > kRetriesMax) throw;
            pause(kRetryPause * (1 << retries));
        } catch (const Gone& gone) {
            note_unavailable(gone);
            pause(backoff);
            backoff = std::min(backoff * 2, kBackoffMax);
        }
    }
}

void Writer::note_unavailable(const Gone& gone)
{
    const auto now = Steady::now();
    // One that was not observed for as long is over, and this is another.
    if (!outage_ || now - outage_->seen > options_.unavailable_max) outage_ = Outage{now, now};
    outage_->seen = now;
    if (now - outage_->since >= options_.unavailable_max)
        throw StoreFailure(gone.code(), gone.what(), StoreFailure::Outcome::unavailable);
}

void Writer::attempt(std::span<WriteJob* const> jobs, std::optional<Micros> patience)
{
    Wanted wanted = wanted_of(jobs);
    wanted.patience = patience;
    Gathered facts = gather(db_, wanted);
    try {
        if (wanted.only_lapse && facts.stocks.empty()) {
            // Nothing is due, or other sessions hold the locks of all that is: wait for them this time.
            (void)db_.ask("ROLLBACK");
            wanted.lapse_mode = Wanted::LapseMode::wait_for_one;
            facts = gather(db_, wanted);
        }
        while (wanted.add_revived(facts)) {
            (void)db_.ask("ROLLBACK");
            facts = gather(db_, wanted);
        }
        const Changes changes = decide(jobs, facts, {zones_, options_.arrivals, options_.mails});
        commit(jobs, changes, facts.unindexed, wanted);
    } catch (const Refused&) {
        throw;  // rolled back
    } catch (const Gone&) {
        throw;
    } catch (...) {
        if (db_.connected()) db_.drop();  // and with the session goes the transaction
        throw;
    }
}

void Writer::commit(std::span<WriteJob* const> jobs, const Changes& changes, const Unindexed& unindexed, const Wanted& wanted)
{
    Pipeline pipeline;
    Later later;
    add_writes(pipeline, changes);
    reindex(pipeline, unindexed);
    answer_by_engine(jobs, [&]<class A>(WriteJob& job, const A& act) {
        if constexpr (std::is_same_v<A, Reindex>)
            job.outcome = Done{unindexed.events.size() >= act.most || unindexed.users.size() >= act.most ||
                               unindexed.bytes >= kReindexedBytesAtOnce};
        else
            ServerActs(pipeline, later).add(job, act);
    });
    if (pipeline.empty()) {  // refusals only
        (void)db_.ask("COMMIT");
        return;
    }
    const auto mark = new_mark();
    pipeline.add("INSERT INTO batches (mark, made_at) VALUES ($1, now())",
                 std::move(Params().uuid(std::span<const unsigned char, 16>(mark))));
    const std::int64_t at = wanted.now.time_since_epoch().count();
    const auto deadline = changes.earliest_deadline();
    const bool notifies_hold = deadline && at >= shared_.hold_until.load(std::memory_order_relaxed);
    const bool notifies_effect = !changes.effects.empty() && at >= shared_.effect_after.load(std::memory_order_relaxed);
    if (notifies_hold) pipeline.add("SELECT pg_notify('boxoffice', 'hold')");
    if (notifies_effect) pipeline.add("SELECT pg_notify('boxoffice', 'effect')");
    pipeline.add("COMMIT");
    if (deadline) shared_.due_floor.made(*deadline);
    const auto rows = execute_and_commit(pipeline, mark);
    // Committed: from here on nothing may be thrown, or it would be executed again.
    if (notifies_hold) shared_.hold_until.store(deadline->time_since_epoch().count(), std::memory_order_relaxed);
    if (notifies_effect) shared_.effect_after.store(at + kEffectNotifyInterval.count(), std::memory_order_relaxed);
    // The answers lost on the way: what was taken from the outbox is taken again when its time is up.
    if (!rows) return;
    for (const auto& read : later) {
        try {
            read(*rows);
        } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
            // As if it had been lost on the way.
        }
    }
}

std::optional<std::vector<Rows>> Writer::execute_and_commit(const Pipeline& pipeline, std::span<const unsigned char, 16> mark)
{
    try {
        // Behind a batch that has waited for its commit others have queued up, and a proxy gives up after 65 s.
        std::optional<Connection::Patience> hurry;
        if (is_silent()) hurry.emplace(db_, kSilentCommit);
        std::vector<Rows> rows = db_.execute(pipeline);
        // A commit that the server warns of has not waited for its standby: the wait was cancelled.
        if (!db_.warned()) return rows;
    } catch (const Refused&) {
        throw;               // rolled back
    } catch (const Gone&) {  // NOLINT(bugprone-empty-catch): what has become of it is asked below
    } catch (const std::exception&) {
        db_.drop();  // no memory for the answer, say; COMMIT may have been sent all the same
    }
    if (was_committed(mark)) return std::nullopt;
    throw Gone("a commit was lost on its way");
}

bool Writer::is_silent() const { return outage_ && Steady::now() - outage_->seen < kSilenceRemembered; }

bool Writer::was_committed(std::span<const unsigned char, 16> mark)
{
    // A caller that has just waited in vain does not wait as long again.
    const auto give_up = Steady::now() + (is_silent() ? Micros(kSilentPatience) : options_.unavailable_max);
    auto backoff = kBackoffFirst;
    for (;;) {
        try {
            const auto left = std::chrono::floor<Micros>(give_up - Steady::now());
            const Connection::Patience patience(db_, std::max<Micros>(left, kAnswerPatience));
            // Waits for the transaction when it is still open somewhere. Asked in two steps, because this connection may be lost
            // too, between our row's commit and its answer.
            Pipeline pipeline;
            pipeline.add("INSERT INTO batches (mark, made_at, lost) VALUES ($1, now(), true) ON CONFLICT DO NOTHING",
                         std::move(Params().uuid(mark)));
            (void)db_.execute(pipeline);
            const Rows rows = db_.ask("SELECT lost FROM batches WHERE mark = $1", std::move(Params().uuid(mark)));
            if (rows.count() != 1 || rows.boolean(0, 0)) return false;
            // It is there; but a standby may not have it, and would not after a failover. What is committed after it and has
            // waited for the same durability proves that this has it, too. (The insert that did nothing has written nothing, and
            // waited for no standby.)
            const Rows proof =
                db_.ask("UPDATE batches SET made_at = now() WHERE mark = $1 RETURNING lost", std::move(Params().uuid(mark)));
            if (db_.warned() || proof.count() != 1) throw Gone("the commit could not be confirmed");
            return true;
        } catch (const StoreFailure& failure) {
            const auto now = Steady::now();
            if (now >= give_up) {
                outage_ = Outage{outage_ ? outage_->since : now, now};
                throw StoreFailure(Code::storage_failed, fmt::format("a commit is unclear: {}", failure.what()),
                                   StoreFailure::Outcome::unclear);
            }
            pause(backoff);
            backoff = std::min(backoff * 2, kBackoffMax);
        }
    }
}

}  // namespace boxoffice::postgres
