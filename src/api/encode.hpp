#pragma once
#include <span>
#include <string>
#include <string_view>

#include "app/for_you.hpp"
#include "core/model.hpp"
#include "core/queries.hpp"
#include "json/json.hpp"

/// The shapes of the contract's resources, as JSON.
namespace boxoffice::http
{

[[nodiscard]] std::string encode_user(const User& user);
[[nodiscard]] std::string encode_token(std::string_view token, Micros lifetime);
[[nodiscard]] std::string encode_event(const Event& event);
// A summary leaves out the description, which is most of an event.
[[nodiscard]] std::string encode_events(std::span<const Event> events, Fields how_many = Fields::full);
[[nodiscard]] std::string encode_nearby(std::span<const NearbyEvent> events, Fields how_many = Fields::full);
[[nodiscard]] std::string encode_suggestions(std::span<const Suggestion> suggestions, Fields how_many = Fields::full);

/// A ticket as every client sees it at `now`.
[[nodiscard]] std::string encode_ticket(const Ticket& ticket, Instant now);
[[nodiscard]] std::string encode_tickets(std::span<const Ticket> tickets, Instant now);

}  // namespace boxoffice::http
