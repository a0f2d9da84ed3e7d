#include "postgres/facts.hpp"

#include "postgres/rows.hpp"

namespace boxoffice::postgres
{

namespace
{

/// Events that one worker takes the due holds of at once: several, so that a batch is worth its sync; not all, so that there are
/// some for the others.
constexpr std::int64_t kEventsLapsedAtOnce = 16;

/// Beside those that are needed, due holds that one reservation gives back when the expiry worker has not come round.
constexpr std::int64_t kLapseBeside = 64;

template <class T>
std::vector<T> list(const std::set<T>& values)
{
    return {values.begin(), values.end()};
}

// What two nodes may be asked to add at once has no row to lock yet. "boxokeys" in ASCII keeps these locks apart from all others.
constexpr std::string_view kLockKeys =
    "SELECT count(*) FROM (SELECT pg_advisory_xact_lock(h)::text FROM (SELECT DISTINCT hashtextextended(key, "
    "7093020358070335859) "
    "AS h FROM unnest($1::text[]) AS key ORDER BY h) keys) locked";
constexpr std::string_view kPatience = "SELECT set_config('lock_timeout', $1, true)";

constexpr std::string_view kKept =
    "SELECT k.user_id, k.key, k.fingerprint, k.bytes FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS w(user_id, key, "
    "after) "
    "JOIN kept_answers k ON k.user_id = w.user_id AND k.key = w.key WHERE k.kept_at > w.after";

// A locked row is given as it is when the lock is had, not as it was in the statement's snapshot. Only this table's, though: so
// nothing is joined, and what else belongs to an event is read by the next statement, under the lock.
constexpr std::string_view kLock =
    "SELECT event_id, total, sold, pace, paced_at FROM inventory WHERE event_id = ANY(ARRAY("
    "SELECT unnest($1::bigint[]) UNION SELECT event_id FROM tickets WHERE id = ANY($2::bigint[]))) ORDER BY event_id FOR UPDATE";
// The expiry worker's, beside what the batch is about: never waited for, so their order is free.
constexpr std::string_view kLockDue =
    "SELECT event_id, total, sold, pace, paced_at FROM inventory WHERE event_id = ANY(ARRAY("
    "SELECT event_id FROM (SELECT event_id FROM tickets WHERE status = 0 AND expires_at <= $1 AND expires_at >= $4 "
    "AND event_id <> ALL($3::bigint[]) ORDER BY expires_at LIMIT $2) due UNION SELECT unnest($3::bigint[]))) "
    "FOR UPDATE SKIP LOCKED";
// For a batch that lapses and touches nothing else: of the events whose holds have been due for longest a few that no other node
// has locked, with their due holds. So workers share the work out among themselves without a word. The list of events is said
// twice: of a limit that is a parameter the planner expects so many rows that it would read the whole inventory to join it.
// What another session keeps comes last and takes no space among the first.
#define BOXOFFICE_PG_LAPSE_THOSE_FREE(lock)                                                                                \
    "WITH first AS MATERIALIZED (SELECT event_id, expires_at FROM tickets WHERE status = 0 AND expires_at <= $1 "          \
    "AND expires_at >= $5 AND event_id <> ALL($4::bigint[]) ORDER BY expires_at LIMIT $2), "                               \
    "mine AS MATERIALIZED (SELECT i.event_id, total, sold, pace, paced_at "                                                \
    "FROM (SELECT event_id, min(expires_at) AS due_at FROM first GROUP BY event_id UNION ALL "                             \
    "SELECT unnest($4::bigint[]), 'infinity') f JOIN inventory i USING (event_id) "                                        \
    "WHERE i.event_id = ANY(ARRAY(SELECT event_id FROM first UNION ALL SELECT unnest($4::bigint[]))) "                     \
    "ORDER BY f.due_at LIMIT $3 FOR UPDATE OF i SKIP LOCKED) "                                                             \
    "SELECT mine.*, t.id, t.expires_at FROM mine CROSS JOIN LATERAL (SELECT id, expires_at FROM tickets WHERE status = 0 " \
    "AND event_id = mine.event_id AND expires_at <= $1 AND expires_at >= $5 ORDER BY expires_at LIMIT $2" lock ") t LIMIT $2"
constexpr std::string_view kLapseThoseFree = BOXOFFICE_PG_LAPSE_THOSE_FREE("");
constexpr std::string_view kLapseThoseFreeCarefully = BOXOFFICE_PG_LAPSE_THOSE_FREE(" FOR UPDATE SKIP LOCKED");

// Where all of these are locked: waits for the one whose hold has been due for longest, and leaves the others alone.
constexpr std::string_view kLapseTheFirst =
    "WITH mine AS MATERIALIZED (SELECT event_id, total, sold, pace, paced_at FROM inventory WHERE event_id = "
    "(SELECT event_id FROM tickets WHERE status = 0 AND expires_at <= $1 AND expires_at >= $4 AND event_id <> ALL($3::bigint[]) "
    "ORDER BY expires_at LIMIT 1) FOR UPDATE) "
    "SELECT mine.*, t.id, t.expires_at FROM mine CROSS JOIN LATERAL (SELECT id, expires_at FROM tickets WHERE status = 0 "
    "AND event_id = mine.event_id AND expires_at <= $1 AND expires_at >= $4 ORDER BY expires_at) t LIMIT $2";

// Whether they are removed is asked for and no condition: that would offer the planner every index of those that are not, and as
// long as the table was not analyzed it believes such an index short enough to be read whole.
constexpr std::string_view kEnds = "SELECT removed_at IS NULL, id, end_time FROM events WHERE id = ANY($1::bigint[])";
constexpr std::string_view kWhole = "SELECT e.removed_at IS NULL, " BOXOFFICE_PG_EVENT_COLUMNS
                                    " FROM events e JOIN inventory i ON i.event_id = e.id WHERE e.id = ANY($1::bigint[])";
#define BOXOFFICE_PG_DUE_OF(lock, which)                                                                                       \
    "SELECT t.id, t.event_id, t.expires_at FROM unnest($1::bigint[], $2::bigint[]) AS w(event_id, wanted) "                    \
    "JOIN inventory i ON i.event_id = w.event_id CROSS JOIN LATERAL (SELECT id, event_id, expires_at FROM tickets "            \
    "WHERE status = 0 AND event_id = w.event_id AND expires_at <= $3 AND expires_at >= $4 ORDER BY expires_at LIMIT w.wanted " \
    "FOR UPDATE" lock ") t" which
constexpr std::string_view kDueOfFull = BOXOFFICE_PG_DUE_OF("", " WHERE i.sold + w.wanted > i.total");
constexpr std::string_view kDueOfFullCarefully = BOXOFFICE_PG_DUE_OF(" SKIP LOCKED", " WHERE i.sold + w.wanted > i.total");
constexpr std::string_view kDueOfRemoved = BOXOFFICE_PG_DUE_OF("", "");
constexpr std::string_view kDueOfRemovedCarefully = BOXOFFICE_PG_DUE_OF(" SKIP LOCKED", "");
// The earliest, found first by the index that has them in order: asked for in one step, they would all be sorted.
constexpr std::string_view kDue =
    "WITH first AS MATERIALIZED (SELECT id FROM tickets WHERE status = 0 AND expires_at <= $1 AND expires_at >= $4 "
    "AND event_id <> ALL($3::bigint[]) ORDER BY expires_at LIMIT $2) "
    "SELECT id, event_id, expires_at FROM tickets WHERE id = ANY(ARRAY(SELECT id FROM first)) AND status < 1 "
    "FOR UPDATE SKIP LOCKED";
constexpr std::string_view kTickets =
    "SELECT " BOXOFFICE_PG_TICKET_COLUMNS " FROM tickets t WHERE t.id = ANY($1::bigint[]) ORDER BY t.id FOR UPDATE";
constexpr std::string_view kReferences = "SELECT payment_reference, id FROM tickets WHERE payment_reference = ANY($1::text[])";
constexpr std::string_view kUsers =
    "SELECT " BOXOFFICE_PG_USER_COLUMNS
    ", u.password_hash FROM users u WHERE u.id = ANY($1::bigint[]) ORDER BY u.id FOR NO KEY UPDATE";
constexpr std::string_view kKnown = "SELECT id FROM users WHERE id = ANY($1::bigint[])";
constexpr std::string_view kEmails =
    "SELECT email_folded FROM users WHERE email_folded = ANY($1::text[]) UNION ALL "
    "SELECT email_key FROM users WHERE email_key = ANY($1::text[])";
constexpr std::string_view kPublished =
    "SELECT w.organizer, e.created_at FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w(organizer, skipped, wanted) "
    "CROSS JOIN LATERAL (SELECT created_at FROM events WHERE organizer_id = w.organizer ORDER BY created_at DESC OFFSET "
    "w.skipped LIMIT w.wanted) e ORDER BY w.organizer, e.created_at DESC";
constexpr std::string_view kTicketIds = "SELECT nextval('tickets_id_seq') FROM generate_series(1, $1::bigint)";
constexpr std::string_view kEventIds = "SELECT nextval('events_id_seq') FROM generate_series(1, $1::bigint)";
constexpr std::string_view kUserIds = "SELECT nextval('users_id_seq') FROM generate_series(1, $1::bigint)";

/// A statement of the pipeline and what is done with its rows.
class Gathering
{
public:
    void ask(std::string_view sql, Params params, std::function<void(const Rows&)> read)
    {
        pipeline_.add(sql, std::move(params));
        reads_.push_back(std::move(read));
    }
    void go(Connection& db)
    {
        const std::vector<Rows> rows = db.execute(pipeline_);
        for (std::size_t i = 0; i < reads_.size(); ++i) {
            if (reads_[i]) reads_[i](rows[i]);
        }
    }

private:
    Pipeline pipeline_;
    std::vector<std::function<void(const Rows&)>> reads_;
};

std::vector<std::int64_t> fresh(const Rows& rows)
{
    std::vector<std::int64_t> ids;
    ids.reserve(static_cast<std::size_t>(rows.count()));
    for (int row = rows.count(); row-- > 0;) ids.push_back(rows.integer(row, 0));
    return ids;
}

void read_stock(Gathered& facts, const Rows& rows)
{
    for (int row = 0; row < rows.count(); ++row) {
        if (facts.stocks.contains(rows.id<EventId>(row, 0))) continue;
        const StockRow stock{rows.integer(row, 1), rows.integer(row, 2), {rows.real(row, 3), rows.instant(row, 4)}, {}};
        facts.stocks.emplace(rows.id<EventId>(row, 0), Gathered::Counter{stock, {}});
    }
}

/// Due holds, from these columns: the event, the ticket, its deadline.
void read_due(Gathered& facts, const Rows& rows, int event, int ticket, int deadline)
{
    for (int row = 0; row < rows.count(); ++row)
        facts.due.push_back({rows.id<TicketId>(row, ticket), rows.id<EventId>(row, event), rows.instant(row, deadline)});
}

/// After the locks: another node that executes the same request has committed it by then, or waits for this one.
void ask_kept(Gathering& first, const Wanted& wanted, Gathered& facts)
{
    if (!wanted.new_keys.empty()) {
        std::vector<std::string> names;
        names.reserve(wanted.new_keys.size());
        for (const auto& [key, forgotten] : wanted.new_keys) names.push_back(std::to_string(key.first) + ":" + key.second);
        first.ask(kLockKeys, std::move(Params().texts(names)), nullptr);
    }
    if (!wanted.keys.empty()) {
        std::vector<std::int64_t> users;
        std::vector<std::string> keys;
        std::vector<Instant> after;
        for (const auto& [key, forgotten] : wanted.keys) {
            users.push_back(key.first);
            keys.push_back(key.second);
            after.push_back(forgotten);
        }
        first.ask(kKept, std::move(Params().integers(users).texts(keys).instants(after)), [&facts](const Rows& rows) {
            for (int row = 0; row < rows.count(); ++row) {
                facts.kept.emplace(KeyOfUser{rows.integer(row, 0), std::string(rows.text(row, 1))},
                                   KeptRow{std::string(rows.text(row, 2)), std::string(rows.text(row, 3))});
            }
        });
    }
}

void ask_locks(Gathering& first, const Wanted& wanted, Gathered& facts)
{
    const auto most = static_cast<std::int64_t>(wanted.lapse);
    if (wanted.only_lapse) {
        Params params;
        params.instant(wanted.now).integer(most);
        const bool waits = wanted.lapse_mode == Wanted::LapseMode::wait_for_one;
        if (!waits) params.integer(kEventsLapsedAtOnce);
        params.ids(wanted.passed_by).instant(wanted.due_from);
        const std::string_view free = wanted.careful ? kLapseThoseFreeCarefully : kLapseThoseFree;
        first.ask(waits ? kLapseTheFirst : free, std::move(params), [&facts](const Rows& rows) {
            read_stock(facts, rows);
            read_due(facts, rows, 0, 5, 6);
        });
        return;
    }
    const auto read = [&facts](const Rows& rows) { read_stock(facts, rows); };
    if (!wanted.events.empty() || !wanted.cancels.empty())
        first.ask(kLock, std::move(Params().ids(list(wanted.events)).ids(list(wanted.cancels))), read);
    if (wanted.lapse == 0) return;
    const auto due = [&] {
        return std::move(Params().instant(wanted.now).integer(most).ids(wanted.passed_by).instant(wanted.due_from));
    };
    first.ask(kLockDue, due(), read);
    first.ask(kDue, due(), [&facts](const Rows& rows) { read_due(facts, rows, 1, 0, 2); });
}

/// Due holds of events, at most so many of each.
void ask_due(Gathering& first, const Wanted& wanted, std::string_view sql, const auto& counts, std::int64_t beside,
             Gathered& facts)
{
    if (counts.empty()) return;
    std::vector<EventId> events;
    std::vector<std::int64_t> most;
    for (const auto& [event, count] : counts) {
        events.push_back(event);
        most.push_back(count + beside);
    }
    first.ask(sql, std::move(Params().ids(events).integers(most).instant(wanted.now).instant(wanted.due_from)),
              [&facts](const Rows& rows) {
                  for (int row = 0; row < rows.count(); ++row) {
                      const auto stock = facts.stocks.find(rows.id<EventId>(row, 1));
                      if (stock == facts.stocks.end()) continue;
                      stock->second.due.push_back({rows.id<TicketId>(row, 0), stock->first, rows.instant(row, 2)});
                  }
              });
}

void ask_events(Gathering& first, const Wanted& wanted, Gathered& facts, std::unordered_map<EventId, Instant>& ends)
{
    if (!wanted.events.empty()) {
        first.ask(kEnds, std::move(Params().ids(list(wanted.events))), [&ends](const Rows& rows) {
            for (int row = 0; row < rows.count(); ++row) {
                if (rows.boolean(row, 0)) ends.emplace(rows.id<EventId>(row, 1), rows.instant(row, 2));
            }
        });
    }
    if (!wanted.whole_events.empty()) {
        first.ask(kWhole, std::move(Params().ids(list(wanted.whole_events))), [&facts](const Rows& rows) {
            for (int row = 0; row < rows.count(); ++row) {
                if (!rows.boolean(row, 0)) continue;
                Event event = read_event(rows, row, 1);
                facts.events.emplace(event.id, std::move(event));
            }
        });
    }
    ask_due(first, wanted, wanted.careful ? kDueOfFullCarefully : kDueOfFull, wanted.reserves, kLapseBeside, facts);
    ask_due(first, wanted, wanted.careful ? kDueOfRemovedCarefully : kDueOfRemoved, wanted.removals, 0, facts);
}

void ask_tickets(Gathering& first, const Wanted& wanted, Gathered& facts)
{
    if (!wanted.tickets.empty()) {
        first.ask(kTickets, std::move(Params().ids(list(wanted.tickets))), [&facts](const Rows& rows) {
            for (int row = 0; row < rows.count(); ++row) {
                Ticket ticket = read_ticket(rows, row);
                facts.tickets.emplace(ticket.id, std::move(ticket));
            }
        });
    }
    if (!wanted.references.empty()) {
        first.ask(kReferences, std::move(Params().texts(list(wanted.references))), [&facts](const Rows& rows) {
            for (int row = 0; row < rows.count(); ++row)
                facts.references.emplace(std::string(rows.text(row, 0)), rows.id<TicketId>(row, 1));
        });
    }
}

void ask_people(Gathering& first, const Wanted& wanted, Gathered& facts)
{
    if (!wanted.users.empty()) {
        first.ask(kUsers, std::move(Params().ids(list(wanted.users))), [&facts](const Rows& rows) {
            for (int row = 0; row < rows.count(); ++row) {
                Account user{read_user(rows, row), std::string(rows.text(row, 6))};
                facts.users.emplace(user.user.id, std::move(user));
            }
        });
    }
    if (!wanted.known.empty()) {
        first.ask(kKnown, std::move(Params().ids(list(wanted.known))), [&facts](const Rows& rows) {
            for (int row = 0; row < rows.count(); ++row) facts.known.insert(rows.id<UserId>(row, 0));
        });
    }
    if (!wanted.emails.empty()) {
        first.ask(kEmails, std::move(Params().texts(list(wanted.emails))), [&facts](const Rows& rows) {
            for (int row = 0; row < rows.count(); ++row) facts.emails.emplace(rows.text(row, 0));
        });
    }
}

void ask_published(Gathering& first, const Wanted& wanted, Gathered& facts)
{
    if (wanted.publishers.empty()) return;
    std::vector<UserId> organizers;
    std::vector<std::int64_t> skipped, adds;
    for (const auto& [organizer, publishing] : wanted.publishers) {
        organizers.push_back(organizer);
        skipped.push_back(publishing.skipped());
        adds.push_back(publishing.adds);
    }
    first.ask(kPublished, std::move(Params().ids(organizers).integers(skipped).integers(adds)), [&facts](const Rows& rows) {
        for (int row = 0; row < rows.count(); ++row) facts.published[rows.id<UserId>(row, 0)].push_back(rows.instant(row, 1));
    });
}

void ask_numbers(Gathering& first, const Wanted& wanted, Gathered& facts)
{
    const auto number = [&](std::int64_t count, std::string_view sql, std::vector<std::int64_t>& into) {
        if (count > 0) first.ask(sql, std::move(Params().integer(count)), [&into](const Rows& rows) { into = fresh(rows); });
    };
    number(wanted.tickets_new, kTicketIds, facts.ticket_ids);
    number(wanted.events_new, kEventIds, facts.event_ids);
    number(wanted.users_new, kUserIds, facts.user_ids);
}

/// What is due of events that another node has locked is that node's to lapse, or the next round's.
void leave_out_unlocked(Gathered& facts)
{
    std::erase_if(facts.due, [&](const DueHold& hold) { return !facts.stocks.contains(hold.event); });
}

/// An event that was removed has no stock to sell from.
void note_ends(const Wanted& wanted, const std::unordered_map<EventId, Instant>& ends, Gathered& facts)
{
    for (const EventId event : wanted.events) {
        const auto stock = facts.stocks.find(event);
        if (stock == facts.stocks.end()) continue;
        if (const auto end = ends.find(event); end != ends.end())
            stock->second.row.end_time = end->second;
        else if (!wanted.whole_events.contains(event) || !facts.events.contains(event))
            facts.stocks.erase(stock);  // removed
    }
}

}  // namespace

Gathered gather(Connection& db, const Wanted& wanted)
{
    Gathered facts(wanted);
    std::unordered_map<EventId, Instant> ends;
    Gathering first;
    const Ask ask = [&first](std::string_view sql, Params params, std::function<void(const Rows&)> read) {
        first.ask(sql, std::move(params), std::move(read));
    };
    first.ask("BEGIN", {}, nullptr);
    if (wanted.patience) {
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*wanted.patience).count();
        first.ask(kPatience, std::move(Params().text(std::string_view(std::to_string(ms)))), nullptr);
    }
    ask_locks(first, wanted, facts);
    ask_events(first, wanted, facts, ends);
    ask_tickets(first, wanted, facts);
    ask_people(first, wanted, facts);
    ask_published(first, wanted, facts);
    ask_unindexed(wanted.reindex, facts.unindexed, ask);
    ask_kept(first, wanted, facts);
    ask_numbers(first, wanted, facts);
    first.go(db);
    note_ends(wanted, ends, facts);
    leave_out_unlocked(facts);
    return facts;
}

}  // namespace boxoffice::postgres
