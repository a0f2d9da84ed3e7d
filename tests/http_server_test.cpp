#include <atomic>
#include <thread>

#include "http_toy.hpp"

namespace boxoffice::http
{

namespace
{

// --- Answers ---------------------------------------------------------------------------------------------------------

TEST_F(HttpServer, AnswersWithDateServerAndLength)
{
    const auto answer = ask(get("/hello"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "/hello");
    EXPECT_TRUE(answer.says("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(answer.says("\r\nServer: boxoffice\r\n"));
    EXPECT_TRUE(answer.says("\r\nDate: "));
    EXPECT_TRUE(answer.says(" GMT\r\n"));
    EXPECT_TRUE(answer.says("\r\nContent-Length: 6\r\n"));
    EXPECT_TRUE(answer.says("\r\nContent-Type: text/plain\r\n"));
    EXPECT_FALSE(answer.says("Connection:"));
}

TEST_F(HttpServer, HandsOverHeadersInLowerCaseRepeatedOnesInOrder)
{
    const auto answer = ask("GET /headers HTTP/1.1\r\nHost: a:80\r\nX-B: 1\r\nx-a:  2 3 \t\r\nX-B:3\r\nX-Empty:\r\n\r\n");
    EXPECT_EQ(answer.body, "host=a:80;x-b=1;x-b=3;x-a=2 3;x-empty=;");
}

TEST_F(HttpServer, TellsTheHandlerWhoAsks) { EXPECT_EQ(ask(get("/peer")).body, "127.0.0.1"); }

TEST_F(HttpServer, KeepsTheConnectionForTheNextRequest)
{
    Client client(server.port());
    for (int i = 0; i < 5; ++i) {
        client.send(get("/" + std::to_string(i)));
        EXPECT_EQ(client.read().body, "/" + std::to_string(i));
    }
}

TEST_F(HttpServer, AnswersAHundredPipelinedRequestsInOrder)
{
    std::string requests;
    for (int i = 0; i < 100; ++i) requests += i % 3 == 0 ? post("Content-Length: 2\r\n", "hi") : get("/" + std::to_string(i));
    Client client(server.port());
    client.send(requests);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read().body, i % 3 == 0 ? "hi" : "/" + std::to_string(i));
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrderWhenTheFirstTakesLonger)
{
    Client client(server.port());
    client.send(get("/first") + get("/later") + get("/second"));
    EXPECT_EQ(client.read().body, "/first");
    toy.take_parked()(text("late"));
    EXPECT_EQ(client.read().body, "late");
    EXPECT_EQ(client.read().body, "/second");
}

TEST_F(HttpServer, ReadsRequestsThatComeByteByByte)
{
    Client client(server.port());
    const auto requests = get("/slow") + post("Content-Length: 5\r\n", "hello") +
                          post("Transfer-Encoding: chunked\r\n", "2;x=\"y\"\r\nhi\r\n3\r\n ho\r\n0\r\nTrailer: z\r\n\r\n") +
                          "\r\n" + get("/last");
    std::thread dribble([&] {
        for (const char byte : requests) client.send({&byte, 1});
    });
    EXPECT_EQ(client.read().body, "/slow");
    EXPECT_EQ(client.read().body, "hello");
    EXPECT_EQ(client.read().body, "hi ho");
    EXPECT_EQ(client.read().body, "/last");
    dribble.join();
}

TEST_F(HttpServer, LeavesTheBodyOutForHeadButNotItsLength)
{
    Client client(server.port());
    client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nHEAD /big HTTP/1.1\r\nHost: a\r\n\r\n" + get("/next"));
    EXPECT_TRUE(client.read(Method::head).says("Content-Length: 6\r\n"));
    EXPECT_TRUE(client.read(Method::head).says("Content-Length: 8388608\r\n"));
    EXPECT_EQ(client.read().body, "/next");
}

TEST_F(HttpServer, SendsNeitherBodyNorLengthWith204And304)
{
    Client client(server.port());
    client.send(get("/none") + get("/same") + get("/next"));
    for (const int status : {204, 304}) {
        const auto answer = client.read();
        EXPECT_EQ(answer.status, status);
        EXPECT_FALSE(answer.says("Content-Length"));
        EXPECT_FALSE(answer.says("Content-Type"));
    }
    EXPECT_EQ(client.read().body, "/next");
}

TEST_F(HttpServer, SendsALargeStaticBodyWhole)
{
    Client client(server.port());
    client.send(get("/big") + get("/owned") + get("/next"));
    EXPECT_EQ(client.read().body, big_page());
    EXPECT_EQ(client.read().body, std::string(300'000, 'o'));
    EXPECT_EQ(client.read().body, "/next");
}

TEST_F(HttpServer, CannotBeMadeToSplitAReplyInTwo) { EXPECT_TRUE(ask(get("/split")).says("X-Id: a  Set-Cookie: b\r\n")); }

TEST_F(HttpServer, GivesAnUnknownMethodToTheHandler) { EXPECT_EQ(ask("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n").status, 405); }

TEST_F(HttpServer, CutsAnAbsoluteTargetDownToItsPath)
{
    EXPECT_EQ(ask("GET http://a.example:80/x?y=1 HTTP/1.1\r\nHost: a\r\n\r\n").body, "/x?y=1");
    EXPECT_EQ(ask("GET HTTPS://a?y=1 HTTP/1.1\r\nHost: a\r\n\r\n").body, "/?y=1");
    EXPECT_EQ(ask("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n").body, "/");
    EXPECT_EQ(ask("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n").body, "*");
}

TEST_F(HttpServer, PassesTheAsteriskOfOptionsOn) { EXPECT_EQ(ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").body, "*"); }

TEST_F(HttpServer, LeavesPercentEncodingToTheRoutes) { EXPECT_EQ(ask(get("/%00%zz?a=%C3%A9+x")).body, "/%00%zz?a=%C3%A9+x"); }

TEST_F(HttpServer, SkipsOneEmptyLineBeforeARequestButNotTwo)
{
    EXPECT_EQ(ask("\r\n" + get("/hello")).status, 200);
    EXPECT_EQ(refusal_of("\r\n\r\n" + get("/hello")), 400);
}

// --- Keep-alive and close --------------------------------------------------------------------------------------------

TEST_F(HttpServer, ClosesWhenAskedTo)
{
    for (const auto* field : {"Connection: close", "connection: Keep-Alive, CLOSE", "Connection: x\r\nConnection: close"}) {
        Client client(server.port());
        client.send("GET /hello HTTP/1.1\r\nHost: a\r\n" + std::string(field) + "\r\n\r\n");
        EXPECT_TRUE(client.read().says("Connection: close\r\n"));
        EXPECT_TRUE(client.is_over());
    }
}

TEST_F(HttpServer, ClosesAfterHttp10UnlessAskedToKeepAlive)
{
    Client once(server.port());
    once.send("GET /hello HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(once.read().says("Connection: close\r\n"));
    EXPECT_TRUE(once.is_over());
    Client twice(server.port());
    for (int i = 0; i < 2; ++i) {
        twice.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_TRUE(twice.read().says("Connection: keep-alive\r\n"));
    }
}

TEST_F(HttpServer, AnswersAClientThatHasHalfClosed)
{
    Client client(server.port());
    client.send(get("/one") + get("/later") + get("/two"));
    client.half_close();
    toy.take_parked()(text("late"));
    EXPECT_EQ(client.read().body, "/one");
    EXPECT_EQ(client.read_final().body, "late");
    EXPECT_EQ(client.read().body, "/two");
    EXPECT_TRUE(client.is_over());
}

/// A deadline that is checked often, so that no test has to wait for the next check.
ServerOptions looking_often()
{
    ServerOptions options = on_any_port();
    options.idle_timeout = 100ms;
    return options;
}

class ClientsThatGo : public HttpServer
{
protected:
    ClientsThatGo() : HttpServer(looking_often()) {}
    bool is_missed()
    {
        const auto give_up = std::chrono::steady_clock::now() + 10s;
        while (!toy.is_client_gone() && std::chrono::steady_clock::now() < give_up) std::this_thread::sleep_for(1ms);
        return toy.is_client_gone();
    }
};

TEST_F(ClientsThatGo, AreMissedWhileTheirRequestIsCarriedOut)
{
    for (const auto leave : {&Client::hang_up, &Client::reset}) {
        for (const char* more : {"", "GET /pipelined HTTP/1.1\r\nHost: a\r\n\r\n"}) {
            Client client(server.port());
            client.send(get("/later") + more);
            const Respond respond = toy.take_parked();
            EXPECT_FALSE(toy.is_client_gone());
            (client.*leave)();
            EXPECT_TRUE(is_missed()) << more;
            respond(text("to nobody"));
        }
    }
    EXPECT_EQ(ask(get("/hello")).status, 200);
}

TEST_F(ClientsThatGo, AreToldFromThoseThatHaveHalfClosed)
{
    Client client(server.port());
    client.send(get("/later"));
    client.half_close();
    const Respond respond = toy.take_parked();
    EXPECT_EQ(client.read().status, 100);  // the server has looked whether it is still there
    respond(text("late"));
    EXPECT_EQ(client.read().body, "late");
    EXPECT_FALSE(toy.is_client_gone());
    EXPECT_TRUE(client.is_over());
}

TEST_F(ClientsThatGo, AreNotAskedInAVersionWithoutInterimAnswers)
{
    Client client(server.port());
    client.send("GET /later HTTP/1.0\r\n\r\n");
    client.half_close();
    const Respond respond = toy.take_parked();
    Client other(server.port());
    other.send(get("/later"));
    other.half_close();
    const Respond second = toy.take_parked();
    EXPECT_EQ(other.read().status, 100);
    respond(text("late"));
    second(text("late"));
    EXPECT_EQ(client.read().body, "late");
}

// --- Respond ---------------------------------------------------------------------------------------------------------

TEST_F(HttpServer, TakesAReplyFromAnotherThread)
{
    Client client(server.port());
    client.send(get("/later"));
    const auto respond = toy.take_parked();
    std::thread([&] { respond(text("from afar")); }).join();
    EXPECT_EQ(client.read().body, "from afar");
}

TEST_F(HttpServer, IgnoresASecondReply)
{
    Client client(server.port());
    client.send(get("/twice") + get("/later"));
    EXPECT_EQ(client.read().body, "/twice");
    const auto respond = toy.take_parked();
    respond(text("one"));
    respond(text("two"));
    EXPECT_EQ(client.read().body, "one");
    client.send(get("/next"));
    EXPECT_EQ(client.read().body, "/next");
}

TEST_F(HttpServer, AnswersForAHandlerThatNeverWill)
{
    EXPECT_EQ(refusal_of(get("/drop")), 500);
    EXPECT_EQ(refusal_of(get("/throw")), 500);
    Client client(server.port());
    client.send(get("/later"));
    {
        const auto copy = toy.take_parked();
    }
    EXPECT_EQ(client.read().status, 500);
    EXPECT_TRUE(client.is_over());
}

TEST_F(HttpServer, DropsTheReplyToAClientThatHasGone)
{
    for (int i = 0; i < 20; ++i) {
        Client client(server.port());
        client.send(get("/later"));
        const auto respond = toy.take_parked();
        if (i % 2 == 0) client.reset();
        if (i % 2 == 1) client.hang_up();
        auto reply = text(std::string(100'000, 'x'));
        respond(reply);
    }
    EXPECT_EQ(ask(get("/hello")).status, 200);
}

TEST_F(HttpServer, SurvivesClientsThatLeaveInTheMiddleOfALargeReply)
{
    for (int i = 0; i < 10; ++i) {
        Client client(server.port(), 4096);
        client.send(get("/big") + get("/big"));
        EXPECT_FALSE(client.read(Method::head).head.empty());
        client.reset();
    }
    EXPECT_EQ(ask(get("/hello")).status, 200);
}

TEST_F(HttpServer, AnswersManyClientsFromManyThreads)
{
    std::atomic<int> wrong{0};
    std::vector<std::thread> clients;
    for (int c = 0; c < 8; ++c) {
        clients.emplace_back([&] {
            Client client(server.port());
            for (int i = 0; i < 50; ++i) {
                client.send(get("/later"));
                if (client.read().body != "late") ++wrong;
            }
        });
    }
    std::vector<std::thread> answerers;
    for (int a = 0; a < 4; ++a) {
        answerers.emplace_back([&] {
            for (int i = 0; i < 100; ++i) toy.take_parked()(text("late"));
        });
    }
    for (auto& thread : answerers) thread.join();
    for (auto& thread : clients) thread.join();
    EXPECT_EQ(wrong, 0);
}

}  // namespace

}  // namespace boxoffice::http
