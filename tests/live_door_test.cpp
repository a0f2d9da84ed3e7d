// The live feed over HTTP: the REST door behind a real server.
#include "api_door.hpp"
#include "http_toy.hpp"

namespace boxoffice::http
{

namespace
{

class LiveDoor : public ApiDoor
{
protected:
    LiveDoor()
    {
        live_.start(writes_);
        server.start();
    }
    void TearDown() override
    {
        server.stop(2s);
        ApiDoor::TearDown();
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

TEST_F(LiveDoor, SaysThePresentStateAndThenEachChange)
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

TEST_F(LiveDoor, SaysNothingToWhoHasSeenThePresentStateUntilItChanges)
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

TEST_F(LiveDoor, AsksTheStoreOnceForACrowd)
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

TEST_F(LiveDoor, KnowsNoFeedOfAnEventThatIsNotThere)
{
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/6/live")), "404 not_found");
    EXPECT_EQ(code(send(Method::get, "/api/v1/events/x/live")), "404 not_found");
    EXPECT_EQ(code(send(Method::post, "/api/v1/events/5/live")), "405 method_not_allowed");
}

TEST_F(LiveDoor, AnswersHeadWithTheHeadAndWatchesNothing)
{
    Client client(server.port());
    client.send("HEAD /api/v1/events/5/live HTTP/1.1\r\nHost: a\r\n\r\n" + get("/health"));
    EXPECT_TRUE(client.read(Method::head).says("\r\nContent-Type: text/event-stream\r\n"));
    EXPECT_EQ(client.read().status, 200);
    EXPECT_EQ(live_.watchers(), 0U);
}

TEST_F(LiveDoor, ClosesItsStreamsWhenTheHubOrTheServerStops)
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
