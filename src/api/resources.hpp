#pragma once
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "app/for_you.hpp"
#include "core/event_fields.hpp"
#include "core/rules.hpp"

/// The contract's resources, each as the list of its fields: what is read of a request, and what is told in an answer. Their
/// order is that of answers, and of what is wrong with a request. tests/openapi_fields_test.cpp compares each with its schema in
/// api/openapi.yaml. What an organizer says of an event is described in core/event_fields.hpp.
namespace boxoffice::http
{

// --- Structs of requests that are no act, and of answers that are no model ------------------------------------------

/// What an account says of its owner. As: Plain, or std::optional for what a patch leaves as it was.
template <template <class> class As>
struct UserFields {
    As<std::string> name{};
    As<std::optional<GeoPoint>> location{};
};
using UserPatch = UserFields<std::optional>;

struct Registration : UserFields<Plain> {
    std::string email;
    std::string password;  // as it is to be hashed (text::password_form)
};

struct LoginBody {
    std::optional<std::string> email;
    std::optional<std::string> username;
    std::string password;  // as it was sent
};

struct Token {
    std::string_view access_token;
    std::int64_t expires_in = 0;  // seconds
};

struct TicketOrder {
    EventId event;
    std::optional<UserId> user;
};

struct Payment {
    std::string reference;
};

struct ShownTicket {
    const Ticket& ticket;
    TicketStatus status;  // at the time of the answer
};

}  // namespace boxoffice::http

namespace boxoffice::fields
{

// --- Users ---------------------------------------------------------------------------------------------------------

inline constexpr auto kUserName = field<"name">([](auto& of) -> auto& { return of.name; }, kName);
inline constexpr auto kUserEmail = field<"email">([](auto& of) -> auto& { return of.email; }, kEmail);
inline constexpr auto kUserLocation = field<"location">([](auto& of) -> auto& { return of.location; }, Object{kPoint});

inline constexpr std::tuple kUser{
    field<"id">([](auto& of) { return of.id; }, Identity{}),
    kUserName,
    kUserEmail,
    kUserLocation,
    field<"created_at">([](auto& of) { return of.created_at; }, Moment{}),
};
inline constexpr std::tuple kRegistration{
    kUserEmail,
    kUserName,
    field<"password">([](auto& of) -> auto& { return of.password; }, kPassword),
    kUserLocation,
};
inline constexpr std::tuple kUserPatch{kUserName, kUserLocation};
inline constexpr Refused kRefusedInUserPatch[] = {{"email", "An address cannot be changed"},
                                                  {"password", "A password cannot be changed here"}};

inline constexpr std::tuple kLogin{
    field<"email">([](auto& of) -> auto& { return of.email; }, Words{}),
    field<"username">([](auto& of) -> auto& { return of.username; }, Words{}),
    field<"password">([](auto& of) -> auto& { return of.password; }, Secret{}),
};
inline constexpr std::tuple kToken{
    field<"access_token">([](auto& of) { return of.access_token; }, Words{}),
    field<"token_type">([](auto&) { return std::string_view("bearer"); }, Constant{"bearer"}),
    field<"expires_in">([](auto& of) { return of.expires_in; }, Whole{0}),
};

// --- Events --------------------------------------------------------------------------------------------------------

inline constexpr auto kEvent =
    std::tuple_cat(std::tuple{field<"id">([](auto& of) { return of.id; }, Identity{})}, kEventWords,
                   std::tuple{
                       field<"tickets_sold">([](auto& of) { return of.tickets_sold; }, Whole{0}),
                       field<"available_tickets">([](auto& of) { return of.available_tickets(); }, Whole{0}),
                       field<"venue_address">([](auto& of) -> auto& { return of.venue.address; }, Words{}),
                   },
                   kEventVenue,
                   std::tuple{
                       field<"organizer_id">([](auto& of) { return of.organizer_id; }, Identity{}),
                       field<"version">([](auto& of) { return of.version; }, Whole{1}),
                       field<"created_at">([](auto& of) { return of.created_at; }, Moment{}),
                       field<"updated_at">([](auto& of) { return of.updated_at; }, Moment{}),
                   });

/// Distances are exact to the millimetre: one division of a whole number, so that no 0.5772609999999999 is shown.
inline double to_km(double metres) { return std::round(metres * 1000) / 1'000'000; }

/// What is told of an event beside it.
inline constexpr std::tuple kNearby{field<"distance_km">([](auto& of) { return to_km(of.distance_m); }, Real{0})};
inline constexpr std::tuple kSuggestion{
    field<"score">([](auto& of) { return std::round(of.score * 1e6) / 1e6; }, Real{0, 1}),
    field<"reasons">([](auto& of) -> auto& { return of.reasons; }, Words{}),
    field<"distance_km">([](auto& of) { return of.distance_m ? std::optional(to_km(*of.distance_m)) : std::nullopt; }, Real{0})
        .when_there(),
};

inline constexpr std::tuple kAvailability{
    field<"available_tickets">([](auto& of) { return of.available_tickets; }, Whole{0}),
    field<"next_release_at">([](auto& of) { return of.next_release_at; }, Moment{}),
};

// --- Tickets -------------------------------------------------------------------------------------------------------

inline constexpr std::tuple kReservation{
    field<"event_id">([](auto& of) -> auto& { return of.event; }, Identity{}),
    field<"user_id">([](auto& of) -> auto& { return of.user; }, Identity{}),
};
inline constexpr Refused kRefusedInReservation[] = {{"quantity", "One request holds one seat: ask once for each"}};

inline constexpr std::tuple kPayment{
    field<"payment_reference">([](auto& of) -> auto& { return of.reference; }, kReference),
};

inline constexpr std::tuple kTicket{
    field<"id">([](auto& of) { return of.ticket.id; }, Identity{}),
    field<"user_id">([](auto& of) { return of.ticket.user_id; }, Identity{}),
    field<"event_id">([](auto& of) { return of.ticket.event_id; }, Identity{}),
    field<"status">([](auto& of) { return status_word(of.status); }, Status{}),
    field<"created_at">([](auto& of) { return of.ticket.created_at; }, Moment{}),
    field<"expires_at">([](auto& of) { return of.ticket.expires_at; }, Moment{}),
    field<"paid_at">([](auto& of) { return of.ticket.paid_at; }, Moment{}),
    field<"payment_reference">([](auto& of) -> auto& { return of.ticket.payment_reference; }, kReference),
};

}  // namespace boxoffice::fields
