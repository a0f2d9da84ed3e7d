// One client's share of the API: what takes long blocks no others, and addresses and accounts take turns.
#include <gtest/gtest.h>

#include <latch>
#include <nlohmann/json.hpp>

#include "api/familiar.hpp"
#include "api_fixture.hpp"
#include "runtime/rate_limits.hpp"

namespace boxoffice::http
{
namespace
{

/// Something that a thread has to wait at until the test lets it go.
class Gate
{
public:
    void pass()
    {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
        --waiting_;
    }
    void wait_for_one()
    {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(changed_.wait_for(lock, 10s, [this] { return waiting_ > 0; }));
    }
    void open()
    {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0;
    bool open_ = false;
};

class SlowSearches : public fakes::MemoryStore
{
public:
    Page<Event> list_events(const EventQuery& query) override
    {
        if (is_expensive(query)) {
            gate.pass();
            const std::lock_guard lock(mutex);
            searched += query.q + " ";
        }
        return MemoryStore::list_events(query);
    }
    Gate gate;
    std::string searched;
};

/// Compares at the test's pace and in the order that it remembers; "dearest" is what cost most.
class HeldHasher : public fakes::PlainHasher
{
public:
    std::string hash(std::string_view password) const override { return PlainHasher::hash(password); }
    bool matches(std::string_view password, std::string_view hash) const override
    {
        gate.pass();
        note(password);
        return PlainHasher::matches(password, hash);
    }
    void even_out(std::string_view password, std::string_view compared, std::string_view dearest) const override
    {
        gate.pass();
        note(std::string(password) + "(" + std::string(compared) + "<" + std::string(dearest) + ")");
    }
    std::string order() const
    {
        const std::lock_guard lock(mutex_);
        return order_;
    }
    mutable Gate gate;

private:
    void note(std::string_view what) const
    {
        const std::lock_guard lock(mutex_);
        order_ += std::string(what) + " ";
    }
    mutable std::mutex mutex_;
    mutable std::string order_;
};

class Fairness : public ApiFixture
{
protected:
    void TearDown() override
    {
        slow_.gate.open();
        held_.gate.open();
        live_.stop();
        registrations_.stop();
        health_.stop();
        searches_.stop();
        ApiFixture::TearDown();
    }
    void open(RatePolicies policies = {}, std::vector<UserId> trusted = {})
    {
        Dependencies with = parts(slow_, held_);
        with.searches = &searches_;
        with.health = &health_;
        with.registrations = &registrations_;
        with.shedding = &shedding_;
        with.rates = &rates_;
        with.policies = policies;
        with.trusted_accounts = std::move(trusted);
        api_ = make_api(std::move(with));
    }
    static RatePolicies guessing(RatePolicy of_a_place, RatePolicy of_all)
    {
        RatePolicies policies;
        policies.guess = of_a_place;
        policies.guesses = of_all;
        return policies;
    }
    std::future<Reply> from(std::string peer, Method method, std::string target, std::string body = {}, Headers headers = {})
    {
        peer_ = std::move(peer);
        return start(method, std::move(target), std::move(body), std::move(headers));
    }
    std::future<Reply> log_in(std::string peer, std::string_view email, std::string_view password)
    {
        return from(std::move(peer), Method::post, "/api/v1/auth/login",
                    nlohmann::json{{"email", email}, {"password", password}}.dump());
    }
    static Reply soon(std::future<Reply>& answer)
    {
        if (answer.wait_for(10s) != std::future_status::ready) throw std::runtime_error("no answer");
        return answer.get();
    }
    static Reply soon(std::future<Reply>&& answer) { return soon(answer); }
    static bool is_answered(const std::future<Reply>& answer) { return answer.wait_for(0s) == std::future_status::ready; }

    SlowSearches slow_;
    HeldHasher held_;
    LocalRates rates_;
    Shedding shedding_{metrics_};
    WorkLane searches_{{.name = "search", .threads = 1, .depth_max = 8}, metrics_};
    WorkLane health_{{.name = "health", .threads = 1, .depth_max = 8}, metrics_};
    WorkLane registrations_{{.name = "register", .threads = 1, .depth_max = 8}, metrics_};
};

TEST_F(Fairness, SearchesAreInNobodysWayButEachOthers)
{
    open();
    held_.gate.open();
    std::vector<std::future<Reply>> flood;
    for (int i = 0; i < 8; ++i) flood.push_back(from("127.0.0.66", Method::get, "/api/v1/events/?q=flood"));
    slow_.gate.wait_for_one();
    EXPECT_EQ(soon(from("127.0.0.2", Method::get, "/api/v1/events/5")).status, 200);
    EXPECT_EQ(soon(from("127.0.0.2", Method::get, "/api/v1/events/")).status, 200);
    EXPECT_EQ(soon(from("127.0.0.2", Method::get, "/api/v1/auth/me", {}, as(1))).status, 200);
    EXPECT_EQ(soon(from("127.0.0.2", Method::get, "/health/ready")).status, 200);
    EXPECT_EQ(soon(log_in("127.0.0.2", "ada@example.org", "right password")).status, 200);
    for (const auto& one : flood) EXPECT_FALSE(is_answered(one));
}

TEST_F(Fairness, OneSearchOfAnotherAddressComesAfterTheOneUnderWay)
{
    open();
    std::vector<std::future<Reply>> flood;
    for (int i = 0; i < 8; ++i) flood.push_back(from("127.0.0.66", Method::get, "/api/v1/events/?q=flood"));
    slow_.gate.wait_for_one();
    auto honest = from("127.0.0.2", Method::get, "/api/v1/events/?q=honest");
    slow_.gate.open();
    EXPECT_EQ(soon(honest).status, 200);
    for (auto& one : flood) (void)soon(one);
    const std::lock_guard lock(slow_.mutex);
    EXPECT_TRUE(slow_.searched.starts_with("flood flood honest flood") || slow_.searched.starts_with("flood honest flood"))
        << slow_.searched;
}

TEST_F(Fairness, AQueueFilledByOneAddressMakesRoomForAnother)
{
    open();
    std::vector<std::future<Reply>> flood;
    flood.push_back(from("127.0.0.66", Method::get, "/api/v1/events/?q=flood"));
    slow_.gate.wait_for_one();
    for (int i = 0; i < 8; ++i) flood.push_back(from("127.0.0.66", Method::get, "/api/v1/events/?q=flood"));
    EXPECT_EQ(code(soon(from("127.0.0.66", Method::get, "/api/v1/events/?q=flood"))), "503 busy");
    auto honest = from("127.0.0.2", Method::get, "/api/v1/events/?q=honest");
    EXPECT_EQ(code(soon(flood.back())), "503 busy");
    slow_.gate.open();
    EXPECT_EQ(soon(honest).status, 200);
    const std::string figures = metrics_.render();
    EXPECT_NE(figures.find(R"(boxoffice_shed_total{class="search",reason="full"} 1)"), figures.npos);
    EXPECT_NE(figures.find(R"(boxoffice_shed_total{class="search",reason="crowded_out"} 1)"), figures.npos);
}

TEST_F(Fairness, NothingIsSearchedForAClientThatHasGone)
{
    open();
    auto first = from("127.0.0.66", Method::get, "/api/v1/events/?q=first");
    slow_.gate.wait_for_one();
    const auto gone = std::make_shared<std::atomic<bool>>(false);
    auto request = std::make_shared<Request>();
    request->method = Method::get;
    request->target = "/api/v1/events/?q=abandoned";
    request->peer = "127.0.0.66";
    request->gone = gone;
    std::atomic<bool> answered = false;
    api_->handle(std::move(request), [&answered](const Reply&) { answered = true; });
    auto last = from("127.0.0.66", Method::get, "/api/v1/events/?q=last");
    *gone = true;
    slow_.gate.open();
    EXPECT_EQ(soon(last).status, 200);
    EXPECT_FALSE(answered);
    const std::lock_guard lock(slow_.mutex);
    EXPECT_EQ(slow_.searched, "first last ");
}

TEST_F(Fairness, ASearchThatHasWaitedTooLongIsRefusedAndNotCarriedOut)
{
    WorkLane impatient({.name = "search", .threads = 1, .depth_max = 8, .patience = 50ms}, metrics_);
    Dependencies with = parts();
    with.searches = &impatient;
    with.shedding = &shedding_;
    api_ = make_api(std::move(with));
    std::latch begun(1);
    std::latch done(1);
    ASSERT_TRUE(impatient.submit([&] {
        begun.count_down();
        done.wait();
        std::this_thread::sleep_for(100ms);  // twice the patience of what waits behind
    }));
    begun.wait();
    auto late = from("127.0.0.2", Method::get, "/api/v1/events/?q=late");
    done.count_down();
    const Reply reply = soon(late);
    EXPECT_EQ(code(reply), "503 busy");
    EXPECT_EQ(header(reply, "Retry-After"), "1");
    impatient.stop();
    const std::string figures = metrics_.render();
    EXPECT_NE(figures.find(R"(boxoffice_shed_total{class="search",reason="overdue"} 1)"), figures.npos);
}

TEST_F(Fairness, AFloodOfLoginsFromOneAddressDelaysAnotherByOneComparison)
{
    open();
    std::vector<std::future<Reply>> flood;
    for (int i = 0; i < 40; ++i) flood.push_back(log_in("127.0.0.66", "ada@example.org", "wrong"));
    held_.gate.wait_for_one();
    auto honest = log_in("127.0.0.2", "ada@example.org", "right password");
    // Registration has a queue of its own.
    EXPECT_EQ(
        soon(from("127.0.0.2", Method::post, "/api/v1/auth/register", R"({"email":"n@b.cd","name":"N","password":"12345678"})"))
            .status,
        201);
    held_.gate.open();
    EXPECT_EQ(soon(honest).status, 200);
    for (auto& one : flood) EXPECT_EQ(code(soon(one)), "401 bad_credentials");
    const std::string order = held_.order();
    EXPECT_LT(order.find("right password"), 120U) << order;  // of more than a thousand
}

TEST_F(Fairness, RefusalsOfALoginCostWhatTheDearestHashDoes)
{
    class WithHashes final : public SlowSearches
    {
    public:
        std::optional<std::string> dearest_hash() override { return "dear"; }
    } store;
    api_ = make_api(parts(store, held_));
    held_.gate.open();
    EXPECT_EQ(code(soon(log_in("127.0.0.2", "ada@example.org", "wrong"))), "401 bad_credentials");
    EXPECT_EQ(code(soon(log_in("127.0.0.2", "nobody@example.org", "unknown"))), "401 bad_credentials");
    EXPECT_EQ(held_.order(), "wrong wrong(hash of right password<dear) unknown(<dear) ");
    api_.reset();
}

TEST_F(Fairness, WrongPasswordsAreThrottledByAccountAndAddressAndLockNobodyOut)
{
    open(guessing({.per_minute = 6, .burst = 3}, {.per_minute = 6, .burst = 4}));
    held_.gate.open();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(code(soon(log_in("127.0.0.66", "ADA@example.org", "wrong"))), "401 bad_credentials");
    const Reply refused = soon(log_in("127.0.0.66", "ada@example.org", "right password"));
    EXPECT_EQ(code(refused), "429 rate_limited");
    EXPECT_EQ(header(refused, "Retry-After"), "10");
    EXPECT_EQ(header(refused, "RateLimit-Policy"), "\"guess\";q=3;w=30");
    EXPECT_EQ(code(soon(log_in("127.0.0.66", "other@example.org", "wrong"))), "401 bad_credentials") << "another account";
    EXPECT_EQ(soon(log_in("127.0.0.2", "ada@example.org", "right password")).status, 200) << "from elsewhere";
    // Guessed at from everywhere: the bucket that all addresses share is empty, and the right password is still good.
    for (int i = 10; i < 30; ++i) (void)soon(log_in("127.0.1." + std::to_string(i), "ada@example.org", "wrong"));
    EXPECT_EQ(soon(log_in("127.0.0.3", "ada@example.org", "right password")).status, 200) << "a place never seen";
    EXPECT_EQ(soon(log_in("127.0.0.2", "ada@example.org", "right password")).status, 200) << "a familiar place";
    const std::string figures = metrics_.render();
    EXPECT_NE(figures.find(R"(boxoffice_shed_total{class="guess",reason="rate_limited"} 1)"), figures.npos);
    EXPECT_NE(figures.find(R"(boxoffice_shed_total{class="guesses",reason="slowed"})"), figures.npos);
}

TEST_F(Fairness, RightPasswordsDoNotCountAsGuesses)
{
    open(guessing({.per_minute = 6, .burst = 2}, {.per_minute = 6, .burst = 2}));
    held_.gate.open();
    for (int i = 0; i < 6; ++i) EXPECT_EQ(soon(log_in("127.0.0.2", "ada@example.org", "right password")).status, 200);
}

TEST_F(Fairness, WhatIsNeverComparedIsNoGuess)
{
    open(guessing({.per_minute = 0.001, .burst = 2}, {.per_minute = 0.001, .burst = 2}));
    auto first = log_in("127.0.0.66", "ada@example.org", "wrong");
    held_.gate.wait_for_one();
    // Many others fill the queue, so that what follows is refused.
    std::vector<std::future<Reply>> others;
    for (int i = 0; i < 64; ++i) others.push_back(log_in("127.0.0.2", "x" + std::to_string(i) + "@example.org", "wrong"));
    for (int i = 0; i < 64; ++i)
        others.push_back(log_in("127.0.1." + std::to_string(i), "y" + std::to_string(i) + "@example.org", "wrong"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(code(soon(log_in("127.0.0.66", "ada@example.org", "wrong"))), "503 busy");
    held_.gate.open();
    for (auto& one : others) (void)soon(one);
    EXPECT_EQ(code(soon(first)), "401 bad_credentials");
    EXPECT_EQ(code(soon(log_in("127.0.0.66", "ada@example.org", "wrong"))), "401 bad_credentials");
    EXPECT_EQ(code(soon(log_in("127.0.0.66", "ada@example.org", "wrong"))), "429 rate_limited");
}

TEST_F(Fairness, APasswordThatAnAccidentKeptFromBeingComparedIsNoGuess)
{
    class Away final : public SlowSearches
    {
    public:
        std::optional<Login> find_login(std::string_view email) override
        {
            if (unavailable) throw StoreFailure(Code::busy, "interrupted");
            return SlowSearches::find_login(email);
        }
        std::atomic<bool> unavailable = true;
    } store;
    Dependencies with = parts(store, held_);
    with.rates = &rates_;
    with.policies = guessing({.per_minute = 0.001, .burst = 2}, {.per_minute = 0.001, .burst = 2});
    api_ = make_api(std::move(with));
    held_.gate.open();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(code(soon(log_in("127.0.0.2", "ada@example.org", "right password"))), "503 busy") << i;
    store.unavailable = false;
    EXPECT_EQ(soon(log_in("127.0.0.2", "ada@example.org", "right password")).status, 200);
    api_.reset();
}

TEST_F(Fairness, AddressesThatGuessAtOneAccountTogetherHaveTheTurnOfOne)
{
    open(guessing({.per_minute = 60, .burst = 100}, {.per_minute = 0.001, .burst = 1}));
    std::vector<std::future<Reply>> answers;
    answers.push_back(log_in("127.0.0.60", "ada@example.org", "first"));  // takes the one token
    held_.gate.wait_for_one();
    for (int i = 61; i < 69; ++i) answers.push_back(log_in("127.0.0." + std::to_string(i), "ada@example.org", "crowd"));
    answers.push_back(log_in("127.0.0.2", "nobody@example.org", "x"));
    answers.push_back(log_in("127.0.0.2", "nobody2@example.org", "y"));
    held_.gate.open();
    for (auto& one : answers) (void)soon(one);
    const std::string order = held_.order();
    const auto second_crowd = order.find("crowd ", order.find("crowd ") + 1);
    EXPECT_LT(order.find("x("), second_crowd) << order;
    EXPECT_LT(order.find("y("), order.find("crowd ", second_crowd + 1)) << order;
}

TEST_F(Fairness, SearchesHaveAPriceByAddressOrByAccount)
{
    RatePolicies policies;
    policies.search = {.per_minute = 60, .burst = 6};
    open(policies, {UserId{2}});
    slow_.gate.open();
    const std::string wide = "/api/v1/for-you/events/nearby?latitude=1&longitude=1&radius_km=20000";
    const Reply first = soon(from("127.0.0.66", Method::get, wide));
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(header(first, "RateLimit-Policy"), "\"search\";q=6;w=6");
    EXPECT_EQ(header(first, "RateLimit"), "\"search\";r=1;t=5");
    EXPECT_EQ(soon(from("127.0.0.66", Method::get, "/api/v1/events/?q=jazz")).status, 200);
    const Reply refused = soon(from("127.0.0.66", Method::get, "/api/v1/events/?q=jazz"));
    EXPECT_EQ(code(refused), "429 rate_limited");
    EXPECT_EQ(header(refused, "Retry-After"), "1");
    EXPECT_EQ(header(soon(from("127.0.0.66", Method::get, wide)), "Retry-After"), "5");
    for (const char* counted : {"starts_after=2026-01-01T00:00:00Z", "starts_before=2036-01-01T00:00:00Z",
                                "ends_after=2026-01-01T00:00:00Z", "available_only=true", "skip=1001"}) {
        EXPECT_EQ(code(soon(from("127.0.0.66", Method::get, std::string("/api/v1/events/?") + counted))), "429 rate_limited")
            << counted;
    }
    EXPECT_EQ(soon(from("127.0.0.66", Method::get, "/api/v1/events/")).status, 200) << "what is cheap is free";
    EXPECT_EQ(soon(from("127.0.0.66", Method::get, "/api/v1/events/?organizer_id=2&limit=5")).status, 200);
    EXPECT_EQ(soon(from("127.0.0.2", Method::get, "/api/v1/events/?q=jazz")).status, 200) << "another address";
    EXPECT_EQ(soon(from("127.0.0.66", Method::get, "/api/v1/events/?q=jazz", {}, as(1))).status, 200) << "an account's own";
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(soon(from("127.0.0.66", Method::get, wide, {}, as(2))).status, 200) << "a trusted account";
}

TEST_F(Fairness, TrustedAccountsAreExemptFromWhatGoesByAccount)
{
    RatePolicies policies;
    policies.account = {.per_minute = 60, .burst = 1};
    open(policies, {UserId{2}});
    for (int i = 0; i < 5; ++i) {
        const Reply reply = soon(from("127.0.0.2", Method::get, "/api/v1/auth/me", {}, as(2)));
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(header(reply, "RateLimit"), "-");
    }
    EXPECT_EQ(soon(from("127.0.0.2", Method::get, "/api/v1/auth/me", {}, as(1))).status, 200);
    EXPECT_EQ(code(soon(from("127.0.0.2", Method::get, "/api/v1/auth/me", {}, as(1)))), "429 rate_limited");
}

TEST(FamiliarPlaces, AreForgottenFromTheOneUsedLongestAgo)
{
    FamiliarSources familiar(2);
    familiar.remember("a");
    familiar.remember("b");
    familiar.remember("a");
    familiar.remember("c");
    EXPECT_TRUE(familiar.knows("a"));
    EXPECT_FALSE(familiar.knows("b"));
    EXPECT_TRUE(familiar.knows("c"));
}

}  // namespace
}  // namespace boxoffice::http
