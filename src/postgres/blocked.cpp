#include "postgres/blocked.hpp"

#include <algorithm>

namespace boxoffice::postgres
{

namespace
{

using Table = LockedRow::Table;

/// A row that was not asked for lately may have been released since.
constexpr std::chrono::seconds kForgetAfter{5};
/// A batch on a machine under load may keep a row for some hundred milliseconds.
constexpr std::chrono::milliseconds kReportedAfter{500};

// xmax is the transaction that locks or changes the row now; those that could be locked here show as free.
#define BOXOFFICE_PG_HELD(table, id, wanted, lock)                                                          \
    "WITH got AS MATERIALIZED (SELECT " id " AS id FROM " table " WHERE " id " = ANY(" wanted ") FOR " lock \
    " SKIP LOCKED) "                                                                                        \
    "SELECT " id ", xmax::text::bigint FROM " table " WHERE " id " = ANY(" wanted ") AND " id               \
    " <> ALL(ARRAY(SELECT id FROM got))"

constexpr std::string_view kEvents = BOXOFFICE_PG_HELD(
    "inventory", "event_id", "ARRAY(SELECT unnest($1::bigint[]) UNION SELECT event_id FROM tickets WHERE id = ANY($2::bigint[]))",
    "UPDATE");
constexpr std::string_view kDueEvents = BOXOFFICE_PG_HELD("inventory", "event_id",
                                                          "ARRAY(SELECT DISTINCT event_id FROM (SELECT event_id FROM tickets "
                                                          "WHERE status = 0 AND expires_at <= $1 AND expires_at >= $4 "
                                                          "AND event_id <> ALL($3::bigint[]) ORDER BY expires_at LIMIT $2) due)",
                                                          "UPDATE");
constexpr std::string_view kTickets = BOXOFFICE_PG_HELD("tickets", "id", "$1::bigint[]", "UPDATE");
constexpr std::string_view kUsers = BOXOFFICE_PG_HELD("users", "id", "$1::bigint[]", "NO KEY UPDATE");
constexpr std::string_view kEventsOfTickets = "SELECT id, event_id FROM tickets WHERE id = ANY($1::bigint[])";

template <class T>
std::vector<T> list(const std::set<T>& values)
{
    return {values.begin(), values.end()};
}

void read_held(Probe& probe, Table table, const Rows& rows)
{
    for (int row = 0; row < rows.count(); ++row) probe.held.emplace(LockedRow{table, rows.integer(row, 0)}, rows.integer(row, 1));
}

}  // namespace

Probe probe(Connection& db, const Wanted& wanted)
{
    Pipeline pipeline;
    Probe found;
    std::vector<std::pair<std::size_t, Table>> reads;
    pipeline.add("BEGIN");
    if (!wanted.events.empty() || !wanted.cancels.empty())
        reads.emplace_back(pipeline.add(kEvents, std::move(Params().ids(list(wanted.events)).ids(list(wanted.cancels)))),
                           Table::events);
    if (wanted.lapse > 0)
        reads.emplace_back(pipeline.add(kDueEvents, std::move(Params()
                                                                  .instant(wanted.now)
                                                                  .integer(static_cast<std::int64_t>(wanted.lapse))
                                                                  .ids(wanted.passed_by)
                                                                  .instant(wanted.due_from))),
                           Table::events);
    if (!wanted.tickets.empty())
        reads.emplace_back(pipeline.add(kTickets, std::move(Params().ids(list(wanted.tickets)))), Table::tickets);
    if (!wanted.users.empty())
        reads.emplace_back(pipeline.add(kUsers, std::move(Params().ids(list(wanted.users)))), Table::users);
    std::optional<std::size_t> events;
    if (!wanted.cancels.empty()) events = pipeline.add(kEventsOfTickets, std::move(Params().ids(list(wanted.cancels))));
    pipeline.add("ROLLBACK");
    const std::vector<Rows> rows = db.execute(pipeline);
    for (const auto& [at, table] : reads) read_held(found, table, rows[at]);
    if (events) {
        for (int row = 0; row < rows[*events].count(); ++row)
            found.events.emplace(rows[*events].id<TicketId>(row, 0), rows[*events].id<EventId>(row, 1));
    }
    return found;
}

std::vector<LockedRow> rows_of(const Wanted& wanted, const Probe& probe)
{
    std::vector<LockedRow> rows;
    rows.reserve(wanted.events.size() + wanted.tickets.size() + wanted.users.size() + wanted.cancels.size());
    for (const EventId event : wanted.events) rows.push_back({Table::events, event.value});
    for (const TicketId ticket : wanted.tickets) rows.push_back({Table::tickets, ticket.value});
    for (const UserId user : wanted.users) rows.push_back({Table::users, user.value});
    for (const TicketId ticket : wanted.cancels) {
        if (const auto event = probe.events.find(ticket); event != probe.events.end())
            rows.push_back({Table::events, event->second.value});
    }
    return rows;
}

bool Blocked::concerns(const Wanted& wanted) const
{
    const std::lock_guard lock(mutex_);
    return std::any_of(rows_.begin(), rows_.end(), [&](const auto& known) {
        const LockedRow& row = known.first;
        switch (row.table) {
            case Table::events:
                return wanted.events.contains(EventId{row.id}) || !wanted.cancels.empty();
            case Table::tickets:
                return wanted.tickets.contains(TicketId{row.id});
            case Table::users:
                return wanted.users.contains(UserId{row.id});
        }
        return false;
    });
}

std::size_t Blocked::reportable() const
{
    if (empty()) return 0;
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [&](const auto& known) {
        const Holder& holder = known.second;
        return holder.seen - holder.since >= kReportedAfter && now - holder.seen <= kForgetAfter;
    }));
}

std::vector<EventId> Blocked::events() const
{
    std::vector<EventId> events;
    if (empty()) return events;
    const std::lock_guard lock(mutex_);
    for (const auto& [row, holder] : rows_) {
        if (row.table == Table::events) events.push_back(EventId{row.id});
    }
    return events;
}

Blocked::Seen Blocked::learn(const Wanted& wanted, const Probe& probe, After after)
{
    const auto now = Clock::now();
    Seen seen;
    const std::lock_guard lock(mutex_);
    for (const LockedRow& row : rows_of(wanted, probe)) {
        if (!probe.held.contains(row)) rows_.erase(row);
    }
    for (const auto& [row, mark] : probe.held) {
        const auto known = rows_.find(row);
        if (known != rows_.end() && known->second.mark != mark) {
            rows_.erase(known);
            seen.contended = true;
        } else if (known != rows_.end() || after == After::waiting_in_vain) {
            seen.news = seen.news || known == rows_.end();
            rows_.try_emplace(row, Holder{mark, now, now}).first->second.seen = now;
            seen.blocked.insert(row);
        }
    }
    forget_old(now);
    count_.store(rows_.size(), std::memory_order_relaxed);
    return seen;
}

void Blocked::forget_old(Clock::time_point now)
{
    std::erase_if(rows_, [&](const auto& known) { return now - known.second.seen > kForgetAfter; });
}

void Blocked::be_careful() { careful_until_ = (Clock::now() + kForgetAfter).time_since_epoch().count(); }

bool Blocked::careful() const
{
    const std::int64_t until = careful_until_.load(std::memory_order_relaxed);
    return until != 0 && Clock::now().time_since_epoch().count() < until;
}

}  // namespace boxoffice::postgres
