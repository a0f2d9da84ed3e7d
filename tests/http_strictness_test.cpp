#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "http_toy.hpp"
#include "net/body_reader.hpp"

namespace boxoffice::http
{

namespace
{

// --- What is refused -------------------------------------------------------------------------------------------------

TEST_F(HttpServer, RefusesAMalformedRequestLine)
{
    for (const auto* line : {"GET /hello", "GET  /hello HTTP/1.1", "GET /hello  HTTP/1.1", "GET /a b HTTP/1.1",
                             "G@T /hello HTTP/1.1", " GET /hello HTTP/1.1", "/hello HTTP/1.1", "GET /hello http/1.1",
                             "GET /hello HTTP/1.1 ", "GET /hello HTTP/11", "GET /hell\xc3\xb6 HTTP/1.1", "GET hello HTTP/1.1",
                             "GET * HTTP/1.1", "GET http:///x HTTP/1.1", "GET http://u@a/x HTTP/1.1", "GET a:80 HTTP/1.1"}) {
        EXPECT_EQ(refusal_of(std::string(line) + "\r\nHost: a\r\n\r\n"), 400) << line;
    }
    EXPECT_EQ(refusal_of(std::string("\x16\x03\x01\x00\x2f\x01\x00\x00", 8) + std::string(40, '\0')), 400);
}

TEST_F(HttpServer, SpeaksNoOtherVersion)
{
    for (const auto* version : {"HTTP/2.0", "HTTP/1.2", "HTTP/0.9"}) {
        EXPECT_EQ(refusal_of("GET /hello " + std::string(version) + "\r\nHost: a\r\n\r\n"), 505);
    }
}

TEST_F(HttpServer, IsNoProxy) { EXPECT_EQ(refusal_of("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), 501); }

TEST_F(HttpServer, WantsExactlyOneGoodHost)
{
    for (const auto* fields : {"", "Host: a\r\nHost: a\r\n", "Host:\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: a:x\r\n",
                               "Host: u@a\r\n", "Host: a,b\r\n"}) {
        EXPECT_EQ(refusal_of("GET /hello HTTP/1.1\r\n" + std::string(fields) + "\r\n"), 400) << fields;
    }
    EXPECT_EQ(refusal_of("GET /hello HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
    for (const auto* host : {"a:8000", "[::1]:80", "[::1]", "a.example.", "127.0.0.1"}) {
        EXPECT_EQ(ask("GET /hello HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n").status, 200) << host;
    }
}

TEST_F(HttpServer, RefusesBareLineEndsFoldsAndControlCharacters)
{
    EXPECT_EQ(refusal_of("GET /hello HTTP/1.1\nHost: a\n\n"), 400);
    EXPECT_EQ(refusal_of("GET /hello HTTP/1.1\r\nHost: a\n\r\n"), 400);
    for (const auto* line : {"X-A: b\r\n c", "X-A: b\r\n\tc", "X: a\rb", "X : a", "X\t: a", ": a", "no colon", "X: a\x01",
                             "X: a\x7f", "X\xc3: a", "\"X\": a"}) {
        EXPECT_EQ(refusal_of("GET /hello HTTP/1.1\r\nHost: a\r\n" + std::string(line) + "\r\n\r\n"), 400) << line;
    }
    EXPECT_EQ(refusal_of("GET /hello HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
    EXPECT_EQ(refusal_of(std::string("GET /hello HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 40)), 400);
}

TEST_F(HttpServer, RefusesASecondValueWhereOnlyOneCanBeMeant)
{
    for (const std::string name :
         {"Authorization", "Content-Type", "Content-Encoding", "Content-Range", "Idempotency-Key", "X-Request-Id", "Expect",
          "Origin", "Range", "If-Range", "If-Modified-Since", "If-Unmodified-Since", "User-Agent", "Referer", "From", "Date",
          "Max-Forwards", "Last-Event-ID", "Proxy-Authorization"}) {
        for (const std::string second : {"a", "b"}) {
            std::string other = name;
            std::transform(other.begin(), other.end(), other.begin(), [](unsigned char c) { return std::toupper(c); });
            EXPECT_EQ(
                refusal_of("GET /hello HTTP/1.1\r\nHost: a\r\n" + name + ": a\r\nX: y\r\n" + other + ": " + second + "\r\n\r\n"),
                400)
                << name;
        }
    }
    for (const std::string list : {"Accept", "Accept-Encoding", "If-Match", "If-None-Match", "X-Forwarded-For", "Forwarded",
                                   "Via", "Cache-Control", "Cookie", "X-Unheard-Of"})
        EXPECT_EQ(ask("GET /hello HTTP/1.1\r\nHost: a\r\n" + list + ": a\r\n" + list + ": b\r\n\r\n").status, 200) << list;
}

TEST_F(HttpServer, HoldsTheHeaderLimits)
{
    EXPECT_EQ(refusal_of("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n"), 431);
    EXPECT_EQ(refusal_of("GET /hello HTTP/1.1\r\nHost: a\r\n" + std::string(300'000, 'a')), 431);
    EXPECT_EQ(refusal_of("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
    EXPECT_EQ(refusal_of("GET /" + std::string(8 * 1024, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
    EXPECT_EQ(refusal_of("GET /" + std::string(300'000, 'a')), 414);
    EXPECT_EQ(refusal_of(std::string(300'000, 'a')), 400);
    EXPECT_EQ(ask(get("/" + std::string(8 * 1024 - 1, 'a'))).status, 200);
    const std::string rest = "GET /hello HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
    const auto with_field_of = [&](std::size_t bytes) {
        return "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(bytes, 'a') + "\r\n\r\n";
    };
    EXPECT_EQ(ask(with_field_of(16 * 1024 - rest.size())).status, 200);
    EXPECT_EQ(refusal_of(with_field_of(16 * 1024 - rest.size() + 1)), 431);
}

TEST_F(HttpServer, RefusesEveryAmbiguousBodyLength)
{
    for (const auto* fields :
         {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
          "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "Content-Length: 2\r\nContent-Length: 2\r\n",
          "Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: +2\r\n", "Content-Length: -2\r\n",
          "Content-Length: 2, 2\r\n", "Content-Length: 0x2\r\n", "Content-Length: 2 2\r\n", "Content-Length:\r\n",
          "Content-Length: two\r\n", "Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: chunked, chunked\r\n",
          "Transfer-Encoding:\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked;q=1\r\n", "Transfer-Encoding: ,chunked\r\n"}) {
        EXPECT_EQ(refusal_of(post(fields, "0\r\n\r\n")), 400) << fields;
    }
    EXPECT_EQ(refusal_of("POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"), 400);
}

TEST_F(HttpServer, UnderstandsNoTransferCodingButChunked)
{
    EXPECT_EQ(refusal_of(post("Transfer-Encoding: gzip\r\n", "hello")), 501);
    EXPECT_EQ(refusal_of(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")), 501);
    EXPECT_EQ(refusal_of(post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")), 501);
}

TEST_F(HttpServer, HoldsTheBodyLimit)
{
    const std::string most(64 * 1024, 'b');
    EXPECT_EQ(ask(post("Content-Length: 65536\r\n", most)).body, most);
    EXPECT_EQ(ask(post("Transfer-Encoding: chunked\r\n", "10000\r\n" + most + "\r\n0\r\n\r\n")).body, most);
    EXPECT_EQ(refusal_of(post("Content-Length: 65537\r\n", "")), 413);
    EXPECT_EQ(refusal_of(post("Content-Length: 99999999999999999999\r\n", "hi")), 413);
    EXPECT_EQ(refusal_of(post("Transfer-Encoding: chunked\r\n", "10001\r\n")), 413);
    EXPECT_EQ(refusal_of(post("Transfer-Encoding: chunked\r\n", "8000\r\n" + most.substr(0, 0x8000) + "\r\n8001\r\n")), 413);
}

TEST_F(HttpServer, RefusesUnderTheIdThatItsClientGaveIfThatMuchHasCome)
{
    const std::string id = "x-REQUEST-id: \t mine-1\r\n";
    const auto has_its_id = [&](const std::string& bytes) {
        Client client(server.port());
        client.send(bytes);
        client.half_close();
        return client.read().says("X-Request-Id: mine-1\r\n");
    };
    EXPECT_TRUE(has_its_id("GET / HTTP/1.1\r\n" + id + "X-Long: " + std::string(17'000, 'x') + "\r\n\r\n"));
    EXPECT_TRUE(has_its_id("\r\nGET / HTTP/1.1\r\n" + id + "\r\n"));
    EXPECT_TRUE(has_its_id(post(id + "Expect: foo\r\nContent-Length: 2\r\n", "hi")));
    EXPECT_TRUE(has_its_id(post(id + "Content-Length: 65537\r\n", "")));
    EXPECT_TRUE(has_its_id(post(id + "Transfer-Encoding: chunked\r\n", "zz\r\n")));
    EXPECT_TRUE(has_its_id(post(id + "Content-Length: 5\r\n", "hi")));
    EXPECT_FALSE(has_its_id("GET / HTTP/1.1\r\nX-Request-Ids: mine-1\r\n\r\n"));
    EXPECT_FALSE(has_its_id(post("Expect: foo\r\n", id + "\r\n"))) << "it stands in the body";
}

TEST_F(HttpServer, TellsAClientThatIsStillSendingWhyItWasRefused)
{
    EXPECT_EQ(refusal_of(post("Content-Length: 500000\r\n", std::string(500'000, 'b'))), 413);
}

TEST_F(HttpServer, AcceptsOneByteChunks)
{
    std::string chunks;
    for (int i = 0; i < 64 * 1024; ++i) chunks += "1\r\nx\r\n";
    EXPECT_EQ(ask(post("Transfer-Encoding: chunked\r\n", chunks + "0\r\n\r\n")).body, std::string(64 * 1024, 'x'));
}

TEST_F(HttpServer, RefusesMalformedChunks)
{
    for (const auto& body : {std::string("0x2\r\nhi\r\n0\r\n\r\n"), std::string("2\nhi\n0\n\n"), std::string("2\r\nhi0\r\n\r\n"),
                             std::string("-2\r\nhi\r\n0\r\n\r\n"), std::string("fffffffffffffffff\r\n"),
                             std::string("2;x=\"\n\"\r\nhi\r\n0\r\n\r\n"), std::string("\r\nhi\r\n"), std::string("z\r\n"),
                             "2;" + std::string(20'000, 'x'), "0\r\nTrailer: " + std::string(20'000, 'x'),
                             std::string("0\r\nContent-Length: 3\r\n\r\n")}) {
        const int status = body[0] == 'f' ? 413 : 400;
        EXPECT_EQ(refusal_of(post("Transfer-Encoding: chunked\r\n", body)), status) << body.substr(0, 40);
    }
}

TEST_F(HttpServer, DropsTrailers)
{
    Client client(server.port());
    client.send(
        "POST /headers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\nAuthorization: Bearer x\r\n\r\n" +
        get("/next"));
    EXPECT_EQ(client.read().body, "host=a;transfer-encoding=Chunked;");
    EXPECT_EQ(client.read().body, "/next");
}

TEST_F(HttpServer, SaysContinueOnlyWhenTheBodyIsWelcome)
{
    Client client(server.port());
    client.send(post("Expect: 100-continue\r\nContent-Length: 2\r\n", ""));
    EXPECT_EQ(client.read().status, 100);
    client.send("hi");
    EXPECT_EQ(client.read().body, "hi");
    client.send(post("Expect: 100-Continue\r\nContent-Length: 2\r\n", "ho"));
    EXPECT_EQ(client.read().body, "ho");
    EXPECT_EQ(refusal_of(post("Expect: 100-continue\r\nContent-Length: 70000\r\n", "")), 413);
    EXPECT_EQ(refusal_of(post("Expect: a-miracle\r\nContent-Length: 2\r\n", "")), 417);
    EXPECT_EQ(ask("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi").status, 200);
}

TEST_F(HttpServer, AnswersWhatCameBeforeARefusal)
{
    Client client(server.port());
    client.send(get("/good") + "BAD\r\n\r\n" + get("/never"));
    EXPECT_EQ(client.read().body, "/good");
    EXPECT_EQ(client.read().status, 400);
    EXPECT_TRUE(client.is_over());
}

TEST_F(HttpServer, RefusesARequestThatIsCutOff)
{
    for (const auto& bytes : {std::string("GET /hello HT"), post("Content-Length: 5\r\n", "hel")}) {
        Client client(server.port());
        client.send(bytes);
        client.half_close();
        EXPECT_EQ(client.read().status, 400);
        EXPECT_TRUE(client.is_over());
    }
}

TEST_F(HttpServer, NeverFallsOverGarbage)
{
    std::mt19937 random(20260101);
    const auto good = post("Transfer-Encoding: chunked\r\nX-A: b\r\n", "2;x=y\r\nhi\r\n0\r\nT: z\r\n\r\n");
    for (int i = 0; i < 300; ++i) {
        auto bytes = good;
        for (unsigned hits = random() % 6; hits > 0; --hits) bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
        if (i % 3 == 0) bytes.resize(random() % bytes.size());
        if (i % 10 == 0) std::ranges::generate(bytes, [&] { return static_cast<char>(random() % 256); });
        Client client(server.port());
        client.send(bytes);
        client.half_close();
        for (auto answer = client.read(); answer.status != 0; answer = client.read()) {
            EXPECT_TRUE(answer.status == 200 || (answer.status >= 400 && answer.status < 600 && answer.status != 500))
                << answer.head;
        }
    }
    EXPECT_EQ(ask(get("/hello")).status, 200);
}

// --- Deadlines -------------------------------------------------------------------------------------------------------

ServerOptions impatient()
{
    auto options = on_any_port();
    options.header_timeout = 80ms;
    options.body_timeout = 80ms;
    options.idle_timeout = 300ms;
    return options;
}

class ImpatientHttpServer : public HttpServer
{
protected:
    ImpatientHttpServer() : HttpServer(impatient()) {}
};

TEST_F(ImpatientHttpServer, GivesUpOnASlowHeader) { EXPECT_EQ(refusal_of("GET /hello HTTP/1.1\r\nHost"), 408); }

TEST_F(ImpatientHttpServer, GivesUpOnASlowBody)
{
    EXPECT_EQ(refusal_of(post("Content-Length: 5\r\n", "he")), 408);
    EXPECT_EQ(refusal_of(post("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n")), 408);
}

TEST_F(ImpatientHttpServer, IsNotFooledByABodyThatKeepsTrickling)
{
    Client client(server.port());
    client.send(post("Content-Length: 60000\r\n", ""));
    const auto begin = std::chrono::steady_clock::now();
    std::atomic<bool> over{false};
    std::thread trickle([&] {
        while (!over && client.send("x")) std::this_thread::sleep_for(5ms);  // the trickle itself, not a wait
    });
    EXPECT_EQ(client.read().status, 408);
    over = true;
    trickle.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST_F(ImpatientHttpServer, ClosesAnIdleConnectionWithoutAWord)
{
    Client fresh(server.port());
    EXPECT_TRUE(fresh.is_over());
    Client used(server.port());
    used.send(get("/hello"));
    EXPECT_EQ(used.read().status, 200);
    used.send("\r\n");  // what some old clients send after a form; not the beginning of a request
    EXPECT_TRUE(used.is_over());
}

TEST_F(ImpatientHttpServer, WaitsForItsOwnHandlerAsLongAsThatTakes)
{
    Client client(server.port());
    client.send(get("/later"));
    const auto respond = toy.take_parked();
    Client idle(server.port());
    EXPECT_TRUE(idle.is_over());  // so the longest of the deadlines has gone by
    respond(text("at last"));
    EXPECT_EQ(client.read().body, "at last");
}

// --- Limits of this server ---------------------------------------------------------------------------------------------

ServerOptions for_four()
{
    auto options = on_any_port();
    options.connections_max = 4;
    return options;
}

class SmallHttpServer : public HttpServer
{
protected:
    SmallHttpServer() : HttpServer(for_four()) {}
};

TEST_F(SmallHttpServer, TurnsAwayTheOneTooManyAndLetsTheNextInAgain)
{
    std::vector<std::unique_ptr<Client>> inside;
    std::vector<Respond> busy_with;
    for (int i = 0; i < 4; ++i) {
        inside.push_back(std::make_unique<Client>(server.port()));
        inside.back()->send(get("/later"));
        busy_with.push_back(toy.take_parked());
    }
    EXPECT_EQ(server.connections(), 4U);
    EXPECT_EQ(refusal_of(get("/hello")), 503);
    for (const auto& respond : busy_with) respond(text("at last"));
    for (const auto& client : inside) EXPECT_EQ(client->read().body, "at last");
    inside.clear();
    Answer answer;
    for (int tries = 0; tries < 1000 && answer.status != 200; ++tries)
        answer = ask(get("/hello"));  // until their hanging up was seen
    EXPECT_EQ(answer.status, 200);
}

// --- The bytes alone -------------------------------------------------------------------------------------------------

TEST(HeadScanner, SaysTheSameHoweverTheBytesAreCut)
{
    const Limits limits;
    const auto bytes = "\r\n" + get("/a") + "rest";
    HeadScanner whole;
    ASSERT_EQ(whole.scan(bytes, limits), HeadScanner::State::whole);
    EXPECT_EQ(whole.skipped(), 2U);
    EXPECT_EQ(bytes.substr(whole.size()), "rest");
    HeadScanner dribbled;
    std::size_t given = 0;
    while (dribbled.scan(std::string_view(bytes).substr(0, given), limits) == HeadScanner::State::more) ++given;
    EXPECT_EQ(dribbled.size(), whole.size());
    EXPECT_EQ(given, whole.size());
}

TEST(HeadScanner, RefusesABareLfAtTheByteAndNotAtTheEnd)
{
    HeadScanner scanner;
    EXPECT_EQ(scanner.scan("GET / HTTP/1.1\n", Limits{}), HeadScanner::State::refused);
    EXPECT_EQ(scanner.refusal().status, 400);
}

TEST(CheckHead, ReadsLengthVersionAndConnection)
{
    Head head;
    EXPECT_FALSE(check_head("POST /x HTTP/1.0\r\nContent-Length: 007\r\nConnection: keep-alive\r\n\r\n", Limits{}, head));
    EXPECT_EQ(head.method, Method::post);
    EXPECT_EQ(head.minor_version, 0);
    EXPECT_EQ(head.framing, Framing::length);
    EXPECT_EQ(head.body_bytes, 7U);
    EXPECT_EQ(head.afterwards, Afterwards::keep_alive);
    EXPECT_FALSE(check_head("GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", Limits{}, head));
    EXPECT_EQ(head.framing, Framing::none);
}

TEST(BodyReader, TakesTheBodyAndNothingBehindIt)
{
    Head head;
    head.framing = Framing::chunked;
    BodyReader reader;
    reader.begin(head, 100);
    std::string_view bytes = "2 ;x=\"y;\"\r\nhi\r\n0A\r\n0123456789\r\n000\r\nA: b\r\n\r\nGET /";
    EXPECT_EQ(reader.feed(bytes), BodyReader::State::whole);
    EXPECT_EQ(reader.take(), "hi0123456789");
    EXPECT_EQ(bytes, "GET /");
}

TEST(BodyReader, RefusesAtTheByteThatIsWrong)
{
    Head head;
    head.framing = Framing::chunked;
    for (const auto* wrong :
         {"2\n", "\n", "x\r\n", "\r\n", "2 \r\n", "2x\r\n", "2\r\r", "2\r\nhi!", "2\r\nhi\n", "2;\x01\r\n", "0\r\n a: b\r\n",
          "0\r\na\r\n", "0\r\nHost: b\r\n", "0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\n"}) {
        BodyReader reader;
        reader.begin(head, 100);
        std::string_view bytes = wrong;
        EXPECT_EQ(reader.feed(bytes), BodyReader::State::refused) << wrong;
        EXPECT_EQ(reader.refusal().status, 400) << wrong;
    }
}

TEST(BodyReader, TakesWholeExtensionsOnly)
{
    Head head;
    head.framing = Framing::chunked;
    const auto judged = [&](std::string extension) {
        BodyReader reader;
        reader.begin(head, 100);
        const std::string text = "2" + extension + "\r\nhi\r\n0" + extension + "\r\n\r\n";
        std::string_view bytes = text;
        return reader.feed(bytes) == BodyReader::State::whole ? 200 : reader.refusal().status;
    };
    for (const auto* good : {"", ";a", ";a=b", ";a=\"b\"", " ; a = \"b;c\" ;d", ";a;b=1;c=\"\"", R"(;a="\"")", R"(;a="\\")",
                             R"(;a="\"\\";b)", "\t;\ta\t=\tb", ";a=\"\t \xc3\xbc\""}) {
        EXPECT_EQ(judged(good), 200) << good;
    }
    for (const auto* bad : {";a=\"b;",       ";a=\"",         R"(;a="b\")",  R"(;a="\)",   R"(;a="\\\")",
                            ";a=\"b\"c",     ";a=\"b\" c",    ";a=b\"c\"",   ";a\"b",      ";",
                            ";;a",           ";a;",           ";=b",         ";a=",        ";a=;b",
                            ";a b",          ";\"a\"",        " ",           "x",          ";a ",
                            ";a=\"b\x01\"",  ";a=\"\\\x01\"", ";a=\"\x7f\"", ";a=\"b\r\"", ";a=\"b\n\"",
                            ";a=\"\\\r\n\"", ";a=\"\\\n\"",   ";\xc3\xbc"}) {
        EXPECT_EQ(judged(bad), 400) << bad;
    }
}

}  // namespace

}  // namespace boxoffice::http
