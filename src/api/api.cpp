#include "api/api.hpp"

#include <boost/url/parse.hpp>

#include "api/cors.hpp"
#include "api/decode.hpp"
#include "api/demands.hpp"
#include "api/pages.hpp"
#include "api/rate_gate.hpp"
#include "api/request_id.hpp"
#include "api/routes.hpp"
#include "net/net.hpp"

namespace boxoffice::http
{

namespace
{

bool is_taken(Body body, std::string_view content_type)
{
    switch (body) {
        case Body::none:
            return true;
        case Body::json:
            return is_json(content_type);
        case Body::form_or_json:
            return is_json(content_type) || is_form(content_type);
    }
    return true;
}

void answer_options(Call& call, std::string allow)
{
    Reply reply;
    reply.status = 204;
    add_preflight_fields(reply, call.request(), call.cors_origins(), allow);
    reply.headers.emplace_back("Allow", std::move(allow));
    call.answer(std::move(reply));
}

/// A path that no row has, or none with this method. Files behind the pages are not in the table: pages.cpp knows them.
void answer_unmatched(const ApiContext& context, const CallPtr& call, std::string allow)
{
    const Request& request = call->request();
    if (allow.empty()) {
        const std::string_view target(request.target);
        if (!context.selling) return call->refuse(Code::not_found);
        auto page = find_page(request, decode_path(target.substr(0, target.find('?'))));
        if (!page) return call->refuse(Code::not_found);
        if (request.method == Method::get || request.method == Method::head) return call->answer(std::move(*page));
        allow = "GET, HEAD, OPTIONS";
    }
    if (request.method == Method::options) return answer_options(*call, std::move(allow));
    call->refuse_status(405, "This address does not answer to this method; see Allow.", allow);
}

/// The bodies of rows without parameters of their own; the others read their query themselves.
std::optional<Error> refuse_parameters(const Call& call)
{
    const Route& route = call.route();
    if (!route.parameters.empty() || call.encoded_query().empty() || !route.pattern.starts_with(kApiPrefix)) return std::nullopt;
    auto query = call.query();
    if (!query) return query.error();
    if (!query->good()) return query->error();
    return std::nullopt;
}

void serve(const CallPtr& call)
{
    if (const auto demand = unmet_demand(call->request(), call->route())) {
        if (demand->code) return call->refuse(Error{*demand->code, std::string(demand->detail)});
        return call->refuse_status(demand->status, demand->detail);
    }
    if (const auto error = refuse_parameters(*call)) return call->refuse(*error);
    if (!is_taken(call->route().body, call->request().header("content-type"))) {
        return call->refuse_status(415, "The body has a Content-Type that this address does not take; send application/json.");
    }
    const Route& route = call->route();
    switch (route.access) {
        case Access::registering:
            return pass_registration_gate(call, route.serve);
        case Access::logging_in:
            return pass_login_gate(call, route.serve);
        case Access::anyone:
        case Access::signed_in:  // counted by dispatch(), before its request is looked at
            break;
    }
    route.serve(call);
}

void dispatch(const ApiContext& context, const CallPtr& call)
{
    const Request& request = call->request();
    const std::string_view target(request.target);
    if (request.method == Method::options && target == "*")
        return answer_options(*call, "GET, HEAD, POST, PATCH, DELETE, OPTIONS");
    if (!boost::urls::parse_origin_form({target.data(), target.size()})) {
        return call->refuse(Error{Code::malformed, "The address of this request cannot be read."});
    }
    if (lacks_client(request, context.proxies)) {
        return call->refuse(Error{Code::malformed, "The proxy's X-Forwarded-For cannot be read."});
    }
    Match match = context.router.find(request.method, target.substr(0, target.find('?')));
    if (match.route == nullptr) return answer_unmatched(context, call, std::move(match.allow));
    call->matched(match);
    if (match.route->access != Access::signed_in) return serve(call);
    if (const auto signed_in = call->sign_in(); !signed_in) return call->refuse(signed_in.error());
    pass_account_gate(call, serve);
}

class Api final : public Handler
{
public:
    explicit Api(std::shared_ptr<ApiContext> context) : context_(std::move(context)) {}

    void handle(std::shared_ptr<const Request> request, Respond respond) override
    {
        const auto call = std::make_shared<Call>(context_, std::move(request), std::move(respond));
        try {
            dispatch(*context_, call);
        } catch (const std::exception& exception) {
            call->fail(exception);
        }
    }

    Reply refuse(int status, std::string_view reason, std::string_view asked_id) override
    {
        const std::string id = choose_request_id(asked_id, context_->service.random_hex);
        Reply reply = problem(status, reason, id);
        reply.headers.emplace_back("X-Request-Id", id);
        reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
        reply.headers.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
        reply.headers.emplace_back("Cache-Control", "no-store");
        context_->service.metrics.request_done(context_->unmatched, status, 0);
        log::debug("refused", {{"id", std::string_view(id)}, {"status", std::int64_t{status}}, {"reason", reason}});
        return reply;
    }

private:
    std::shared_ptr<ApiContext> context_;
};

}  // namespace

std::unique_ptr<Handler> make_api(Dependencies dependencies)
{
    return std::make_unique<Api>(std::make_shared<ApiContext>(std::move(dependencies)));
}

std::unique_ptr<Handler> make_watch(WatchDependencies dependencies)
{
    return std::make_unique<Api>(std::make_shared<ApiContext>(std::move(dependencies)));
}

}  // namespace boxoffice::http
