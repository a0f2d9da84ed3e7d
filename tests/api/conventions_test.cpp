#include <set>
#include <sstream>
#include <tuple>

#include "scene.hpp"

using namespace blackbox;

namespace
{

std::set<std::string> words_of(const std::string& list)
{
    std::set<std::string> words;
    std::istringstream in(list);
    for (std::string word; std::getline(in, word, ',');) {
        word.erase(0, word.find_first_not_of(' '));
        words.insert(word);
    }
    return words;
}

std::set<std::string> names_of(const Answer& answer)
{
    std::set<std::string> names;
    for (const auto& header : answer.headers) names.insert(header.first);
    return names;
}

}  // namespace

TEST(Problems, HaveTheShapeOfRfc9457Everywhere)
{
    Person anna = sign_up();
    Caller anonymous;
    EXPECT_TRUE(is_problem(anonymous.get("/nowhere"), 404, "not_found"));
    EXPECT_TRUE(is_problem(anonymous.get("/auth/me"), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(anonymous.send("PUT", "/events/"), 405));
    EXPECT_TRUE(is_problem(anonymous.get("/events/?limit=0"), 422, "invalid"));
    EXPECT_TRUE(is_problem(anna.send_text("POST", "/events/", "{"), 400));
    const Json body = anonymous.get("/nowhere").json();
    std::set<std::string> names;
    for (const auto& [name, value] : body.items()) names.insert(name);
    EXPECT_EQ(names, (std::set<std::string>{"type", "title", "status", "detail", "code", "instance"}));
}

TEST(RequestId, IsTheClientsOwnWhenItIsSane)
{
    Caller anonymous;
    for (const char* id : {"abc-123", "0", "01890a5d-ac96-774b-bcce-b302099a8057", "Root.1:2_3"}) {
        EXPECT_EQ(anonymous.get("/events/?limit=1", {{"X-Request-Id", id}}).header("x-request-id"), id);
        EXPECT_TRUE(is_problem(anonymous.get("/nowhere", {{"X-Request-Id", id}}), 404));
    }
}

TEST(RequestId, IsAnotherOneWhenTheClientsIsNotSane)
{
    Caller anonymous;
    for (const std::string& id : {std::string("two words"), std::string("<script>"), std::string("\"quoted\""),
                                  std::string(2000, 'x'), std::string("ü"), std::string()}) {
        const std::string given = anonymous.get("/events/?limit=1", {{"X-Request-Id", id}}).header("x-request-id");
        EXPECT_NE(given, id);
        EXPECT_FALSE(given.empty());
    }
}

TEST(RequestId, IsOnEveryAnswerAndNeverTheSame)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    Client client(anna.address());
    std::set<std::string> seen;
    int asked = 0;
    for (const Answer& answer :
         {anna.get("/events/"), anna.get("/nowhere"), anna.get(path_of("/events/", event["id"]), {{"If-None-Match", "*"}}),
          anna.send("OPTIONS", "/events/"), anna.send("HEAD", "/events/"), anna.del(path_of("/events/", event["id"])),
          client.get("/health"), client.get("/health/ready"), client.get("/metrics"), client.get("/openapi.json"),
          client.get("/docs"), client.get("/redoc"), client.get("/")}) {
        EXPECT_FALSE(answer.header("x-request-id").empty()) << answer;
        seen.insert(answer.header("x-request-id"));
        ++asked;
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(asked));
}

TEST(Methods, HeadIsGetWithoutTheBody)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    Client client(anna.address());
    const std::string organizer = "/api/v1/events/?organizer_id=" + std::to_string(anna.id);
    for (const std::string& target :
         {"/api/v1" + path_of("/events/", event["id"]), organizer, std::string("/health"), std::string("/openapi.json"),
          std::string("/docs"), std::string("/"), std::string("/api/v1/events/abc"), std::string("/nowhere"),
          std::string("/api/v1/auth/me"), std::string("/api/v1/events/?limit=0")}) {
        const Answer get = client.get(target, {{"X-Request-Id", "same"}}),
                     head = client.send({"HEAD", target, {{"X-Request-Id", "same"}}});
        EXPECT_EQ(head.status, get.status) << target;
        EXPECT_EQ(names_of(head), names_of(get)) << target;
        for (const char* same : {"content-length", "content-type", "etag", "x-total-count", "link"})
            EXPECT_EQ(head.header(same), get.header(same)) << target;
        EXPECT_EQ(get.header("content-length"), std::to_string(get.body.size()));
    }
    EXPECT_EQ(client.get("/health").status, 200) << "nothing of a HEAD's body may follow it";
}

TEST(Methods, OptionsNamesThoseThatWork)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    using Row = std::pair<std::string, std::set<std::string>>;
    for (const auto& [path, methods] :
         {Row{"/events/", {"GET", "HEAD", "OPTIONS", "POST"}}, Row{"/events", {"GET", "HEAD", "OPTIONS", "POST"}},
          Row{path_of("/events/", event["id"]), {"GET", "HEAD", "OPTIONS", "PATCH", "DELETE"}},
          Row{"/auth/me", {"GET", "HEAD", "OPTIONS", "PATCH"}}, Row{"/auth/login", {"OPTIONS", "POST"}},
          Row{"/for-you/events/nearby", {"GET", "HEAD", "OPTIONS"}}}) {
        Caller anonymous;
        const Answer answer = anonymous.send("OPTIONS", path);
        EXPECT_TRUE(answer.status == 204 || answer.status == 200) << answer;
        EXPECT_EQ(words_of(answer.header("allow")), methods) << path;
    }
    Client client(anna.address());
    EXPECT_TRUE(words_of(client.send({"OPTIONS", "/health"}).header("allow")).contains("GET"));
}

TEST(Methods, ThatAKnownPathDoesNotHaveAre405WithAllow)
{
    Person anna = sign_up();
    const std::string event = path_of("/events/", make_event(anna)["id"]);
    using Row = std::tuple<const char*, std::string, const char*>;
    for (const auto& [method, path, allowed] :
         {Row{"PUT", "/events/", "POST"}, Row{"DELETE", "/events/", "GET"}, Row{"POST", event, "PATCH"},
          Row{"PUT", event, "DELETE"}, Row{"GET", "/auth/login", "POST"}, Row{"DELETE", "/auth/me", "PATCH"},
          Row{"GET", "/tickets/", "POST"}, Row{"GET", "/tickets/1/pay", "POST"}, Row{"PATCH", "/tickets/1", "GET"},
          Row{"POST", "/for-you/events/nearby", "GET"}, Row{"BREW", "/events/", "GET"}, Row{"TRACE", "/events/", "GET"}}) {
        const Answer answer = anna.send(method, path);
        EXPECT_TRUE(is_problem(answer, 405)) << method << " " << path;
        EXPECT_TRUE(words_of(answer.header("allow")).contains(allowed)) << answer;
    }
    Client client(anna.address());
    EXPECT_TRUE(is_problem(client.send({"POST", "/health"}), 405));
}

TEST(Paths, ThatNobodyKnowsAre404)
{
    Client client(box_office());
    for (const char* target :
         {"/api/v1", "/api/v1/", "/api/v2/events/", "/api/v1/events/1/x", "/api/v1/event", "/api/v1/tickets/user/",
          "/api/v1/EVENTS/", "/nothing", "/docs/nothing.js", "/docs/../../etc/passwd", "/docs/%2e%2e/%2e%2e/etc/passwd",
          "/api/v1//events/", "/api/v1/events/%2F", "/.git/config", "/api/v1/tickets/1/pay/x"}) {
        const Answer answer = client.get(target);
        const bool unauthenticated_first = answer.status == 401;
        EXPECT_TRUE(unauthenticated_first || is_problem(answer, 404)) << target << " " << answer;
        EXPECT_EQ(answer.body.find("root:"), std::string::npos);
    }
}

TEST(Paths, AreReadWithTheirPercentSignsDecoded)
{
    Person anna = sign_up();
    const Json event = make_event(anna);
    Client client(anna.address());
    EXPECT_TRUE(has_status(client.get("/api/v1/%65vents/" + event["id"].dump()), 200));
    for (const char* target : {"/api/v1/events/%", "/api/v1/events/%zz", "/api/v1/events/?q=%"}) {
        const int status = client.get(target).status;
        EXPECT_TRUE(status == 400 || status == 404 || status == 422) << target << " " << status;
    }
}

TEST(Privacy, KeepsPersonalAnswersOutOfCaches)
{
    Person anna = sign_up();
    const Json ticket = reserve(anna, make_event(anna)["id"]);
    for (const Answer& answer : {anna.get("/auth/me"), anna.get(path_of("/tickets/", ticket["id"])),
                                 anna.get("/tickets/user/" + std::to_string(anna.id))}) {
        EXPECT_NE(answer.header("cache-control").find("no-store"), std::string::npos) << answer;
    }
}

TEST(Privacy, ShowsNobodyTheAddressOfAnother)
{
    Person anna = sign_up();
    Person eve = sign_up();
    const Json event = make_event(anna);
    for (const Answer& answer :
         {eve.get(path_of("/events/", event["id"])), eve.get("/events/?organizer_id=" + std::to_string(anna.id)),
          eve.get("/tickets/user/" + std::to_string(anna.id)), eve.del(path_of("/events/", event["id"]))}) {
        EXPECT_EQ(answer.body.find(anna.email), std::string::npos) << answer;
        EXPECT_EQ(answer.body.find(anna.name), std::string::npos) << answer;
    }
}
