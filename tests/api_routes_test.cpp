// The REST API over real lanes and a store in memory that can be told to fail or to wait.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/cursor.hpp"
#include "api_fixture.hpp"

namespace boxoffice::http
{
namespace
{

using nlohmann::json;
using namespace fakes;
using namespace std::chrono_literals;

class ApiRoutes : public ApiFixture
{
};

TEST_F(ApiRoutes, SellsASeatAndTellsWhenNoneIsLeft)
{
    const Reply first = send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1, {{"x-request-id", "mine"}}));
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(header(first, "Location"), "/api/v1/tickets/1");
    EXPECT_EQ(header(first, "X-Request-Id"), "mine");
    EXPECT_EQ(header(first, "Cache-Control"), "no-store");
    EXPECT_EQ(header(first, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(json::parse(first.body).at("status"), "reserved");
    EXPECT_EQ(send(Method::post, "/api/v1/tickets", R"({"event_id":5,"user_id":1})", as(1)).status, 201);
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1))), "409 sold_out");
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":6})", as(1))), "404 not_found");
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":5,"user_id":2})", as(1))), "403 not_yourself");
    const std::string figures = metrics_.render();
    EXPECT_NE(figures.find("boxoffice_holds_created_total 2"), std::string::npos);
    EXPECT_NE(figures.find("boxoffice_sold_out_refusals_total 1"), std::string::npos);
}

TEST_F(ApiRoutes, ShowATicketToItsHolderAndItsOrganizerOnly)
{
    ASSERT_EQ(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1)).status, 201);
    EXPECT_EQ(send(Method::get, "/api/v1/tickets/1", {}, as(1)).status, 200);
    EXPECT_EQ(send(Method::get, "/api/v1/tickets/1", {}, as(2)).status, 200);
    EXPECT_EQ(code(send(Method::get, "/api/v1/tickets/1", {}, as(3))), "404 not_found");
    EXPECT_EQ(code(send(Method::get, "/api/v1/tickets/user/2", {}, as(1))), "403 not_yourself");
    clock_.micros = 120'000'000;
    EXPECT_EQ(json::parse(send(Method::get, "/api/v1/tickets/1", {}, as(1)).body).at("status"), "expired");
}

TEST_F(ApiRoutes, AnswerARepeatedKeyByteForByte)
{
    const Headers key = as(1, {{"idempotency-key", "k1"}});
    const Reply first = send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", key);
    const Reply again = send(Method::post, "/api/v1/tickets", R"({"event_id":5})", key);
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "Location"), header(first, "Location"));
    EXPECT_EQ(header(first, "Idempotency-Replayed"), "-");
    EXPECT_EQ(header(again, "Idempotency-Replayed"), "true");
    EXPECT_NE(header(again, "X-Request-Id"), header(first, "X-Request-Id"));
    EXPECT_EQ(store_.event.tickets_sold, 1);
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":6})", key)), "422 idempotency_key_reused");
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/1/cancel", {}, key)), "422 idempotency_key_reused");
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(2, {{"idempotency-key", "k1"}})).status, 201);
    const Headers other = as(1, {{"idempotency-key", "k2"}});
    const Reply refused = send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", other);
    const Reply refused_again = send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", other);
    EXPECT_EQ(code(refused), "409 sold_out");
    EXPECT_EQ(refused_again.body, refused.body);
    EXPECT_EQ(header(refused_again, "Idempotency-Replayed"), "true");
    EXPECT_EQ(send(Method::del, "/api/v1/events/5", {}, as(2, {{"idempotency-key", "k3"}})).status, 204);
    EXPECT_EQ(send(Method::del, "/api/v1/events/5", {}, as(2, {{"idempotency-key", "k3"}})).status, 204);
}

TEST_F(ApiRoutes, TellWhenTheFirstWithThisKeyIsStillRunning)
{
    const Headers key = as(1, {{"idempotency-key", "k1"}});
    store_.hold();
    auto first = start(Method::post, "/api/v1/tickets/", R"({"event_id":5})", key);
    store_.wait_until_entered();
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", key)), "409 idempotency_in_progress");
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":5 })", key)), "422 idempotency_key_reused");
    store_.let_go();
    EXPECT_EQ(first.get().status, 201);
    EXPECT_EQ(header(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", key), "Idempotency-Replayed"), "true");
}

TEST_F(ApiRoutes, NameABadKeyWithTheBadFieldsOfTheBody)
{
    const Headers bad = as(1, {{"idempotency-key", "a b"}});
    const Reply both = send(Method::post, "/api/v1/tickets/", "{}", bad);
    EXPECT_EQ(code(both), "422 invalid");
    EXPECT_EQ(json::parse(both.body).at("errors").size(), 2U);
    const Reply alone = send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", bad);
    EXPECT_EQ(json::parse(alone.body).at("errors"), json::parse(R"([{"loc":["header","Idempotency-Key"],
        "msg":"A key has 1 to 255 visible ASCII characters","type":"idempotency_key"}])"));
    EXPECT_EQ(send(Method::post, "/api/v1/auth/register", R"({"email":"n@b.cd","name":"N","password":"12345678"})",
                   {{"idempotency-key", ""}})
                  .status,
              201);
}

TEST_F(ApiRoutes, AskForATokenWhereOneIsNeeded)
{
    for (const auto& headers : {Headers{}, Headers{{"authorization", "Basic u1"}}, Headers{{"authorization", "Bearer"}},
                                Headers{{"authorization", "Bearer bad"}}}) {
        const Reply reply = send(Method::get, "/api/v1/auth/me", {}, headers);
        EXPECT_EQ(code(reply), "401 unauthenticated");
        EXPECT_EQ(header(reply, "WWW-Authenticate"), "Bearer");
    }
    EXPECT_EQ(send(Method::get, "/api/v1/auth/me", {}, {{"authorization", "bearer  u1"}}).status, 200);
    EXPECT_EQ(code(send(Method::get, "/api/v1/auth/me", {}, as(9))), "401 unauthenticated");
}

TEST_F(ApiRoutes, RenewsTheHashOfAPasswordThatWasHashedAsItWasSent)
{
    const auto log_in = [&](const std::string& email, const std::string& password) {
        return send(Method::post, "/api/v1/auth/login", R"({"email":")" + email + R"(","password":")" + password + R"("})")
            .status;
    };
    EXPECT_EQ(log_in("old@example.org", "caf\u00e9 1234"), 401) << "it cannot be known how it was typed";
    EXPECT_EQ(log_in(" old@example.org\u00a0", "cafe\u0301 1234"), 200);
    // The lane takes one after the other: behind this the hash has been renewed.
    EXPECT_EQ(send(Method::patch, "/api/v1/auth/me", R"({"name":"N"})", as(1)).status, 200);
    EXPECT_EQ(store_.old_hash, "hash of caf\u00e9 1234");
    EXPECT_EQ(log_in("old@example.org", "caf\u00e9 1234"), 200);
    EXPECT_EQ(log_in("old@example.org", "cafe\u0301 1234"), 200);
    // As many comparisons as for a known address.
    hasher_.wasted = 0;
    EXPECT_EQ(log_in("nobody@example.org", "cafe\u0301 1234"), 401);
    EXPECT_EQ(hasher_.wasted, 2);
    EXPECT_EQ(log_in("nobody@example.org", "caf\u00e9 1234"), 401);
    EXPECT_EQ(hasher_.wasted, 3);
}

/// Hashes at a cost of 12, and knows those that were made at another one.
class AnotherCost final : public fakes::PlainHasher
{
public:
    std::string hash(std::string_view password) const override { return "12 " + PlainHasher::hash(password); }
    bool matches(std::string_view password, std::string_view hash) const override
    {
        return hash.ends_with(PlainHasher::hash(password));
    }
    bool is_outdated(std::string_view hash) const override { return !hash.starts_with("12 "); }
};

TEST_F(ApiRoutes, RenewsAHashThatWasMadeAtAnotherCost)
{
    const AnotherCost hasher;
    api_ = make_api(parts(store_, hasher));
    store_.old_hash = "10 hash of right one";
    const auto log_in = [&](const std::string& password) {
        return send(Method::post, "/api/v1/auth/login", R"({"email":"old@example.org","password":")" + password + R"("})").status;
    };
    const auto hash_behind_all_acts = [&] {
        EXPECT_EQ(send(Method::patch, "/api/v1/auth/me", R"({"name":"N"})", as(1)).status, 200);
        return store_.old_hash;
    };
    EXPECT_EQ(log_in("wrong one"), 401);
    EXPECT_EQ(hash_behind_all_acts(), "10 hash of right one");
    EXPECT_EQ(log_in("right one"), 200);
    EXPECT_EQ(hash_behind_all_acts(), "12 hash of right one");
    EXPECT_EQ(log_in("right one"), 200);
    api_.reset();
}

TEST_F(ApiRoutes, LogInByFormAndJsonAndSpendTheSameOnAnUnknownAddress)
{
    const Reply good = send(Method::post, "/api/v1/auth/login", "username=ada%40example.org&password=right+password",
                            {{"content-type", "application/x-www-form-urlencoded"}});
    EXPECT_EQ(good.body, R"({"access_token":"u1","token_type":"bearer","expires_in":1800})");
    EXPECT_EQ(send(Method::post, "/api/v1/auth/login", R"({"email":"ada@example.org","password":"right password"})").status, 200);
    const Reply wrong = send(Method::post, "/api/v1/auth/login", R"({"email":"ada@example.org","password":"wrong"})");
    EXPECT_EQ(code(wrong), "401 bad_credentials");
    EXPECT_EQ(hasher_.wasted, 0);
    const Reply unknown = send(Method::post, "/api/v1/auth/login", R"({"email":"nobody@example.org","password":"wrong"})");
    EXPECT_EQ(hasher_.wasted, 1);
    EXPECT_EQ(json::parse(wrong.body).at("detail"), json::parse(unknown.body).at("detail"));
    EXPECT_EQ(code(send(Method::post, "/api/v1/auth/login", "x", {{"content-type", "text/plain"}})),
              "415 unsupported_media_type");
}

TEST_F(ApiRoutes, TagReadsOfEvents)
{
    const Reply first = send(Method::get, "/api/v1/events/5");
    const std::string tag = header(first, "ETag");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(header(first, "Cache-Control"), "no-cache");
    const Reply again = send(Method::get, "/api/v1/events/5", {}, {{"if-none-match", tag}});
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(header(again, "ETag"), tag);
    EXPECT_TRUE(tag.starts_with("\"v1-")) << tag;
    ASSERT_EQ(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1)).status, 201);
    EXPECT_EQ(send(Method::get, "/api/v1/events/5", {}, {{"if-none-match", tag}}).status, 200);
}

TEST_F(ApiRoutes, PageThroughLists)
{
    const Reply page = send(Method::get, "/api/v1/events?q=jazz&skip=10&limit=10");
    EXPECT_EQ(header(page, "X-Total-Count"), "25");
    const std::string after = write_cursor(Cursor<EventKey>{{store_.event.start_time, store_.event.id}, Direction::after});
    EXPECT_EQ(header(page, "Link"), "</api/v1/events?q=jazz&after=" + after +
                                        "&limit=10>; rel=\"next\", </api/v1/events?q=jazz&skip=0&limit=10>; rel=\"prev\"");
    EXPECT_EQ(send(Method::get, "/api/v1/events?q=jazz&after=" + after + "&limit=10").status, 200);
    EXPECT_EQ(store_.asked_events.from->key, (EventKey{store_.event.start_time, store_.event.id}));
    EXPECT_FALSE(store_.asked_events.ends_after);
    EXPECT_EQ(send(Method::get, "/api/v1/events?available_only=yes").status, 200);
    EXPECT_EQ(store_.asked_events.ends_after, clock_.now()) << "what is over cannot be bought";
    EXPECT_EQ(send(Method::get, "/api/v1/events?available_only=1&ends_after=2100-01-01T00:00:00Z").status, 200);
    EXPECT_EQ(store_.asked_events.ends_after, Instant(std::chrono::sys_days(std::chrono::year(2100) / 1 / 1)));
    EXPECT_TRUE(json::parse(page.body).is_array());
    EXPECT_EQ(send(Method::get, "/api/v1/events/?skip=30").body, "[]");
    const Reply bad = send(Method::get, "/api/v1/events/?skip=-1&limit=0&available_only=x&starts_after=y&organizer_id=z");
    EXPECT_EQ(code(bad), "422 invalid");
    EXPECT_EQ(json::parse(bad.body).at("errors").size(), 5U);
}

TEST_F(ApiRoutes, FindWhatIsNearAPointOrOnesPlace)
{
    const Reply found = send(Method::get, "/api/v1/for-you/events/nearby?latitude=10&longitude=-3&radius_km=2.5");
    EXPECT_EQ(json::parse(found.body).at(0).at("distance_km"), 1.2345);
    EXPECT_EQ(store_.asked_nearby.radius_m, 2500);
    EXPECT_EQ(store_.asked_nearby.limit, 10);
    const Reply nowhere = send(Method::get, "/api/v1/for-you/events/nearby");
    EXPECT_EQ(code(nowhere), "422 invalid");
    EXPECT_NE(nowhere.body.find("token"), std::string::npos) << nowhere.body;
    EXPECT_EQ(code(send(Method::get, "/api/v1/for-you/events/nearby", {}, as(1))), "422 invalid");
    const Reply home = send(Method::get, "/api/v1/for-you/events/nearby", {}, as(2));
    EXPECT_EQ(home.status, 200);
    EXPECT_EQ(header(home, "Cache-Control"), "no-store");
    EXPECT_EQ(store_.asked_nearby.center, (GeoPoint{1, 2}));
    EXPECT_EQ(
        code(send(Method::get, "/api/v1/for-you/events/nearby?latitude=1&longitude=2", {}, {{"authorization", "Bearer bad"}})),
        "401 unauthenticated");
    for (const char* query : {"latitude=1", "longitude=1", "latitude=91&longitude=0", "latitude=1&longitude=-180.1",
                              "latitude=nan&longitude=1", "latitude=1&longitude=1&radius_km=0",
                              "latitude=1&longitude=1&radius_km=20040.1", "latitude=1&longitude=1&radius_km=inf"}) {
        const Reply bad = send(Method::get, std::string("/api/v1/for-you/events/nearby?") + query);
        EXPECT_EQ(code(bad), "422 invalid") << query;
        EXPECT_EQ(json::parse(bad.body).at("errors").size(), 1U) << bad.body;
    }
}

TEST_F(ApiRoutes, SuggestForOneselfOnly)
{
    const json plain = json::parse(send(Method::get, "/api/v1/for-you/events/recommended?user_id=1", {}, as(1)).body);
    EXPECT_TRUE(plain.at(0).contains("score"));
    EXPECT_TRUE(plain.at(0).at("reasons").is_array());
    EXPECT_FALSE(plain.at(0).contains("distance_km"));
    EXPECT_EQ(json::parse(send(Method::get, "/api/v1/for-you/events/recommended", {}, as(2)).body).at(0).at("distance_km"), 0.5);
    EXPECT_EQ(code(send(Method::get, "/api/v1/for-you/events/recommended?user_id=2", {}, as(1))), "403 not_yourself");
}

TEST_F(ApiRoutes, KeepTheConventionsOfPathsAndMethods)
{
    EXPECT_EQ(code(send(Method::get, "/api/v1/nothing")), "404 not_found");
    EXPECT_EQ(code(send(Method::post, "/nothing")), "404 not_found");
    const Reply wrong = send(Method::put, "/api/v1/events/5");
    EXPECT_EQ(code(wrong), "405 method_not_allowed");
    EXPECT_EQ(header(wrong, "Allow"), "GET, HEAD, PATCH, DELETE, OPTIONS");
    const Reply options = send(Method::options, "/api/v1/events/");
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(header(options, "Allow"), "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(send(Method::options, "*").status, 204);
    EXPECT_EQ(send(Method::head, "/api/v1/events/5").status, 200);
    for (const char* target :
         {"/api/v1/events/%zz", "/api/v1/events/%", "/a b", "/a#b", "*", "http://x/", "/\xc3\xbc", "/api/v1/events/?q=%ff"}) {
        EXPECT_EQ(code(send(Method::get, target)), "400 malformed") << target;
    }
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", "{}", as(1, {{"content-type", "text/plain"}}))),
              "415 unsupported_media_type");
    EXPECT_NE(header(send(Method::get, "/health", {}, {{"x-request-id", "not sane"}}), "X-Request-Id"), "not sane");
}

TEST_F(ApiRoutes, RefuseWhatTheyWouldNotDo)
{
    const std::string order = R"({"event_id":5})";
    const auto reserve = [&](Headers more) {
        return code(send(Method::post, "/api/v1/tickets/", order, as(1, std::move(more))));
    };
    for (const char* coding : {"gzip", "br", "GZIP", "identity, gzip"})
        EXPECT_EQ(reserve({{"content-encoding", coding}}), "415 unsupported_media_type") << coding;
    for (const char* type :
         {"application/json; charset=latin1", "application/json;charset=\"utf-16\"", "application/json; a=b; Charset=x"})
        EXPECT_EQ(reserve({{"content-type", type}}), "415 unsupported_media_type") << type;
    EXPECT_EQ(reserve({{"content-range", "bytes 0-1/5"}}), "400 bad_request");
    EXPECT_EQ(reserve({{"if-match", "\"v1\""}}), "412 precondition_failed");
    EXPECT_EQ(reserve({{"if-match", "v1"}}), "400 malformed");
    EXPECT_EQ(store_.event.tickets_sold, 0);
    EXPECT_EQ(
        send(Method::post, "/api/v1/tickets/", order,
             as(1, {{"content-type", "application/json; charset=UTF-8"}, {"content-encoding", "identity"}, {"if-match", "*"}}))
            .status,
        201);
    for (const char* target : {"/api/v1/tickets/?quantity=2", "/api/v1/tickets/1/pay?a", "/api/v1/tickets/1/cancel?now=1"}) {
        const Reply unknown = send(Method::post, target, order, as(1));
        EXPECT_EQ(code(unknown), "422 invalid") << target;
        EXPECT_NE(unknown.body.find("unknown_parameter"), std::string::npos);
    }
    EXPECT_EQ(code(send(Method::del, "/api/v1/events/5?force=1", {}, as(2))), "422 invalid");
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/5?expand=1")), "422 invalid");
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/5?a&a")), "400 malformed");
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/?limit=0&lmit=1")), "422 invalid");
    EXPECT_EQ(send(Method::get, "/api/v1/events/5?").status, 200);
    EXPECT_EQ(send(Method::get, "/health?x=1&x=2").status, 200) << "pages ignore them";
    EXPECT_EQ(send(Method::get, "/docs?x=1").status, 200);
}

TEST_F(ApiRoutes, LetPagesOfNamedOriginsReadAnswersAndNobodyElses)
{
    const Headers shop = {{"origin", "https://shop.example.org"}};
    EXPECT_EQ(header(send(Method::get, "/api/v1/events/5", {}, shop), "Vary"), "-") << "off unless asked for";
    Dependencies open = parts();
    open.cors_origins = {"https://shop.example.org"};
    api_ = make_api(open);
    const Reply read = send(Method::get, "/api/v1/events/5", {}, shop);
    EXPECT_EQ(header(read, "Access-Control-Allow-Origin"), "https://shop.example.org");
    EXPECT_EQ(header(read, "Access-Control-Allow-Credentials"), "-");
    EXPECT_EQ(header(read, "Vary"), "Origin");
    EXPECT_NE(header(read, "Access-Control-Expose-Headers").find("X-Total-Count"), std::string::npos);
    EXPECT_EQ(header(send(Method::get, "/api/v1/auth/me", {}, shop), "Access-Control-Allow-Origin"), "https://shop.example.org")
        << "a refusal is read, too";
    for (const char* origin : {"https://shop.example.org.evil.example", "http://shop.example.org", "https://SHOP.example.org",
                               "null", "*", "https://shop.example.org:8443"}) {
        const Reply other = send(Method::get, "/api/v1/events/5", {}, {{"origin", origin}});
        EXPECT_EQ(header(other, "Access-Control-Allow-Origin"), "-") << origin;
        EXPECT_EQ(header(other, "Vary"), "Origin") << origin;
    }
    const Headers ask = {{"origin", "https://shop.example.org"}, {"access-control-request-method", "PATCH"}};
    const Reply preflight = send(Method::options, "/api/v1/events/5", {}, ask);
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(header(preflight, "Access-Control-Allow-Methods"), "GET, HEAD, PATCH, DELETE, OPTIONS");
    EXPECT_NE(header(preflight, "Access-Control-Allow-Headers").find("Authorization"), std::string::npos);
    EXPECT_EQ(header(send(Method::options, "/api/v1/events/5", {}, shop), "Access-Control-Allow-Methods"), "-");
    EXPECT_EQ(header(send(Method::get, "/health", {}, shop), "Access-Control-Allow-Origin"), "-");
}

TEST_F(ApiRoutes, TellTheWordsOfOAuthBesideTheProblemsOfALoginForm)
{
    const auto log_in = [this](const std::string& form) {
        const Reply reply =
            send(Method::post, "/api/v1/auth/login", form, {{"content-type", "application/x-www-form-urlencoded"}});
        return code(reply) + " " + json::parse(reply.body).value("error", "-");
    };
    EXPECT_EQ(log_in("username=ada%40example.org&password=wrong"), "401 bad_credentials invalid_grant");
    EXPECT_EQ(log_in("username=ada%40example.org"), "422 invalid invalid_request");
    EXPECT_EQ(log_in("username=%zz&password=x"), "400 malformed invalid_request");
    EXPECT_EQ(log_in("username=a&username=a&password=x"), "400 malformed invalid_request");
    EXPECT_EQ(log_in("grant_type=refresh_token&username=a&password=x"), "400 malformed unsupported_grant_type");
    const Reply plain = send(Method::post, "/api/v1/auth/login", R"({"username":"ada@example.org","password":"wrong"})");
    EXPECT_EQ(code(plain), "401 bad_credentials");
    EXPECT_FALSE(json::parse(plain.body).contains("error"));
    EXPECT_EQ(send(Method::post, "/api/v1/auth/login", R"({"username":"ada@example.org","password":"right password"})").status,
              200);
}

TEST_F(ApiRoutes, TellAnAccidentWithoutItsDetail)
{
    store_.failing = Code::storage_failed;
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/5")), "503 storage_failed");
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1))), "503 storage_failed");
    EXPECT_EQ(code(send(Method::get, "/health/ready")), "503 storage_failed");
    store_.failing = Code::internal;
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/5")), "500 internal");
    EXPECT_EQ(code(send(Method::get, "/health/ready")), "503 storage_failed");
    store_.failing.reset();
    EXPECT_EQ(code(send(Method::get, "/health/ready")), "503 storage_failed") << "no write has shown that it is over";
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1)).status, 201);
    EXPECT_EQ(json::parse(send(Method::get, "/health/ready").body).at("checks").at("store"), "ok");
    draining_ = true;
    EXPECT_EQ(code(send(Method::get, "/health/ready")), "503 shutting_down");
    EXPECT_EQ(send(Method::get, "/health").static_body, R"({"status":"ok"})");
}

TEST_F(ApiRoutes, AnswerBusyWhenALaneTakesNoMore)
{
    writes_.stop();
    const Headers key = as(1, {{"idempotency-key", "k"}});
    const Reply busy = send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", key);
    EXPECT_EQ(code(busy), "503 busy");
    EXPECT_EQ(header(busy, "Retry-After"), "1");
    EXPECT_EQ(code(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", key)),
              "503 busy");  // and not in progress for ever
    reads_.stop();
    draining_ = true;
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/5")), "503 shutting_down");
}

TEST_F(ApiRoutes, RefuseForTheServerWithTheWordOfTheStatus)
{
    const std::pair<int, const char*> rows[] = {{400, "bad_request"},
                                                {408, "request_timeout"},
                                                {413, "payload_too_large"},
                                                {414, "uri_too_long"},
                                                {417, "expectation_failed"},
                                                {431, "headers_too_large"},
                                                {500, "internal"},
                                                {501, "not_implemented"},
                                                {503, "busy"},
                                                {505, "http_version_not_supported"}};
    for (const auto& [status, word] : rows)
        EXPECT_EQ(code(api_->refuse(status, "Because.", "")), std::to_string(status) + " " + word);
}

}  // namespace
}  // namespace boxoffice::http
