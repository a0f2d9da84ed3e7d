#pragma once
#include "core/instant.hpp"

namespace boxoffice
{

/// How fast an event sells lately, as one number that needs no history: tickets a day, halved every kSalesRateHalfLife without a
/// sale.
struct SalesRate {
    double tickets_a_day = 0;
    Instant as_of;
};

inline constexpr Micros kSalesRateHalfLife = std::chrono::hours(24);

/// The pace at `now` (never before as_of) after `sold` more tickets.
[[nodiscard]] SalesRate advance(SalesRate pace, Instant now, double sold);

}  // namespace boxoffice
