#include "core/sales_rate.hpp"

#include <cmath>

namespace boxoffice
{

SalesRate advance(SalesRate pace, Instant now, double sold)
{
    // A sale adds ln 2 / half-life tickets a day, so that a steady r tickets a day settles at exactly r.
    static const double half_life_days = std::chrono::duration<double, std::ratio<86400>>(kSalesRateHalfLife).count();
    const double age_days = now > pace.as_of ? std::chrono::duration<double, std::ratio<86400>>(now - pace.as_of).count() : 0;
    SalesRate next;
    next.as_of = now > pace.as_of ? now : pace.as_of;
    next.tickets_a_day = pace.tickets_a_day * std::exp2(-age_days / half_life_days) + sold * std::log(2.0) / half_life_days;
    return next;
}

}  // namespace boxoffice
