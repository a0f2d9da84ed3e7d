#include "postgres/writes.hpp"

#include <cmath>

#include "core/limits.hpp"
#include "core/search.hpp"
#include "postgres/outbox.hpp"
#include "postgres/words.hpp"
#include "text/text.hpp"

/// The plan as statements: one for each kind of change, whatever the number of acts. Every guarded one ends the transaction
/// unless it changed exactly what it was to change.
namespace boxoffice::postgres
{

namespace
{

/// Popularity is a logarithm; a step of this much is 7 % of the pace. Between two steps a sale leaves every index alone.
constexpr double kPopularityStep = 0.1;

/// A node that lost its connection asks within seconds what became of its transaction.
constexpr double kBatchesFor = 3600;  // seconds

#define GUARDED(change, wanted) \
    "WITH done AS (" change " RETURNING 1) SELECT must_change((SELECT count(*) FROM done), " wanted ")"

constexpr std::string_view kRenewHash =
    "UPDATE users SET password_hash = $3, updated_at = greatest(updated_at, $4) WHERE id = $1 AND password_hash = $2";
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
// Reserved is 0 and the least of all. Said as `= 0`, it would offer the planner the indexes of holds, and as long as nobody has
// counted the table it believes them short enough to be read whole.
constexpr std::string_view kPay = GUARDED(
    "UPDATE tickets t SET status = 1, paid_at = u.at, payment_reference = u.reference "
    "FROM unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS u(id, at, reference) WHERE t.id = u.id AND t.status < 1",
    "$4");
constexpr std::string_view kCancel = GUARDED("UPDATE tickets SET status = 3 WHERE id = ANY($1::bigint[]) AND status < 1", "$2");
constexpr std::string_view kLapse = GUARDED("UPDATE tickets SET status = 2 WHERE id = ANY($1::bigint[]) AND status < 1", "$2");
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

constexpr std::string_view kForgetAnswers =
    "WITH gone AS (DELETE FROM kept_answers WHERE ctid = ANY(ARRAY(SELECT ctid FROM kept_answers WHERE kept_at < $1 "
    "ORDER BY kept_at LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM gone";
constexpr std::string_view kForgetBatches =
    "WITH gone AS (DELETE FROM batches WHERE ctid = ANY(ARRAY(SELECT ctid FROM batches WHERE made_at < now() - "
    "make_interval(secs => $1) "
    "ORDER BY made_at LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM gone";
constexpr std::string_view kForgetMails =
    "WITH gone AS (DELETE FROM mails WHERE ctid = ANY(ARRAY(SELECT ctid FROM mails WHERE until < $1 "
    "ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM gone";
/// The order of paces at any one time is the order of these: all halve alike.
double popularity_of(const Pace& pace)
{
    const double half_lives =
        static_cast<double>(pace.as_of.time_since_epoch().count()) / static_cast<double>(kPaceHalfLife.count());
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

void add_events(Flight& flight, const Plan& plan)
{
    if (plan.events_new.empty()) return;
    EventColumns c;
    for (const Event& event : plan.events_new) c.add(event, event.created_at);
    flight.add(kAddEvents, std::move(Params()
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
    flight.add(kAddInventory, std::move(Params().ids(c.ids).integers(c.totals).instants(c.at)));
}

void change_events(Flight& flight, const Plan& plan, const Facts& facts)
{
    EventColumns c;
    for (const auto& [id, when] : plan.events_changed) {
        if (const auto event = facts.events.find(id); event != facts.events.end()) c.add(event->second, when);
    }
    if (!c.ids.empty()) {
        flight.add(kChangeEvents, std::move(Params()
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
    if (plan.events_removed.empty()) return;
    std::vector<EventId> ids;
    std::vector<Instant> at;
    for (const auto& [id, when] : plan.events_removed) {
        ids.push_back(id);
        at.push_back(when);
    }
    flight.add(kRemoveEvents, std::move(Params().ids(ids).instants(at).integer(size_of(ids))));
}

void change_tickets(Flight& flight, const Plan& plan)
{
    const auto& made = plan.reserved;
    if (!made.ids.empty())
        flight.add(
            kReserve,
            std::move(Params().ids(made.ids).ids(made.events).ids(made.users).instants(made.created).instants(made.expires)));
    const auto& paid = plan.paid;
    if (!paid.ids.empty())
        flight.add(kPay, std::move(Params().ids(paid.ids).instants(paid.at).texts(paid.references).integer(size_of(paid.ids))));
    if (!plan.cancelled.empty()) flight.add(kCancel, std::move(Params().ids(plan.cancelled).integer(size_of(plan.cancelled))));
    if (!plan.lapsed.empty()) flight.add(kLapse, std::move(Params().ids(plan.lapsed).integer(size_of(plan.lapsed))));
}

void count(Flight& flight, const Facts& facts)
{
    std::vector<EventId> ids, filled, freed;
    std::vector<std::int64_t> sold, totals;
    std::vector<double> paces, popularities;
    std::vector<Instant> paced;
    for (const auto& [id, stock] : facts.stocks) {
        if (!stock.changed) continue;
        if (stock.full() && !stock.was_full) filled.push_back(id);
        if (!stock.full() && stock.was_full) freed.push_back(id);
        ids.push_back(id);
        sold.push_back(stock.unsaved);
        totals.push_back(stock.total);
        paces.push_back(stock.pace.tickets_a_day);
        paced.push_back(stock.pace.as_of);
        popularities.push_back(popularity_of(stock.pace));
    }
    if (ids.empty()) return;
    if (!filled.empty()) flight.add(kFull, std::move(Params().ids(filled)));
    if (!freed.empty()) flight.add(kFree, std::move(Params().ids(freed)));
    flight.add(kCount, std::move(Params()
                                     .ids(ids)
                                     .integers(sold)
                                     .integers(totals)
                                     .reals(paces)
                                     .instants(paced)
                                     .reals(popularities)
                                     .real(kPopularityStep)
                                     .integer(size_of(ids))));
}

/// What one act needs for itself alone; reads its outcome from the rows.
struct Alone {
    Flight& flight;
    WriteJob& job;
    Later& later;

    void operator()(const ForgetAnswers& act) const
    {
        const auto most = static_cast<std::int64_t>(act.most);
        const auto answers = flight.add(kForgetAnswers, std::move(Params().instant(act.before).integer(most)));
        const auto batches = flight.add(kForgetBatches, std::move(Params().real(kBatchesFor).integer(most)));
        const auto mails = flight.add(kForgetMails, std::move(Params().instant(act.before - kMailsOutliveAnswers).integer(most)));
        later.emplace_back([answers, batches, mails, most, &to = job](const std::vector<Rows>& rows) {
            const auto full = [&](std::size_t at) { return rows[at].integer(0, 0) >= most; };
            to.outcome = Done{full(answers) || full(batches) || full(mails)};
        });
    }
    void operator()(const RenewHash& act) const
    {
        flight.add(kRenewHash, std::move(Params()
                                             .id(act.user)
                                             .text(std::string_view(act.old_hash))
                                             .text(std::string_view(act.new_hash))
                                             .instant(act.now)));
    }
    template <class Other>
    void operator()(const Other&) const
    {
        add_outbox_act(flight, job, later);
    }
};

}  // namespace

Flight Batch::writes(std::vector<std::function<void(const std::vector<Rows>&)>>& later)
{
    Flight flight;
    add_users(flight, plan_);
    change_users(flight, plan_, facts_);
    add_events(flight, plan_);
    change_events(flight, plan_, facts_);
    reindex(flight, facts_);
    change_tickets(flight, plan_);
    change_lapsed(flight, plan_);  // after those: a hold may have been lapsed by this very batch
    count(flight, facts_);
    const auto& effects = plan_.effects;
    if (!effects.kinds.empty())
        flight.add(kEffects, std::move(Params()
                                           .integers(effects.kinds)
                                           .ids(effects.events)
                                           .texts(effects.tickets)
                                           .instants(effects.made)
                                           .instants(effects.due)));
    const auto& kept = plan_.answers;
    if (!kept.users.empty()) {
        flight.add(kKeep, std::move(Params()
                                        .integers(kept.users)
                                        .texts(kept.keys)
                                        .texts(kept.fingerprints)
                                        .byteas(kept.bytes)
                                        .instants(kept.at)
                                        .real(std::chrono::duration<double>(kAnswerLife).count())
                                        .integer(size_of(kept.users))));
    }
    for (WriteJob* const job : jobs_) std::visit(Alone{flight, *job, later}, job->act);
    return flight;
}

}  // namespace boxoffice::postgres
