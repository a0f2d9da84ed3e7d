#include "postgres/queries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "core/slices.hpp"
#include "postgres/rows.hpp"
#include "postgres/words.hpp"

namespace boxoffice::postgres
{

namespace
{

// A page together with the count of all: the count is there even when the page is empty. Every variant of a listing is a text of
// its own, so that each is planned for the filters that it has.
std::string with_count(std::string_view count, std::string_view page, std::string_view order)
{
    return fmt::format("SELECT c.n, p.* FROM (SELECT count(*) AS n {}) c LEFT JOIN LATERAL ({}) p ON true {}", count, page,
                       order);
}

// The ends of a listing without ends: outside of the years 1 to 9999, which are all that the API takes and writes. It has ends
// all the same, because by them the planner is led to the index; and not those of Instant, which PostgreSQL cannot keep.
constexpr Instant kFirst = std::chrono::sys_days{std::chrono::year{1} / 1 / 1} - Micros(1);
constexpr Instant kLast = std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};

Instant within(Instant instant) { return std::clamp(instant, kFirst, kLast); }

}  // namespace

Page<Event> list_events(Readers& readers, LackingWords& lacking, const EventQuery& query)
{
    Params params;
    const Instant after = within(query.starts_after.value_or(kFirst));
    const Instant before = within(query.starts_before.value_or(kLast));
    params.instant(after).instant(before);
    std::string filters = "e.removed_at IS NULL";
    if (query.organizer) {
        params.id(*query.organizer);
        filters += fmt::format(" AND e.organizer_id = ${}", params.size());
    }
    if (!query.q.empty()) {
        const std::string words = tsquery_of(query.q);
        if (words.empty()) return {};  // without a word in it a question is no filter but a mistake: nothing matches
        params.text(std::string_view(words));
        std::string matches = fmt::format("e.tokens @@ ${}::text::tsquery", params.size());
        if (lacking.any(readers)) {
            params.text(std::string_view(query.q));
            matches = fmt::format(
                "({} OR (e.words @@ plainto_tsquery('simple', plain_words(${})) AND e.words_of IS DISTINCT FROM "
                "hashtextextended(e.title || E'\\n' || e.description || E'\\n' || e.venue_address, 0)))",
                matches, params.size());
        }
        filters += " AND " + matches;
    }
    if (query.ends_after) {
        params.instant(within(*query.ends_after));
        filters += fmt::format(" AND e.end_time > ${}", params.size());
    }
    std::string tables = "FROM events e";
    if (query.available_only) {
        tables += " JOIN inventory i ON i.event_id = e.id";
        filters += " AND i.sold < i.total";
    }
    const std::string count = fmt::format("{} WHERE {} AND e.start_time > $1 AND e.start_time < $2", tables, filters);
    // One bound on either side of the page, so that the index is entered where it begins.
    const bool back = goes_back(query.from);
    std::string lower = "e.start_time > $1";
    std::string upper = "e.start_time < $2";
    if (query.from) {
        const EventKey key{within(query.from->key.start_time), query.from->key.id};
        const bool is_bound = back ? key.start_time < before : key.start_time > after;
        if (is_bound) {
            params.instant(key.start_time).id(key.id);
            (back ? upper : lower) =
                fmt::format("(e.start_time, e.id) {} (${}, ${})", back ? '<' : '>', params.size() - 1, params.size());
        }
    }
    params.integer(query.limit + 1).integer(query.skip);
    const std::string page =
        fmt::format("SELECT " BOXOFFICE_PG_EVENT_COLUMNS
                    " FROM events e JOIN inventory i ON i.event_id = e.id WHERE {} AND {} AND {} "
                    "ORDER BY e.start_time{}, e.id{} LIMIT ${} OFFSET ${}",
                    filters, lower, upper, back ? " DESC" : "", back ? " DESC" : "", params.size() - 1, params.size());
    const std::string sql =
        with_count(count, page, back ? "ORDER BY p.start_time DESC, p.id DESC" : "ORDER BY p.start_time, p.id");
    const Rows rows = readers.ask(sql, std::move(params));
    Page<Event> found;
    for (int row = 0; row < rows.count(); ++row) {
        found.total = rows.integer(row, 0);
        if (!rows.null(row, 1)) found.items.push_back(read_event(rows, row, 1));
    }
    finish_page(found, query.limit, query.from);
    return found;
}

Page<Ticket> list_tickets(Readers& readers, const TicketQuery& query)
{
    Params params;
    params.id(query.user).integer(query.limit + 1).integer(query.skip);
    std::string filters = "t.user_id = $1";
    if (query.event) {
        params.id(*query.event);
        filters += fmt::format(" AND t.event_id = ${}", params.size());
    }
    // A hold whose time is up is expired, whether the expiry worker has run or not: the status is judged by time here as
    // everywhere.
    if (query.status == TicketStatus::reserved || query.status == TicketStatus::expired) {
        params.instant(query.now);
        filters += query.status == TicketStatus::reserved
                       ? fmt::format(" AND t.status = 0 AND t.expires_at > ${}", params.size())
                       : fmt::format(" AND (t.status = 2 OR (t.status = 0 AND t.expires_at <= ${}))", params.size());
    } else if (query.status) {
        params.small(static_cast<std::int16_t>(*query.status));
        filters += fmt::format(" AND t.status = ${}", params.size());
    }
    const std::string count = fmt::format("FROM tickets t WHERE {}", filters);
    const bool back = goes_back(query.from);
    if (query.from) {
        params.id(query.from->key);
        filters += fmt::format(" AND t.id {} ${}", back ? '>' : '<', params.size());
    }
    const std::string page = fmt::format("SELECT " BOXOFFICE_PG_TICKET_COLUMNS
                                         " FROM tickets t WHERE {} ORDER BY t.user_id, t.id{} LIMIT $2 OFFSET $3",
                                         filters, back ? "" : " DESC");
    const std::string sql = with_count(count, page, back ? "ORDER BY p.id" : "ORDER BY p.id DESC");
    const Rows rows = readers.ask(sql, std::move(params));
    Page<Ticket> found;
    for (int row = 0; row < rows.count(); ++row) {
        found.total = rows.integer(row, 0);
        if (!rows.null(row, 1)) found.items.push_back(read_ticket(rows, row, 1));
    }
    finish_page(found, query.limit, query.from);
    return found;
}

std::vector<Event> find_events(Readers& readers, std::span<const EventId> ids)
{
    // Removed ones are left out here and not by a condition, which would offer the planner indexes to read whole: see facts.cpp.
    const Rows rows = readers.ask("SELECT e.removed_at IS NULL, " BOXOFFICE_PG_EVENT_COLUMNS
                                  " FROM events e JOIN inventory i ON i.event_id = e.id WHERE e.id = ANY($1::bigint[])",
                                  std::move(Params().ids(ids)));
    std::unordered_map<EventId, Event> found;
    for (int row = 0; row < rows.count(); ++row) {
        if (!rows.boolean(row, 0)) continue;
        Event event = read_event(rows, row, 1);
        found.emplace(event.id, std::move(event));
    }
    std::vector<Event> events;
    for (const EventId id : ids) {
        if (const auto at = found.find(id); at != found.end()) events.push_back(at->second);
    }
    return events;
}

Page<NearbyEvent> nearby(Readers& readers, const NearbyQuery& query)
{
    // Distances count to the millimetre, as in the embedded store, so that both agree on ties and on who is still inside; hence
    // the circle is asked for a millimetre wider. Everything in the circle is looked at, because all of it is counted.
    std::string filters = "e.removed_at IS NULL AND ST_DWithin(e.place, here.p, $3 + 0.001)";
    Params params;
    params.real(query.center.longitude)
        .real(query.center.latitude)
        .real(query.radius_m)
        .integer(query.limit + 1)
        .integer(query.skip);
    if (!query.include_past) {
        params.instant(query.now);
        filters += fmt::format(" AND e.end_time > ${}", params.size());
    }
    if (!query.include_sold_out) filters += " AND NOT EXISTS (SELECT 1 FROM sold_out s WHERE s.event_id = e.id)";
    const bool back = goes_back(query.from);
    std::string beyond;
    if (query.from) {
        params.real(query.from->key.distance_m).id(query.from->key.id);
        beyond = fmt::format(" AND (m, id) {} (${}, ${})", back ? '<' : '>', params.size() - 1, params.size());
    }
    const std::string_view down = back ? " DESC" : "";
    const std::string sql = fmt::format(
        "WITH here AS (SELECT ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography AS p), "
        "circle AS MATERIALIZED (SELECT e.id, round(ST_Distance(e.place, here.p) * 1000) / 1000 AS m FROM events e, here WHERE "
        "{0}), "
        "page AS (SELECT id, m FROM circle WHERE m <= $3{1} ORDER BY m{2}, id{2} LIMIT $4 OFFSET $5) "
        "SELECT c.n, p.m, " BOXOFFICE_PG_EVENT_COLUMNS
        " FROM (SELECT count(*) AS n FROM circle WHERE m <= $3) c "
        "LEFT JOIN (page p JOIN events e ON e.id = p.id JOIN inventory i ON i.event_id = p.id) ON true ORDER BY p.m{2}, p.id{2}",
        filters, beyond, down);
    const Rows rows = readers.ask(sql, std::move(params));
    Page<NearbyEvent> found;
    for (int row = 0; row < rows.count(); ++row) {
        found.total = rows.integer(row, 0);
        if (!rows.null(row, 1)) found.items.push_back({read_event(rows, row, 2), rows.real(row, 1)});
    }
    finish_page(found, query.limit, query.from);
    return found;
}

}  // namespace boxoffice::postgres
