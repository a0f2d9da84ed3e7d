#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/event_fields.hpp"
#include "core/ids.hpp"
#include "core/instant.hpp"

namespace boxoffice
{

/// A place on the WGS 84 ellipsoid, in degrees. -90 <= latitude <= 90, -180 <= longitude <= 180.
struct GeoPoint {
    double latitude = 0;
    double longitude = 0;
    bool operator==(const GeoPoint&) const = default;
};

struct User {
    UserId id;
    std::string name;
    std::string email;
    std::optional<GeoPoint> location;
    Instant created_at;
};

using Venue = VenueFields<Plain, GeoPoint>;

/// What its organizer says of it, and what the box office adds.
struct Event : EventFields<Plain, Instant, Venue> {
    EventId id;
    std::int64_t tickets_sold = 0;  // paid tickets and live holds; 0 <= tickets_sold <= total_tickets
    UserId organizer_id;
    Instant created_at;
    Instant updated_at;
    std::int64_t version = 1;  // grows with each change by the organizer; sales do not move it

    [[nodiscard]] std::int64_t available_tickets() const { return total_tickets - tickets_sold; }
};

/// The numbers are the stored form in both engines: they never change.
enum class TicketStatus : std::uint8_t { reserved = 0, paid = 1, expired = 2, cancelled = 3 };

struct Ticket {
    TicketId id;
    UserId user_id;
    EventId event_id;
    TicketStatus status = TicketStatus::reserved;
    Instant created_at;
    Instant expires_at;
    std::optional<Instant> paid_at;
    std::optional<std::string> payment_reference;
};

/// One slice of an ordered list and the size of the whole.
template <class T>
struct Page {
    std::vector<T> items;
    std::int64_t total = 0;
    bool more = false;  // the list goes on beyond the slice, in the direction in which it was asked for
};

}  // namespace boxoffice
