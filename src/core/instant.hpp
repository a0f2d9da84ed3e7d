#pragma once
#include <chrono>

namespace boxoffice
{

/// Every duration of the domain, in microseconds: the finest step that the contract lets out.
using Micros = std::chrono::microseconds;

/// A point of UTC time. Both engines store it as what it is, microseconds since 1970, so that no
/// rounding lies between a rule and a row.
using Instant = std::chrono::sys_time<Micros>;

/// Wall time without a zone, as an organizer types it; a Zones port turns it into an Instant.
using LocalTime = std::chrono::local_time<Micros>;

}  // namespace boxoffice
