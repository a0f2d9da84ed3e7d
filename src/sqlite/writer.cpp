#include "sqlite/writer.hpp"

#include <algorithm>
#include <utility>

#include "core/limits.hpp"
#include "core/refuse.hpp"
#include "sqlite/files.hpp"
#include "sqlite/identity.hpp"

namespace boxoffice::sqlite
{

namespace
{

std::int64_t count_reserved(Connection& db)
{
    Rows rows = db.query("SELECT count(*) FROM tickets WHERE status = 0 AND expires_at > -1");
    rows.next();
    return rows.integer(0);
}

}  // namespace

Writer::Writer(const SqliteOptions& options, Places& places, const Zones& zones, ReadGate& gate)
    : db_(options.file, Access::read_write),
      places_(places),
      zones_(zones),
      arrivals_(options.arrivals),
      mails_(options.mails),
      inventory_(db_),
      log_(db_, options, gate)
{
    // FULL: a commit is synced before it returns; 32 MiB of cache hold the hot ends of every index.
    db_.script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF; PRAGMA cache_size=-32768");
    reserved_ = count_reserved(db_);
    ids_after_ = read_ids_after(db_);
    find_first_ids();
    // The log's file is there from the first read on; SQLite syncs the folder that names it, but does not say when that fails.
    sync_folder_of(options.file);
}

Writer::~Writer() { log_.finish(); }

void Writer::begin() { db_.execute("BEGIN IMMEDIATE"); }

void Writer::commit()
{
    inventory_.save();
    try {
        db_.execute("COMMIT");
    } catch (const SqliteError& error) {
        if (!is_sync_failure(error.extended_code())) throw;
        // After a failed sync the kernel may have dropped the pages and call the next sync good: stop acknowledging. And this
        // transaction stands in the log, whole or not: after a crash it may be found there.
        log_.note_failed_sync();
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
    ids_to_jump_ = ids_to_jump_before_;
}

void Writer::settle_catalogue() noexcept
{
    if (!is_settled(catalogue_version_.load(std::memory_order_relaxed))) catalogue_version_.fetch_add(1);
}

void Writer::check_ready() const
{
    if (log_.sync_failed()) throw StoreFailure(Code::storage_failed, "a disk sync has failed; restart after checking the disk");
}

void Writer::carry_out(std::span<WriteJob* const> jobs)
{
    check_ready();
    log_.tend();
    check_ready();
    try {
        begin();
        for (WriteJob* const job : jobs) carry_out_one(*job);
        if (catalogue_changed_) catalogue_version_.fetch_add(1);
        commit();
    } catch (const SqliteError& error) {
        // A large batch goes into the log before its commit: without the mark of a commit, so nothing of it has happened.
        if (is_sync_failure(error.extended_code())) log_.note_failed_sync();
        roll_back();
        throw;
    } catch (...) {
        roll_back();
        throw;
    }
    publish();
}

/// The batch has happened: nothing that goes wrong from here on may be told as if it had not.
void Writer::publish() noexcept
{
    reserved_.fetch_add(std::exchange(reserved_change_, 0), std::memory_order_relaxed);
    catalogue_changed_ = false;
    settle_catalogue();
    try {
        for (const Place& place : put_) places_.put(place);
        inventory_.tell(places_);  // after the rows were put: a sale later in the batch has the last word
        for (const EventId event : removed_) places_.remove(event);
    } catch (...) {
        places_.distrust();  // no memory for a note: read from the file again
    }
    inventory_.clear();
    put_.clear();
    removed_.clear();
    ids_to_jump_before_ = ids_to_jump_;
}

void Writer::find_first_ids()
{
    if (ids_after_ == 0) return;
    constexpr std::array<std::string_view, 3> kHighest{"SELECT max(id) FROM users", "SELECT max(id) FROM events",
                                                       "SELECT max(id) FROM tickets"};
    for (std::size_t i = 0; i < kHighest.size(); ++i) {
        Rows rows = db_.query(kHighest[i]);
        ids_to_jump_[i] = !rows.next() || rows.integer(0) <= ids_after_;
    }
    ids_to_jump_before_ = ids_to_jump_;
}

std::optional<std::int64_t> Writer::first_id(Numbered what) const
{
    if (!ids_to_jump_[static_cast<std::size_t>(what)]) return std::nullopt;
    return ids_after_ + 1;
}

std::int64_t Writer::given_id(Numbered what)
{
    ids_to_jump_[static_cast<std::size_t>(what)] = false;
    return db_.last_id();
}

void Writer::carry_out_one(WriteJob& job)
{
    const auto run = [&] {
        const std::int64_t before = noted_;
        job.outcome = std::visit([&](const auto& what) { return act(what); }, job.act);
        job.made_effects = noted_ > before;
    };
    job.made_effects = false;
    current_ = &job;
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
    if (job.deferred != Deferred::no || !is_final(job.outcome)) return;
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

}  // namespace boxoffice::sqlite
