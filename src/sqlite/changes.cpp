#include "sqlite/changes.hpp"

#include <span>

#include "core/search.hpp"
#include "text/text.hpp"

/// What a batch has decided, row by row.
namespace boxoffice::sqlite
{

namespace
{

void must_change(std::int64_t changed, std::string_view what, std::int64_t id)
{
    if (changed != 1) throw StoreFailure(Code::internal, std::string(what) + " " + std::to_string(id) + " was not as it must be");
}

std::optional<double> latitude_of(const User& user)
{
    return user.location ? std::optional(user.location->latitude) : std::nullopt;
}

std::optional<double> longitude_of(const User& user)
{
    return user.location ? std::optional(user.location->longitude) : std::nullopt;
}

std::string joined(std::span<const TicketId> tickets)
{
    std::string text;
    for (const TicketId ticket : tickets) {
        if (!text.empty()) text += ',';
        text += std::to_string(ticket.value);
    }
    return text;
}

void write_users(Connection& db, const Changes& changes)
{
    for (const NewAccount& account : changes.users_added) {
        const User& user = account.row.user;
        db.execute(
            "INSERT INTO users (id, email, email_folded, email_key, name, password_hash, latitude, longitude, created_at, "
            "updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
            user.id, user.email, account.folded, account.key, user.name, account.row.password_hash, latitude_of(user),
            longitude_of(user), user.created_at);
    }
    for (const auto& [row, at] : changes.users_changed) {
        const auto changed = db.execute(
            "UPDATE users SET name = ?2, password_hash = ?3, latitude = ?4, longitude = ?5, updated_at = max(updated_at, ?6) "
            "WHERE id = ?1",
            row.user.id, row.user.name, row.password_hash, latitude_of(row.user), longitude_of(row.user), at);
        must_change(changed, "user", row.user.id.value);
    }
}

void write_events(Connection& db, const Changes& changes)
{
    for (const Event& event : changes.events_added) {
        db.execute(
            "INSERT INTO events (id, organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, timezone, "
            "title, venue_address, description, words_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12)",
            event.id, event.organizer_id, event.start_time, event.end_time, event.venue.point.latitude,
            event.venue.point.longitude, event.created_at, event.timezone, event.title, event.venue.address, event.description,
            std::int64_t{text::words_version()});
        index_words(db, event.id, words_of_event(event.title, event.description, event.venue.address));
        db.execute("INSERT INTO inventory (event_id, total, paced_at) VALUES (?1, ?2, ?3)", event.id, event.total_tickets,
                   event.created_at);
    }
    for (const auto& [event, texts] : changes.events_changed) {
        db.execute(
            "UPDATE events SET start_time = ?2, end_time = ?3, latitude = ?4, longitude = ?5, updated_at = ?6, timezone = ?7, "
            "version = ?8 WHERE id = ?1",
            event.id, event.start_time, event.end_time, event.venue.point.latitude, event.venue.point.longitude, event.updated_at,
            event.timezone, event.version);
        // Apart from the above, because these are the longest columns, and their words go with them.
        if (!texts) continue;
        db.execute("UPDATE events SET title = ?2, venue_address = ?3, description = ?4, words_version = ?5 WHERE id = ?1",
                   event.id, event.title, event.venue.address, event.description, std::int64_t{text::words_version()});
        index_words(db, event.id, words_of_event(event.title, event.description, event.venue.address));
    }
    for (const auto& [event, at] : changes.events_removed) {
        must_change(db.execute("UPDATE events SET removed_at = ?2 WHERE id = ?1 AND removed_at IS NULL", event, at), "event",
                    event.value);
        db.execute("DELETE FROM event_tokens WHERE rowid = ?1", event);
    }
}

void write_ticket(Connection& db, const TicketChange& change)
{
    const auto from = static_cast<int>(change.from);
    const auto to = static_cast<int>(change.to);
    std::int64_t changed = 0;
    if (const auto& payment = change.payment) {
        changed = db.execute("UPDATE tickets SET status = ?3, paid_at = ?4, payment_reference = ?5 WHERE id = ?1 AND status = ?2",
                             change.ticket, from, to, payment->at, payment->reference);
    } else {
        changed = db.execute("UPDATE tickets SET status = ?3 WHERE id = ?1 AND status = ?2", change.ticket, from, to);
    }
    must_change(changed, "ticket", change.ticket.value);
    // Apart, because it moves the ticket within an index.
    if (change.owner) db.execute("UPDATE tickets SET user_id = ?2 WHERE id = ?1", change.ticket, *change.owner);
}

void write_tickets(Connection& db, const Changes& changes)
{
    for (const Ticket& ticket : changes.tickets_added) {
        db.execute("INSERT INTO tickets (id, event_id, user_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)", ticket.id,
                   ticket.event_id, ticket.user_id, ticket.created_at, ticket.expires_at);
    }
    for (const TicketChange& change : changes.tickets_changed) write_ticket(db, change);
    for (const StockChange& stock : changes.stocks) {
        const StockRow& row = stock.row;
        const auto changed = db.execute(
            "UPDATE inventory SET sold = sold + ?2, total = ?3, pace = ?4, paced_at = ?5 "
            "WHERE event_id = ?1 AND sold + ?2 BETWEEN 0 AND ?3",
            stock.event, stock.sold_now, row.total, row.pace.tickets_a_day, row.pace.as_of);
        must_change(changed, "the counter of event", stock.event.value);
    }
}

void write_what_follows(Connection& db, const Changes& changes)
{
    for (const NewEffect& effect : changes.effects) {
        db.execute("INSERT INTO outbox (kind, event_id, tickets, made_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                   static_cast<int>(effect.kind), effect.event, joined(effect.tickets), effect.made_at,
                   due_at(effect.kind, effect.made_at));
    }
    for (const NewAnswer& answer : changes.answers) {
        db.execute(
            "INSERT OR REPLACE INTO kept_answers (user_id, key, fingerprint, kept_at, bytes) VALUES (?1, ?2, ?3, ?4, CAST(?5 AS "
            "BLOB))",
            answer.user, answer.key, answer.fingerprint, answer.at, answer.bytes);
    }
}

}  // namespace

void index_words(Connection& db, EventId event, const std::string& words)
{
    db.execute("INSERT OR REPLACE INTO event_tokens (rowid, words) VALUES (?1, ?2)", event, words);
}

void write(Connection& db, const Changes& changes)
{
    write_users(db, changes);
    write_events(db, changes);
    write_tickets(db, changes);
    write_what_follows(db, changes);
}

}  // namespace boxoffice::sqlite
