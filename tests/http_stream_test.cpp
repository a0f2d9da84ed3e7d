// Bodies that go on after the head was answered.
#include <atomic>
#include <optional>
#include <thread>

#include "http_toy.hpp"

namespace boxoffice::http
{

namespace
{

Piece piece(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

/// Answers every request but `/hello` with a stream and hands its sending end to the test.
class Fountain final : public Handler
{
public:
    void handle(std::shared_ptr<const Request> request, Respond respond) override
    {
        if (request->target == "/hello") return respond(text("hello"));
        Reply reply;
        reply.content_type = "text/event-stream";
        reply.stream = [this, target = request->target](std::shared_ptr<OpenStream> stream) {
            if (target == "/throw") throw std::runtime_error("an accident");
            const std::lock_guard lock(mutex_);
            ++started;
            streams_.push_back(std::move(stream));
            opened_.notify_all();
        };
        respond(std::move(reply));
    }
    Reply refuse(int status, std::string_view reason, std::string_view) override
    {
        Reply reply = text(std::string(reason));
        reply.status = status;
        return reply;
    }

    /// The next stream to have been opened.
    std::shared_ptr<OpenStream> take()
    {
        std::unique_lock lock(mutex_);
        if (!opened_.wait_for(lock, 10s, [this] { return !streams_.empty(); })) throw std::runtime_error("no stream was opened");
        auto stream = std::move(streams_.front());
        streams_.erase(streams_.begin());
        return stream;
    }

    std::atomic<int> started{0};

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    std::vector<std::shared_ptr<OpenStream>> streams_;
};

class HttpStream : public ::testing::Test
{
protected:
    explicit HttpStream(ServerOptions options = on_any_port()) : server(std::move(options), fountain) { server.start(); }
    ~HttpStream() override { server.stop(2s); }

    std::shared_ptr<OpenStream> open(const Client& client)
    {
        client.send(get("/stream"));
        return fountain.take();
    }

    /// Waits until so many connections are open.
    [[nodiscard]] bool comes_to(std::size_t connections) const
    {
        const auto patience = std::chrono::steady_clock::now() + 10s;
        while (server.connections() != connections) {
            if (std::chrono::steady_clock::now() > patience) return false;
            std::this_thread::yield();
        }
        return true;
    }

    Fountain fountain;
    Server server;
};

TEST_F(HttpStream, ComesInChunksAsItsPiecesAreSentAndEndsWithTheLast)
{
    Client client(server.port());
    const auto stream = open(client);
    const auto head = client.read(Method::head);
    EXPECT_EQ(head.status, 200);
    EXPECT_TRUE(head.says("\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_TRUE(head.says("\r\nContent-Type: text/event-stream\r\n"));
    EXPECT_TRUE(head.says("\r\nConnection: close\r\n"));
    EXPECT_FALSE(head.says("Content-Length"));
    EXPECT_TRUE(stream->send(piece("hello")));
    EXPECT_EQ(client.read_past("hello\r\n"), "5\r\nhello\r\n");
    EXPECT_TRUE(stream->send(piece(std::string(20, 'x'))));
    EXPECT_TRUE(stream->send(piece("")));
    EXPECT_TRUE(stream->send(piece("y")));
    stream->end();
    EXPECT_EQ(client.read_past("0\r\n\r\n"), "14\r\n" + std::string(20, 'x') + "\r\n1\r\ny\r\n0\r\n\r\n");
    EXPECT_TRUE(client.is_over());
    EXPECT_FALSE(stream->send(piece("too late")));
}

TEST_F(HttpStream, IsPlainBytesUpToTheCloseForHttp10)
{
    Client client(server.port());
    client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto stream = fountain.take();
    const auto head = client.read(Method::head);
    EXPECT_FALSE(head.says("Transfer-Encoding"));
    EXPECT_FALSE(head.says("Content-Length"));
    EXPECT_TRUE(head.says("\r\nConnection: close\r\n"));
    stream->send(piece("hello"));
    stream->end();
    EXPECT_EQ(client.read_past("hello"), "hello");
    EXPECT_TRUE(client.is_over());
}

TEST_F(HttpStream, IsOnlyAHeadForHeadAndTheConnectionGoesOn)
{
    Client client(server.port());
    client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"));
    const auto head = client.read(Method::head);
    EXPECT_TRUE(head.says("\r\nContent-Type: text/event-stream\r\n"));
    EXPECT_FALSE(head.says("Content-Length"));
    EXPECT_FALSE(head.says("Connection: close"));
    EXPECT_EQ(client.read().body, "hello");
    EXPECT_EQ(fountain.started, 0);
}

TEST_F(HttpStream, TakesPiecesFromManyThreadsWhole)
{
    Client client(server.port());
    const auto stream = open(client);
    client.read(Method::head);
    std::vector<std::thread> senders;
    for (int i = 0; i < 4; ++i) {
        senders.emplace_back([&] {
            for (int n = 0; n < 4; ++n) EXPECT_TRUE(stream->send(piece("abc")));
        });
    }
    for (auto& sender : senders) sender.join();
    for (int i = 0; i < 16; ++i) EXPECT_EQ(client.read_past("abc\r\n"), "3\r\nabc\r\n");
}

TEST_F(HttpStream, IsOverWhenItsClientHasGone)
{
    for (int i = 0; i < 3; ++i) {
        Client client(server.port());
        const auto stream = open(client);
        client.read(Method::head);
        if (i == 0) client.hang_up();
        if (i == 1) client.reset();
        if (i == 2) client.half_close();
        EXPECT_TRUE(comes_to(0));
        EXPECT_FALSE(stream->send(piece("to nobody")));
    }
}

TEST_F(HttpStream, IsCutWhenItsReaderIsSlowAndOthersAreNot)
{
    Client slow(server.port(), 4096);
    const auto to_slow = open(slow);
    Client quick(server.port());
    const auto to_quick = open(quick);
    quick.read(Method::head);
    const auto large = piece(std::string(256 * 1024, 'x') + "!");
    int taken = 0;
    for (int i = 0; i < 64; ++i) {
        if (to_slow->send(large)) ++taken;
        ASSERT_TRUE(to_quick->send(large));
        EXPECT_EQ(quick.read_past("!\r\n").size(), large->size() + 9);
    }
    EXPECT_GE(taken, 16);
    EXPECT_LT(taken, 40);
    EXPECT_FALSE(to_slow->send(large));
    EXPECT_TRUE(comes_to(1));
    EXPECT_TRUE(to_quick->send(piece("still here?")));
    EXPECT_EQ(quick.read_past("?\r\n"), "b\r\nstill here?\r\n");
}

TEST_F(HttpStream, SharesItsPiecesWithOtherStreams)
{
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<std::shared_ptr<OpenStream>> streams;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(std::make_unique<Client>(server.port()));
        streams.push_back(open(*clients.back()));
    }
    const auto shared = piece("to all\n");
    for (const auto& stream : streams) EXPECT_TRUE(stream->send(shared));
    for (const auto& client : clients) {
        client->read(Method::head);
        EXPECT_EQ(client->read_past("\n\r\n"), "7\r\nto all\n\r\n");
    }
}

TEST_F(HttpStream, DoesNotListenToWhatItsClientGoesOnSaying)
{
    Client client(server.port());
    client.send(get("/stream") + get("/hello"));
    const auto stream = fountain.take();
    client.read(Method::head);
    client.send(get("/hello"));
    stream->send(piece("one"));
    stream->end();
    EXPECT_EQ(client.read_past("one\r\n"), "3\r\none\r\n");
    EXPECT_TRUE(comes_to(0));
    EXPECT_EQ(fountain.started, 1);
}

TEST_F(HttpStream, ThatCannotBeginIsClosed)
{
    Client client(server.port());
    client.send(get("/throw"));
    EXPECT_EQ(client.read(Method::head).status, 200);
    EXPECT_EQ(client.read_past("0\r\n\r\n"), "0\r\n\r\n");
    EXPECT_TRUE(client.is_over());
}

TEST_F(HttpStream, EndsAtOnceWhenTheServerStops)
{
    Client silent(server.port());
    const auto stream = open(silent);
    silent.read(Method::head);
    Client slow(server.port(), 4096);
    const auto to_slow = open(slow);
    const auto large = piece(std::string(4 * 1024 * 1024, 'x'));
    EXPECT_TRUE(to_slow->send(large));
    EXPECT_TRUE(to_slow->send(large));
    const auto begin = std::chrono::steady_clock::now();
    server.stop(60s);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    EXPECT_EQ(silent.read_past("0\r\n\r\n"), "0\r\n\r\n");
    EXPECT_TRUE(silent.is_over());
    EXPECT_FALSE(stream->send(piece("too late")));
    EXPECT_FALSE(to_slow->send(piece("too late")));
}

class HttpStreamInAHurry : public HttpStream
{
protected:
    static ServerOptions hurried()
    {
        auto options = on_any_port();
        options.threads = 1;
        options.idle_timeout = options.header_timeout = options.body_timeout = 100ms;
        return options;
    }
    HttpStreamInAHurry() : HttpStream(hurried()) {}
};

TEST_F(HttpStreamInAHurry, MayBeSilentForAsLongAsItLikes)
{
    Client client(server.port());
    const auto stream = open(client);
    client.read(Method::head);
    for (int i = 0; i < 3; ++i) {
        Client idle(server.port());
        EXPECT_TRUE(idle.is_over());  // its time was up, and the stream's would have been
    }
    EXPECT_TRUE(stream->send(piece("hello")));
    EXPECT_EQ(client.read_past("hello\r\n"), "5\r\nhello\r\n");
}

}  // namespace

}  // namespace boxoffice::http
