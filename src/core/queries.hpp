#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "core/model.hpp"

namespace boxoffice
{

/// The questions a store answers, as plain values. `skip` >= 0 and 1 <= `limit` <= 100 were checked before. A page begins after
/// `skip` items, or next to `from`, which is a place in the order of the list and need not be that of an item.

enum class Direction : std::uint8_t { after, before };

template <class Key>
struct Cursor {
    Key key;                                 // not part of the page
    Direction direction = Direction::after;  // before: the `limit` items that come last before it, in the order of the list
    auto operator<=>(const Cursor&) const = default;
};

struct EventKey {
    Instant start_time;
    EventId id;
    auto operator<=>(const EventKey&) const = default;
};

struct DistanceKey {
    double distance_m = 0;  // to the millimetre, as NearbyEvent has it
    EventId id;
    auto operator<=>(const DistanceKey&) const = default;
};

struct EventQuery {
    std::int64_t skip = 0;
    std::int64_t limit = 100;
    std::string q{};                         // words that must all appear in title, description or address; empty: any
    std::optional<Instant> starts_after{};   // exclusive
    std::optional<Instant> starts_before{};  // exclusive
    bool available_only = false;
    std::optional<UserId> organizer{};
    std::optional<Instant> ends_after{};  // exclusive
    std::optional<Cursor<EventKey>> from{};

    auto operator<=>(const EventQuery&) const = default;
};

struct TicketQuery {
    UserId user;
    std::int64_t skip = 0;
    std::int64_t limit = 100;
    std::optional<TicketStatus> status{};  // as seen at `now`: a hold whose time is up is expired
    std::optional<EventId> event{};
    Instant now;
    std::optional<Cursor<TicketId>> from{};  // newest first: after a ticket come older ones
};

struct NearbyQuery {
    GeoPoint center;
    double radius_m = 10'000;
    std::int64_t skip = 0;
    std::int64_t limit = 10;
    bool include_past = false;  // past: end_time <= now
    bool include_sold_out = false;
    Instant now;
    std::optional<Cursor<DistanceKey>> from{};
};

/// Whether a list has to look at much more than it shows: what is found by words, what has to be counted by a filter, what is far
/// down. Such reads have threads and connections of their own, and a price.
inline constexpr std::int64_t kSkipCheapMax = 1'000;
[[nodiscard]] inline bool is_expensive(const EventQuery& query)
{
    return !query.q.empty() || query.starts_after || query.starts_before || query.ends_after || query.available_only ||
           query.skip > kSkipCheapMax;
}
[[nodiscard]] inline bool is_expensive(const TicketQuery& query) { return query.skip > kSkipCheapMax; }

/// Tickets of an event available at this moment.
struct Availability {
    EventId event;
    std::int64_t available_tickets = 0;      // as GET /events/{id} says
    std::optional<Instant> next_release_at;  // the earliest deadline of a live hold; none without one
    bool operator==(const Availability&) const = default;
};

struct NearbyEvent {
    Event event;
    double distance_m = 0;  // WGS 84 geodesic
};

/// A ticket and who else but its holder may look at it.
struct TicketView {
    Ticket ticket;
    UserId organizer;
};

/// What login needs to know of a user.
struct Login {
    UserId user;
    std::string password_hash;
};

struct SuggestionQuery {
    UserId user;
    std::optional<GeoPoint> location;
    Instant now;
};

/// One event that might suit a user, with the facts that the score is made of (core/suggest.hpp).
struct Candidate {
    EventId event;
    Instant start_time;
    std::optional<double> distance_m;  // from the user's place, when there is one
    double likeness = 0;               // 0..1: to events the user has held tickets for
    double share_sold = 0;             // 0..1
    double pace = 0;                   // tickets a day lately, decayed (core/sales_rate.hpp) until scored_at()
};

}  // namespace boxoffice
