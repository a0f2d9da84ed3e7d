#include <atomic>
#include <future>
#include <system_error>
#include <thread>

#include "http_toy.hpp"

namespace boxoffice::http
{

namespace
{

TEST(HttpServerOpens, OnOnePortForAllThreads)
{
    Toy toy;
    auto options = on_any_port();
    options.threads = 4;
    Server server(options, toy);
    EXPECT_NE(server.port(), 0);
    server.start();
    for (int i = 0; i < 32; ++i) {
        Client client(server.port());
        client.send(get("/hello"));
        EXPECT_EQ(client.read().status, 200);
    }
    server.stop(1s);
}

TEST(HttpServerOpens, NotOnAPortThatIsTaken)
{
    Toy toy;
    Server first(on_any_port(), toy);
    auto options = on_any_port();
    options.port = first.port();
    try {
        const Server second(options, toy);
        FAIL() << "two servers on one port";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::address_in_use);
        EXPECT_NE(std::string(error.what()).find("127.0.0.1:" + std::to_string(first.port())), std::string::npos) << error.what();
    }
}

TEST(HttpServerOpens, NotOnAnAddressThatIsNotOurs)
{
    Toy toy;
    auto options = on_any_port();
    options.host = "192.0.2.1";
    EXPECT_THROW(Server(options, toy), std::system_error);
}

TEST(HttpServerStops, WithoutEverHavingStarted)
{
    Toy toy;
    Server server(on_any_port(), toy);
    server.stop(1s);
    server.stop(1s);
}

TEST(HttpServerStops, AtOnceWhenOnlyIdleConnectionsAreOpen)
{
    Toy toy;
    Server server(on_any_port(), toy);
    server.start();
    Client fresh(server.port());
    Client used(server.port());
    used.send(get("/hello"));
    EXPECT_EQ(used.read().status, 200);
    const auto begin = std::chrono::steady_clock::now();
    server.stop(60s);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    EXPECT_TRUE(used.is_over());
    EXPECT_TRUE(fresh.is_over());
    EXPECT_EQ(server.connections(), 0U);
    server.stop(60s);
}

TEST(HttpServerStops, AfterAnsweringWhatIsInFlight)
{
    Toy toy;
    auto options = on_any_port();
    options.threads = 1;  // so that what one connection shows of the stop holds for the others
    Server server(options, toy);
    server.start();
    Client client(server.port());
    client.send(get("/later"));
    const auto respond = toy.take_parked();
    Client half(server.port());
    half.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(half.read().status, 100);
    Client idle(server.port());
    idle.send(get("/hello"));
    EXPECT_EQ(idle.read().status, 200);
    auto stopped = std::async(std::launch::async, [&] { server.stop(30s); });
    EXPECT_TRUE(idle.is_over());  // so stopping has begun
    half.send("hi");
    const auto echoed = half.read();
    EXPECT_EQ(echoed.body, "hi");
    EXPECT_TRUE(echoed.says("Connection: close\r\n"));
    EXPECT_EQ(stopped.wait_for(0s), std::future_status::timeout);
    respond(text("last"));
    const auto answer = client.read();
    EXPECT_EQ(answer.body, "last");
    EXPECT_TRUE(answer.says("Connection: close\r\n"));
    client.hang_up();
    half.hang_up();
    EXPECT_EQ(stopped.wait_for(10s), std::future_status::ready);
}

TEST(HttpServerStops, WhenItsGraceIsOverEvenIfNobodyAnswers)
{
    Toy toy;
    auto server = std::make_unique<Server>(on_any_port(), toy);
    server->start();
    Client client(server->port());
    client.send(get("/later"));
    const auto respond = toy.take_parked();
    Client reader(server->port(), 4096);
    reader.send(get("/big"));
    EXPECT_EQ(reader.read(Method::head).status, 200);
    server->stop(50ms);
    EXPECT_TRUE(client.is_over());
    server.reset();
    respond(text("to nobody"));
}

TEST(HttpServerStops, AfterAnsweringWhatTheKernelHadAlreadyTaken)
{
    Toy toy;
    auto options = on_any_port();
    options.threads = 1;
    Server server(options, toy);
    Client waiting(server.port());
    waiting.send(get("/waiting"));  // it was not accepted yet
    server.start();
    std::thread stop([&] { server.stop(10s); });
    const auto answer = waiting.read();
    EXPECT_EQ(answer.body, "/waiting");
    waiting.hang_up();
    stop.join();
}

TEST(HttpServerStops, AtWhateverMomentItIsTold)
{
    Toy toy;
    auto options = on_any_port();
    options.idle_timeout = 100ms;  // so that the sweep of deadlines runs every few milliseconds
    options.threads = 4;
    for (int i = 0; i < 60; ++i) {
        Server server(options, toy);
        server.start();
        const auto moment = std::chrono::steady_clock::now() + 4ms + i * 50us;
        while (std::chrono::steady_clock::now() < moment) std::this_thread::yield();
        auto stopped = std::async(std::launch::async, [&] { server.stop(1s); });
        ASSERT_EQ(stopped.wait_for(30s), std::future_status::ready);
    }
}

TEST(HttpServerStops, UnderLoadWithoutLosingAnAnswer)
{
    Toy toy;
    Server server(on_any_port(), toy);
    server.start();
    std::atomic<int> answered{0};
    std::atomic<int> torn{0};
    std::vector<std::thread> clients;
    for (int c = 0; c < 4; ++c) {
        clients.emplace_back([&] {
            Client client(server.port());
            for (;;) {
                if (!client.send(get("/hello"))) return;
                const auto answer = client.read();
                if (answer.status == 0) return;
                if (answer.status != 200 || answer.body != "/hello") ++torn;
                ++answered;
                if (answer.says("Connection: close")) return;
            }
        });
    }
    while (answered < 200) std::this_thread::yield();
    server.stop(10s);
    for (auto& thread : clients) thread.join();
    EXPECT_EQ(torn, 0);
    EXPECT_EQ(server.connections(), 0U);
}

}  // namespace

}  // namespace boxoffice::http
