#include <algorithm>

#include "api/pages.hpp"
#include "api/routes.hpp"
#include "core/rules.hpp"
#include "json/json.hpp"

namespace boxoffice::http
{

namespace
{

/// What stands in the way of selling, part by part; each is "ok" or one word or sentence of what is wrong.
struct Readiness {
    std::string_view store = "ok";
    std::string_view write_lane = "ok";
    std::string_view server = "ok";
    std::vector<std::pair<std::string_view, std::string>> degraded;  // parts that a sale can do without for a while, and why
    std::optional<Code> worst;                                       // of whatever a sale needs
};

bool is_there(const OtherPart& part)
{
    try {
        return part.ok();
    } catch (const std::exception& failure) {
        log::error("a readiness check failed",
                   {{"part", std::string_view(part.name)}, {"detail", std::string_view(failure.what())}});
        return false;
    }
}

Readiness check_readiness(Call& call)
{
    const WatchDependencies& parts = call.service();
    Readiness ready;
    if (const auto trouble = parts.writes.trouble()) {
        ready.store = code_word(*trouble);
        ready.worst = trouble;
    }
    try {
        parts.store.check_ready();
    } catch (const StoreFailure& failure) {
        log::error("the store is not ready", {{"detail", std::string_view(failure.what())}});
        ready.store = code_word(failure.code());
        ready.worst = status_of(failure.code()) == 503 ? failure.code() : Code::storage_failed;
    }
    if (parts.writes.full()) {
        ready.write_lane = "full";
        ready.worst = ready.worst.value_or(Code::busy);
    }
    if (parts.draining.load()) {
        ready.server = "draining";
        ready.worst = ready.worst.value_or(Code::shutting_down);
    }
    for (const OtherPart& part : parts.others) {
        if (is_there(part)) continue;
        const std::string why = part.why ? part.why() : "";
        ready.degraded.emplace_back(part.name, why.empty() ? std::string(part.trouble) : why);
    }
    return ready;
}

void write_checks(JsonWriter& json, const Readiness& ready, std::span<const OtherPart> others)
{
    json.key("checks").begin_object();
    json.key("store").string(ready.store);
    json.key("write_lane").string(ready.write_lane);
    json.key("server").string(ready.server);
    for (const OtherPart& part : others) {
        const auto degraded = std::find_if(ready.degraded.begin(), ready.degraded.end(),
                                           [&](const auto& one) { return one.first == std::string_view(part.name); });
        json.key(part.name).string(degraded == ready.degraded.end() ? std::string_view("ok")
                                                                    : std::string_view(degraded->second));
    }
    json.end_object();
}

}  // namespace

void get_health(const CallPtr& call)
{
    Reply reply;
    reply.content_type = "application/json";
    reply.static_body = R"({"status":"ok"})";
    call->answer(std::move(reply));
}

void get_readiness(const CallPtr& call)
{
    const auto check = [](Call& self) {
        const Readiness ready = check_readiness(self);
        if (!ready.worst) {
            std::string body;
            JsonWriter json(body);
            json.begin_object().key("status").string(ready.degraded.empty() ? "ready" : "degraded");
            write_checks(json, ready, self.service().others);
            json.end_object();
            return self.answer_json(200, std::move(body));
        }
        Reply reply = self.make_problem(Error{*ready.worst, {}});
        reply.body.pop_back();  // the closing brace: the problem document gets one member more
        JsonWriter json(reply.body);
        write_checks(json, ready, self.service().others);
        json.end_object();
        self.answer(std::move(reply));
    };
    call->run_on(call->health(), check, call->turn());
}

void get_metrics(const CallPtr& call)
{
    // Some figures are counted in the store.
    const auto render = [](Call& self) {
        Reply reply;
        reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
        reply.body = self.service().metrics.render();
        self.answer(std::move(reply));
    };
    call->run_on(call->searches(), render, call->turn());
}

void get_page(const CallPtr& call)
{
    const std::string_view target(call->request().target);
    auto page = find_page(call->request(), decode_path(target.substr(0, target.find('?'))));
    if (!page) return call->refuse(Code::not_found);
    call->answer(std::move(*page));
}

}  // namespace boxoffice::http
