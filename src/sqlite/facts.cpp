#include "sqlite/facts.hpp"

#include <algorithm>

#include "sqlite/identity.hpp"
#include "sqlite/rows.hpp"

namespace boxoffice::sqlite
{

namespace
{

/// Buyers come back; so many are remembered to exist, which takes some megabytes.
constexpr std::size_t kUsersRemembered = 100'000;

bool offer(Rows rows, const Facts::TakeHold& take)
{
    while (rows.next()) {
        if (!take({TicketId{rows.integer(0)}, EventId{rows.integer(1)}, rows.instant(2)})) break;
    }
    return false;  // nothing has been left out
}

}  // namespace

LiveFacts::LiveFacts(Connection& db) : db_(db), ids_after_(read_ids_after(db)) {}

std::optional<StockRow> LiveFacts::stock(EventId event)
{
    Rows rows = db_.query(
        "SELECT i.total, i.sold, i.pace, i.paced_at, e.end_time FROM events e JOIN inventory i ON i.event_id = e.id "
        "WHERE e.id = ?1 AND e.removed_at IS NULL",
        event);
    if (!rows.next()) return std::nullopt;
    return StockRow{rows.integer(0), rows.integer(1), {rows.real(2), rows.instant(3)}, rows.instant(4)};
}

std::optional<Event> LiveFacts::event(EventId event)
{
    Rows rows = db_.query("SELECT " BOXOFFICE_EVENT_COLUMNS
                          " FROM events e JOIN inventory i ON i.event_id = e.id WHERE e.id = ?1 AND e.removed_at IS NULL",
                          event);
    if (!rows.next()) return std::nullopt;
    return read_event(rows);
}

std::optional<Ticket> LiveFacts::ticket(TicketId ticket)
{
    Rows rows = db_.query("SELECT " BOXOFFICE_TICKET_COLUMNS " FROM tickets t WHERE t.id = ?1", ticket);
    if (!rows.next()) return std::nullopt;
    return read_ticket(rows);
}

std::optional<TicketId> LiveFacts::ticket_paid_with(std::string_view reference)
{
    Rows rows = db_.query("SELECT id FROM tickets WHERE payment_reference = ?1", reference);
    if (!rows.next()) return std::nullopt;
    return TicketId{rows.integer(0)};
}

std::optional<Account> LiveFacts::user(UserId user)
{
    Rows rows = db_.query("SELECT " BOXOFFICE_USER_COLUMNS ", u.password_hash FROM users u WHERE u.id = ?1", user);
    if (!rows.next()) return std::nullopt;
    return Account{read_user(rows), std::string(rows.text(6))};
}

bool LiveFacts::has_user(UserId user)
{
    if (users_.contains(user)) return true;
    if (!db_.query("SELECT 1 FROM users WHERE id = ?1", user).next()) return false;
    if (users_.size() >= kUsersRemembered) users_.clear();
    users_.insert(user);
    return true;
}

bool LiveFacts::has_mailbox(std::string_view folded, std::string_view key)
{
    return db_
        .query("SELECT 1 FROM users WHERE email_folded IN (?1, ?2) UNION ALL SELECT 1 FROM users WHERE email_key IN (?1, ?2)",
               folded, key)
        .next();
}

std::optional<Instant> LiveFacts::nth_newest_event(UserId organizer, std::int64_t nth)
{
    Rows rows = db_.query("SELECT created_at FROM events WHERE organizer_id = ?1 ORDER BY created_at DESC LIMIT 1 OFFSET ?2",
                          organizer, nth - 1);
    if (!rows.next()) return std::nullopt;
    return rows.instant(0);
}

std::optional<KeptRow> LiveFacts::kept_answer(UserId user, std::string_view key, Instant forgotten)
{
    Rows rows = db_.query("SELECT fingerprint, bytes FROM kept_answers WHERE user_id = ?1 AND key = ?2 AND kept_at > ?3", user,
                          key, forgotten);
    if (!rows.next()) return std::nullopt;
    return KeptRow{std::string(rows.text(0)), std::string(rows.text(1))};
}

bool LiveFacts::offer_due_holds_of(EventId event, Instant now, const TakeHold& take)
{
    return offer(db_.query("SELECT id, event_id, expires_at FROM tickets WHERE status = 0 AND event_id = ?1 AND expires_at <= ?2 "
                           "ORDER BY expires_at",
                           event, now),
                 take);
}

bool LiveFacts::offer_due_holds(Instant now, const TakeHold& take)
{
    return offer(
        db_.query("SELECT id, event_id, expires_at FROM tickets WHERE status = 0 AND expires_at <= ?1 ORDER BY expires_at", now),
        take);
}

std::int64_t LiveFacts::next_id(Numbered what)
{
    constexpr std::array<std::string_view, 3> kHighest{"SELECT max(id) FROM users", "SELECT max(id) FROM events",
                                                       "SELECT max(id) FROM tickets"};
    const auto which = static_cast<std::size_t>(what);
    std::int64_t& next = next_ids_[which];
    if (next == 0) {
        // These rows are never removed, so no higher id was given but in a life that was lost.
        Rows rows = db_.query(kHighest[which]);
        next = std::max(rows.next() ? rows.integer(0) : 0, ids_after_) + 1;
    }
    return next++;
}

}  // namespace boxoffice::sqlite
