#include "postgres/writer.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

namespace boxoffice::postgres
{

namespace
{

using Steady = std::chrono::steady_clock;

/// A batch that lost to another one is tried again so often: more would mean that something else is wrong.
constexpr int kRetriesMax = 3;
/// The longest pause before the first of these; doubled by each.
constexpr std::chrono::milliseconds kRetryPause{10};
/// Between two tries to reach a server that is away: soon enough that a restart costs little, seldom enough not to hinder it.
constexpr std::chrono::milliseconds kAwayPauseFirst{50};
constexpr std::chrono::milliseconds kAwayPauseMax{1000};
/// Of effects made, workers elsewhere are told at most this often: a notice costs every commit of the database a lock.
constexpr Micros kEffectNotice = std::chrono::milliseconds(50);

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

Writer::Writer(const PostgresOptions& options, const Zones& zones, Notices& notices)
    : options_(options), zones_(zones), notices_(notices), db_(options_, Connection::Purpose::write)
{
}

void Writer::carry_out(std::span<WriteJob* const> jobs)
{
    auto away = kAwayPauseFirst;
    for (int retries = 0;;) {
        try {
            attempt(jobs);
            outage_.reset();
            return;
        } catch (const Refused& refused) {
            outage_.reset();
            if (!refused.transient() || ++retries > kRetriesMax) throw;
            pause(kRetryPause * (1 << retries));
        } catch (const Gone& gone) {
            note_away(gone);
            pause(away);
            away = std::min(away * 2, kAwayPauseMax);
        }
    }
}

void Writer::note_away(const Gone& gone)
{
    const auto now = Steady::now();
    // One that nobody has looked at for as long is over, and this is another.
    if (!outage_ || now - outage_->seen > options_.away_max) outage_ = Outage{now, now};
    outage_->seen = now;
    if (now - outage_->since >= options_.away_max) throw StoreFailure(gone.code(), gone.what(), StoreFailure::Outcome::away);
}

void Writer::attempt(std::span<WriteJob* const> jobs)
{
    Wanted wanted(jobs, options_.arrivals ? options_.arrivals->tickets() : 0);
    Facts facts = gather(db_, wanted);
    try {
        if (wanted.only_lapse && facts.stocks.empty()) {
            // Nothing is due, or somebody else holds the locks of all that is: wait for them this time.
            (void)db_.ask("ROLLBACK");
            wanted.lapse_mode = Wanted::LapseMode::wait_for_one;
            facts = gather(db_, wanted);
        }
        while (wanted.add_revived(jobs, facts)) {
            (void)db_.ask("ROLLBACK");
            facts = gather(db_, wanted);
        }
        Batch batch(jobs, std::move(facts), zones_, options_.arrivals);
        batch.decide();
        commit(batch, wanted.now);
    } catch (const Refused&) {
        throw;  // rolled back
    } catch (const Gone&) {
        throw;
    } catch (...) {
        if (db_.connected()) db_.drop();  // and with the session goes the transaction
        throw;
    }
}

void Writer::commit(Batch& batch, Instant now)
{
    std::vector<std::function<void(const std::vector<Rows>&)>> later;
    Flight flight = batch.writes(later);
    if (flight.empty()) {  // refusals only
        (void)db_.ask("COMMIT");
        return;
    }
    const auto mark = new_mark();
    flight.add("INSERT INTO batches (mark, made_at) VALUES ($1, now())",
               std::move(Params().uuid(std::span<const unsigned char, 16>(mark))));
    const std::int64_t at = now.time_since_epoch().count();
    const auto deadline = batch.earliest_deadline();
    const bool tells_hold = deadline && at >= notices_.hold_until.load(std::memory_order_relaxed);
    const bool tells_effect = batch.made_effects() && at >= notices_.effect_after.load(std::memory_order_relaxed);
    if (tells_hold) flight.add("SELECT pg_notify('boxoffice', 'hold')");
    if (tells_effect) flight.add("SELECT pg_notify('boxoffice', 'effect')");
    flight.add("COMMIT");
    std::optional<std::vector<Rows>> rows;
    try {
        rows = db_.fly(flight);
    } catch (const Gone&) {
        if (!was_committed(mark)) throw;
    }
    if (tells_hold) notices_.hold_until.store(deadline->time_since_epoch().count(), std::memory_order_relaxed);
    if (tells_effect) notices_.effect_after.store(at + kEffectNotice.count(), std::memory_order_relaxed);
    // Committed, and the answers lost on the way: what was taken from the outbox is taken again when its time is up.
    if (!rows) return;
    for (const auto& read : later) read(*rows);
}

bool Writer::was_committed(std::span<const unsigned char, 16> mark)
{
    const auto give_up = Steady::now() + options_.away_max;
    auto away = kAwayPauseFirst;
    for (;;) {
        try {
            // Waits for the transaction when it is still open somewhere. Asked in two steps, because this connection may be lost
            // too, between our row's commit and its answer.
            Flight flight;
            flight.add("INSERT INTO batches (mark, made_at, lost) VALUES ($1, now(), true) ON CONFLICT DO NOTHING",
                       std::move(Params().uuid(mark)));
            (void)db_.fly(flight);
            const Rows rows = db_.ask("SELECT lost FROM batches WHERE mark = $1", std::move(Params().uuid(mark)));
            return rows.count() == 1 && !rows.boolean(0, 0);
        } catch (const StoreFailure& failure) {
            if (Steady::now() >= give_up) {
                throw StoreFailure(Code::storage_failed, fmt::format("a commit is unclear: {}", failure.what()),
                                   StoreFailure::Outcome::unclear);
            }
            pause(away);
            away = std::min(away * 2, kAwayPauseMax);
        }
    }
}

}  // namespace boxoffice::postgres
