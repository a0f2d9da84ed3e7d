#include "api/rate_gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/call.hpp"
#include "net/net.hpp"

namespace boxoffice::http
{

namespace
{

std::int64_t seconds_up(Micros time) { return std::chrono::ceil<std::chrono::seconds>(time).count(); }

void turn_away(Call& call, std::string_view name, const RateAnswer& answer)
{
    call.shed(name, "rate_limited");
    Reply reply = call.make_problem(Error{Code::rate_limited, {}});
    reply.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(1, seconds_up(answer.retry_after))));
    call.answer(std::move(reply));
}

bool is_open(const Call& call, const RatePolicy& policy) { return call.parts().rates == nullptr || !policy.limits(); }

void pass_client_gate(const CallPtr& call, std::string_view name, const RatePolicy& policy, GoOn go_on)
{
    if (is_open(*call, policy)) return go_on(call);
    pass_gate(call, name, fmt::format("{}:{}", name, call->group()), policy, std::move(go_on));
}

// How much dearer a search is than one by words, by what it has to look at. A place to look around in is a country at most.
constexpr double kWideRadiusM = 1'000'000;
constexpr double kPriceOfWide = 5;
constexpr std::int64_t kSkipToUnit = 2'500;  // what is passed over is looked at, too

}  // namespace

void add_rate_fields(Reply& reply, const RateNote& note)
{
    const auto window = static_cast<std::int64_t>(std::ceil(note.policy.burst / note.policy.per_minute * 60));
    reply.headers.emplace_back("RateLimit-Policy",
                               fmt::format("\"{}\";q={};w={}", note.name, static_cast<std::int64_t>(note.policy.burst),
                                           std::max<std::int64_t>(1, window)));
    reply.headers.emplace_back("RateLimit",
                               fmt::format("\"{}\";r={};t={}", note.name, note.answer.remaining, seconds_up(note.answer.reset)));
}

void pass_gate(const CallPtr& call, std::string_view name, std::string key, const RatePolicy& policy, GoOn go_on)
{
    if (is_open(*call, policy)) return go_on(call);
    call->parts().rates->take(std::move(key), policy, call->now(),
                              [call, name, policy, go_on = std::move(go_on)](const RateAnswer& answer) {
                                  try {
                                      call->note_rate({name, policy, answer});
                                      if (!answer.allowed) return turn_away(*call, name, answer);
                                      go_on(call);
                                  } catch (const std::exception& exception) {
                                      call->fail(exception);
                                  }
                              });
}

void pass_account_gate(const CallPtr& call, GoOn go_on)
{
    const RatePolicy& policy = call->parts().policies.account;
    if (is_open(*call, policy) || call->is_trusted()) return go_on(call);
    pass_gate(call, "account", fmt::format("account:{}", call->user().value), policy, std::move(go_on));
}

void pass_login_gate(const CallPtr& call, GoOn go_on)
{
    pass_client_gate(call, "login", call->parts().policies.login, std::move(go_on));
}

void pass_registration_gate(const CallPtr& call, GoOn go_on)
{
    pass_client_gate(call, "register", call->parts().policies.registration, std::move(go_on));
}

void pass_search_gate(const CallPtr& call, double price, GoOn go_on)
{
    RatePolicy policy = call->parts().policies.search;
    if (is_open(*call, policy)) return go_on(call);
    // Lists ask for no token; one that comes along all the same says whose account it is, which is fairer than an address that
    // many may share. A bad one counts as none.
    if (!call->is_signed_in() && call->has_authorization()) (void)call->sign_in();
    if (call->is_trusted()) return go_on(call);
    policy.price = std::min(price, policy.burst);  // whatever it costs, one is let through by a full bucket
    auto key =
        call->is_signed_in() ? fmt::format("search:account:{}", call->user().value) : fmt::format("search:{}", call->group());
    pass_gate(call, "search", std::move(key), policy, std::move(go_on));
}

double price_of(const EventQuery& query)
{
    const std::int64_t units = query.skip / kSkipToUnit;  // whole ones
    return 1 + static_cast<double>(units);
}

double price_of(const NearbyQuery& query)
{
    const double wide = query.radius_m > kWideRadiusM ? kPriceOfWide : 1;
    const std::int64_t units = query.skip / kSkipToUnit;
    return wide + static_cast<double>(units);
}

}  // namespace boxoffice::http
