#include "sqlite/rows.hpp"

#include <charconv>

namespace boxoffice::sqlite
{

Ticket read_ticket(const Rows& rows)
{
    Ticket ticket;
    ticket.id = TicketId{rows.integer(0)};
    ticket.user_id = UserId{rows.integer(1)};
    ticket.event_id = EventId{rows.integer(2)};
    ticket.status = static_cast<TicketStatus>(rows.integer(3));
    ticket.created_at = rows.instant(4);
    ticket.expires_at = rows.instant(5);
    if (!rows.null(6)) ticket.paid_at = rows.instant(6);
    if (!rows.null(7)) ticket.payment_reference = rows.text(7);
    return ticket;
}

User read_user(const Rows& rows)
{
    User user;
    user.id = UserId{rows.integer(0)};
    user.name = rows.text(1);
    user.email = rows.text(2);
    if (!rows.null(3)) user.location = GeoPoint{rows.real(3), rows.real(4)};
    user.created_at = rows.instant(5);
    return user;
}

Event read_event(const Rows& rows)
{
    Event event;
    event.id = EventId{rows.integer(0)};
    event.title = rows.text(1);
    event.description = rows.text(2);
    event.start_time = rows.instant(3);
    event.end_time = rows.instant(4);
    event.timezone = rows.text(5);
    event.total_tickets = rows.integer(6);
    event.tickets_sold = rows.integer(7);
    event.venue.address = rows.text(8);
    event.venue.point = {rows.real(9), rows.real(10)};
    event.organizer_id = UserId{rows.integer(11)};
    event.created_at = rows.instant(12);
    event.updated_at = rows.instant(13);
    event.version = rows.integer(14);
    return event;
}

std::vector<TicketId> tickets_of(std::string_view text)
{
    std::vector<TicketId> tickets;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        TicketId ticket;
        const auto [next, error] = std::from_chars(at, end, ticket.value);
        if (error != std::errc() || (next != end && *next != ','))
            throw StoreFailure(Code::internal, "an effect's tickets cannot be read: " + std::string(text));
        tickets.push_back(ticket);
        at = next == end ? end : next + 1;
    }
    return tickets;
}

}  // namespace boxoffice::sqlite
