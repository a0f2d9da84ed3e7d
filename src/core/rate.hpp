#pragma once
#include <cstdint>

#include "core/instant.hpp"

namespace boxoffice
{

/// How much is let through: `burst` at once, and then `per_minute` evenly. A policy of 0 per minute lets everything through.
struct RatePolicy {
    double per_minute = 0;
    double burst = 0;
    double price = 1;  // tokens that one request takes; below 0 gives some back
    [[nodiscard]] bool limits() const { return per_minute > 0; }
};

/// A token bucket as it was at `as_of`; a fresh one is full.
struct Bucket {
    double tokens = 0;
    Instant as_of;
};

/// What to tell the client, in the words of the IETF's RateLimit fields.
struct RateAnswer {
    bool allowed = true;
    std::int64_t remaining = 0;  // whole tokens that are left
    Micros retry_after{0};       // until the next one would be; 0 when allowed
    Micros reset{0};             // until the bucket is full again
};

/// Fills `bucket` up to `now` (a time before as_of counts as as_of) and takes the policy's price if that much is there.
/// Pure. A price above the burst is never there.
[[nodiscard]] RateAnswer take_token(Bucket& bucket, const RatePolicy& policy, Instant now);

}  // namespace boxoffice
