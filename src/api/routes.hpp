#pragma once
#include <span>

#include "api/call.hpp"

/// The routes. Each takes a call whose token and Content-Type were checked as its row asks, and sees to its answer.
namespace boxoffice::http
{

/// Everything under it is for programs, and takes no parameter that it does not know.
inline constexpr std::string_view kApiPrefix = "/api/v1/";

/// The table, in routes.cpp: the router's, and the test's that compares it with api/openapi.yaml.
[[nodiscard]] std::span<const Route> routes();

// routes_accounts.cpp
void register_user(const CallPtr& call);
void log_in(const CallPtr& call);
void get_me(const CallPtr& call);
void change_me(const CallPtr& call);

// routes_events.cpp
void add_event(const CallPtr& call);
void list_events(const CallPtr& call);
void get_event(const CallPtr& call);
void change_event(const CallPtr& call);
void remove_event(const CallPtr& call);

// routes_live.cpp
void watch_event(const CallPtr& call);

// routes_tickets.cpp
void reserve_ticket(const CallPtr& call);
void get_ticket(const CallPtr& call);
void list_tickets(const CallPtr& call);
void pay_ticket(const CallPtr& call);
void cancel_ticket(const CallPtr& call);

// routes_for_you.cpp
void nearby_events(const CallPtr& call);
void recommended_events(const CallPtr& call);

// routes_service.cpp
void get_health(const CallPtr& call);
void get_readiness(const CallPtr& call);
void get_metrics(const CallPtr& call);
void get_page(const CallPtr& call);

/// 200 with an ETag, or 304. `cache_control`: "no-cache" where the answer is the same for every client, "no-store" where not.
/// `version`: that of the one event that the answer shows.
void answer_read(Call& call, Reply reply, std::string_view cache_control, std::optional<std::int64_t> version = std::nullopt);
[[nodiscard]] Reply json_reply(int status, std::string body);

}  // namespace boxoffice::http
