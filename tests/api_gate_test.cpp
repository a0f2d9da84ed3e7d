// What stands around the routes: who is asking, how often they may, and what a process tells of itself.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "api_fixture.hpp"
#include "net/net.hpp"
#include "runtime/rate_limits.hpp"

namespace boxoffice::http
{
namespace
{

using nlohmann::json;

std::string read_address(std::string_view text)
{
    const auto address = parse_address(text);
    return address ? address_text(*address) : "none";
}

TEST(Addresses, AreReadAsProxiesWriteThem)
{
    const std::pair<const char*, const char*> rows[] = {
        {"203.0.113.7", "203.0.113.7"},
        {"203.0.113.7:4711", "203.0.113.7"},
        {"::ffff:203.0.113.7", "203.0.113.7"},
        {"2001:DB8:0:0::7", "2001:db8::7"},
        {"[2001:db8::7]", "2001:db8::7"},
        {"[2001:db8::7]:443", "2001:db8::7"},
        {"fe80::1%eth0", "fe80::1"},
        {"::1", "::1"},
        {"", "none"},
        {"unknown", "none"},
        {"203.0.113", "none"},
        {"203.0.113.256", "none"},
        {"203.0.113.7:http", "none"},
        {"203.0.113.7:99999", "none"},
        {"[2001:db8::7", "none"},
        {"[2001:db8::7]x", "none"},
        {"2001:db8::7::", "none"},
        {"203.0.113.7 ", "none"},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", "none"},
    };
    for (const auto& [text, want] : rows) EXPECT_EQ(read_address(text), want) << text;
}

TEST(Addresses, OfIpv6CountByTheir64)
{
    const std::pair<const char*, const char*> rows[] = {
        {"203.0.113.7", "203.0.113.7"},
        {"::ffff:203.0.113.7", "203.0.113.7"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8:1:2::", "2001:db8:1:2::/64"},
        {"2001:db8:1:3::", "2001:db8:1:3::/64"},
        {"a pipe", "a pipe"},
    };
    for (const auto& [text, want] : rows) EXPECT_EQ(client_group(text), want) << text;
}

TEST(TrustedProxies, AreAddressesAndBlocks)
{
    const std::vector<std::string> words = {"10.0.0.0/8", " 192.0.2.4", "172.16.99.1/12", "2001:db8::/33", "::1"};
    const TrustedProxies proxies(words);
    for (const char* inside :
         {"10.0.0.0", "10.255.1.2", "::ffff:10.1.1.1", "192.0.2.4", "172.16.0.1", "172.31.255.255", "2001:db8:7fff::1", "::1"})
        EXPECT_TRUE(proxies.trusts(*parse_address(inside))) << inside;
    for (const char* outside : {"11.0.0.0", "192.0.2.5", "172.32.0.0", "2001:db8:8000::1", "2001:db9::1", "::2", "a00::"})
        EXPECT_FALSE(proxies.trusts(*parse_address(outside))) << outside;
    const std::vector<std::string> every_address = {"0.0.0.0/0"};
    EXPECT_TRUE(TrustedProxies(every_address).trusts(*parse_address("198.51.100.1")));
    EXPECT_FALSE(TrustedProxies(every_address).trusts(*parse_address("2001:db8::1")));
}

TEST(TrustedProxies, AreRefusedWithASentenceWhenTheyAreNeither)
{
    for (const char* bad : {"", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::1/129", "10.0.0/8"}) {
        const std::vector<std::string> words = {bad};
        EXPECT_THROW((void)TrustedProxies(words), std::invalid_argument) << bad;
    }
}

TEST(ClientAddresses, ComeFromTheRightAsFarAsProxiesAreTrusted)
{
    const std::vector<std::string> words = {"10.0.0.0/8", "2001:db8:ffff::/48"};
    const TrustedProxies proxies(words);
    const struct {
        const char* peer;
        std::vector<const char*> fields;
        const char* want;
    } rows[] = {
        {"203.0.113.7", {"198.51.100.1"}, "203.0.113.7"},  // any client may write the header
        {"10.0.0.1", {}, "10.0.0.1"},
        {"10.0.0.1", {""}, "10.0.0.1"},
        {"10.0.0.1", {"198.51.100.1"}, "198.51.100.1"},
        {"::ffff:10.0.0.1", {"198.51.100.1"}, "198.51.100.1"},
        {"10.0.0.1", {"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
        {"10.0.0.1", {"1.1.1.1, 198.51.100.1 , 10.0.0.2"}, "198.51.100.1"},
        {"10.0.0.1", {"1.1.1.1", "198.51.100.1", "10.0.0.2,"}, "198.51.100.1"},
        {"10.0.0.1", {"garbage, 198.51.100.1:5555"}, "198.51.100.1"},
        {"10.0.0.1", {"198.51.100.1, garbage"}, "10.0.0.1"},
        {"10.0.0.1", {"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.1"},
        {"10.0.0.1", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
        {"2001:db8:ffff::1", {"[2001:db8::7]:80"}, "2001:db8::7"},
        {"", {"198.51.100.1"}, ""},
    };
    for (const auto& row : rows) {
        Request request;
        request.peer = row.peer;
        for (const char* field : row.fields) request.headers.emplace_back("x-forwarded-for", field);
        EXPECT_EQ(client_address(request, proxies), row.want) << row.peer << " " << (row.fields.empty() ? "" : row.fields[0]);
    }
    Request plain;
    plain.peer = "10.0.0.1";
    plain.headers.emplace_back("x-forwarded-for", "198.51.100.1");
    EXPECT_EQ(client_address(plain, TrustedProxies({})), "10.0.0.1");
}

/// Answers on a thread of its own.
class LateRates final : public RateLimits
{
public:
    void take(std::string key, const RatePolicy& policy, Instant now, std::function<void(RateAnswer)> done) override
    {
        const std::lock_guard lock(mutex_);
        threads_.emplace_back(
            [this, key = std::move(key), policy, now, done = std::move(done)] { inner_.take(key, policy, now, done); });
    }

private:
    LocalRates inner_;
    std::mutex mutex_;
    std::vector<std::jthread> threads_;
};

class ApiGate : public ApiFixture
{
protected:
    void open(RateLimits* rates, std::vector<std::string> proxies = {})
    {
        Dependencies limited = parts();
        limited.rates = rates;
        limited.policies = {.account = {.per_minute = 60, .burst = 2},
                            .login = {.per_minute = 6, .burst = 1},
                            .registration = {.per_minute = 30, .burst = 1}};
        limited.trusted_proxies = std::move(proxies);
        api_ = make_api(std::move(limited));
    }
    Reply me(int user) { return send(Method::get, "/api/v1/auth/me", {}, as(user)); }
    Reply log_in(Headers headers = {})
    {
        return send(Method::post, "/api/v1/auth/login", R"({"email":"ada@example.org","password":"wrong"})", std::move(headers));
    }

    LocalRates rates_;
};

TEST_F(ApiGate, LetsABurstOfOneAccountThroughAndThen429WithAllFields)
{
    open(&rates_);
    const Reply first = me(1);
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(header(first, "RateLimit-Policy"), "\"account\";q=2;w=2");
    EXPECT_EQ(header(first, "RateLimit"), "\"account\";r=1;t=1");
    EXPECT_EQ(header(first, "Retry-After"), "-");
    EXPECT_EQ(header(me(1), "RateLimit"), "\"account\";r=0;t=2");
    const Reply refused = me(1);
    EXPECT_EQ(code(refused), "429 rate_limited");
    EXPECT_EQ(json::parse(refused.body).at("detail"), "Too many requests; try again in a moment.");
    EXPECT_EQ(header(refused, "Retry-After"), "1");
    EXPECT_EQ(header(refused, "RateLimit-Policy"), "\"account\";q=2;w=2");
    EXPECT_EQ(header(refused, "RateLimit"), "\"account\";r=0;t=2");
    EXPECT_EQ(header(refused, "Cache-Control"), "no-store");
    clock_.micros = 1'000'000;
    EXPECT_EQ(me(1).status, 200);
}

TEST_F(ApiGate, KeepsAccountsApartAndCountsEveryKindOfAnswer)
{
    open(&rates_);
    EXPECT_EQ(code(send(Method::get, "/api/v1/tickets/77", {}, as(1))), "404 not_found");
    const Reply bad = send(Method::post, "/api/v1/tickets/", "x", as(1, {{"content-type", "text/plain"}}));
    EXPECT_EQ(code(bad), "415 unsupported_media_type");
    EXPECT_EQ(header(bad, "RateLimit"), "\"account\";r=0;t=2");
    EXPECT_EQ(code(me(1)), "429 rate_limited");
    EXPECT_EQ(me(2).status, 200);
}

TEST_F(ApiGate, TakesNothingForARequestWithoutAGoodTokenNorForWhatAnybodyMaySee)
{
    open(&rates_);
    for (int i = 0; i < 5; ++i) {
        const Reply reply = send(Method::get, "/api/v1/auth/me", {}, {{"authorization", "Bearer bad"}});
        EXPECT_EQ(code(reply), "401 unauthenticated");
        EXPECT_EQ(header(reply, "RateLimit"), "-");
        EXPECT_EQ(send(Method::get, "/api/v1/for-you/events/nearby", {}, as(2)).status, 200);
        EXPECT_EQ(header(send(Method::get, "/api/v1/events/5", {}, as(2)), "RateLimit-Policy"), "-");
    }
    EXPECT_EQ(rates_.size(), 0U);
}

TEST_F(ApiGate, CountsRepeatsOfAKeyAndTellsEachItsOwnLimit)
{
    open(&rates_);
    const Headers key = as(1, {{"idempotency-key", "k"}});
    const Reply first = send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", key);
    const Reply again = send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", key);
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "Idempotency-Replayed"), "true");
    EXPECT_EQ(header(first, "RateLimit"), "\"account\";r=1;t=1");
    EXPECT_EQ(header(again, "RateLimit"), "\"account\";r=0;t=2");
    const auto fields = std::count_if(again.headers.begin(), again.headers.end(),
                                      [](const auto& field) { return field.first.starts_with("RateLimit"); });
    EXPECT_EQ(fields, 2);
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", key)), "429 rate_limited");
}

TEST_F(ApiGate, LimitsLogInAndRegistrationByAddressEachForItself)
{
    open(&rates_);
    peer_ = "2001:db8:1:2::1";
    const Reply first = log_in();
    EXPECT_EQ(code(first), "401 bad_credentials");
    EXPECT_EQ(header(first, "RateLimit-Policy"), "\"login\";q=1;w=10");
    EXPECT_EQ(header(first, "RateLimit"), "\"login\";r=0;t=10");
    peer_ = "2001:db8:1:2::2";
    const Reply refused = log_in();
    EXPECT_EQ(code(refused), "429 rate_limited");
    EXPECT_EQ(header(refused, "Retry-After"), "10");
    const std::string person = R"({"email":"n@b.cd","name":"N","password":"12345678"})";
    const Reply registered = send(Method::post, "/api/v1/auth/register", person);
    EXPECT_EQ(registered.status, 201);
    EXPECT_EQ(header(registered, "RateLimit-Policy"), "\"register\";q=1;w=2");
    EXPECT_EQ(code(send(Method::post, "/api/v1/auth/register", person)), "429 rate_limited");
    peer_ = "2001:db8:1:3::1";
    EXPECT_EQ(code(log_in()), "401 bad_credentials");
}

TEST_F(ApiGate, KnowsClientsBehindATrustedProxyOnly)
{
    open(&rates_, {"10.0.0.0/8"});
    peer_ = "10.0.0.1";
    EXPECT_EQ(code(log_in({{"x-forwarded-for", "203.0.113.1"}})), "401 bad_credentials");
    EXPECT_EQ(code(log_in({{"x-forwarded-for", "203.0.113.2"}})), "401 bad_credentials");
    EXPECT_EQ(code(log_in({{"x-forwarded-for", "203.0.113.9, 203.0.113.1"}})), "429 rate_limited");
    peer_ = "203.0.113.1";
    EXPECT_EQ(code(log_in({{"x-forwarded-for", "203.0.113.77"}})), "429 rate_limited");
}

TEST_F(ApiGate, RefusesToOpenWithAProxyThatIsNoAddress)
{
    EXPECT_THROW(open(&rates_, {"proxy.example.org"}), std::invalid_argument);
}

TEST_F(ApiGate, GoesOnWhenTheAnswerComesOnAnotherThread)
{
    LateRates late;
    open(&late);
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1)).status, 201);
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", "{}", as(1))), "422 invalid");
    EXPECT_EQ(code(me(1)), "429 rate_limited");
}

TEST_F(ApiGate, IsNotThereWithoutLimits)
{
    Dependencies unlimited = parts();
    unlimited.rates = &rates_;
    const auto off = make_api(parts());
    const auto none = make_api(unlimited);
    for (Handler* handler : {off.get(), none.get()}) {
        for (int i = 0; i < 5; ++i) {
            std::promise<Reply> answer;
            auto request = std::make_shared<Request>();
            request->method = Method::get;
            request->target = "/api/v1/auth/me";
            request->headers = as(1);
            handler->handle(std::move(request), [&answer](Reply reply) { answer.set_value(std::move(reply)); });
            const Reply reply = answer.get_future().get();
            EXPECT_EQ(reply.status, 200);
            EXPECT_EQ(header(reply, "RateLimit"), "-");
            EXPECT_EQ(header(reply, "RateLimit-Policy"), "-");
        }
    }
    EXPECT_EQ(rates_.size(), 0U);
}

TEST_F(ApiGate, IsDegradedAndStillReadyWithoutWhatASaleCanDoWithout)
{
    std::atomic<bool> there{true};
    Dependencies with_others = parts();
    with_others.others = {{"redis", [&there] { return there.load(); }}};
    api_ = make_api(with_others);
    EXPECT_EQ(send(Method::get, "/health/ready").body,
              R"({"status":"ready","checks":{"store":"ok","write_lane":"ok","server":"ok","redis":"ok"}})");
    there = false;
    const Reply degraded = send(Method::get, "/health/ready");
    EXPECT_EQ(degraded.status, 200);
    EXPECT_EQ(degraded.body, R"({"status":"degraded","checks":{"store":"ok","write_lane":"ok","server":"ok","redis":"away"}})");
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1)).status, 201);
    store_.failing = Code::storage_failed;
    const Reply failed = send(Method::get, "/health/ready");
    EXPECT_EQ(code(failed), "503 storage_failed");
    EXPECT_EQ(json::parse(failed.body).at("checks").at("redis"), "away");
}

TEST_F(ApiGate, CountsAPartThatCannotBeAskedAsAway)
{
    Dependencies with_others = parts();
    with_others.others = {{"redis", []() -> bool { throw std::runtime_error("secret"); }}};
    api_ = make_api(with_others);
    EXPECT_EQ(json::parse(send(Method::get, "/health/ready").body).at("checks").at("redis"), "away");
}

TEST_F(ApiGate, ShowsOnlyHealthAndFiguresOfAProcessThatSellsNothing)
{
    WatchDependencies watched = parts().watch();
    watched.others = {{"redis", [] { return false; }}};
    api_ = make_watch(watched);
    EXPECT_EQ(send(Method::get, "/health").status, 200);
    EXPECT_EQ(json::parse(send(Method::get, "/health/ready").body).at("status"), "degraded");
    EXPECT_NE(send(Method::get, "/metrics").body.find("boxoffice_"), std::string::npos);
    EXPECT_EQ(code(send(Method::post, "/metrics")), "405 method_not_allowed");
    for (const char* path : {"/", "/docs", "/openapi.json", "/api/v1/events/", "/api/v1/auth/me", "/docs/swagger-ui.css"})
        EXPECT_EQ(code(send(Method::get, path, {}, as(1))), "404 not_found") << path;
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1))), "404 not_found");
    EXPECT_EQ(code(api_->refuse(400, "Because.", "")), "400 bad_request");
    draining_ = true;
    EXPECT_EQ(code(send(Method::get, "/health/ready")), "503 shutting_down");
}

TEST_F(ApiGate, WaitsForNoPaymentOnceItHasItsAnswer)
{
    store_.tickets[7].id = TicketId{7};
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/7/pay", R"({"payment_reference":"r"})", as(1)).status, 200);
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/8/pay", R"({"payment_reference":"r"})", as(1)).status, 404);
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/7/pay", "{", as(1)).status, 400);
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/7/pay", R"({"payment_reference":"r"})").status, 401);
    EXPECT_EQ(send(Method::get, "/api/v1/tickets/7/pay").status, 405);
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/7/cancel").status, 401);
    EXPECT_EQ(arrivals_.tickets(), 0u);
}

}  // namespace
}  // namespace boxoffice::http
