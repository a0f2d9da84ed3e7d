// The live feed over HTTP: the REST API behind a real server.
#include "api_fixture.hpp"
#include "http_toy.hpp"

namespace boxoffice::http
{

namespace
{

class LiveFeed : public ApiFixture
{
protected:
    LiveFeed()
    {
        live_.start(writes_);
        server.start();
    }
    void TearDown() override
    {
        server.stop(2s);
        ApiFixture::TearDown();
    }

    static std::string asking(std::string_view target, std::string_view fields = {})
    {
        return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
    }
    /// The number in "id: 17".
    static std::string id_of(const std::string& event)
    {
        const auto begin = event.find("id: ") + 4;
        return event.substr(begin, event.find('\n', begin) - begin);
    }

    Server server{on_any_port(), *api_};
};

/// Few feeds, of an age that a test can wait for.
class FewFeeds : public ApiFixture
{
protected:
    explicit FewFeeds(Micros age = 15min)
    {
        auto few = parts();
        few.feeds = {.total = 5, .per_address = 3, .per_account = 2};
        few.feed_age = age;
        few.trusted_proxies = {"127.0.0.9"};
        few.shedding = &shedding_;
        api_ = make_api(std::move(few));
        live_.start(writes_);
        auto options = on_any_port();
        options.trusted_proxies = {"127.0.0.9"};
        server = std::make_unique<Server>(options, *api_);
        server->start();
    }
    void TearDown() override
    {
        server->stop(2s);
        ApiFixture::TearDown();
    }

    using Clients = std::vector<std::unique_ptr<Client>>;

    /// The status of a feed that stays open, if it is one.
    int watch(Clients& clients, const char* from, std::string_view fields = {})
    {
        clients.push_back(std::make_unique<Client>(server->port(), 0, from));
        clients.back()->send("GET /api/v1/events/5/live HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
        const auto head = clients.back()->read(Method::head);
        if (head.status == 503) EXPECT_TRUE(head.says("\r\nRetry-After: ")) << head.head;
        if (head.status == 503) EXPECT_FALSE(head.says("\r\nConnection: close")) << head.head;
        return head.status;
    }
    bool counted(std::string_view reason)
    {
        const auto line = "boxoffice_shed_total{class=\"live\",reason=\"" + std::string(reason) + "\"} ";
        return metrics_.render().find(line) != std::string::npos;
    }

    Shedding shedding_{metrics_};
    std::unique_ptr<Server> server;
};

TEST_F(FewFeeds, AreSharedOutByAddressAndInAll)
{
    Clients clients;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(watch(clients, "127.0.0.66"), 200);
    EXPECT_EQ(watch(clients, "127.0.0.66"), 503);
    EXPECT_TRUE(counted("client_full"));
    for (int i = 0; i < 2; ++i) EXPECT_EQ(watch(clients, "127.0.0.77"), 200);
    EXPECT_EQ(watch(clients, "127.0.0.77"), 503);
    EXPECT_TRUE(counted("full"));
    Client other(server->port(), 0, "127.0.0.77");
    other.send("GET /api/v1/events/5 HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(other.read().status, 200) << "feeds are full, and nothing else";
}

TEST_F(FewFeeds, ComeFreeAsSoonAsTheirClientGoes)
{
    for (int round = 0; round < 4; ++round) {
        Clients clients;
        for (int i = 0; i < 3; ++i) EXPECT_EQ(watch(clients, "127.0.0.66"), 200);
        clients.clear();
        while (server->connections() > 0) std::this_thread::yield();
    }
}

TEST_F(FewFeeds, AreSharedOutByAccountWhereATokenIsShown)
{
    Clients clients;
    EXPECT_EQ(watch(clients, "127.0.0.66", "Authorization: Bearer u1\r\n"), 200);
    EXPECT_EQ(watch(clients, "127.0.0.77", "Authorization: Bearer u1\r\n"), 200);
    EXPECT_EQ(watch(clients, "127.0.0.88", "Authorization: Bearer u1\r\n"), 503);
    EXPECT_TRUE(counted("account_full"));
    EXPECT_EQ(watch(clients, "127.0.0.88", "Authorization: Bearer u2\r\n"), 200);
    EXPECT_EQ(watch(clients, "127.0.0.88", "Authorization: nonsense\r\n"), 200) << "a feed needs no account";
}

TEST_F(FewFeeds, BehindAProxyAreCountedByWhomTheyAreFor)
{
    Clients clients;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(watch(clients, "127.0.0.9", "X-Forwarded-For: 203.0.113.7\r\n"), 200);
    EXPECT_EQ(watch(clients, "127.0.0.9", "X-Forwarded-For: 203.0.113.7\r\n"), 503);
    EXPECT_EQ(watch(clients, "127.0.0.9", "X-Forwarded-For: 203.0.113.8\r\n"), 200);
}

TEST_F(FewFeeds, ARequestForNobodyIsRefused)
{
    Clients clients;
    EXPECT_EQ(watch(clients, "127.0.0.9", "X-Forwarded-For: unknown\r\n"), 400);
    EXPECT_EQ(watch(clients, "127.0.0.9", "X-Forwarded-For: \r\n"), 400);
    EXPECT_EQ(watch(clients, "127.0.0.9"), 200) << "the proxy asks for itself";
    EXPECT_EQ(watch(clients, "127.0.0.77", "X-Forwarded-For: unknown\r\n"), 200) << "which is not trusted anyway";
}

class OldFeeds : public FewFeeds
{
protected:
    OldFeeds() : FewFeeds(1us) {}
};

TEST_F(OldFeeds, EndAndTheirClientComesAgain)
{
    Clients clients;
    ASSERT_EQ(watch(clients, "127.0.0.66"), 200);
    EXPECT_NE(clients.front()->read_past("\"available_tickets\":2"), "") << "what is new is still told";
    EXPECT_NE(clients.front()->read_past("\r\n0\r\n\r\n"), "");
    EXPECT_TRUE(clients.front()->is_over());
}

TEST_F(LiveFeed, SaysThePresentStateAndThenEachChange)
{
    Client client(server.port());
    client.send(asking("/api/v1/events/5/live"));
    const auto head = client.read(Method::head);
    EXPECT_EQ(head.status, 200);
    EXPECT_TRUE(head.says("\r\nContent-Type: text/event-stream\r\n"));
    EXPECT_TRUE(head.says("\r\nCache-Control: no-store\r\n"));
    EXPECT_TRUE(head.says("\r\nX-Accel-Buffering: no\r\n"));
    EXPECT_TRUE(head.says("\r\nX-Request-Id: "));
    EXPECT_EQ(client.read_past("\n\n\r\n"), "d\r\nretry: 2000\n\n\r\n");
    const auto first = client.read_past("\n\n\r\n");
    EXPECT_NE(first.find("\nevent: availability\ndata: {\"available_tickets\":2,\"next_release_at\":null}\n\n"),
              std::string::npos)
        << first;
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1)).status, 201);
    const auto second = client.read_past("\n\n\r\n");
    EXPECT_NE(second.find("data: {\"available_tickets\":1,"), std::string::npos) << second;
    EXPECT_GT(std::stoull(id_of(second)), std::stoull(id_of(first)));
}

TEST_F(LiveFeed, SaysNothingToWhoHasSeenThePresentStateUntilItChanges)
{
    Client client(server.port());
    client.send(asking("/api/v1/events/5/live"));
    client.read(Method::head);
    client.read_past("retry: 2000\n\n\r\n");
    const auto id = id_of(client.read_past("\n\n\r\n"));
    Client again(server.port());
    again.send(asking("/api/v1/events/5/live", "Last-Event-ID: " + id + "\r\n"));
    Client stranger(server.port());
    stranger.send(asking("/api/v1/events/5/live", "Last-Event-ID: " + id + "x\r\n"));
    for (Client* const each : {&again, &stranger}) {
        each->read(Method::head);
        each->read_past("retry: 2000\n\n\r\n");
    }
    EXPECT_NE(stranger.read_past("\n\n\r\n").find("\"available_tickets\":2"), std::string::npos);
    while (live_.watchers() < 3) std::this_thread::yield();
    EXPECT_EQ(send(Method::post, "/api/v1/tickets/", R"({"event_id":5})", as(1)).status, 201);
    EXPECT_NE(again.read_past("\n\n\r\n").find("\"available_tickets\":1"), std::string::npos);
}

TEST_F(LiveFeed, AsksTheStoreOnceForACrowd)
{
    Client first(server.port());
    first.send(asking("/api/v1/events/5/live"));
    first.read(Method::head);
    first.read_past("\"available_tickets\":2");
    for (int i = 0; i < 3; ++i) {
        Client next(server.port());
        next.send(asking("/api/v1/events/5/live"));
        EXPECT_EQ(next.read(Method::head).status, 200);
        EXPECT_NE(next.read_past("\n\n\r\n").find("retry"), std::string::npos);
    }
    EXPECT_EQ(store_.events_looked_for, 1);
}

TEST_F(LiveFeed, KnowsNoFeedOfAnEventThatIsNotThere)
{
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/6/live")), "404 not_found");
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/x/live")), "404 not_found");
    EXPECT_EQ(code(send(Method::post, "/api/v1/events/5/live")), "405 method_not_allowed");
}

TEST_F(LiveFeed, AnswersHeadWithTheHeadAndWatchesNothing)
{
    Client client(server.port());
    client.send("HEAD /api/v1/events/5/live HTTP/1.1\r\nHost: a\r\n\r\n" + get("/health"));
    EXPECT_TRUE(client.read(Method::head).says("\r\nContent-Type: text/event-stream\r\n"));
    EXPECT_EQ(client.read().status, 200);
    EXPECT_EQ(live_.watchers(), 0U);
}

TEST_F(LiveFeed, ClosesItsStreamsWhenTheHubOrTheServerStops)
{
    for (const auto* who : {"hub", "server"}) {
        Client client(server.port());
        client.send(asking("/api/v1/events/5/live"));
        client.read(Method::head);
        client.read_past("retry: 2000\n\n\r\n");
        if (who == std::string_view("hub")) live_.stop();
        if (who == std::string_view("server")) server.stop(60s);
        EXPECT_NE(client.read_past("0\r\n\r\n"), "");
        EXPECT_TRUE(client.is_over());
    }
}

}  // namespace

}  // namespace boxoffice::http
