#include "api/routes.hpp"

#include "api/etag.hpp"

namespace boxoffice::http
{

namespace
{

// The sale comes first: rows are tried in order.
constexpr Route kRoutes[] = {
    {Method::post, "/api/v1/tickets/", reserve_ticket, Access::signed_in, Body::json},
    {Method::post, "/api/v1/tickets/{id}/pay", pay_ticket, Access::signed_in, Body::json, Special::in_time},
    {Method::post, "/api/v1/tickets/{id}/cancel", cancel_ticket, Access::signed_in, Body::none, Special::in_time},
    {Method::get, "/api/v1/tickets/{id}", get_ticket, Access::signed_in, Body::none},
    {Method::get, "/api/v1/tickets/user/{user_id}", list_tickets, Access::signed_in, Body::none, Special::none,
     "skip limit after status event_id"},

    {Method::get, "/api/v1/events/", list_events, Access::anyone, Body::none, Special::none,
     "skip limit after q starts_after starts_before ends_after available_only organizer_id fields"},
    {Method::post, "/api/v1/events/", add_event, Access::signed_in, Body::json},
    {Method::get, "/api/v1/events/{id}", get_event, Access::anyone, Body::none},
    {Method::get, "/api/v1/events/{id}/live", watch_event, Access::anyone, Body::none},
    {Method::patch, "/api/v1/events/{id}", change_event, Access::signed_in, Body::json, Special::versioned},
    {Method::del, "/api/v1/events/{id}", remove_event, Access::signed_in, Body::none, Special::versioned},

    {Method::get, "/api/v1/for-you/events/nearby", nearby_events, Access::anyone, Body::none, Special::none,
     "latitude longitude radius_km skip limit after include_past include_sold_out fields"},
    {Method::get, "/api/v1/for-you/events/recommended", recommended_events, Access::signed_in, Body::none, Special::none,
     "user_id skip limit fields"},

    {Method::post, "/api/v1/auth/register", register_user, Access::registering, Body::json},
    {Method::post, "/api/v1/auth/login", log_in, Access::logging_in, Body::form_or_json},
    {Method::get, "/api/v1/auth/me", get_me, Access::signed_in, Body::none},
    {Method::patch, "/api/v1/auth/me", change_me, Access::signed_in, Body::json},

    {Method::get, "/health", get_health, Access::anyone, Body::none, Special::service},
    {Method::get, "/health/ready", get_readiness, Access::anyone, Body::none, Special::service},
    {Method::get, "/metrics", get_metrics, Access::anyone, Body::none, Special::service},
    {Method::get, "/", get_page, Access::anyone, Body::none},
    {Method::get, "/docs", get_page, Access::anyone, Body::none},
    {Method::get, "/redoc", get_page, Access::anyone, Body::none},
    {Method::get, "/openapi.json", get_page, Access::anyone, Body::none},
    {Method::get, "/openapi.yaml", get_page, Access::anyone, Body::none},
};

}  // namespace

std::span<const Route> routes() { return kRoutes; }

std::vector<RouteName> route_names()
{
    std::vector<RouteName> names;
    for (const Route& route : kRoutes) names.push_back({method_word(route.method), route.pattern});
    return names;
}

Reply json_reply(int status, std::string body)
{
    Reply reply;
    reply.status = status;
    reply.content_type = "application/json";
    reply.headers.reserve(8);
    reply.body = std::move(body);
    return reply;
}

void answer_read(Call& call, Reply reply, std::string_view cache_control, std::optional<std::int64_t> version)
{
    reply.headers.emplace_back("Cache-Control", cache_control);
    add_etag(reply, call.request(), version, call.parts().digest);
    call.answer(std::move(reply));
}

}  // namespace boxoffice::http
