#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace boxoffice
{

/// Where the next transaction's last pipeline is cut off from its sender.
enum class Cut : std::uint8_t {
    before,    // it does not reach the server
    after,     // it has been forwarded; the answer is not waited for
    answered,  // the server has answered, and the answer is lost
    late,      // nowhere: it is only on its way for as long as `then` takes
};

inline sockaddr_in local(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

/// Lets `listener` listen on any free port of this machine, and says which.
inline std::uint16_t listen_anywhere(int listener, int backlog)
{
    sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, backlog) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("cannot listen");
    return ntohs(address.sin_port);
}

inline bool send_all(int to, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

/// Something read, or empty at the end.
inline std::string receive(int from)
{
    std::string bytes(65536, '\0');
    const auto size = ::recv(from, bytes.data(), bytes.size(), 0);
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
}

/// What a client says, message by message (PostgreSQL's protocol 3.0), put together to pipelines: up to and with a Sync.
class Pipelines
{
public:
    void add(std::string_view bytes) { unread_.append(bytes); }
    /// The next whole pipeline; empty while there is none.
    std::string next()
    {
        while (const std::size_t size = message_size()) {
            const std::string message = unread_.substr(0, size);
            unread_.erase(0, size);
            pipeline_ += message;
            const char kind = started_ ? message[0] : 'Q';
            if (started_) read(message);
            started_ = true;
            if (kind == 'S' || kind == 'Q' || kind == 'X' || kind == 'p') {
                commits_ = commits_now_;
                commits_now_ = false;
                return std::exchange(pipeline_, {});
            }
        }
        return {};
    }
    [[nodiscard]] bool commits() const { return commits_; }  // the pipeline just given

private:
    std::size_t message_size() const
    {
        const std::size_t head = started_ ? 1 : 0;  // the first message of all has no kind
        if (unread_.size() < head + 4) return 0;
        std::uint32_t size = 0;
        std::memcpy(&size, unread_.data() + head, 4);
        const std::size_t whole = head + ntohl(size);
        return unread_.size() < whole ? 0 : whole;
    }
    void read(const std::string& message)
    {
        if (message[0] == 'P') {  // Parse: name, text
            const std::string name = message.c_str() + 5;
            if (std::string(message.c_str() + 5 + name.size() + 1) == "COMMIT") commit_names_.insert(name);
        } else if (message[0] == 'B') {  // Bind: portal, name
            const std::string portal = message.c_str() + 5;
            if (commit_names_.contains(message.c_str() + 5 + portal.size() + 1)) commits_now_ = true;
        }
    }

    std::string unread_, pipeline_;
    std::set<std::string> commit_names_;
    bool started_ = false, commits_now_ = false, commits_ = false;
};

/// Stands between a PostgreSQL client and its server, knows which pipeline of statements ends with COMMIT, and cuts there.
class CuttingProxy
{
public:
    explicit CuttingProxy(std::uint16_t server) : server_(server), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        port_ = listen_anywhere(listener_, 64);
        acceptor_ = std::thread([this] { accept(); });
    }
    ~CuttingProxy()
    {
        close_off();
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        for (std::thread& pair : pairs_) pair.join();
        ::close(listener_);
    }
    CuttingProxy(const CuttingProxy&) = delete;
    CuttingProxy& operator=(const CuttingProxy&) = delete;

    std::string url(const std::string& database) const
    {
        return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/" + database +
               "?sslmode=disable&gssencmode=disable";
    }
    /// Once; `then` is called on the proxy's thread, before the sender can notice.
    void cut_next_commit(Cut how, std::function<void()> then = [] {})
    {
        const std::lock_guard lock(mutex_);
        armed_ = how;
        then_ = std::move(then);
    }
    /// Cuts all connections off, and those that come from now on.
    void close_off()
    {
        const std::lock_guard lock(mutex_);
        open_ = false;
        for (const int descriptor : descriptors_) ::shutdown(descriptor, SHUT_RDWR);
    }
    void reopen()
    {
        const std::lock_guard lock(mutex_);
        open_ = true;
    }
    int cuts() const { return cuts_; }

private:
    void accept()
    {
        for (;;) {
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) return;
            const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const sockaddr_in address = local(server_);
            const std::lock_guard lock(mutex_);
            if (!open_ || ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
                ::close(client);
                ::close(server);
                continue;
            }
            descriptors_.insert({client, server});
            pairs_.emplace_back([this, client, server] { carry(client, server); });
        }
    }

    void carry(int client, int server)
    {
        forward(client, server);
        const std::lock_guard lock(mutex_);
        descriptors_.erase(client);
        descriptors_.erase(server);
        ::close(client);
        ::close(server);
    }

    void forward(int client, int server)
    {
        Pipelines pipelines;
        for (;;) {
            pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
            if (::poll(both, 2, -1) < 0) continue;
            if (both[1].revents != 0) {
                const std::string answer = receive(server);
                if (answer.empty() || !send_all(client, answer)) return;
            }
            if (both[0].revents == 0) continue;
            const std::string said = receive(client);
            if (said.empty()) return;
            pipelines.add(said);
            for (std::string pipeline = pipelines.next(); !pipeline.empty(); pipeline = pipelines.next()) {
                if (pipelines.commits()) {
                    if (const auto how = disarm()) {
                        if (*how != Cut::late) return cut(*how, client, server, pipeline);
                        then_();
                    }
                }
                (void)send_all(server, pipeline);  // if it is not there any more, what it said at last is read above
            }
        }
    }

    std::optional<Cut> disarm()
    {
        const std::lock_guard lock(mutex_);
        return std::exchange(armed_, std::nullopt);
    }

    void cut(Cut how, int client, int server, const std::string& pipeline)
    {
        ++cuts_;
        const auto let_go = [&] {
            then_();
            ::shutdown(client, SHUT_RDWR);
        };
        if (how == Cut::before) return let_go();
        (void)send_all(server, pipeline);
        if (how == Cut::after) {
            ::shutdown(server, SHUT_WR);
            let_go();
            while (!receive(server).empty()) {}
            return;
        }
        constexpr std::string_view kReady("Z\0\0\0\5I", 6);  // ReadyForQuery, and no transaction is open
        for (std::string answer; !answer.ends_with(kReady);) {
            const std::string more = receive(server);
            if (more.empty()) break;
            answer += more;
        }
        let_go();
    }

    const std::uint16_t server_;
    const int listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> cuts_ = 0;
    std::mutex mutex_;  // protects what follows
    bool open_ = true;
    std::optional<Cut> armed_;
    std::function<void()> then_;
    std::set<int> descriptors_;
    std::vector<std::thread> pairs_;
    std::thread acceptor_;  // last: it uses all of the above
};

}  // namespace boxoffice
