#include "postgres/rows.hpp"

namespace boxoffice::postgres
{

User read_user(const Rows& rows, int row, int from)
{
    User user;
    user.id = rows.id<UserId>(row, from);
    user.name = rows.text(row, from + 1);
    user.email = rows.text(row, from + 2);
    if (!rows.null(row, from + 3)) user.location = GeoPoint{rows.real(row, from + 3), rows.real(row, from + 4)};
    user.created_at = rows.instant(row, from + 5);
    return user;
}

Event read_event(const Rows& rows, int row, int from)
{
    Event event;
    event.id = rows.id<EventId>(row, from);
    event.title = rows.text(row, from + 1);
    event.description = rows.text(row, from + 2);
    event.start_time = rows.instant(row, from + 3);
    event.end_time = rows.instant(row, from + 4);
    event.timezone = rows.text(row, from + 5);
    event.total_tickets = rows.integer(row, from + 6);
    event.tickets_sold = rows.integer(row, from + 7);
    event.venue.address = rows.text(row, from + 8);
    event.venue.point = {rows.real(row, from + 9), rows.real(row, from + 10)};
    event.organizer_id = rows.id<UserId>(row, from + 11);
    event.created_at = rows.instant(row, from + 12);
    event.updated_at = rows.instant(row, from + 13);
    event.version = rows.integer(row, from + 14);
    return event;
}

Ticket read_ticket(const Rows& rows, int row, int from)
{
    Ticket ticket;
    ticket.id = rows.id<TicketId>(row, from);
    ticket.user_id = rows.id<UserId>(row, from + 1);
    ticket.event_id = rows.id<EventId>(row, from + 2);
    ticket.status = static_cast<TicketStatus>(rows.integer(row, from + 3));
    ticket.created_at = rows.instant(row, from + 4);
    ticket.expires_at = rows.instant(row, from + 5);
    if (!rows.null(row, from + 6)) ticket.paid_at = rows.instant(row, from + 6);
    if (!rows.null(row, from + 7)) ticket.payment_reference = rows.text(row, from + 7);
    return ticket;
}

}  // namespace boxoffice::postgres
