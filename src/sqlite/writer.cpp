#include "sqlite/writer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/limits.hpp"
#include "core/refuse.hpp"

namespace boxoffice::sqlite
{

namespace
{

/// WAL pages (4 KiB) that make an idle moment worth a checkpoint, and those that force one between two batches: a
/// longer WAL makes reads slower and the next start later, a shorter one syncs the file more often.
constexpr int kPagesForIdle = 1000;
constexpr int kPagesForced = 8000;

std::int64_t count_reserved(Connection& db)
{
    Rows rows = db.query("SELECT count(*) FROM tickets WHERE status = 0 AND expires_at > -1");
    rows.next();
    return rows.integer(0);
}

}  // namespace

Writer::Writer(const std::filesystem::path& file, Places& places, const Zones& zones, const Arrivals* arrivals)
    : db_(file, Access::read_write), places_(places), zones_(zones), arrivals_(arrivals), inventory_(db_)
{
    // FULL: a commit is synced before it returns; 32 MiB of cache hold the hot ends of every index.
    db_.script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF; PRAGMA cache_size=-32768");
    const auto on_commit = [](void* wal, sqlite3*, const char*, int pages) noexcept {
        Wal& now = *static_cast<Wal*>(wal);
        if (pages < now.pages) now.checkpointed = 0;  // it began anew
        now.pages = pages;
        return SQLITE_OK;
    };
    sqlite3_wal_hook(db_.handle(), on_commit, &wal_);
    reserved_ = count_reserved(db_);
}

Writer::~Writer()
{
    try {
        if (!failed_) checkpoint();
    } catch (const std::exception&) {
        // A destructor has nobody to tell; the WAL stays, and is read at the next start.
    }
}

void Writer::begin() { db_.execute("BEGIN IMMEDIATE"); }

void Writer::commit()
{
    inventory_.save();
    try {
        db_.execute("COMMIT");
    } catch (const SqliteError& error) {
        if (error.extended_code() != SQLITE_IOERR_FSYNC) throw;
        // After a failed sync the kernel may have dropped the pages and call the next sync good: stop acknowledging. And this
        // transaction stands in the log, whole or not: after a crash it may be found there.
        failed_ = true;
        throw StoreFailure(error.code(), error.what(), StoreFailure::Outcome::unclear);
    }
}

void Writer::roll_back() noexcept
{
    inventory_.clear();
    put_.clear();
    removed_.clear();
    reserved_change_ = 0;
    catalogue_changed_ = false;
    settle_catalogue();
    if (db_.in_transaction()) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Writer::settle_catalogue() noexcept
{
    if (!is_settled(catalogue_version_.load(std::memory_order_relaxed))) catalogue_version_.fetch_add(1);
}

void Writer::check_ready() const
{
    if (failed_) throw StoreFailure(Code::storage_failed, "a disk sync has failed; restart after checking the disk");
}

void Writer::carry_out(std::span<WriteJob* const> jobs)
{
    check_ready();
    if (wal_.fresh() >= kPagesForced) checkpoint();
    try {
        begin();
        for (WriteJob* const job : jobs) carry_out_one(*job);
        if (catalogue_changed_) catalogue_version_.fetch_add(1);
        commit();
    } catch (...) {
        roll_back();
        throw;
    }
    for (const Place& place : put_) places_.put(place);
    inventory_.tell(places_);  // after the rows were put: a sale later in the batch has the last word
    inventory_.clear();
    for (const EventId event : removed_) places_.remove(event);
    put_.clear();
    removed_.clear();
    reserved_.fetch_add(std::exchange(reserved_change_, 0), std::memory_order_relaxed);
    catalogue_changed_ = false;
    settle_catalogue();
}

void Writer::carry_out_one(WriteJob& job)
{
    const auto run = [&] {
        const std::int64_t before = noted_;
        job.outcome = std::visit([&](const auto& what) { return act(what); }, job.act);
        job.made_effects = noted_ > before;
    };
    job.made_effects = false;
    if (!job.claim) return run();
    const IdempotencyClaim& claim = *job.claim;
    {
        Rows kept = db_.query("SELECT fingerprint, bytes FROM kept_answers WHERE user_id = ?1 AND key = ?2 AND kept_at > ?3",
                              claim.user, claim.key, claim.now - kAnswerLife);
        if (kept.next()) {
            if (kept.text(0) == claim.fingerprint)
                job.outcome = KeptAnswer{std::string(kept.text(1))};
            else
                job.outcome = refuse(Code::idempotency_key_reused);
            return;
        }
    }
    run();
    if (!is_final(job.outcome)) return;
    const KeptAnswer answer = claim.render(job.outcome);
    db_.execute(
        "INSERT OR REPLACE INTO kept_answers (user_id, key, fingerprint, kept_at, bytes) VALUES (?1, ?2, ?3, ?4, CAST(?5 AS "
        "BLOB))",
        claim.user, claim.key, claim.fingerprint, claim.now, answer.bytes);
}

Outcome Writer::act(const ForgetAnswers& act)
{
    const auto most = static_cast<std::int64_t>(act.most);
    const auto forgotten = db_.execute(
        "DELETE FROM kept_answers WHERE (user_id, key) IN (SELECT user_id, key FROM kept_answers WHERE kept_at < ?1 ORDER BY "
        "kept_at LIMIT ?2)",
        act.before, most);
    return Done{std::max(forgotten, forget_mails(act.before, most)) == most};
}

void Writer::idle()
{
    if (wal_.fresh() >= kPagesForIdle && !failed_) checkpoint();
}

void Writer::checkpoint()
{
    int log_pages = 0;
    int moved_pages = 0;
    // PASSIVE never waits for readers: what they still need stays in the WAL for the next time. A full disk makes it fail;
    // nothing is lost then, and the next batch will say so itself.
    const int code = sqlite3_wal_checkpoint_v2(db_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &log_pages, &moved_pages);
    if (code == SQLITE_IOERR_FSYNC) failed_ = true;
    wal_.checkpointed = wal_.pages;
}

}  // namespace boxoffice::sqlite
