#include "api/cors.hpp"

#include <algorithm>

namespace boxoffice::http
{

namespace
{

// What answers tell in fields that a page may not see unless they are named.
constexpr std::string_view kExposed =
    "ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, X-Total-Count";
// What requests may say beyond what any page may send.
constexpr std::string_view kTaken =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id";
constexpr std::string_view kMaxAgeSeconds = "600";  // a changed list of origins is known everywhere ten minutes later

bool is_allowed(const Request& request, std::span<const std::string> origins)
{
    const std::string_view origin = request.header("origin");
    return !origin.empty() && std::find(origins.begin(), origins.end(), origin) != origins.end();
}

}  // namespace

void add_cors_fields(Reply& reply, const Request& request, std::span<const std::string> origins)
{
    reply.headers.emplace_back("Vary", "Origin");
    if (!is_allowed(request, origins)) return;
    reply.headers.emplace_back("Access-Control-Allow-Origin", request.header("origin"));
    reply.headers.emplace_back("Access-Control-Expose-Headers", kExposed);
}

void add_preflight_fields(Reply& reply, const Request& request, std::span<const std::string> origins, std::string_view allow)
{
    if (!is_allowed(request, origins) || request.header("access-control-request-method").empty()) return;
    reply.headers.emplace_back("Access-Control-Allow-Methods", allow);
    reply.headers.emplace_back("Access-Control-Allow-Headers", kTaken);
    reply.headers.emplace_back("Access-Control-Max-Age", kMaxAgeSeconds);
}

}  // namespace boxoffice::http
