#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/router.hpp"
#include "core/queries.hpp"
#include "core/rate.hpp"
#include "net/net.hpp"

/// In front of the routes: lets a call go on, or tells it to come back later.
namespace boxoffice::http
{

/// What a call has learned at a gate.
struct RateNote {
    std::string_view name;  // of the policy; lives for ever
    RatePolicy policy;
    RateAnswer answer;
};

/// Adds RateLimit-Policy and RateLimit as draft-ietf-httpapi-ratelimit-headers-11 writes them: `"account";q=2000;w=20` (what
/// a full bucket holds, and the seconds in which an empty one fills) and `"account";r=1999;t=1` (what is left, and the seconds
/// until it is full again).
void add_rate_fields(Reply& reply, const RateNote& note);

/// Where a call goes once it is let through.
using GoOn = std::function<void(const std::shared_ptr<Call>& call)>;

/// Takes from the bucket `key` and lets the call go on, or answers it 429. `name` is the policy's and lives for ever. With no
/// limits in force every call goes on.
void pass_gate(const std::shared_ptr<Call>& call, std::string_view name, std::string key, const RatePolicy& policy, GoOn go_on);

/// Takes from the bucket "account:<id>" of the signed-in user. `go_on` runs at once or on the limiter's thread; a call that is
/// not let through is answered 429.
void pass_account_gate(const std::shared_ptr<Call>& call, GoOn go_on);
/// The same with the bucket "login:<client>" or "register:<client>"; a client is an IPv4 address or an IPv6 /64.
void pass_login_gate(const std::shared_ptr<Call>& call, GoOn go_on);
void pass_registration_gate(const std::shared_ptr<Call>& call, GoOn go_on);

/// Takes `price` from the bucket "search:account:<id>" of the account whose token is good, or "search:<client>" otherwise.
void pass_search_gate(const std::shared_ptr<Call>& call, double price, GoOn go_on);

/// What a search costs, in units of what a search by words costs.
[[nodiscard]] double price_of(const EventQuery& query);
[[nodiscard]] double price_of(const NearbyQuery& query);
inline constexpr double kPriceOfRecommended = 2;  // all upcoming events are scored

}  // namespace boxoffice::http
