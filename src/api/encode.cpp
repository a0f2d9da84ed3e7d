#include "api/encode.hpp"

#include "api/resources.hpp"
#include "core/rules.hpp"
#include "json/json.hpp"

namespace boxoffice::http
{

namespace
{

// Room for a typical resource, so that most answers are made with one allocation.
constexpr std::size_t kTicketBytes = 288;
constexpr std::size_t kEventBytes = 768;

void write_ticket(JsonWriter& json, const Ticket& ticket, Instant now)
{
    const ShownTicket shown{ticket, is_due(ticket, now) ? TicketStatus::expired : ticket.status};
    write_object(json, fields::kTicket, shown);
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

/// Events with what is told beside each.
template <class Found, class Table>
std::string encode_found(std::span<const Found> all, const Table& beside, Fields how_many)
{
    return encode_array(all, kEventBytes, [&beside, how_many](JsonWriter& json, const Found& found) {
        json.begin_object();
        write_fields(json, fields::kEvent, found.event, how_many);
        write_fields(json, beside, found);
        json.end_object();
    });
}

}  // namespace

std::string encode_user(const User& user)
{
    std::string out;
    JsonWriter json(out);
    write_object(json, fields::kUser, user);
    return out;
}

std::string encode_token(std::string_view token, Micros lifetime)
{
    std::string out;
    JsonWriter json(out);
    write_object(json, fields::kToken, Token{token, std::chrono::floor<std::chrono::seconds>(lifetime).count()});
    return out;
}

std::string encode_event(const Event& event)
{
    std::string out;
    out.reserve(kEventBytes);
    JsonWriter json(out);
    write_object(json, fields::kEvent, event);
    return out;
}

std::string encode_events(std::span<const Event> events, Fields how_many)
{
    return encode_array(events, kEventBytes, [how_many](JsonWriter& json, const Event& event) {
        json.begin_object();
        write_fields(json, fields::kEvent, event, how_many);
        json.end_object();
    });
}

std::string encode_nearby(std::span<const NearbyEvent> events, Fields how_many)
{
    return encode_found(events, fields::kNearby, how_many);
}

std::string encode_suggestions(std::span<const Suggestion> suggestions, Fields how_many)
{
    return encode_found(suggestions, fields::kSuggestion, how_many);
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
