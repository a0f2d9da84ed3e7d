#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api.hpp"
#include "api/familiar.hpp"
#include "api/in_flight.hpp"
#include "api/problem.hpp"
#include "api/query.hpp"
#include "api/rate_gate.hpp"
#include "api/router.hpp"
#include "net/net.hpp"
#include "runtime/log.hpp"
#include "runtime/log_throttle.hpp"

namespace boxoffice::http
{

/// What answers that are data and not pages tell a browser that opens them: load nothing, be framed by no page.
inline constexpr std::string_view kContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";

/// What all calls share. Lives as long as any of them, so that an answer that comes late finds it.
struct ApiContext {
    explicit ApiContext(Dependencies dependencies);
    explicit ApiContext(WatchDependencies dependencies);

    WatchDependencies service;            // what every route may use
    std::optional<Dependencies> selling;  // none in a process that sells nothing
    TrustedProxies proxies;
    std::vector<Route> table;
    Router router;
    std::vector<Metrics::Route*> measured;  // one for each row of the table
    Metrics::Route& unmatched;              // unknown paths, wrong methods, requests refused before they had a path
    InFlight in_flight;
    const Shares feeds;
    LogThrottle store_log{std::chrono::seconds(1)};  // refusals because the store is in trouble
    FamiliarSources familiar;                        // who has signed in from where
    // Lines a second of failed logins and of refused rights: enough for tools that ban by the log, and no flood of lines.
    LogThrottle login_log{std::chrono::seconds(1), 20};
    LogThrottle right_log{std::chrono::seconds(1), 20};
};

/// One request on its way to its answer: goes from the I/O thread through lanes and is finished exactly once, on
/// whichever thread it is then. One that is let go of unanswered answers 500. On one thread at a time.
class Call : public std::enable_shared_from_this<Call>
{
public:
    Call(std::shared_ptr<ApiContext> context, std::shared_ptr<const Request> request, Respond respond);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    [[nodiscard]] const Request& request() const { return *request_; }
    [[nodiscard]] const WatchDependencies& service() const { return context_->service; }
    [[nodiscard]] const Dependencies& parts() const { return *context_->selling; }  // not for the service routes
    [[nodiscard]] Instant now() const { return now_; }                              // the one time of this request
    [[nodiscard]] std::int64_t path_id() const { return path_id_; }
    [[nodiscard]] const Route& route() const { return *route_; }  // once it is matched
    [[nodiscard]] std::string client() const { return client_address(*request_, context_->proxies); }
    [[nodiscard]] std::string group() const { return client_group(client()); }  // see client_group()
    [[nodiscard]] FamiliarSources& familiar() const { return context_->familiar; }
    [[nodiscard]] bool is_signed_in() const { return user_.has_value(); }
    /// Whether the caller is one of --trusted-accounts.
    [[nodiscard]] bool is_trusted() const;
    [[nodiscard]] std::string_view encoded_query() const;
    /// What the query says, by the parameters of the route's row.
    [[nodiscard]] Result<Query> query() const { return Query::parse(encoded_query(), route().parameters); }
    /// The origins whose pages may read the answer; empty: none may.
    [[nodiscard]] std::span<const std::string> cors_origins() const;
    [[nodiscard]] UserId user() const { return *user_; }  // only where a token was asked for or found
    /// Whether what is counted by account is not counted for this one.
    [[nodiscard]] bool unlimited() const { return parts().rates == nullptr || is_trusted(); }

    /// Places for live feeds.
    [[nodiscard]] const Shares& feeds() const { return context_->feeds; }

    void matched(const Match& match);

    /// Believes the bearer token; Error unauthenticated.
    [[nodiscard]] Result<void> sign_in();
    [[nodiscard]] bool has_authorization() const { return !request_->header("authorization").empty(); }

    /// From now on answers tell of the limit. Not part of an answer that is kept: a repeat tells of its own.
    void note_rate(const RateNote& note)
    {
        // Of several limits the first is told of, unless a later one is why the call goes no further.
        if (!rate_ || !note.answer.allowed) rate_ = note;
    }

    /// RFC 6749's word (5.2) for what goes wrong from now on, told beside the problem.
    void note_oauth_error(std::string_view word) { oauth_error_ = word; }

    /// Sends the answer, with what every answer carries: request id, security headers, `Cache-Control: no-store` unless it has
    /// one of its own. Counts and logs it. Only the first counts.
    void answer(Reply reply);
    [[nodiscard]] Reply make_problem(const Error& error) const { return problem(error, id_, oauth_error_); }
    void answer_json(int status, std::string body);
    void refuse(const Error& error);
    void refuse(Code code) { refuse(Error{code, {}}); }
    void refuse_status(int status, std::string_view detail, std::string_view allow = {});
    /// A lane did not take the work: busy, or shutting_down.
    void refuse_busy();
    /// Tells the operator what is refused so that others are served: see Shedding.
    void shed(std::string_view cls, std::string_view reason) const;
    /// Notes a client that was refused another account's data, or could not sign in (`account`: whom it was tried for, if there
    /// is one).
    void log_refused_right(Code code) const;
    void log_failed_login(std::int64_t account) const;
    /// A failure: 500, or what a StoreFailure says; the exception goes to the log.
    void fail(const std::exception& exception);

    /// Whose turn it is in a lane: clients take turns, and the accounts within a client.
    struct Turn {
        std::string client;
        std::string account;
    };

    /// Runs `work(call)` on that lane when it is the client's turn, with failures turned into answers; `work` answers, or hands
    /// on. What waits for too long is answered 503, and a client that has gone is not answered at all.
    template <class Work>
    void run_on(WorkLane& lane, Work work, const Turn& turn)
    {
        lane_ = &lane;
        const auto self = shared_from_this();
        LaneWork waiting{.run = [self, work = std::move(work)] { self->guard(work); },
                         .dropped = [self](LaneDrop why) { self->dropped(why); },
                         .client = turn.client,
                         .account = turn.account,
                         .gone = request_->gone};
        if (lane.submit(std::move(waiting))) return;
        if (undo_) undo_(*this);
        if (!service().draining.load(std::memory_order_relaxed)) shed(lane.name(), "full");
        refuse_busy();
    }
    /// What to take back if the work is never executed.
    void if_dropped(std::function<void(Call&)> undo) { undo_ = std::move(undo); }
    /// The turn of the client and of the account that has signed in.
    [[nodiscard]] Turn turn() const { return {group(), user_ ? std::to_string(user_->value) : std::string()}; }

    /// What is found by an index in a moment: these are never behind what takes longer.
    template <class Work>
    void read(Work work)
    {
        run_on(service().reads, std::move(work), turn());
    }
    /// What has to look at much: for a price, see pass_search_gate().
    template <class Work>
    void search(double price, Work work)
    {
        pass_search_gate(shared_from_this(), price, [work = std::move(work)](const std::shared_ptr<Call>& self) {
            self->run_on(self->searches(), work, self->turn());
        });
    }
    [[nodiscard]] WorkLane& searches() const { return service().searches ? *service().searches : service().reads; }
    [[nodiscard]] WorkLane& health() const { return service().health ? *service().health : service().reads; }
    [[nodiscard]] WorkLane& registrations() const { return parts().registrations ? *parts().registrations : parts().passwords; }

    /// The answer to an outcome that is not a refusal. Called on the write lane: cheap, and the same bytes each time.
    using Encode = Reply (*)(const Call& call, const Outcome& outcome);

    /// Puts the act on the write lane, under the caller's Idempotency-Key if there is one, and answers with its outcome.
    void act(Act act, Encode encode);

private:
    template <class Work>
    void guard(const Work& work)
    {
        try {
            work(*this);
        } catch (const std::exception& exception) {
            fail(exception);
        }
    }

    void dropped(LaneDrop why);
    [[nodiscard]] Reply reply_to(const Outcome& outcome) const;
    void submit(std::unique_ptr<LaneJob> job);
    void finish_act(const LaneJob& job);
    void note_daily_limit(const Error& error);
    void log_answer(int status, double seconds) const;
    void log_accident(const Error& error) const;
    [[nodiscard]] std::optional<Error> enter_key(IdempotencyClaim& claim);

    std::shared_ptr<ApiContext> context_;
    std::shared_ptr<const Request> request_;
    Respond respond_;
    std::string id_;
    Instant now_;
    LocalArrivals::Entry arrival_;  // of a payment or cancellation
    std::chrono::steady_clock::time_point began_;
    Metrics::Route* measured_;
    const Route* route_ = nullptr;
    std::int64_t path_id_ = 0;
    std::optional<UserId> user_;
    std::optional<RateNote> rate_;
    std::string_view oauth_error_;
    std::optional<Reply> rendered_;           // the answer, where its act had a key: the lane's thread only
    std::optional<std::string> running_key_;  // entered in context_->in_flight
    Encode encode_ = nullptr;
    const WorkLane* lane_ = nullptr;  // the last that it was put on
    std::function<void(Call&)> undo_;
    bool answered_ = false;
};

using CallPtr = std::shared_ptr<Call>;

}  // namespace boxoffice::http
