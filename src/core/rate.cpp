#include "core/rate.hpp"

#include <algorithm>
#include <cmath>

namespace boxoffice
{

RateAnswer take_token(Bucket& bucket, const RatePolicy& policy, Instant now)
{
    const double a_microsecond = policy.per_minute / 60e6;
    if (now > bucket.as_of) {
        bucket.tokens = std::min(policy.burst, bucket.tokens + static_cast<double>((now - bucket.as_of).count()) * a_microsecond);
        bucket.as_of = now;
    }
    RateAnswer answer;
    answer.allowed = bucket.tokens >= policy.price;
    if (answer.allowed) bucket.tokens = std::min(policy.burst, bucket.tokens - policy.price);
    const auto until = [&](double tokens) {
        return Micros(static_cast<std::int64_t>(std::ceil(std::max(0.0, tokens - bucket.tokens) / a_microsecond)));
    };
    answer.remaining = static_cast<std::int64_t>(bucket.tokens);
    answer.retry_after = answer.allowed ? Micros(0) : until(policy.price);
    answer.reset = until(policy.burst);
    return answer;
}

}  // namespace boxoffice
