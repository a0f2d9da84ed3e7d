#pragma once
#include <compare>
#include <cstdint>
#include <functional>

namespace boxoffice
{

/// A 64-bit row identity that cannot be mixed up with another kind of identity: a TicketId never
/// compiles where an EventId is meant. Values start at 1; 0 names nothing.
template <class Tag>
struct Id {
    std::int64_t value = 0;
    auto operator<=>(const Id&) const = default;
};

using UserId = Id<struct UserTag>;
using EventId = Id<struct EventTag>;
using TicketId = Id<struct TicketTag>;

}  // namespace boxoffice

template <class Tag>
struct std::hash<boxoffice::Id<Tag>> {
    std::size_t operator()(boxoffice::Id<Tag> id) const noexcept { return std::hash<std::int64_t>{}(id.value); }
};
