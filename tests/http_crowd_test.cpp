// Who is let in, stays and is given memory when many clients want more than there is.
#include <atomic>
#include <thread>

#include "http_toy.hpp"
#include "runtime/shedding.hpp"

namespace boxoffice::http
{

namespace
{

constexpr const char* kGreedy = "127.0.0.66";
constexpr const char* kHonest = "127.0.0.77";

/// A server with a figure for what it sheds.
class CrowdedServer : public ::testing::Test
{
protected:
    explicit CrowdedServer(const ServerOptions& options) : server(options, toy, &shedding_) { server.start(); }
    ~CrowdedServer() override { server.stop(2s); }

    using Clients = std::vector<std::unique_ptr<Client>>;

    Client& join(Clients& clients, const char* from, int receive_bytes = 0) const
    {
        clients.push_back(std::make_unique<Client>(server.port(), receive_bytes, from));
        return *clients.back();
    }
    /// A connection that has been answered, and waits.
    Client& join_idle(Clients& clients, const char* from, std::string_view target = "/hello") const
    {
        Client& client = join(clients, from);
        client.send(get(target));
        EXPECT_EQ(client.read().status, 200);
        return client;
    }
    int status_from(const char* from, std::string_view target = "/hello") const
    {
        Client client(server.port(), 0, from);
        client.send(get(target));
        return client.read().status;
    }
    [[nodiscard]] bool counted(std::string_view cls, std::string_view reason)
    {
        const auto line = "boxoffice_shed_total{class=\"" + std::string(cls) + "\",reason=\"" + std::string(reason) + "\"} ";
        return metrics_.render().find(line) != std::string::npos;
    }
    /// Waits until it is so.
    template <class Condition>
    [[nodiscard]] static bool comes(const Condition& condition)
    {
        const auto patience = std::chrono::steady_clock::now() + 20s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > patience) return false;
            std::this_thread::yield();
        }
        return true;
    }

    Metrics metrics_;
    Shedding shedding_{metrics_};
    Toy toy;
    Server server;
};

// --- One client's connections ------------------------------------------------------------------------------------------

ServerOptions three_each()
{
    auto options = on_any_port();
    options.client_connections.per_address = 3;
    options.trusted_proxies = {"127.0.0.9"};
    return options;
}

class ThreeEach : public CrowdedServer
{
protected:
    explicit ThreeEach(const ServerOptions& options = three_each()) : CrowdedServer(options) {}
};

TEST_F(ThreeEach, RefusesTheFourthOfAnAddressAndNobodyElses)
{
    Clients clients;
    for (int i = 0; i < 3; ++i) join_idle(clients, kGreedy);
    EXPECT_EQ(status_from(kGreedy), 503);
    EXPECT_TRUE(counted("connection", "client_full"));
    EXPECT_EQ(status_from(kHonest), 200);
    clients.front()->send(get("/hello"));
    EXPECT_EQ(clients.front()->read().status, 200) << "those it has go on";
}

TEST_F(ThreeEach, GivesAPlaceBackWithItsConnectionHoweverThatEnds)
{
    for (int round = 0; round < 6; ++round) {
        Clients clients;
        for (int i = 0; i < 3; ++i) join_idle(clients, kGreedy);
        if (round % 3 == 0) clients.front()->send("nonsense\r\n\r\n");
        if (round % 3 == 1) clients.front()->reset();
        clients.clear();
        EXPECT_TRUE(comes([&] { return server.connections() == 0; }));
    }
}

TEST_F(ThreeEach, CountsTheConnectionsThatItRefusesForNothing)
{
    Clients clients;
    for (int i = 0; i < 3; ++i) join_idle(clients, kGreedy);
    Clients refused;
    for (int i = 0; i < 40; ++i) join(refused, kGreedy);
    for (const auto& client : refused) EXPECT_TRUE(client->is_hung_up_on());
    EXPECT_EQ(server.connections(), 3U);
    clients.clear();
    EXPECT_TRUE(comes([&] { return server.connections() == 0; }));
    EXPECT_EQ(status_from(kGreedy), 200);
}

TEST_F(ThreeEach, CountsAProxysRequestsByWhomTheyAreFor)
{
    const auto later_for = [](std::string_view whom) {
        return "GET /later HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + std::string(whom) + "\r\n\r\n";
    };
    Clients clients;
    std::vector<Respond> waiting;
    for (int i = 0; i < 8; ++i) {  // more than an address may have
        join(clients, "127.0.0.9").send(later_for(i < 3 ? "203.0.113.7" : "203.0.113." + std::to_string(100 + i)));
        waiting.push_back(toy.take_parked());
    }
    Client& proxy = join(clients, "127.0.0.9");
    proxy.send(later_for("203.0.113.7"));
    EXPECT_EQ(proxy.read().status, 503);
    EXPECT_TRUE(counted("request", "client_full"));
    proxy.send(later_for("203.0.113.8"));
    auto respond = toy.take_parked();
    respond(text("for another"));
    EXPECT_EQ(proxy.read().body, "for another") << "on the same connection";
    for (const auto& each : waiting) each(text("done"));
    for (int i = 0; i < 8; ++i) EXPECT_EQ(clients.at(static_cast<std::size_t>(i))->read().body, "done");
    proxy.send(later_for("203.0.113.7"));
    toy.take_parked()(text("again"));
    EXPECT_EQ(proxy.read().body, "again");
}

class WithoutClientLimits : public ThreeEach
{
protected:
    static ServerOptions unlimited()
    {
        auto options = three_each();
        options.client_limits = false;
        return options;
    }
    WithoutClientLimits() : ThreeEach(unlimited()) {}
};

TEST_F(WithoutClientLimits, OneAddressMayHaveAnyNumber)
{
    Clients clients;
    for (int i = 0; i < 20; ++i) join_idle(clients, kGreedy);
    EXPECT_EQ(server.connections(), 20U);
}

// --- Connections in all ------------------------------------------------------------------------------------------------

ServerOptions places_for_sixteen()
{
    auto options = on_any_port();
    options.threads = 1;
    options.connections_max = 16;  // of these two are kept for who has signed in
    return options;
}

class SixteenPlaces : public CrowdedServer
{
protected:
    SixteenPlaces() : CrowdedServer(places_for_sixteen()) {}
};

TEST_F(SixteenPlaces, TheLongestIdleAnonymousConnectionMakesWayForANewcomer)
{
    Clients clients;
    for (int i = 0; i < 14; ++i) {
        join_idle(clients, kGreedy);
        std::this_thread::sleep_for(1ms);  // so that it is known who has waited longest
    }
    clients.front()->send(get("/hello"));
    EXPECT_EQ(clients.front()->read().status, 200) << "no longer the longest";
    for (int i = 0; i < 5; ++i) join_idle(clients, kHonest);
    for (std::size_t i = 1; i <= 5; ++i) EXPECT_TRUE(clients.at(i)->is_over()) << i;
    EXPECT_EQ(server.connections(), 14U);
    EXPECT_TRUE(counted("connection", "made_way"));
    for (const std::size_t i : {0U, 6U, 13U, 14U, 18U}) {
        clients.at(i)->send(get("/hello"));
        EXPECT_EQ(clients.at(i)->read().status, 200) << i;
    }
}

TEST_F(SixteenPlaces, HalfSentRequestsAreIdleSinceTheirFirstByte)
{
    Clients clients;
    for (int i = 0; i < 14; ++i) {
        Client& slow = join(clients, kGreedy);
        if (i % 3 == 0) slow.send("GET /hello HTTP/1.1\r\nHo");
        if (i % 3 == 1) slow.send(post("Content-Length: 9\r\n", "half"));
    }
    EXPECT_TRUE(comes([&] { return server.connections() == 14; }));
    for (int i = 0; i < 14; ++i) {
        for (int n = 0; n < 14; ++n) clients.at(static_cast<std::size_t>(n))->send(n % 3 == 0 ? "s" : "");  // a byte at a time
        EXPECT_EQ(status_from(kHonest), 200);
    }
}

TEST_F(SixteenPlaces, WhoHasSignedInStaysWhileAnonymousOnesGo)
{
    Clients clients;
    for (int i = 0; i < 10; ++i) join_idle(clients, kHonest, "/signed");
    for (int i = 0; i < 30; ++i) join_idle(clients, kGreedy);
    for (std::size_t i = 0; i < 10; ++i) {
        clients.at(i)->send(get("/hello"));
        EXPECT_EQ(clients.at(i)->read().status, 200) << i;
    }
}

TEST_F(SixteenPlaces, TheLastAreKeptForThoseWhoSignIn)
{
    Clients clients;
    std::vector<Respond> waiting;
    for (int i = 0; i < 14; ++i) {  // none of them idle
        join(clients, kGreedy).send(get("/later"));
        waiting.push_back(toy.take_parked());
    }
    Client visitor(server.port(), 0, kHonest);
    visitor.send(get("/hello"));
    const auto answer = visitor.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.says("Connection: close\r\n")) << "and goes after it";
    EXPECT_TRUE(visitor.is_over());
    EXPECT_TRUE(comes([&] { return server.connections() == 14; }));
    join_idle(clients, kHonest, "/signed");
    join_idle(clients, kHonest, "/signed");
    for (int i = 0; i < 3; ++i) {
        clients.back()->send(get("/hello"));
        EXPECT_EQ(clients.back()->read().status, 200);
    }
    EXPECT_EQ(server.connections(), 16U);
    EXPECT_EQ(status_from(kGreedy), 200) << "the longest idle of those who signed in goes last of all, but goes";
    for (const auto& respond : waiting) respond(text("done"));
}

TEST_F(SixteenPlaces, WhoDoesNotTakeAnAnswerMakesWayToo)
{
    Clients clients;
    for (int i = 0; i < 14; ++i) join(clients, kGreedy, 4096).send(get("/big"));  // static: it costs no memory
    EXPECT_TRUE(comes([&] { return server.connections() == 14; }));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(status_from(kHonest), 200);
}

TEST_F(SixteenPlaces, EachMakesWayOnceHoweverManyComeTogether)
{
    Clients clients;
    for (int i = 0; i < 14; ++i) join_idle(clients, kGreedy);
    clients.back()->send(get("/block"));
    toy.wait_until_blocked();
    for (int i = 0; i < 6; ++i)
        join(clients, kHonest).send(get("/hello"));  // they wait in the kernel, and are let in by the stop
    std::thread stopping([&] { server.stop(2s); });
    std::this_thread::sleep_for(100ms);
    toy.let_go();
    stopping.join();
    EXPECT_EQ(server.connections(), 0U);
}

// --- Memory ------------------------------------------------------------------------------------------------------------

constexpr std::size_t kMegabyte = 1024 * 1024;

ServerOptions little_memory()
{
    auto options = on_any_port();
    options.unsent_bytes_max = 8 * kMegabyte;  // of it one megabyte an address
    options.received_bytes_max = kMegabyte;    // 128 KiB
    return options;
}

class LittleMemory : public CrowdedServer
{
protected:
    explicit LittleMemory(const ServerOptions& options = little_memory()) : CrowdedServer(options) {}
};

TEST_F(LittleMemory, OneAddressThatDoesNotReadIsRefusedWhatTheOthersGet)
{
    Clients greedy;
    for (int i = 0; i < 20; ++i) join(greedy, kGreedy, 4096).send(get("/owned"));
    int refused = 0;
    EXPECT_TRUE(comes([&] { return counted("memory", "unsent_client_full"); }));
    EXPECT_LE(server.unsent_bytes(), kMegabyte);
    Clients honest;
    Client& reader = join(honest, kHonest);
    reader.send(get("/owned"));
    EXPECT_EQ(reader.read().body.size(), 300'000U);
    for (const auto& client : greedy) refused += client->read().status == 503 ? 1 : 0;
    EXPECT_GE(refused, 14);
    EXPECT_LE(refused, 17);
    EXPECT_TRUE(comes([&] { return server.unsent_bytes() == 0; })) << "what is read costs nothing any more";
}

TEST_F(LittleMemory, WhatIsRefusedForMemoryIsRefusedOnAConnectionThatGoesOn)
{
    Clients greedy;
    for (int i = 0; i < 3; ++i) join(greedy, kGreedy, 4096).send(get("/owned"));
    EXPECT_TRUE(comes([&] { return server.unsent_bytes() >= 900'000; }));
    Client& late = join(greedy, kGreedy);
    late.send(get("/owned") + get("/hello"));
    const auto refusal = late.read();
    EXPECT_EQ(refusal.status, 503);
    EXPECT_FALSE(refusal.says("Connection: close"));
    EXPECT_EQ(late.read().body, "/hello");
}

TEST_F(LittleMemory, PipelinedRequestsAreNotCarriedOutBeforeTheirAnswersAreTaken)
{
    std::string requests;
    for (int i = 0; i < 1000; ++i) requests += get("/owned");
    Client greedy(server.port(), 4096, kGreedy);
    greedy.send(requests);
    EXPECT_TRUE(comes([&] { return server.unsent_bytes() > 0; }));
    EXPECT_LE(server.unsent_bytes(), 400'000U);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(greedy.read().body.size(), 300'000U) << i;
        ASSERT_LE(server.unsent_bytes(), 400'000U);
    }
}

TEST_F(LittleMemory, AClientThatGoesGivesItsMemoryBack)
{
    for (int i = 0; i < 30; ++i) {
        Client client(server.port(), 4096, kGreedy);
        client.send(get("/owned") + get("/later"));
        EXPECT_TRUE(comes([&] { return server.unsent_bytes() > 0; }));
        client.reset();
        EXPECT_TRUE(comes([&] { return server.unsent_bytes() == 0; }));
    }
}

TEST_F(LittleMemory, BodiesThatAreNotFinishedAreCountedAndBounded)
{
    const std::string half(32 * 1024, 'x');
    Clients greedy;
    for (int i = 0; i < 12; ++i) join(greedy, kGreedy).send(post("Content-Length: 65536\r\n", half));
    EXPECT_TRUE(comes([&] { return counted("memory", "received_client_full"); }));
    EXPECT_LE(server.received_bytes(), 128U * 1024);
    Client honest(server.port(), 0, kHonest);
    honest.send(post("Content-Length: 65536\r\n", half + half));
    EXPECT_EQ(honest.read().body.size(), 65'536U);
    greedy.clear();
    EXPECT_TRUE(comes([&] { return server.received_bytes() == 0; }));
}

TEST_F(LittleMemory, HeadersThatAreNotFinishedAreCountedAndBounded)
{
    const std::string half = "GET /hello HTTP/1.1\r\nHost: a\r\nX-Long: " + std::string(14 * 1024, 'x');
    Clients greedy;
    for (int i = 0; i < 16; ++i) join(greedy, kGreedy).send(half);
    EXPECT_TRUE(comes([&] { return counted("memory", "received_client_full"); }));
    EXPECT_LE(server.received_bytes(), 128U * 1024);
    EXPECT_EQ(status_from(kHonest), 200);
}

TEST_F(LittleMemory, ARequestIsCountedUntilItIsAnswered)
{
    Client client(server.port(), 0, kGreedy);
    client.send("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
    client.send(std::string(30'000, 'x'));
    EXPECT_TRUE(comes([&] { return server.received_bytes() >= 30'000; }));
    client.send(std::string(30'000, 'x'));
    const auto respond = toy.take_parked();
    EXPECT_GE(server.received_bytes(), 30'000U);
    respond(text("done"));
    EXPECT_EQ(client.read().body, "done");
    EXPECT_TRUE(comes([&] { return server.received_bytes() == 0; }));
}

class OneAnswerEach : public LittleMemory
{
protected:
    static ServerOptions share_of_one()
    {
        auto options = little_memory();
        options.unsent_bytes_max = 2 * kMegabyte;  // of it less than one answer an address, which the first has all the same
        return options;
    }
    OneAnswerEach() : LittleMemory(share_of_one()) {}
};

TEST_F(OneAnswerEach, WhatHasBeenDoneIsToldAsDone)
{
    Clients greedy;
    join(greedy, kGreedy, 4096).send(get("/owned"));
    EXPECT_TRUE(comes([&] { return server.unsent_bytes() >= 300'000; }));
    Client& late = join(greedy, kGreedy);
    late.send(get("/owned") + get("/changed"));
    EXPECT_EQ(late.read().status, 503);
    const auto told = late.read();
    EXPECT_EQ(told.status, 200);
    EXPECT_EQ(told.body.size(), 40'000U);
}

class LittleMemoryForAll : public LittleMemory
{
protected:
    static ServerOptions any_share()
    {
        auto options = little_memory();
        options.client_limits = false;  // memory is bounded all the same
        return options;
    }
    LittleMemoryForAll() : LittleMemory(any_share()) {}
};

TEST_F(LittleMemoryForAll, SlowReadersAreCutOnceHalfOfItIsUsedAndQuickOnesAreNot)
{
    Clients slow;
    for (int i = 0; i < 27; ++i) join(slow, kGreedy, 4096).send(get("/owned"));  // 7.7 of 8 MB
    EXPECT_TRUE(comes([&] { return server.unsent_bytes() > 7 * kMegabyte; }));
    std::atomic<bool> enough{false};
    std::atomic<int> failed{0};
    std::thread quick([&] {
        Client client(server.port(), 64 * 1024, kHonest);
        while (!enough) {
            client.send(get("/big"));
            if (client.read().body != big_page()) ++failed;
        }
    });
    EXPECT_TRUE(comes([&] { return server.unsent_bytes() <= 4 * kMegabyte; }));
    EXPECT_TRUE(counted("memory", "slow_reader"));
    enough = true;
    quick.join();
    EXPECT_EQ(failed, 0);
}

}  // namespace

}  // namespace boxoffice::http
