#pragma once
#include "postgres/connection.hpp"

/// Columns and the values that are made of them. Each list of columns stands beside nothing but its reader.
namespace boxoffice::postgres
{

#define BOXOFFICE_PG_USER_COLUMNS "u.id, u.name, u.email, u.latitude, u.longitude, u.created_at"
#define BOXOFFICE_PG_EVENT_COLUMNS                                                                                       \
    "e.id, e.title, e.description, e.start_time, e.end_time, e.timezone, i.total, i.sold, e.venue_address, e.latitude, " \
    "e.longitude, "                                                                                                      \
    "e.organizer_id, e.created_at, e.updated_at, e.version"
#define BOXOFFICE_PG_TICKET_COLUMNS \
    "t.id, t.user_id, t.event_id, t.status, t.created_at, t.expires_at, t.paid_at, t.payment_reference"

[[nodiscard]] User read_user(const Rows& rows, int row, int from = 0);
[[nodiscard]] Event read_event(const Rows& rows, int row, int from = 0);
[[nodiscard]] Ticket read_ticket(const Rows& rows, int row, int from = 0);

}  // namespace boxoffice::postgres
