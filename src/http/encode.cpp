#include "http/encode.hpp"

#include <cmath>

#include "core/rules.hpp"
#include "http/json_writer.hpp"

namespace boxoffice::http
{

namespace
{

// Room for a typical resource, so that most answers are made with one allocation.
constexpr std::size_t kTicketBytes = 288;
constexpr std::size_t kEventBytes = 768;

/// Distances are exact to the millimetre: one division of a whole number, so that no 0.5772609999999999 is shown.
double to_km(double metres) { return std::round(metres * 1000) / 1'000'000; }

void write_point(JsonWriter& json, const GeoPoint& point)
{
    json.key("latitude").number(point.latitude).key("longitude").number(point.longitude);
}

/// Without the closing brace, for those that add something of their own.
void open_event(JsonWriter& json, const Event& event, Fields fields = Fields::full)
{
    json.begin_object();
    json.key("id").integer(event.id.value);
    json.key("title").string(event.title);
    if (fields == Fields::full) json.key("description").string(event.description);
    json.key("start_time").time(event.start_time);
    json.key("end_time").time(event.end_time);
    json.key("timezone").string(event.timezone);
    json.key("total_tickets").integer(event.total_tickets);
    json.key("tickets_sold").integer(event.tickets_sold);
    json.key("available_tickets").integer(event.available_tickets());
    json.key("venue_address").string(event.venue.address);
    json.key("venue").begin_object();
    json.key("address").string(event.venue.address);
    write_point(json, event.venue.point);
    json.end_object();
    json.key("organizer_id").integer(event.organizer_id.value);
    json.key("version").integer(event.version);
    json.key("created_at").time(event.created_at);
    json.key("updated_at").time(event.updated_at);
}

void write_ticket(JsonWriter& json, const Ticket& ticket, Instant now)
{
    const TicketStatus status = is_due(ticket, now) ? TicketStatus::expired : ticket.status;
    json.begin_object();
    json.key("id").integer(ticket.id.value);
    json.key("user_id").integer(ticket.user_id.value);
    json.key("event_id").integer(ticket.event_id.value);
    json.key("status").string(status_word(status));
    json.key("created_at").time(ticket.created_at);
    json.key("expires_at").time(ticket.expires_at);
    json.key("paid_at");
    ticket.paid_at ? json.time(*ticket.paid_at) : json.null();
    json.key("payment_reference");
    ticket.payment_reference ? json.string(*ticket.payment_reference) : json.null();
    json.end_object();
}

template <class T, class Write>
std::string encode_array(std::span<const T> items, std::size_t bytes_each, Write write)
{
    std::string out;
    out.reserve(2 + items.size() * bytes_each);
    JsonWriter json(out);
    json.begin_array();
    for (const T& item : items) write(json, item);
    json.end_array();
    return out;
}

}  // namespace

std::string encode_user(const User& user)
{
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.key("id").integer(user.id.value);
    json.key("name").string(user.name);
    json.key("email").string(user.email);
    json.key("location");
    if (user.location) {
        json.begin_object();
        write_point(json, *user.location);
        json.end_object();
    } else {
        json.null();
    }
    json.key("created_at").time(user.created_at);
    json.end_object();
    return out;
}

std::string encode_token(std::string_view token, Micros lifetime)
{
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.key("access_token").string(token);
    json.key("token_type").string("bearer");
    json.key("expires_in").integer(std::chrono::floor<std::chrono::seconds>(lifetime).count());
    json.end_object();
    return out;
}

std::string encode_event(const Event& event)
{
    std::string out;
    out.reserve(kEventBytes);
    JsonWriter json(out);
    open_event(json, event);
    json.end_object();
    return out;
}

std::string encode_events(std::span<const Event> events, Fields fields)
{
    return encode_array(events, kEventBytes, [fields](JsonWriter& json, const Event& event) {
        open_event(json, event, fields);
        json.end_object();
    });
}

std::string encode_nearby(std::span<const NearbyEvent> events, Fields fields)
{
    return encode_array(events, kEventBytes, [fields](JsonWriter& json, const NearbyEvent& found) {
        open_event(json, found.event, fields);
        json.key("distance_km").number(to_km(found.distance_m));
        json.end_object();
    });
}

std::string encode_suggestions(std::span<const Suggestion> suggestions, Fields fields)
{
    return encode_array(suggestions, kEventBytes, [fields](JsonWriter& json, const Suggestion& suggestion) {
        open_event(json, suggestion.event, fields);
        json.key("score").number(std::round(suggestion.score * 1e6) / 1e6);
        json.key("reasons").begin_array();
        for (const auto reason : suggestion.reasons) json.string(reason);
        json.end_array();
        if (suggestion.distance_m) json.key("distance_km").number(to_km(*suggestion.distance_m));
        json.end_object();
    });
}

std::string encode_ticket(const Ticket& ticket, Instant now)
{
    std::string out;
    out.reserve(kTicketBytes);
    JsonWriter json(out);
    write_ticket(json, ticket, now);
    return out;
}

std::string encode_tickets(std::span<const Ticket> tickets, Instant now)
{
    return encode_array(tickets, kTicketBytes,
                        [now](JsonWriter& json, const Ticket& ticket) { write_ticket(json, ticket, now); });
}

}  // namespace boxoffice::http
