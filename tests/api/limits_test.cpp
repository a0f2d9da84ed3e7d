#include "scene.hpp"

using namespace blackbox;

namespace
{

std::string nested(int depth)
{
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
}

/// A good event body with one raw piece of JSON more.
std::string draft_with(const std::string& field, const std::string& raw)
{
    std::string body = draft().dump();
    body.insert(1, "\"" + field + "\":" + raw + ",");
    return body;
}

/// What a fresh connection is answered to these bytes.
Answer exchange(const std::string& bytes)
{
    Wire wire(box_office());
    wire.send(bytes);
    return wire.read_answer();
}

/// The same, and the connection must end: nothing after a broken frame can be trusted.
Answer exchange_and_end(const std::string& bytes)
{
    Wire wire(box_office());
    wire.send(bytes);
    Answer answer = wire.read_answer();
    EXPECT_TRUE(wire.ends()) << bytes.substr(0, 200) << "\n" << answer;
    return answer;
}

}  // namespace

TEST(Limits, TargetsOver8KiBAre414)
{
    Client client(box_office());
    EXPECT_TRUE(is_problem(client.get("/api/v1/events/?x=" + std::string(8 * 1024, 'x')), 414));
    EXPECT_TRUE(has_status(client.get("/health?x=" + std::string(7 * 1024, 'x')), 200));
}

TEST(Limits, HeadersOver16KiBAre431)
{
    Client client(box_office());
    EXPECT_TRUE(is_problem(client.get("/health", {{"X-Long", std::string(16 * 1024, 'x')}}), 431));
    Headers many;
    for (int i = 0; i < 1000; ++i) many.emplace_back("X-Header-" + std::to_string(i), "some value");
    EXPECT_TRUE(is_problem(client.get("/health", many), 431));
    EXPECT_TRUE(has_status(client.get("/health", {{"X-Long", std::string(14 * 1024, 'x')}}), 200));
}

TEST(Limits, BodiesOver64KiBAre413)
{
    Person anna = sign_up();
    EXPECT_TRUE(is_problem(anna.send_text("POST", "/events/", draft_with("x", "\"" + std::string(64 * 1024, 'x') + "\"")), 413));
    const std::string head = "POST /api/v1/events/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + anna.token() + "\r\n";
    EXPECT_TRUE(is_problem(exchange(head + "Content-Length: 1000000000\r\n\r\n"), 413));
    EXPECT_TRUE(is_problem(
        exchange(head + "Transfer-Encoding: chunked\r\n\r\n11000\r\n" + std::string(0x11000, 'x') + "\r\n0\r\n\r\n"), 413));
}

TEST(Limits, BodiesOf64KiBAreTaken)
{
    Person anna = sign_up();
    std::string body = draft().dump();
    body.resize(64 * 1024, ' ');
    EXPECT_TRUE(has_status(anna.send_text("POST", "/events/", body), 201));
}

TEST(Limits, JsonDeeperThan32IsRefused)
{
    Person anna = sign_up();
    EXPECT_TRUE(has_status(anna.send_text("POST", "/events/", draft_with("x", nested(28))), 201));
    for (const int depth : {40, 1000, 30'000})
        EXPECT_TRUE(is_bad_input(anna.send_text("POST", "/events/", draft_with("x", nested(depth))))) << depth;
    EXPECT_TRUE(is_bad_input(anna.send_text("POST", "/events/", std::string(60'000, '['))));
    std::string objects;
    for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
    EXPECT_TRUE(is_bad_input(anna.send_text("POST", "/events/", objects)));
}

TEST(Input, ThatIsNoJsonIsRefused)
{
    Person anna = sign_up();
    for (const std::string& body :
         {std::string(), std::string("{"), std::string("}"), std::string("nonsense"), std::string("{'title': 1}"),
          std::string("{\"title\": }"), std::string("{\"title\": \"x\",}"), std::string("{} {}"), std::string("{\"a\": 01}"),
          std::string("{\"a\": NaN}"), std::string("{\"a\": .5}"), std::string("\"unclosed"), std::string("\xef\xbb\xbf"),
          std::string("{\"a\": \"\x01\"}"), std::string("\0", 1), std::string("{\"a\": 1}\0", 9)}) {
        EXPECT_TRUE(is_bad_input(anna.send_text("POST", "/events/", body))) << body;
        EXPECT_TRUE(is_bad_input(anna.send_text("POST", "/auth/register", body))) << body;
    }
}

TEST(Input, ThatIsNoObjectIsRefused)
{
    Person anna = sign_up();
    for (const char* body : {"[]", "1", "\"text\"", "null", "true", "[{}]"}) {
        EXPECT_TRUE(is_bad_input(anna.send_text("POST", "/events/", body))) << body;
        EXPECT_TRUE(is_bad_input(anna.send_text("PATCH", "/auth/me", body))) << body;
    }
}

TEST(Input, ThatIsNoUtf8IsRefused)
{
    Person anna = sign_up();
    for (const char* bytes : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
        EXPECT_TRUE(is_bad_input(anna.send_text("PATCH", "/auth/me", std::string("{\"name\": \"x") + bytes + "\"}")));
    }
    EXPECT_EQ(must(anna.get("/auth/me"), 200), anna.user);
}

TEST(Input, WithLoneSurrogatesIsRefused)
{
    Person anna = sign_up();
    for (const char* text : {"\\ud800", "\\udc00", "\\ud800x", "\\udc00\\ud800"}) {
        EXPECT_TRUE(is_bad_input(anna.send_text("PATCH", "/auth/me", std::string("{\"name\": \"") + text + "\"}"))) << text;
    }
    EXPECT_EQ(must(anna.send_text("PATCH", "/auth/me", "{\"name\": \"\\ud83c\\udf9f\"}"), 200)["name"], "🎟");
}

TEST(Input, WithNulCharactersIsRefused)
{
    Person anna = sign_up();
    EXPECT_TRUE(is_problem(anna.patch("/auth/me", Json{{"name", std::string("a\0b", 3)}}), 422));
    EXPECT_TRUE(is_problem(
        anna.post("/events/", draft({{"title", std::string("a\0b", 3)}, {"description", std::string("\0", 1)}})), 422));
    EXPECT_TRUE(is_problem(
        anna.post("/auth/register", Json{{"email", std::string("a\0b@example.org", 15)}, {"name", "A"}, {"password", kPassword}}),
        422));
    const Json ticket = reserve(anna, make_event(anna)["id"]);
    EXPECT_TRUE(is_problem(
        anna.post(path_of("/tickets/", ticket["id"], "/pay"), Json{{"payment_reference", std::string("\0", 1)}}), 422));
}

TEST(Input, WithAFieldTwiceDoesNoHarm)
{
    Person anna = sign_up();
    const Answer answer = anna.send_text("PATCH", "/auth/me", R"({"name": "First", "name": "Second"})");
    EXPECT_TRUE(answer.status == 200 || answer.status == 400 || answer.status == 422) << answer;
    const std::string name = must(anna.get("/auth/me"), 200)["name"];
    EXPECT_TRUE(name == "First" || name == "Second" || name == anna.name) << name;
    const Answer bad = anna.send_text("PATCH", "/auth/me", R"({"name": "Good", "name": ""})");
    EXPECT_LT(bad.status, 500);
    EXPECT_NE(must(anna.get("/auth/me"), 200)["name"], "");
}

TEST(Input, OfAnotherContentTypeIsRefused)
{
    Person anna = sign_up();
    for (const char* type :
         {"text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"}) {
        const Answer answer = anna.send("POST", "/events/", {{"Content-Type", type}}, draft().dump());
        EXPECT_TRUE(answer.status == 415 || answer.status == 422 || answer.status == 400) << type << " " << answer;
        EXPECT_TRUE(is_problem(answer, answer.status));
    }
    EXPECT_TRUE(
        has_status(anna.send("POST", "/events/", {{"Content-Type", "application/json; charset=utf-8"}}, draft().dump()), 201));
}

TEST(Input, MayBeOddButGood)
{
    Person anna = sign_up();
    const Json user = must(anna.send_text("PATCH", "/auth/me", " \r\n\t{ \"n\\u0061me\" : \"\\u00e5\\u00df\\\"\\/\" } \n"), 200);
    EXPECT_EQ(user["name"], "åß\"/");
}

TEST(Framing, ServesManyRequestsOnOneConnectionInOrder)
{
    Wire wire(box_office());
    std::string bytes;
    for (int i = 0; i < 50; ++i)
        bytes += "GET /api/v1/events/?limit=1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: n" + std::to_string(i) + "\r\n\r\n";
    wire.send(bytes);
    for (int i = 0; i < 50; ++i) {
        const Answer answer = wire.read_answer();
        EXPECT_TRUE(has_status(answer, 200));
        EXPECT_EQ(answer.header("x-request-id"), "n" + std::to_string(i));
    }
}

TEST(Framing, ReadsAChunkedBodyAndWaitsForOneThatAsksFirst)
{
    Person anna = sign_up();
    const std::string head =
        "PATCH /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer " + anna.token() +
        "\r\n";
    EXPECT_EQ(
        must(exchange(head + "Transfer-Encoding: chunked\r\n\r\n8;x=y\r\n{\"name\":\r\n9\r\n\"Chunked\"\r\n1\r\n}\r\n0\r\n\r\n"),
             200)["name"],
        "Chunked");

    Wire wire(box_office());
    wire.send(head + "Content-Length: 16\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_TRUE(has_status(wire.read_answer(), 100));
    wire.send("{\"name\": \"Asks\"}");
    EXPECT_EQ(must(wire.read_answer(), 200)["name"], "Asks");
}

TEST(Framing, RefusesAndClosesWhereSmugglingHides)
{
    const std::string line = "POST /api/v1/auth/login HTTP/1.1\r\n", host = "Host: x\r\n";
    for (const std::string& bytes :
         {line + host + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          line + host + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
          line + host + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", line + host + "Content-Length: +2\r\n\r\n{}",
          line + host + "Content-Length: -2\r\n\r\n{}", line + host + "Content-Length: 2, 2\r\n\r\n{}",
          line + host + "Content-Length: 0x2\r\n\r\n{}", line + host + "Content-Length: \r\n\r\n{}",
          line + host + "Content-Length: 99999999999999999999\r\n\r\n{}", line + host + "Content-Length : 2\r\n\r\n{}",
          line + host + "X-A: b\r\n c\r\n\r\n", line + "Content-Length: 2\r\n\r\n{}",
          line + host + host + "Content-Length: 2\r\n\r\n{}", line + host + "X-A: b\rc\r\n\r\n",
          line + host + "X-A: b\nX-B: c\r\n\r\n", line + host + std::string("X-A: b\0c\r\n\r\n", 12),
          line + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", std::string("GET  /health HTTP/1.1\r\nHost: x\r\n\r\n"),
          std::string("GET /health\r\n\r\n")}) {
        const Answer answer = exchange_and_end(bytes);
        EXPECT_TRUE(answer.status == 400 || answer.status == 413 || answer.status == 505) << bytes << "\n" << answer;
        EXPECT_TRUE(is_problem(answer, answer.status)) << bytes;
    }
}

TEST(LimitsOfADay, OnAnAccountsEventsAre429WithTheTimeToWait)
{
    if (is_foreign()) GTEST_SKIP() << "needs a server of its own";
    TempDir home;
    ServeOptions options;
    options.more_arguments = {"--events-per-account-day", "2"};
    options.environment = {{"BOXOFFICE_RATE_LIMIT", "on"}};
    ServerProcess server(home.path(), options);
    Person anna = sign_up(server.address());
    Person ben = sign_up(server.address());
    const Json first = make_event(anna);
    make_event(anna);
    ASSERT_TRUE(has_status(anna.del(path_of("/events/", first["id"])), 204));
    const Headers key{{"Idempotency-Key", fresh_word()}};
    for (int i = 0; i < 2; ++i) {
        const Answer refused = anna.post("/events/", draft(), key);
        EXPECT_TRUE(is_problem(refused, 429, "rate_limited"));
        EXPECT_FALSE(refused.has("idempotency-replayed"));
        const int wait = std::stoi(refused.header("retry-after"));
        EXPECT_GT(wait, 86'000);
        EXPECT_LE(wait, 86'400);
        EXPECT_EQ(refused.header("ratelimit-policy"), "\"events\";q=2;w=86400");
        EXPECT_EQ(refused.header("ratelimit"), "\"events\";r=0;t=" + std::to_string(wait));
    }
    EXPECT_TRUE(is_invalid(anna.post("/events/", draft({{"total_tickets", 0}})))) << "what is wrong is said first";
    make_event(ben);
    Client watcher(server.address());
    EXPECT_NE(watcher.get("/metrics").body.find(R"(boxoffice_shed_total{class="catalogue",reason="events_a_day"} 2)"),
              std::string::npos);
}

TEST(LimitsOfADay, AreOffWhereNobodyIsLimited)
{
    if (is_foreign()) GTEST_SKIP() << "needs a server of its own";
    TempDir home;
    ServeOptions options;
    options.more_arguments = {"--events-per-account-day", "1"};
    options.environment = {{"BOXOFFICE_RATE_LIMIT", "off"}};
    ServerProcess server(home.path(), options);
    Person anna = sign_up(server.address());
    for (int i = 0; i < 3; ++i) make_event(anna);
}
