#pragma once
#include "sqlite/connection.hpp"

/// The columns that make our values, beside the functions that read them, shared by writer and readers.
namespace boxoffice::sqlite
{

#define BOXOFFICE_TICKET_COLUMNS \
    "t.id, t.user_id, t.event_id, t.status, t.created_at, t.expires_at, t.paid_at, t.payment_reference"
#define BOXOFFICE_USER_COLUMNS "u.id, u.name, u.email, u.latitude, u.longitude, u.created_at"
#define BOXOFFICE_EVENT_COLUMNS                                                                                          \
    "e.id, e.title, e.description, e.start_time, e.end_time, e.timezone, i.total, i.sold, e.venue_address, e.latitude, " \
    "e.longitude, "                                                                                                      \
    "e.organizer_id, e.created_at, e.updated_at, e.version"

[[nodiscard]] Ticket read_ticket(const Rows& rows);
[[nodiscard]] User read_user(const Rows& rows);
[[nodiscard]] Event read_event(const Rows& rows);
/// The tickets of an outbox row, which keeps their ids as text with commas between.
[[nodiscard]] std::vector<TicketId> tickets_of(std::string_view text);

}  // namespace boxoffice::sqlite
