// One client's share: what an address or an account does too much of is refused to it, and to no other.
#include <gtest/gtest.h>

#include "scene.hpp"

using namespace blackbox;

namespace
{

class Shares : public testing::Test
{
protected:
    static ServeOptions limited(std::vector<std::string> more, std::string bcrypt_cost = "4")
    {
        ServeOptions options;
        options.environment = {{"BOXOFFICE_RATE_LIMIT", "on"}};
        options.more_arguments = std::move(more);
        options.bcrypt_cost = std::move(bcrypt_cost);
        return options;
    }
    static Address from(const ServerProcess& server, std::string source)
    {
        Address address = server.address();
        address.source = std::move(source);
        return address;
    }
    static Answer log_in(const Address& at, const std::string& email, const std::string& password)
    {
        return Caller(at).post("/auth/login", Json{{"email", email}, {"password", password}});
    }
    static Json register_at(const Address& at, const std::string& email)
    {
        const Answer answer =
            Caller(at).post("/auth/register", Json{{"email", email}, {"name", "N"}, {"password", "right password"}});
        EXPECT_TRUE(has_status(answer, 201));
        return answer.json();
    }
    static std::string login_request(const std::string& email)
    {
        const std::string body = Json{{"email", email}, {"password", "wrong password"}}.dump();
        return "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    TempDir home_;
};

}  // namespace

TEST_F(Shares, AFloodOfLoginsFromOneAddressKeepsNobodyElseFromSigningIn)
{
    ServerProcess server(home_.path(), limited({"--password-threads", "1"}, "10"));
    const Address here = from(server, "127.0.0.2");
    register_at(here, "ada@example.org");
    std::vector<Wire> flood;
    for (int i = 0; i < 60; ++i) {
        flood.emplace_back(from(server, "127.0.0.66"));
        flood.back().send(login_request("nobody" + std::to_string(i) + "@example.org"));
    }
    EXPECT_TRUE(has_status(log_in(here, "ada@example.org", "right password"), 200));
    EXPECT_TRUE(has_status(
        Caller(here).post("/auth/register", Json{{"email", "b@example.org"}, {"name", "B"}, {"password", "12345678"}}), 201));
    int answered = 0;
    for (const Wire& wire : flood) answered += wire.has_answer() ? 1 : 0;
    EXPECT_LT(answered, 40) << "the last client was not served in turn";
    for (Wire& wire : flood) EXPECT_TRUE(is_problem(wire.read_answer("POST"), 401));
}

TEST_F(Shares, WrongPasswordsAreLimitedByAccountAndAddressAndLockNobodyOut)
{
    ServerProcess server(home_.path(), limited({"--guess-rate", "3/1", "--account-guess-rate", "5/1"}));
    const Address thief = from(server, "127.0.0.66");
    register_at(thief, "ada@example.org");
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(is_problem(log_in(thief, "ada@EXAMPLE.org", "wrong"), 401));
    const Answer refused = log_in(thief, "ada@example.org", "right password");
    EXPECT_TRUE(is_problem(refused, 429));
    EXPECT_GE(std::stoi(refused.header("retry-after")), 50);
    EXPECT_TRUE(refused.header("ratelimit-policy").starts_with("\"guess\"")) << refused;
    for (int i = 10; i < 30; ++i)
        EXPECT_TRUE(is_problem(log_in(from(server, "127.0.1." + std::to_string(i)), "ada@example.org", "wrong"), 401));
    EXPECT_TRUE(has_status(log_in(from(server, "127.0.0.3"), "ada@example.org", "right password"), 200));
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(has_status(log_in(from(server, "127.0.0.3"), "ada@example.org", "right password"), 200));
    EXPECT_TRUE(is_problem(log_in(thief, "other@example.org", "wrong"), 401)) << "another account";
}

TEST_F(Shares, SearchesHaveAPriceAndFirstPagesHaveNone)
{
    ServerProcess server(home_.path(), limited({"--search-rate", "6/6"}));
    Caller greedy(from(server, "127.0.0.66"));
    const std::string wide = "/for-you/events/nearby?latitude=1&longitude=1&radius_km=20000";
    const Answer first = greedy.get(wide);
    EXPECT_TRUE(has_status(first, 200));
    EXPECT_EQ(first.header("ratelimit-policy"), "\"search\";q=6;w=60");
    EXPECT_TRUE(has_status(greedy.get("/events/?q=jazz"), 200));
    const Answer refused = greedy.get("/events/?starts_after=2030-01-01T00:00:00Z");
    EXPECT_TRUE(is_problem(refused, 429));
    EXPECT_FALSE(refused.header("retry-after").empty());
    EXPECT_TRUE(has_status(greedy.get("/events/"), 200));
    EXPECT_TRUE(has_status(Caller(from(server, "127.0.0.2")).get("/events/?q=jazz"), 200));
}

TEST_F(Shares, TrustedAccountsHaveNoLimitByAccount)
{
    ServerProcess server(home_.path(), limited({"--account-rate", "2/1", "--trusted-accounts", "1"}));
    const Address here = from(server, "127.0.0.2");
    for (const char* email : {"shop@example.org", "ada@example.org"}) {
        const auto id = register_at(here, email).at("id").get<std::int64_t>();
        Caller caller(here, log_in(here, email, "right password").json().at("access_token").get<std::string>());
        EXPECT_TRUE(has_status(caller.get("/auth/me"), 200));
        EXPECT_TRUE(has_status(caller.get("/auth/me"), 200));
        EXPECT_TRUE(has_status(caller.get("/auth/me"), id == 1 ? 200 : 429)) << id;
    }
}
