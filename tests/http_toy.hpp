#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/net.hpp"

/// What the tests of the HTTP server share: a handler that does what the path says, a client that sends what it is told byte for
/// byte, and a server between them.
namespace boxoffice::http
{

using namespace std::chrono_literals;

inline const std::string& big_page()
{
    static const std::string page(8 * 1024 * 1024, 'p');
    return page;
}

/// Answers by the path, and keeps what `/later` asks until the test answers it.
class Toy final : public Handler
{
public:
    void handle(std::shared_ptr<const Request> request, Respond respond) override
    {
        const auto& target = request->target;
        if (target == "/later") {
            const std::lock_guard lock(mutex_);
            parked_.push_back(std::move(respond));
            gone_ = request->gone;
            arrived_.notify_all();
            return;
        }
        if (target == "/block") {
            std::unique_lock lock(mutex_);
            blocked_ = true;
            arrived_.notify_all();
            arrived_.wait_for(lock, 10s, [this] { return !blocked_; });
        }
        if (target == "/drop") return;
        if (target == "/throw") throw std::runtime_error("an accident");
        Reply reply;
        reply.content_type = "text/plain";
        if (target == "/echo") {
            reply.body = request->body;
        } else if (target == "/headers") {
            for (const auto& [name, value] : request->headers) reply.body += name + "=" + value + ";";
        } else if (target == "/big") {
            reply.static_body = big_page();
        } else if (target == "/owned") {
            reply.body.assign(300'000, 'o');
        } else if (target == "/changed") {
            reply.body.assign(40'000, 'c');
            reply.tells_of_change = true;
        } else if (target == "/none") {
            reply.status = 204;
        } else if (target == "/same") {
            reply.status = 304;
            reply.headers.emplace_back("ETag", "\"1\"");
        } else if (target == "/split") {
            reply.headers.emplace_back("X-Id", "a\r\nSet-Cookie: b");
        } else if (target == "/signed") {
            reply.signed_in = true;
            reply.body = "welcome back";
        } else if (target == "/peer") {
            reply.body = request->peer;
        } else {
            reply.body = target;
        }
        if (request->method == Method::other) reply.status = 405;
        if (target == "/twice") respond(reply);
        respond(std::move(reply));
    }

    Reply refuse(int status, std::string_view reason, std::string_view asked_id) override
    {
        Reply reply;
        reply.status = status;
        reply.content_type = "text/plain";
        reply.body = std::string(reason);
        if (!asked_id.empty()) reply.headers.emplace_back("X-Request-Id", asked_id);
        return reply;
    }

    /// Waits until `/later` has been asked once more than it was taken.
    Respond take_parked()
    {
        std::unique_lock lock(mutex_);
        if (!arrived_.wait_for(lock, 10s, [this] { return !parked_.empty(); })) return {};
        auto respond = std::move(parked_.front());
        parked_.erase(parked_.begin());
        return respond;
    }

    /// `/block` keeps its I/O thread until it is let go.
    void wait_until_blocked()
    {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(arrived_.wait_for(lock, 10s, [this] { return blocked_; }));
    }
    void let_go()
    {
        const std::lock_guard lock(mutex_);
        blocked_ = false;
        arrived_.notify_all();
    }

    /// Whether the client of the last `/later` is known to have gone.
    [[nodiscard]] bool is_client_gone()
    {
        const std::lock_guard lock(mutex_);
        return gone_->load();
    }

private:
    std::mutex mutex_;
    std::shared_ptr<const std::atomic<bool>> gone_;
    std::condition_variable arrived_;
    bool blocked_ = false;
    std::vector<Respond> parked_;
};

inline Reply text(std::string body)
{
    Reply reply;
    reply.content_type = "text/plain";
    reply.body = std::move(body);
    return reply;
}

struct Answer {
    int status = 0;  // 0: the connection ended instead
    std::string head;
    std::string body;
    [[nodiscard]] bool says(std::string_view line) const { return head.find(line) != std::string::npos; }
};

/// A raw client: sends what it is told, byte for byte, and reads one reply at a time.
class Client
{
public:
    explicit Client(std::uint16_t port, int receive_bytes = 0, const char* from = "127.0.0.1")
        : fd_(::socket(AF_INET, SOCK_STREAM, 0))
    {
        const timeval patience{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        const int one = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (receive_bytes > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
        const sockaddr source = address_of(from, 0);
        EXPECT_EQ(::bind(fd_, &source, sizeof source), 0);
        const sockaddr server = address_of("127.0.0.1", port);
        EXPECT_EQ(::connect(fd_, &server, sizeof server), 0);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { hang_up(); }

    void hang_up()
    {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    void reset()  // as a client that crashes: RST instead of FIN
    {
        const linger hard{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        hang_up();
    }
    void half_close() const { ::shutdown(fd_, SHUT_WR); }

    bool send(std::string_view bytes) const
    {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    Answer read(Method method = Method::get)
    {
        Answer answer;
        std::size_t end = 0;
        while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
            if (!receive()) return answer;
        }
        answer.head = buffer_.substr(0, end + 4);
        buffer_.erase(0, end + 4);
        answer.status = std::stoi(answer.head.substr(9, 3));
        const auto length_at = answer.head.find("Content-Length: ");
        if (length_at == std::string::npos || method == Method::head) return answer;
        const auto length = std::stoul(answer.head.substr(length_at + 16));
        while (buffer_.size() < length) {
            if (!receive()) break;
        }
        answer.body = buffer_.substr(0, length);
        buffer_.erase(0, length);
        return answer;
    }

    /// The same, behind interim answers.
    Answer read_final()
    {
        Answer answer = read();
        while (answer.status / 100 == 1) answer = read();
        return answer;
    }

    /// What comes up to the end of `text`, which is looked for in what has not been read yet; empty if the connection ends first.
    std::string read_past(std::string_view text)
    {
        std::size_t at = 0;
        while ((at = buffer_.find(text)) == std::string::npos) {
            if (!receive()) return {};
        }
        auto read = buffer_.substr(0, at + text.size());
        buffer_.erase(0, read.size());
        return read;
    }

    /// True when the server has closed, or does so soon; what it has said before is still to be read.
    [[nodiscard]] bool is_hung_up_on() const
    {
        pollfd end{fd_, POLLRDHUP, 0};
        return ::poll(&end, 1, 10'000) == 1;
    }

    /// True when the server has closed and nothing more was said.
    bool is_over() { return buffer_.empty() && !receive(); }

private:
    static sockaddr address_of(const char* ip, std::uint16_t port)
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        ::inet_pton(AF_INET, ip, &address.sin_addr);
        sockaddr generic{};
        static_assert(sizeof generic == sizeof address);
        std::memcpy(&generic, &address, sizeof address);
        return generic;
    }

    bool receive()
    {
        char bytes[64 * 1024];
        const auto read = ::recv(fd_, bytes, sizeof bytes, 0);
        if (read <= 0) return false;
        buffer_.append(bytes, static_cast<std::size_t>(read));
        return true;
    }

    int fd_;
    std::string buffer_;
};

inline ServerOptions on_any_port()
{
    ServerOptions options;
    options.port = 0;
    return options;
}

class HttpServer : public ::testing::Test
{
protected:
    explicit HttpServer(ServerOptions options = on_any_port()) : server(std::move(options), toy) { server.start(); }
    ~HttpServer() override { server.stop(2s); }

    Answer ask(std::string_view bytes)
    {
        Client client(server.port());
        client.send(bytes);
        return client.read();
    }

    /// The status of the first answer, which must also have been the last: the server closes after it.
    int refusal_of(std::string_view bytes)
    {
        Client client(server.port());
        client.send(bytes);
        const auto answer = client.read();
        EXPECT_TRUE(answer.says("Connection: close")) << answer.head;
        EXPECT_TRUE(client.is_over()) << bytes.substr(0, 200);
        return answer.status;
    }

    Toy toy;
    Server server;
};

inline std::string get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

inline std::string post(std::string_view fields, std::string_view body)
{
    return "POST /echo HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

}  // namespace boxoffice::http
