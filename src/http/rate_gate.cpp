#include "http/rate_gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "http/call.hpp"
#include "http/client_address.hpp"

namespace boxoffice::http
{

namespace
{

std::int64_t seconds_up(Micros time) { return std::chrono::ceil<std::chrono::seconds>(time).count(); }

void turn_away(Call& call, const RateAnswer& answer)
{
    Reply reply = call.make_problem(Error{Code::rate_limited, {}});
    reply.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(1, seconds_up(answer.retry_after))));
    call.answer(std::move(reply));
}

void pass(const CallPtr& call, std::string_view name, std::string key, const RatePolicy& policy, GoOn go_on)
{
    call->parts().rates->take(std::move(key), policy, call->now(), [call, name, &policy, go_on](const RateAnswer& answer) {
        try {
            call->note_rate({name, policy, answer});
            if (!answer.allowed) return turn_away(*call, answer);
            go_on(call);
        } catch (const std::exception& accident) {
            call->fail(accident);
        }
    });
}

bool is_open(const Call& call, const RatePolicy& policy) { return call.parts().rates == nullptr || !policy.limits(); }

void pass_client_gate(const CallPtr& call, std::string_view name, const RatePolicy& policy, GoOn go_on)
{
    if (is_open(*call, policy)) return go_on(call);
    pass(call, name, fmt::format("{}:{}", name, client_group(call->client())), policy, go_on);
}

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

void pass_account_gate(const CallPtr& call, GoOn go_on)
{
    const RatePolicy& policy = call->parts().policies.account;
    if (is_open(*call, policy)) return go_on(call);
    pass(call, "account", fmt::format("account:{}", call->user().value), policy, go_on);
}

void pass_login_gate(const CallPtr& call, GoOn go_on) { pass_client_gate(call, "login", call->parts().policies.login, go_on); }

void pass_registration_gate(const CallPtr& call, GoOn go_on)
{
    pass_client_gate(call, "register", call->parts().policies.registration, go_on);
}

}  // namespace boxoffice::http
