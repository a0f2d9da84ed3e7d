#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "core/fields.hpp"
#include "core/limits.hpp"

/// What an organizer says of an event: the members that an Event, a draft and a patch have of it, and their description. A new
/// field is one member here and one row below.
namespace boxoffice
{

/// As it is; where a patch has std::optional, for what stays as it was.
template <class T>
using Plain = T;

template <template <class> class As, class Point>
struct VenueFields {
    As<std::string> address{};
    Point point{};
};

template <template <class> class As, class Time, class Venue>
struct EventFields {
    As<std::string> title{};
    As<std::string> description{};
    As<Time> start_time{};
    As<Time> end_time{};
    As<std::string> timezone{};  // IANA name
    As<std::int64_t> total_tickets{};
    Venue venue{};
};

inline constexpr std::string_view kDefaultZone = "UTC";

namespace fields
{

inline constexpr Degrees kLatitude{90};
inline constexpr Degrees kLongitude{180};

/// Of a GeoPoint.
inline constexpr std::tuple kPoint{
    field<"latitude">([](auto& of) -> auto& { return of.latitude; }, kLatitude),
    field<"longitude">([](auto& of) -> auto& { return of.longitude; }, kLongitude),
};

inline constexpr std::tuple kVenue{
    field<"address">([](auto& of) -> auto& { return of.address; }, Text{1, kAddressCharsMax, text::Kind::one_line}),
    field<"latitude">([](auto& of) -> auto& { return of.point.latitude; }, kLatitude),
    field<"longitude">([](auto& of) -> auto& { return of.point.longitude; }, kLongitude),
};

/// In the order in which they are told, and in which what is wrong with them is.
inline constexpr std::tuple kEventWords{
    field<"title">([](auto& of) -> auto& { return of.title; }, Text{1, kTitleCharsMax, text::Kind::one_line}),
    field<"description">([](auto& of) -> auto& { return of.description; }, Text{0, kDescriptionCharsMax, text::Kind::paragraphs})
        .or_else("")
        .in_full(),  // it is most of an event
    field<"start_time">([](auto& of) -> auto& { return of.start_time; }, Moment{}),
    field<"end_time">([](auto& of) -> auto& { return of.end_time; }, Moment{}),
    field<"timezone">([](auto& of) -> auto& { return of.timezone; }, ZoneName{}).or_else(kDefaultZone),
    field<"total_tickets">([](auto& of) -> auto& { return of.total_tickets; }, Whole{1, kTicketsMax}),
};
inline constexpr std::tuple kEventVenue{field<"venue">([](auto& of) -> auto& { return of.venue; }, Object{kVenue})};

/// All that an organizer says: of an EventDraft and an EventPatch, and part of an Event.
inline constexpr auto kEventDraft = std::tuple_cat(kEventWords, kEventVenue);

}  // namespace fields

}  // namespace boxoffice
