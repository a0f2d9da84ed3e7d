#include "sqlite/writer.hpp"

#include <algorithm>

#include "sqlite/changes.hpp"
#include "sqlite/explain.hpp"
#include "sqlite/files.hpp"

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

/// Of a changed event the counter, and its pace, are noted after this.
Place place_of(const Event& event)
{
    return {event.id,           event.venue.point,   event.start_time,   event.end_time,
            event.organizer_id, event.total_tickets, event.tickets_sold, SalesRate{0, event.created_at}};
}

}  // namespace

Writer::Writer(const SqliteOptions& options, Places& places, const Zones& zones, ReadGate& gate)
    : db_(options.file, Access::read_write),
      places_(places),
      decide_{zones, options.arrivals, options.mails},
      facts_(db_),
      log_(db_, options, gate)
{
    // FULL: a commit is synced before it returns; 32 MiB of cache hold the hot ends of every index.
    db_.script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF; PRAGMA cache_size=-32768");
    reserved_ = count_reserved(db_);
    // The log's file is there from the first read on; SQLite syncs the folder that names it, but does not say when that fails.
    sync_folder_of(options.file);
}

Writer::~Writer() { log_.finish(); }

void Writer::commit()
{
    try {
        db_.execute("COMMIT");
    } catch (const SqliteError& error) {
        if (!is_sync_failure(error.extended_code())) throw;
        // After a failed sync the kernel may have dropped the pages and call the next sync good: stop acknowledging. And this
        // transaction stands in the log, whole or not: after a crash it may be found there.
        log_.note_failed_sync();
        throw StoreFailure(error.code(), explain(sqlite3_db_filename(db_.handle(), "main"), error),
                           StoreFailure::Outcome::unclear);
    }
}

void Writer::roll_back() noexcept
{
    catalogue_changed_ = false;
    end_catalogue_change();
    if (db_.in_transaction()) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Writer::end_catalogue_change() noexcept
{
    if (!is_stable(catalogue_version_.load(std::memory_order_relaxed))) catalogue_version_.fetch_add(1);
}

void Writer::check_ready() const
{
    if (log_.sync_failed()) throw StoreFailure(Code::storage_failed, "a disk sync has failed; restart after checking the disk");
}

void Writer::execute(std::span<WriteJob* const> jobs)
{
    check_ready();
    log_.tend();
    check_ready();
    Changes changes;
    try {
        db_.execute("BEGIN IMMEDIATE");
        facts_.begin();
        changes = decide(jobs, facts_, decide_);
        write(db_, changes);
        answer_by_engine(jobs, [this](WriteJob& job, const auto& what) { job.outcome = act(what); });
        catalogue_changed_ = catalogue_changed_ || changes.changes_catalogue();
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
    publish(changes);
}

/// The batch has happened: nothing that goes wrong from here on may be told as if it had not.
void Writer::publish(const Changes& changes) noexcept
{
    reserved_.fetch_add(changes.reserved(), std::memory_order_relaxed);
    catalogue_changed_ = false;
    end_catalogue_change();
    try {
        for (const Event& event : changes.events_added) places_.put(place_of(event));
        for (const EventChange& change : changes.events_changed) places_.put(place_of(change.event));
        for (const StockChange& stock : changes.stocks) places_.count(stock.event, stock.row.sold, stock.row.pace);
        for (const EventRemoval& removal : changes.events_removed) places_.remove(removal.event);
    } catch (...) {
        places_.distrust();  // no memory for a note: read from the file again
    }
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
