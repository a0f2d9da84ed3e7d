#pragma once
#include <string_view>

namespace boxoffice::redis
{

/// core's take_token() in the same arithmetic, so that a limit is the same in both: Lua's numbers are doubles too, and
/// microseconds since 1970 fit one until the year 2255. What is kept is "tokens as_of", with 17 digits: the same doubles
/// come back. A key is gone a second after its bucket is full again, for a fresh one is full.
inline constexpr std::string_view kBucketScript = R"lua(
local burst, now, price = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local a_microsecond = tonumber(ARGV[1]) / 60e6
local tokens, as_of = burst, now
local kept = redis.call('GET', KEYS[1])
if kept then
    local t, a = string.match(kept, '^(%S+) (%S+)$')
    tokens, as_of = tonumber(t) or burst, tonumber(a) or now
end
if now > as_of then
    tokens = math.min(burst, tokens + (now - as_of) * a_microsecond)
    as_of = now
end
local allowed = tokens >= price
if allowed then tokens = math.min(burst, tokens - price) end
local function wait_for(wanted)
    return math.ceil(math.max(0, wanted - tokens) / a_microsecond)
end
local reset = wait_for(burst)
local expires = math.min(math.ceil(reset / 1000) + 1000, 1e12)
redis.call('SET', KEYS[1], string.format('%.17g %.17g', tokens, as_of), 'PX', string.format('%.0f', expires))
return {allowed and 1 or 0, math.floor(tokens), allowed and 0 or wait_for(price), reset}
)lua";

}  // namespace boxoffice::redis
