#include "api/call.hpp"

#include <algorithm>

#include "api/cors.hpp"
#include "api/idempotency.hpp"
#include "api/kept_reply.hpp"
#include "api/request_id.hpp"
#include "api/routes.hpp"
#include "core/limits.hpp"
#include "core/rules.hpp"
#include "core/still_wanted.hpp"

namespace boxoffice::http
{

namespace
{

/// When one account has its share of the catalogue's places in the lane: they come free with every batch.
constexpr Micros kShareRetry = std::chrono::seconds(1);

void add_unless_there(Reply& reply, std::string_view name, std::string_view value)
{
    const bool there =
        std::any_of(reply.headers.begin(), reply.headers.end(), [name](const auto& header) { return header.first == name; });
    if (!there) reply.headers.emplace_back(name, value);
}

/// What a process shows that sells nothing: the rows that need no more than WatchDependencies.
std::vector<Route> watch_routes()
{
    std::vector<Route> rows;
    for (const Route& row : routes()) {
        if (row.special == Special::service) rows.push_back(row);
    }
    return rows;
}

std::vector<Metrics::Route*> measure(Metrics& metrics, std::span<const Route> table)
{
    std::vector<Metrics::Route*> measured;
    for (const Route& row : table) measured.push_back(&metrics.route(method_word(row.method), row.pattern));
    return measured;
}

/// Tells the domain's figures what an act came to.
void count(Metrics& metrics, const Act& act, const Outcome& outcome)
{
    if (const auto* error = std::get_if<Error>(&outcome)) {
        if (error->code == Code::sold_out) metrics.sold_out_refused();
    } else if (const auto* ticket = std::get_if<Ticket>(&outcome)) {
        if (std::holds_alternative<Reserve>(act)) metrics.hold_made();
        if (std::holds_alternative<Cancel>(act)) metrics.ticket_cancelled();
        // A repeated payment is answered with the ticket as it was paid then.
        const auto* pay = std::get_if<Pay>(&act);
        if (pay != nullptr && ticket->paid_at == pay->now) metrics.ticket_paid();
    }
}

}  // namespace

ApiContext::ApiContext(Dependencies dependencies)
    : service(dependencies.watch()),
      selling(std::move(dependencies)),
      proxies(service.trusted_proxies),
      table(routes().begin(), routes().end()),
      router(table),
      measured(measure(service.metrics, table)),
      unmatched(service.metrics.route("OTHER", "unmatched")),
      feeds(selling->feeds)
{
}

ApiContext::ApiContext(WatchDependencies dependencies)
    : service(std::move(dependencies)),
      proxies(service.trusted_proxies),
      table(watch_routes()),
      router(table),
      measured(measure(service.metrics, table)),
      unmatched(service.metrics.route("OTHER", "unmatched")),
      feeds({})
{
}

Call::Call(std::shared_ptr<ApiContext> context, std::shared_ptr<const Request> request, Respond respond)
    : context_(std::move(context)),
      request_(std::move(request)),
      respond_(std::move(respond)),
      id_(choose_request_id(request_->header("x-request-id"), context_->service.random_hex)),
      now_(context_->service.clock.now()),
      began_(std::chrono::steady_clock::now()),
      measured_(&context_->unmatched)
{
}

Call::~Call()
{
    if (answered_) return;
    try {
        const bool draining = service().draining.load(std::memory_order_relaxed);
        if (!draining) log::error("a request was dropped without an answer", {{"id", std::string_view(id_)}});
        refuse(draining ? Code::shutting_down : Code::internal);
    } catch (const std::exception&) {
        // A destructor has no caller to tell; the connection answers for itself when `respond_` goes.
    }
}

std::string_view Call::encoded_query() const
{
    const std::string_view target(request_->target);
    const auto question = target.find('?');
    return question == target.npos ? std::string_view{} : target.substr(question + 1);
}

std::span<const std::string> Call::cors_origins() const
{
    if (!context_->selling || !std::string_view(request_->target).starts_with(kApiPrefix)) return {};
    return context_->selling->cors_origins;
}

void Call::matched(const Match& match)
{
    measured_ = context_->measured[match.row];
    route_ = match.route;
    path_id_ = match.id;
    if (match.route->special != Special::in_time) return;
    arrival_ = parts().arrivals.enter(TicketId{path_id_}, parts().clock);
    now_ = arrival_.at();
}

Result<void> Call::sign_in()
{
    constexpr std::string_view kScheme = "bearer ";
    std::string_view header = request_->header("authorization");
    const bool is_bearer = header.size() > kScheme.size() &&
                           std::equal(kScheme.begin(), kScheme.end(), header.begin(),
                                      [](char want, char c) { return want == (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
    if (!is_bearer) return Error{Code::unauthenticated, {}};
    header.remove_prefix(kScheme.size());
    while (header.starts_with(' ')) header.remove_prefix(1);
    auto claims = parts().signer.verify(header, now_);
    if (!claims) return std::move(claims).error();
    user_ = claims->user;
    return {};
}

void Call::answer(Reply reply)
{
    if (answered_) return;
    answered_ = true;
    reply.headers.emplace_back("X-Request-Id", id_);
    reply.signed_in = user_.has_value();
    add_unless_there(reply, "X-Content-Type-Options", "nosniff");
    add_unless_there(reply, "Content-Security-Policy", kContentSecurityPolicy);
    add_unless_there(reply, "Cache-Control", "no-store");
    if (rate_) add_rate_fields(reply, *rate_);
    if (const auto origins = cors_origins(); !origins.empty()) add_cors_fields(reply, *request_, origins);
    const int status = reply.status;
    // Before the answer is out: its client may send the same key again and must not find it running.
    if (running_key_) context_->in_flight.leave(*user_, *running_key_);
    arrival_.leave();
    respond_(std::move(reply));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
    service().metrics.request_done(*measured_, status, took.count());
    log_answer(status, took.count());
}

void Call::answer_json(int status, std::string body)
{
    Reply reply;
    reply.status = status;
    reply.content_type = "application/json";
    reply.headers.reserve(8);
    reply.body = std::move(body);
    answer(std::move(reply));
}

bool Call::is_trusted() const
{
    if (!user_ || !context_->selling) return false;
    const auto& trusted = parts().trusted_accounts;
    return std::find(trusted.begin(), trusted.end(), *user_) != trusted.end();
}

void Call::shed(std::string_view cls, std::string_view reason) const
{
    if (service().shedding == nullptr) return;
    const std::string address = client();
    service().shedding->refused(cls, reason, {address, user_ ? user_->value : 0});
}

void Call::log_refused_right(Code code) const
{
    const auto unlogged = context_->right_log.due();
    if (!unlogged) return;
    const std::string address = client();
    log::info("access denied", {{"code", code_word(code)},
                                {"method", method_word(request_->method)},
                                {"route", route_ ? route_->pattern : std::string_view()},
                                {"client", std::string_view(address)},
                                {"account", user_ ? user_->value : std::int64_t{0}},
                                {"unlogged", *unlogged}});
}

void Call::log_failed_login(std::int64_t account) const
{
    const auto unlogged = context_->login_log.due();
    if (!unlogged) return;
    const std::string address = client();
    log::info("login failed", {{"client", std::string_view(address)}, {"account", account}, {"unlogged", *unlogged}});
}

void Call::dropped(LaneDrop why)
{
    if (undo_) undo_(*this);
    if (why == LaneDrop::gone) {
        if (answered_) return;
        answered_ = true;  // the client has gone
        return shed(lane_->name(), "client_gone");
    }
    shed(lane_->name(), why == LaneDrop::overdue ? "overdue" : "crowded_out");
    refuse_busy();
}

void Call::refuse(const Error& error)
{
    log_accident(error);
    if (error.code == Code::not_yourself || error.code == Code::not_organizer) log_refused_right(error.code);
    // A bad key is one more bad field, to be named with the others.
    if (error.code == Code::invalid && user_ && request_->method != Method::get && request_->method != Method::head) {
        const auto key = idempotency_key(*request_);
        auto bad = key ? key_error(*key) : std::nullopt;
        if (bad && (error.fields.empty() || error.fields.front().loc != bad->loc)) {
            Error with_key = error;
            with_key.fields.push_back(std::move(*bad));
            return answer(make_problem(with_key));
        }
    }
    answer(make_problem(error));
}

void Call::log_accident(const Error& error) const
{
    if (status_of(error.code) < 500 || error.code == Code::busy || error.code == Code::shutting_down) return;
    std::int64_t unlogged = 0;
    if (error.code != Code::internal) {
        // Of a store in trouble every request would say the same.
        const auto more = context_->store_log.due();
        if (!more) return;
        unlogged = *more;
    }
    log::error("internal error", {{"id", std::string_view(id_)},
                                  {"code", code_word(error.code)},
                                  {"detail", std::string_view(error.detail)},
                                  {"unlogged", unlogged}});
}

void Call::refuse_status(int status, std::string_view detail, std::string_view allow)
{
    Reply reply = problem(status, detail, id_);
    if (!allow.empty()) reply.headers.emplace_back("Allow", allow);
    answer(std::move(reply));
}

void Call::refuse_busy() { refuse(service().draining.load(std::memory_order_relaxed) ? Code::shutting_down : Code::busy); }

void Call::fail(const std::exception& exception)
{
    const auto* failure = dynamic_cast<const StoreFailure*>(&exception);
    if (lane_ != nullptr && failure != nullptr && failure->code() == Code::busy && !StillWanted::here())
        shed(lane_->name(), "interrupted");
    refuse(Error{failure != nullptr ? failure->code() : Code::internal, {}, exception.what()});
}

Reply Call::reply_to(const Outcome& outcome) const
{
    if (const auto* error = std::get_if<Error>(&outcome)) return problem(*error, id_);
    return encode_(*this, outcome);
}

std::optional<Error> Call::enter_key(IdempotencyClaim& claim)
{
    if (auto bad = key_error(claim.key)) return Error{Code::invalid, {}, {}, {std::move(*bad)}};
    switch (context_->in_flight.enter(claim.user, claim.key, claim.fingerprint)) {
        case InFlight::Entry::same_is_running:
            return Error{Code::idempotency_in_progress, {}};
        case InFlight::Entry::other_is_running:
            return Error{Code::idempotency_key_reused, {}};
        case InFlight::Entry::entered:
            break;
    }
    running_key_ = claim.key;
    claim.render = [self = shared_from_this()](const Outcome& outcome) {
        self->rendered_ = self->reply_to(outcome);
        return keep(*self->rendered_);
    };
    return std::nullopt;
}

void Call::act(Act act, Encode encode)
{
    encode_ = encode;
    auto job = std::make_unique<LaneJob>();
    job->act = std::move(act);
    const auto key = user_ ? idempotency_key(*request_) : std::nullopt;
    if (key) {
        job->claim = IdempotencyClaim{*user_, std::string(*key), fingerprint(*request_, parts().digest), now_, {}};
        if (const auto error = enter_key(*job->claim)) return refuse(*error);
    }
    job->done = [self = shared_from_this()](LaneJob& done) { self->guard([&done](Call& call) { call.finish_act(done); }); };
    submit(std::move(job));
}

void Call::submit(std::unique_ptr<LaneJob> job)
{
    job->unlimited = unlimited();
    const std::string_view cls = write_class(job->act);
    const std::string_view why_not = parts().writes.offer(std::move(job));
    if (why_not.empty()) return;
    if (why_not != kLaneStopping) shed(cls, why_not);
    if (why_not != kAccountShare) return refuse_busy();
    Error error{Code::rate_limited, {}};
    error.retry_after = kShareRetry;
    refuse(error);
}

/// The account has added as many events as it may in a day.
void Call::note_daily_limit(const Error& error)
{
    shed("catalogue", "events_a_day");
    constexpr double kMinutes = std::chrono::duration<double, std::ratio<60>>(kPublishingWindow).count();
    const auto most = static_cast<double>(parts().events_a_day);
    const Micros wait = error.retry_after.value_or(Micros(0));
    note_rate({"events",
               {.per_minute = most / kMinutes, .burst = most},
               {.allowed = false, .remaining = 0, .retry_after = wait, .reset = wait}});
}

void Call::finish_act(const LaneJob& job)
{
    if (const auto* kept = std::get_if<KeptAnswer>(&job.outcome)) {
        auto reply = restore(*kept);
        if (!reply) return refuse(Error{Code::internal, {}, "a kept answer cannot be read"});
        reply->headers.emplace_back("Idempotency-Replayed", "true");
        reply->tells_of_change = true;
        return answer(std::move(*reply));
    }
    count(parts().metrics, job.act, job.outcome);
    if (const auto* error = std::get_if<Error>(&job.outcome)) {
        if (error->code == Code::rate_limited) note_daily_limit(*error);
        return refuse(*error);
    }
    Reply reply = rendered_ ? *std::move(rendered_) : encode_(*this, job.outcome);
    reply.tells_of_change = true;
    answer(std::move(reply));
}

void Call::log_answer(int status, double seconds) const
{
    // Not 503: when there is too much to do, that is said by the figures and not by a line for each.
    const auto level = status >= 500 && status != 503 ? log::Level::info : log::Level::debug;
    if (!log::enabled(level)) return;
    const std::string peer = client();
    constexpr std::size_t kPathCharsLogged = 256;
    std::string_view path(request_->target);
    path = path.substr(0, std::min(path.find('?'), kPathCharsLogged));
    log::write(level, "request",
               {{"id", std::string_view(id_)},
                {"method", method_word(request_->method)},
                {"path", path},
                {"status", std::int64_t{status}},
                {"seconds", seconds},
                {"user", user_ ? user_->value : std::int64_t{0}},
                {"peer", std::string_view(peer)}});
}

}  // namespace boxoffice::http
