#include "sqlite/reader.hpp"

#include <fmt/core.h>

#include "core/slices.hpp"
#include "core/still_wanted.hpp"
#include "sqlite/rows.hpp"
#include "text/text.hpp"

namespace boxoffice::sqlite
{

namespace
{

/// Up to this many matches of a word search are sorted by start time; beyond it the start-time index is walked and each
/// event looked up among the matches, which fills a page soon when there are that many.
constexpr std::int64_t kMatchesSorted = 2000;

/// Listings whose size is remembered: the storefront asks for few different ones.
constexpr std::size_t kCountsKept = 256;

/// "Jazz, nig" -> "\"jazz\" \"nig\" *": every word must appear, in any order, and none is read as an operator.
std::string match_all(std::string_view text)
{
    const text::WordQuery query = text::query_of(text);
    std::string match;
    for (const std::string& word : query.words) match += (match.empty() ? "\"" : " \"") + word + '"';
    if (!query.prefix.empty()) match += (match.empty() ? "\"" : " \"") + query.prefix + "\" *";
    return match;
}

/// The ids of what matches ?4. Where some events have no words yet, those are looked for in the index of the version before,
/// which cuts and folds in its own way: most of them are found.
constexpr std::string_view kMatching = "(SELECT rowid FROM event_tokens WHERE event_tokens MATCH ?4)";
constexpr std::string_view kMatchingWithOld =
    "(SELECT rowid FROM event_tokens WHERE event_tokens MATCH ?4 UNION SELECT s.id FROM event_words o CROSS JOIN events s ON "
    "s.id = o.rowid WHERE o.event_words MATCH ?4 AND s.words_version IS NULL)";
/// Steps of SQLite's machine after which a reader looks whether its answer is still wanted: about a tenth of a millisecond.
constexpr int kStepsBetweenLooks = 4000;

/// Called by C; what it asks does not throw.
int is_wanted_no_more(void*) { return StillWanted::here() ? 0 : 1; }

constexpr Instant kFirst = Instant(Micros(std::numeric_limits<std::int64_t>::min()));
constexpr Instant kLast = Instant(Micros(std::numeric_limits<std::int64_t>::max()));

}  // namespace

Readers::Readers(const std::filesystem::path& file, unsigned count, ReadGate& gate) : gate_(gate)
{
    for (unsigned i = 0; i < count; ++i) {
        all_.push_back(std::make_unique<Connection>(file, Access::read_only));
        free_.push_back(all_.back().get());
        all_.back()->script("PRAGMA cache_size=-8192");
        sqlite3_progress_handler(all_.back()->handle(), kStepsBetweenLooks, is_wanted_no_more, nullptr);
    }
}

Readers::PooledReader::PooledReader(Readers& readers) : readers_(readers)
{
    {
        std::unique_lock lock(readers.mutex_);
        readers.returned_.wait(lock, [&] { return !readers.free_.empty(); });
        db_ = readers.free_.back();
        readers.free_.pop_back();
    }
    pass_.emplace(readers.gate_, *db_);
}

Readers::PooledReader::~PooledReader()
{
    pass_.reset();
    {
        std::lock_guard lock(readers_.mutex_);
        readers_.free_.push_back(db_);
    }
    readers_.returned_.notify_one();
}

std::int64_t CountCache::get(const EventQuery& query, std::uint64_t version, const std::function<std::int64_t()>& count)
{
    // Every page of a listing shares one count.
    EventQuery key = query;
    key.skip = 0;
    key.limit = 0;
    key.from.reset();
    {
        std::lock_guard lock(mutex_);
        if (version_ == version) {
            if (const auto found = counts_.find(key); found != counts_.end()) return found->second;
        }
    }
    const std::int64_t counted = count();
    std::lock_guard lock(mutex_);
    if (version_ != version || counts_.size() >= kCountsKept) {
        counts_.clear();
        version_ = version;
    }
    counts_[std::move(key)] = counted;
    return counted;
}

std::vector<Place> load_places(Connection& db)
{
    std::vector<Place> places;
    Rows rows = db.query(
        "SELECT e.id, e.latitude, e.longitude, e.start_time, e.end_time, e.organizer_id, i.total, i.sold, i.pace, i.paced_at "
        "FROM events e JOIN inventory i ON i.event_id = e.id WHERE e.removed_at IS NULL");
    while (rows.next()) {
        places.push_back({EventId{rows.integer(0)},
                          {rows.real(1), rows.real(2)},
                          rows.instant(3),
                          rows.instant(4),
                          UserId{rows.integer(5)},
                          rows.integer(6),
                          rows.integer(7),
                          {rows.real(8), rows.instant(9)}});
    }
    return places;
}

Page<Event> list_events(Connection& db, const EventQuery& query, CountCache& counts,
                        std::optional<std::uint64_t> catalogue_version, bool lacks_words)
{
    const Instant after = query.starts_after.value_or(kFirst);
    const Instant before = query.starts_before.value_or(kLast);
    const std::string match = match_all(query.q);
    Page<Event> page;
    if (!query.q.empty() && match.empty()) return page;

    const std::string beside =
        fmt::format("e.removed_at IS NULL{}{}{} AND ", query.organizer ? " AND e.organizer_id = ?3" : "",
                    query.available_only ? " AND i.sold < i.total" : "", query.ends_after ? " AND e.end_time > ?7" : "");
    const std::string filters = beside + "e.start_time > ?1 AND e.start_time < ?2";
    // The plus keeps SQLite from driving by the matches, which it would then have to sort.
    const std::string matching(lacks_words ? kMatchingWithOld : kMatching);
    const std::string matches = " AND +e.id IN " + matching;
    const std::string from = "FROM events e JOIN inventory i ON i.event_id = e.id WHERE ";
    const std::string from_words =
        "FROM " + matching + " w CROSS JOIN events e ON e.id = w.rowid CROSS JOIN inventory i ON i.event_id = e.id WHERE ";

    const auto count = [&] {
        const std::string sql = match.empty() ? query.available_only ? "SELECT count(*) " + from + filters
                                                                     : "SELECT count(*) FROM events e WHERE " + filters
                                              : "SELECT count(*) " + from_words + filters;
        Rows rows = db.query(sql, after, before, query.organizer, match, 0, 0, query.ends_after);
        rows.next();
        return rows.integer(0);
    };
    // Sales move `available_only`, so that is counted anew. An organizer's are counted by an index in a moment: whoever asks for
    // one organizer after the other, for nothing, must not have the counts forgotten that cost something.
    const bool is_quick = query.organizer && !is_expensive(query);
    const bool may_remember = catalogue_version && !query.available_only && !is_quick;
    page.total = may_remember ? counts.get(query, *catalogue_version, count) : count();
    if (query.skip >= page.total) return page;

    // One bound on either side, so that SQLite seeks to the one that is meant and walks no way to it.
    const bool back = goes_back(query.from);
    const EventKey key = query.from ? query.from->key : EventKey{};
    const bool is_above = query.from && !back && key.start_time > after;
    const bool is_below = back && key.start_time < before;
    const std::string in_slice = beside + (is_above ? "(e.start_time, e.id) > (?8, ?9)" : "e.start_time > ?1") + " AND " +
                                 (is_below ? "(e.start_time, e.id) < (?8, ?9)" : "e.start_time < ?2");
    const std::string order = fmt::format(" ORDER BY e.start_time{0}, e.id{0} LIMIT ?5 + 1 OFFSET ?6", back ? " DESC" : "");
    const std::string select = "SELECT " BOXOFFICE_EVENT_COLUMNS " ";
    const std::string sql = match.empty()                  ? select + from + in_slice + order
                            : page.total <= kMatchesSorted ? select + from_words + in_slice + order
                                                           : select + from + in_slice + matches + order;
    Rows rows =
        db.query(sql, after, before, query.organizer, match, query.limit, query.skip, query.ends_after, key.start_time, key.id);
    while (rows.next()) page.items.push_back(read_event(rows));
    finish_page(page, query.limit, query.from);
    return page;
}

Page<Ticket> list_tickets(Connection& db, const TicketQuery& query)
{
    // A hold whose time is up is expired, whether the expiry worker has run or not: the status is judged by time here as
    // everywhere.
    std::string filters = "t.user_id = ?1";
    if (query.event) filters += " AND t.event_id = ?2";
    if (query.status) {
        switch (*query.status) {
            case TicketStatus::reserved:
                filters += " AND t.status = 0 AND t.expires_at > ?3";
                break;
            case TicketStatus::expired:
                filters += " AND (t.status = 2 OR (t.status = 0 AND t.expires_at <= ?3))";
                break;
            case TicketStatus::paid:
                filters += " AND t.status = 1";
                break;
            case TicketStatus::cancelled:
                filters += " AND t.status = 3";
                break;
        }
    }
    const std::string from = "FROM tickets t INDEXED BY tickets_by_user WHERE ";
    Page<Ticket> page;
    {
        Rows rows = db.query("SELECT count(*) " + from + filters, query.user, query.event, query.now);
        rows.next();
        page.total = rows.integer(0);
    }
    const bool back = goes_back(query.from);
    if (query.from) filters += back ? " AND t.id > ?6" : " AND t.id < ?6";
    Rows rows = db.query("SELECT " BOXOFFICE_TICKET_COLUMNS " " + from + filters +
                             (back ? " ORDER BY t.id" : " ORDER BY t.id DESC") + " LIMIT ?4 + 1 OFFSET ?5",
                         query.user, query.event, query.now, query.limit, query.skip, query.from ? query.from->key : TicketId{});
    while (rows.next()) page.items.push_back(read_ticket(rows));
    finish_page(page, query.limit, query.from);
    return page;
}

std::vector<Event> find_events(Connection& db, std::span<const EventId> ids)
{
    std::vector<Event> events;
    events.reserve(ids.size());
    for (const EventId id : ids) {
        Rows rows = db.query("SELECT " BOXOFFICE_EVENT_COLUMNS
                             " FROM events e JOIN inventory i ON i.event_id = e.id WHERE e.id = ?1 AND e.removed_at IS NULL",
                             id);
        if (rows.next()) events.push_back(read_event(rows));
    }
    return events;
}

std::vector<Availability> availability(Connection& db, std::span<const EventId> events, Instant now)
{
    std::vector<Availability> found;
    for (const EventId event : events) {
        Rows rows = db.query(
            "SELECT i.total - i.sold, (SELECT t.expires_at FROM tickets t WHERE t.status = 0 AND t.event_id = ?1 AND "
            "t.expires_at > ?2 ORDER BY t.expires_at LIMIT 1) "
            "FROM events e JOIN inventory i ON i.event_id = e.id WHERE e.id = ?1 AND e.removed_at IS NULL",
            event, now);
        if (!rows.next()) continue;
        Availability& one = found.emplace_back(Availability{event, rows.integer(0), std::nullopt});
        if (!rows.null(1)) one.next_release_at = rows.instant(1);
    }
    return found;
}

OutboxCounts outbox_counts(Connection& db)
{
    OutboxCounts counts;
    // The bounds that every time keeps make SQLite walk the indexes and not the table.
    {
        Rows rows = db.query("SELECT count(*) FROM outbox WHERE dead_at IS NULL AND due_at > -1");
        rows.next();
        counts.waiting = rows.integer(0);
    }
    {
        Rows rows = db.query("SELECT count(*) FROM outbox WHERE dead_at > -1");
        rows.next();
        counts.dead = rows.integer(0);
    }
    // Of those that wait again the newest failure is, by and large, the one that waits longest.
    Rows rows =
        counts.dead > 0
            ? db.query("SELECT why FROM outbox WHERE dead_at > -1 ORDER BY dead_at DESC, id DESC LIMIT 1")
            : db.query("SELECT why FROM outbox WHERE dead_at IS NULL AND why IS NOT NULL ORDER BY due_at DESC, id DESC LIMIT 1");
    if (rows.next()) counts.last_why = rows.text(0);
    return counts;
}

}  // namespace boxoffice::sqlite
