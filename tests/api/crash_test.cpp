#include "crowd.hpp"

using namespace blackbox;

namespace
{

class Down : public testing::Test
{
protected:
    void SetUp() override
    {
        if (is_foreign()) GTEST_SKIP() << "takes a server down: only one of its own";
    }

    void expect_healthy() const
    {
        const Ran doctor = run_boxoffice(doctor_of(home_.path()));
        EXPECT_EQ(doctor.exit_code, 0) << doctor.output;
    }

    TempDir home_;
};

}  // namespace

TEST_F(Down, ByATermSignalUnderLoadCutsNoAnswerShort)
{
    ServerProcess server(home_.path());
    Crowd crowd(server.address(), 16);
    Wire idle(server.address());
    crowd.start();
    crowd.wait_for_promises(400);
    EXPECT_EQ(server.stop(), 0) << server.last_words();
    crowd.join();
    EXPECT_EQ(crowd.cut_answers(), 0);
    EXPECT_TRUE(idle.ends());
    expect_healthy();

    ServerProcess next(home_.path());
    crowd.check_promises(next.address());
    EXPECT_EQ(next.stop(), 0) << next.last_words();
}

TEST_F(Down, ByATermSignalInTimeThoughAMinuteOfPasswordsWaits)
{
    ServeOptions slow;
    slow.bcrypt_cost = "13";  // half a second each: the queue below is half a minute long
    ServerProcess server(home_.path(), slow);
    std::vector<Wire> logins;
    for (int i = 0; i < 60; ++i) {
        logins.emplace_back(server.address());
        const Ask login{
            "POST", "/api/v1/auth/login", {{"Content-Type", "application/json"}}, R"({"email":"a@b.co","password":"12345678"})"};
        logins.back().send(to_bytes(login, server.address()));
    }
    Client watcher(server.address());
    const auto waiting = [&] {
        const std::string text = watcher.get("/metrics").body;
        constexpr std::string_view kName = "boxoffice_lane_depth{lane=\"password\"} ";
        const auto at = text.find(kName);
        return at == text.npos ? 0 : std::stoi(text.substr(at + kName.size()));
    };
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (waiting() < 40) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    EXPECT_EQ(server.stop(), 0) << server.last_words();
    expect_healthy();
}

TEST_F(Down, ByATermSignalWhenNobodyIsThere)
{
    ServerProcess server(home_.path());
    EXPECT_EQ(server.stop(), 0) << server.last_words();
    ServerProcess next(home_.path());
    EXPECT_EQ(next.stop(), 0) << next.last_words();
    expect_healthy();
}

TEST_F(Down, ByAKillUnderLoadLosesNothingThatWasAcknowledged)
{
    auto server = std::make_unique<ServerProcess>(home_.path());
    Crowd crowd(server->address(), 16);
    crowd.start();
    crowd.wait_for_promises(600);
    server->kill_hard();
    crowd.join();
    expect_healthy();

    ServerProcess next(home_.path());
    crowd.check_promises(next.address());
    EXPECT_EQ(next.stop(), 0) << next.last_words();
    expect_healthy();
}

TEST_F(Down, ByAKillAgainAndAgainKeepsCountAndGoesOnSelling)
{
    auto server = std::make_unique<ServerProcess>(home_.path());
    Person anna = sign_up(server->address());
    const Json event = make_event(anna, {{"total_tickets", 1'000}});
    for (int sold = 1; sold <= 5; ++sold) {
        reserve(anna, event["id"]);
        server->kill_hard();
        server = std::make_unique<ServerProcess>(home_.path());
        Person same(server->address(), anna.token());
        EXPECT_EQ(get_event(same, event["id"])["tickets_sold"], sold);
        anna = std::move(same);
    }
    EXPECT_EQ(server->stop(), 0) << server->last_words();
    expect_healthy();
}

TEST_F(Down, LapsesTheHoldsThatRanOutMeanwhile)
{
    ServeOptions hasty;
    hasty.hold_seconds = "0.5";
    auto server = std::make_unique<ServerProcess>(home_.path(), hasty);
    Person anna = sign_up(server->address());
    const Json event = make_event(anna, {{"total_tickets", 1}});
    const Json ticket = reserve(anna, event["id"]);
    server->kill_hard();
    wait_until_after(parse_time(ticket["expires_at"]));
    server = std::make_unique<ServerProcess>(home_.path(), hasty);
    Caller same(server->address(), anna.token());
    EXPECT_EQ(must(same.get(path_of("/tickets/", ticket["id"])), 200)["status"], "expired");
    reserve(same, event["id"]);
    EXPECT_EQ(server->stop(), 0) << server->last_words();
    expect_healthy();
}

TEST_F(Down, AndPutBackOpensNoAccountToATokenOfTheLifeThatWasLost)
{
    if (on_postgres()) GTEST_SKIP() << "a shared store is put back by its own tools: PostgresRestoring.*";
    auto server = std::make_unique<ServerProcess>(home_.path());
    const Person early = sign_up(server->address());
    EXPECT_EQ(server->stop(), 0) << server->last_words();
    const std::string data = (home_.path() / "data").string();
    const std::string copy = (home_.path() / "copy.db").string();
    ASSERT_EQ(run_boxoffice({"backup", copy, "--data", data}).exit_code, 0);

    server = std::make_unique<ServerProcess>(home_.path());
    const Person lost = sign_up(server->address());
    EXPECT_EQ(server->stop(), 0) << server->last_words();
    const Ran restored = run_boxoffice({"restore", copy, "--data", data});
    ASSERT_EQ(restored.exit_code, 0) << restored.output;

    server = std::make_unique<ServerProcess>(home_.path());
    const Person next = sign_up(server->address());
    EXPECT_NE(next.id, lost.id);
    for (const std::string& token : {early.token(), lost.token()}) {
        Caller stranger(server->address(), token);
        EXPECT_TRUE(is_problem(stranger.get("/auth/me"), 401, "unauthenticated"));
    }
    Caller anonymous(server->address());
    const Json login = must(anonymous.post("/auth/login", Json{{"email", early.email}, {"password", early.password}}), 200);
    Caller back(server->address(), std::string(login["access_token"]));
    EXPECT_EQ(must(back.get("/auth/me"), 200)["id"], early.id);
    EXPECT_EQ(server->stop(), 0) << server->last_words();
    expect_healthy();
}
