#include "postgres/writes.hpp"

#include <cmath>
#include <map>

#include "core/limits.hpp"
#include "core/search.hpp"
#include "postgres/params.hpp"
#include "postgres/words.hpp"
#include "text/text.hpp"

/// The changes as statements: one for each kind of change, whatever the number of acts. Every guarded one ends the transaction
/// unless it changed exactly what it was to change.
namespace boxoffice::postgres
{

namespace
{

/// Popularity is a logarithm; a step of this much is 7 % of the pace. Between two steps a sale leaves every index alone.
constexpr double kPopularityStep = 0.1;

#define GUARDED(change, wanted) \
    "WITH done AS (" change " RETURNING 1) SELECT must_change((SELECT count(*) FROM done), " wanted ")"

constexpr std::string_view kAddUsers =
    "INSERT INTO users (id, email, email_folded, email_key, name, password_hash, latitude, longitude, created_at, updated_at) "
    "OVERRIDING SYSTEM VALUE SELECT id, email, folded, key, name, hash, latitude, longitude, at, at FROM unnest($1::bigint[], "
    "$2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::timestamptz[], $9::text[]) "
    "AS u(id, email, folded, name, hash, latitude, longitude, at, key) ORDER BY folded";
constexpr std::string_view kChangeUsers = GUARDED(
    "UPDATE users SET name = u.name, password_hash = u.hash, latitude = u.latitude, longitude = u.longitude, "
    "updated_at = greatest(updated_at, u.at) FROM unnest($1::bigint[], $2::text[], $3::text[], $4::float8[], $5::float8[], "
    "$6::timestamptz[]) AS u(id, name, hash, latitude, longitude, at) WHERE users.id = u.id",
    "$7");
constexpr std::string_view kAddEvents =
    "INSERT INTO events (id, organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, timezone, title, "
    "venue_address, description, tokens, words_version, words_of) OVERRIDING SYSTEM VALUE "
    "SELECT id, organizer, starts, ends, latitude, longitude, at, at, zone, title, venue_address, "
    "description, " BOXOFFICE_PG_TOKENS("words") ", $12, " BOXOFFICE_PG_WORDS_OF
                                                 " FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], "
                                                 "$4::timestamptz[], $5::float8[], $6::float8[], $7::timestamptz[], $8::text[], "
                                                 "$9::text[], $10::text[], $11::text[], "
                                                 "$13::text[]) AS u(id, organizer, starts, ends, latitude, longitude, at, zone, "
                                                 "title, venue_address, description, words)";
constexpr std::string_view kAddInventory =
    "INSERT INTO inventory (event_id, total, paced_at) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[])";
constexpr std::string_view kChangeEvents = GUARDED(
    "UPDATE events e SET start_time = u.starts, end_time = u.ends, latitude = u.latitude, longitude = u.longitude, "
    "updated_at = u.at, timezone = u.zone, title = u.title, venue_address = u.venue_address, description = u.description, "
    "version = u.version, tokens = u.tokens, words_version = $13, words_of = u.words_of "
    "FROM (SELECT *, " BOXOFFICE_PG_TOKENS(
        "words") " AS tokens, " BOXOFFICE_PG_WORDS_OF
                 " AS words_of "
                 "FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::float8[], $5::float8[], $6::timestamptz[], "
                 "$7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $14::text[]) "
                 "AS c(id, starts, ends, latitude, longitude, at, zone, title, venue_address, description, version, words)) u "
                 "WHERE e.id = u.id",
    "$12");
constexpr std::string_view kRemoveEvents = GUARDED(
    "UPDATE events e SET removed_at = u.at FROM unnest($1::bigint[], $2::timestamptz[]) AS u(id, at) "
    "WHERE e.id = u.id AND e.removed_at IS NULL",
    "$3");
constexpr std::string_view kReserve =
    "INSERT INTO tickets (id, event_id, user_id, created_at, expires_at) OVERRIDING SYSTEM VALUE "
    "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])";
constexpr std::string_view kPay = GUARDED(
    "UPDATE tickets t SET status = u.after, paid_at = u.at, payment_reference = u.reference "
    "FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::timestamptz[], $5::text[]) "
    "AS u(id, before, after, at, reference) WHERE t.id = u.id AND t.status = u.before",
    "$6");
constexpr std::string_view kChangeOwners = GUARDED(
    "UPDATE tickets t SET user_id = u.owner FROM unnest($1::bigint[], $2::bigint[]) AS u(id, owner) WHERE t.id = u.id", "$3");
// Said as `status = $3`, it would offer the planner the indexes of holds, which have only reserved ones in them: as long as the
// table has not been counted it believes them short enough to be read whole.
constexpr std::string_view kChangeStatus =
    GUARDED("UPDATE tickets SET status = $2 WHERE id = ANY($1::bigint[]) AND status + 0 = $3", "$4");
constexpr std::string_view kCount = GUARDED(
    "UPDATE inventory i SET sold = i.sold + u.n, total = u.total, pace = u.pace, paced_at = u.paced_at, "
    "popularity = CASE WHEN abs(u.popularity - i.popularity) > $7 THEN u.popularity ELSE i.popularity END "
    "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::float8[], $5::timestamptz[], $6::float8[]) "
    "AS u(event_id, n, total, pace, paced_at, popularity) "
    "WHERE i.event_id = u.event_id AND i.sold + u.n BETWEEN 0 AND u.total",
    "$8");
constexpr std::string_view kFull = "INSERT INTO sold_out (event_id) SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING";
constexpr std::string_view kFree = "DELETE FROM sold_out WHERE event_id = ANY($1::bigint[])";
constexpr std::string_view kEffects =
    "INSERT INTO outbox (kind, event_id, tickets, made_at, due_at) SELECT kind, event_id, tickets::bigint[], at, due "
    "FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[]) "
    "AS u(kind, event_id, tickets, at, due)";
constexpr std::string_view kKeep = GUARDED(
    "INSERT INTO kept_answers AS k (user_id, key, fingerprint, bytes, kept_at) SELECT * FROM unnest($1::bigint[], $2::text[], "
    "$3::text[], $4::bytea[], $5::timestamptz[]) AS u(user_id, key, fingerprint, bytes, kept_at) ORDER BY user_id, key "
    "ON CONFLICT (user_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, bytes = excluded.bytes, "
    "kept_at = excluded.kept_at WHERE k.kept_at <= excluded.kept_at - make_interval(secs => $6)",
    "$7");

/// The order of paces at any one time is the order of these: all halve alike.
double popularity_of(const SalesRate& pace)
{
    const double half_lives =
        static_cast<double>(pace.as_of.time_since_epoch().count()) / static_cast<double>(kSalesRateHalfLife.count());
    return std::log2(pace.tickets_a_day) + half_lives;
}

std::int64_t size_of(const auto& list) { return static_cast<std::int64_t>(list.size()); }

/// The columns of events, as they are added and changed.
struct EventColumns {
    std::vector<EventId> ids;
    std::vector<UserId> organizers;
    std::vector<Instant> starts, ends, at;
    std::vector<double> latitudes, longitudes;
    std::vector<std::string> zones, titles, addresses, descriptions, words;
    std::vector<std::int64_t> totals, versions;

    void add(const Event& event, Instant when)
    {
        ids.push_back(event.id);
        organizers.push_back(event.organizer_id);
        starts.push_back(event.start_time);
        ends.push_back(event.end_time);
        at.push_back(when);
        latitudes.push_back(event.venue.point.latitude);
        longitudes.push_back(event.venue.point.longitude);
        zones.push_back(event.timezone);
        titles.push_back(event.title);
        addresses.push_back(event.venue.address);
        descriptions.push_back(event.description);
        words.push_back(words_of_event(event.title, event.description, event.venue.address));
        totals.push_back(event.total_tickets);
        versions.push_back(event.version);
    }
};

struct UserColumns {
    std::vector<UserId> ids;
    std::vector<std::string> names, hashes;
    std::vector<std::optional<double>> latitudes, longitudes;
    std::vector<Instant> at;

    void add(const Account& row, Instant when)
    {
        const auto& place = row.user.location;
        ids.push_back(row.user.id);
        names.push_back(row.user.name);
        hashes.push_back(row.password_hash);
        latitudes.push_back(place ? std::optional(place->latitude) : std::nullopt);
        longitudes.push_back(place ? std::optional(place->longitude) : std::nullopt);
        at.push_back(when);
    }
};

void write_users(Pipeline& pipeline, const Changes& changes)
{
    if (!changes.users_added.empty()) {
        UserColumns c;
        std::vector<std::string> emails, folded, keys;
        for (const NewAccount& account : changes.users_added) {
            c.add(account.row, account.row.user.created_at);
            emails.push_back(account.row.user.email);
            folded.push_back(account.folded);
            keys.push_back(account.key);
        }
        pipeline.add(kAddUsers, std::move(Params()
                                              .ids(c.ids)
                                              .texts(emails)
                                              .texts(folded)
                                              .texts(c.names)
                                              .texts(c.hashes)
                                              .reals(c.latitudes)
                                              .reals(c.longitudes)
                                              .instants(c.at)
                                              .texts(keys)));
    }
    if (changes.users_changed.empty()) return;
    UserColumns c;
    for (const UserChange& change : changes.users_changed) c.add(change.row, change.at);
    pipeline.add(kChangeUsers, std::move(Params()
                                             .ids(c.ids)
                                             .texts(c.names)
                                             .texts(c.hashes)
                                             .reals(c.latitudes)
                                             .reals(c.longitudes)
                                             .instants(c.at)
                                             .integer(size_of(c.ids))));
}

void add_events(Pipeline& pipeline, const Changes& changes)
{
    if (changes.events_added.empty()) return;
    EventColumns c;
    for (const Event& event : changes.events_added) c.add(event, event.created_at);
    pipeline.add(kAddEvents, std::move(Params()
                                           .ids(c.ids)
                                           .ids(c.organizers)
                                           .instants(c.starts)
                                           .instants(c.ends)
                                           .reals(c.latitudes)
                                           .reals(c.longitudes)
                                           .instants(c.at)
                                           .texts(c.zones)
                                           .texts(c.titles)
                                           .texts(c.addresses)
                                           .texts(c.descriptions)
                                           .integer(text::words_version())
                                           .texts(c.words)));
    pipeline.add(kAddInventory, std::move(Params().ids(c.ids).integers(c.totals).instants(c.at)));
}

void change_events(Pipeline& pipeline, const Changes& changes)
{
    EventColumns c;
    for (const EventChange& change : changes.events_changed) c.add(change.event, change.event.updated_at);
    if (!c.ids.empty()) {
        pipeline.add(kChangeEvents, std::move(Params()
                                                  .ids(c.ids)
                                                  .instants(c.starts)
                                                  .instants(c.ends)
                                                  .reals(c.latitudes)
                                                  .reals(c.longitudes)
                                                  .instants(c.at)
                                                  .texts(c.zones)
                                                  .texts(c.titles)
                                                  .texts(c.addresses)
                                                  .texts(c.descriptions)
                                                  .integers(c.versions)
                                                  .integer(size_of(c.ids))
                                                  .integer(text::words_version())
                                                  .texts(c.words)));
    }
    if (changes.events_removed.empty()) return;
    std::vector<EventId> ids;
    std::vector<Instant> at;
    for (const auto& [id, when] : changes.events_removed) {
        ids.push_back(id);
        at.push_back(when);
    }
    pipeline.add(kRemoveEvents, std::move(Params().ids(ids).instants(at).integer(size_of(ids))));
}

void add_tickets(Pipeline& pipeline, const std::vector<Ticket>& tickets)
{
    if (tickets.empty()) return;
    std::vector<TicketId> ids;
    std::vector<EventId> events;
    std::vector<UserId> users;
    std::vector<Instant> created, expires;
    for (const Ticket& ticket : tickets) {
        ids.push_back(ticket.id);
        events.push_back(ticket.event_id);
        users.push_back(ticket.user_id);
        created.push_back(ticket.created_at);
        expires.push_back(ticket.expires_at);
    }
    pipeline.add(kReserve, std::move(Params().ids(ids).ids(events).ids(users).instants(created).instants(expires)));
}

void pay_tickets(Pipeline& pipeline, const std::vector<TicketChange>& changes)
{
    std::vector<TicketId> ids;
    std::vector<std::int16_t> before, after;
    std::vector<Instant> at;
    std::vector<std::string> references;
    for (const TicketChange& change : changes) {
        if (!change.payment) continue;
        ids.push_back(change.ticket);
        before.push_back(static_cast<std::int16_t>(change.from));
        after.push_back(static_cast<std::int16_t>(change.to));
        at.push_back(change.payment->at);
        references.push_back(change.payment->reference);
    }
    if (ids.empty()) return;
    pipeline.add(kPay,
                 std::move(Params().ids(ids).smalls(before).smalls(after).instants(at).texts(references).integer(size_of(ids))));
}

void change_tickets(Pipeline& pipeline, const std::vector<TicketChange>& changes)
{
    pay_tickets(pipeline, changes);
    std::map<std::pair<TicketStatus, TicketStatus>, std::vector<TicketId>> of_status_only;
    std::vector<TicketId> moved;
    std::vector<UserId> owners;
    for (const TicketChange& change : changes) {
        if (!change.payment) of_status_only[{change.from, change.to}].push_back(change.ticket);
        if (!change.owner) continue;
        moved.push_back(change.ticket);
        owners.push_back(*change.owner);
    }
    for (const auto& [way, tickets] : of_status_only) {
        pipeline.add(kChangeStatus, std::move(Params()
                                                  .ids(tickets)
                                                  .small(static_cast<std::int16_t>(way.second))
                                                  .small(static_cast<std::int16_t>(way.first))
                                                  .integer(size_of(tickets))));
    }
    if (!moved.empty()) pipeline.add(kChangeOwners, std::move(Params().ids(moved).ids(owners).integer(size_of(moved))));
}

void count(Pipeline& pipeline, const std::vector<StockChange>& changes)
{
    if (changes.empty()) return;
    std::vector<EventId> ids, filled, freed;
    std::vector<std::int64_t> sold, totals;
    std::vector<double> paces, popularities;
    std::vector<Instant> paced;
    for (const StockChange& change : changes) {
        if (change.is_full() && !change.was_full) filled.push_back(change.event);
        if (!change.is_full() && change.was_full) freed.push_back(change.event);
        ids.push_back(change.event);
        sold.push_back(change.sold_now);
        totals.push_back(change.row.total);
        paces.push_back(change.row.pace.tickets_a_day);
        paced.push_back(change.row.pace.as_of);
        popularities.push_back(popularity_of(change.row.pace));
    }
    if (!filled.empty()) pipeline.add(kFull, std::move(Params().ids(filled)));
    if (!freed.empty()) pipeline.add(kFree, std::move(Params().ids(freed)));
    pipeline.add(kCount, std::move(Params()
                                       .ids(ids)
                                       .integers(sold)
                                       .integers(totals)
                                       .reals(paces)
                                       .instants(paced)
                                       .reals(popularities)
                                       .real(kPopularityStep)
                                       .integer(size_of(ids))));
}

void add_effects(Pipeline& pipeline, const std::vector<NewEffect>& effects)
{
    if (effects.empty()) return;
    std::vector<std::int64_t> kinds;
    std::vector<EventId> events;
    std::vector<std::string> tickets;  // as PostgreSQL writes an array: {1,2}
    std::vector<Instant> made, due;
    for (const NewEffect& effect : effects) {
        std::string list = "{";
        for (const TicketId ticket : effect.tickets) list += (list.size() > 1 ? "," : "") + std::to_string(ticket.value);
        kinds.push_back(static_cast<std::int64_t>(effect.kind));
        events.push_back(effect.event);
        tickets.push_back(list + "}");
        made.push_back(effect.made_at);
        due.push_back(due_at(effect.kind, effect.made_at));
    }
    pipeline.add(kEffects, std::move(Params().integers(kinds).ids(events).texts(tickets).instants(made).instants(due)));
}

void keep_answers(Pipeline& pipeline, const std::vector<NewAnswer>& answers)
{
    if (answers.empty()) return;
    std::vector<UserId> users;
    std::vector<std::string> keys, fingerprints, bytes;
    std::vector<Instant> at;
    for (const NewAnswer& answer : answers) {
        users.push_back(answer.user);
        keys.emplace_back(answer.key);
        fingerprints.emplace_back(answer.fingerprint);
        bytes.push_back(answer.bytes);
        at.push_back(answer.at);
    }
    pipeline.add(kKeep, std::move(Params()
                                      .ids(users)
                                      .texts(keys)
                                      .texts(fingerprints)
                                      .byteas(bytes)
                                      .instants(at)
                                      .real(std::chrono::duration<double>(kAnswerLife).count())
                                      .integer(size_of(users))));
}

}  // namespace

void add_writes(Pipeline& pipeline, const Changes& changes)
{
    write_users(pipeline, changes);
    add_events(pipeline, changes);
    change_events(pipeline, changes);
    add_tickets(pipeline, changes.tickets_added);
    change_tickets(pipeline, changes.tickets_changed);
    count(pipeline, changes.stocks);
    add_effects(pipeline, changes.effects);
    keep_answers(pipeline, changes.answers);
}

}  // namespace boxoffice::postgres
