#include "attack.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "machine.hpp"
#include "wire.hpp"

namespace boxoffice::bench
{
namespace
{

/// Honest clients share the core with the attacker, which is not to be what slows them.
constexpr int kAttackerNice = 10;
/// The longest life of an attack, whatever becomes of its owner.
constexpr double kSecondsMax = 120;
constexpr int kLookEveryMs = 2;

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

class Attacker
{
public:
    Attacker(const Attack& attack, std::uint16_t port, const char* source, AttackTally& tally)
        : attack_(attack), tally_(tally), epoll_(::epoll_create1(EPOLL_CLOEXEC)), scratch_(std::size_t{256} * 1024)
    {
        own_.sin_family = server_.sin_family = AF_INET;
        ::inet_pton(AF_INET, source, &own_.sin_addr);
        server_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        server_.sin_port = htons(port);
        for (unsigned i = 0; i < attack.connections; ++i) closed_.push_back(&connections_.emplace_back());
    }

    void play()
    {
        const std::int64_t began = steady_ns();
        for (;;) {
            const double seconds = static_cast<double>(steady_ns() - began) / 1e9;
            if (seconds > kSecondsMax) return;
            spend(seconds * attack_.per_second);
            hear();
        }
    }

private:
    struct Connection {
        int fd = -1;
        std::string_view unsent;
        std::string partial;
    };

    /// Opens and asks as much as the rate has allowed so far.
    void spend(double allowed)
    {
        while (static_cast<double>(spent_) < allowed && !(closed_.empty() && idle_.empty())) {
            ++spent_;
            auto& from = closed_.empty() ? idle_ : closed_;
            Connection& connection = *from.front();
            from.pop_front();
            if (connection.fd < 0 ? open(connection) : ask(connection)) continue;
            close(connection);
        }
        // What was not used is not saved up for a burst.
        spent_ = std::max(spent_, static_cast<std::uint64_t>(allowed));
    }

    bool open(Connection& connection)
    {
        connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connection.fd < 0) return false;
        const int on = 1;
        ::setsockopt(connection.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (::bind(connection.fd, reinterpret_cast<const sockaddr*>(&own_), sizeof own_) != 0) return false;
        if (::connect(connection.fd, reinterpret_cast<const sockaddr*>(&server_), sizeof server_) != 0 && errno != EINPROGRESS)
            return false;
        epoll_event interest{};
        // One that only holds does not read either: what the server sends stays in the sockets.
        interest.events = EPOLLOUT | EPOLLRDHUP | EPOLLET;
        if (attack_.then != Attack::Then::hold) interest.events |= EPOLLIN;
        interest.data.ptr = &connection;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &interest) != 0) return false;
        ++tally_.opened;
        return ask(connection);
    }

    bool ask(Connection& connection)
    {
        if (attack_.requests.empty()) return true;
        connection.unsent = attack_.requests[next_++ % attack_.requests.size()];
        return flush(connection);
    }

    bool flush(Connection& connection)
    {
        while (!connection.unsent.empty()) {
            const ssize_t sent = ::send(connection.fd, connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
            if (sent <= 0) return sent < 0 && (errno == EAGAIN || errno == ENOTCONN);
            connection.unsent.remove_prefix(static_cast<std::size_t>(sent));
        }
        return attack_.then != Attack::Then::hang_up;
    }

    void hear()
    {
        std::array<epoll_event, 512> events;
        const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kLookEveryMs);
        for (int i = 0; i < count; ++i) {
            const auto& event = events[static_cast<std::size_t>(i)];
            auto& connection = *static_cast<Connection*>(event.data.ptr);
            if (connection.fd < 0) continue;
            const bool answered = (event.events & EPOLLIN) == 0 || read(connection);
            if (!answered || (event.events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0 || !flush(connection)) close(connection);
        }
    }

    bool read(Connection& connection)
    {
        for (;;) {
            const ssize_t got = ::recv(connection.fd, scratch_.data(), scratch_.size(), 0);
            if (got < 0 && errno == EAGAIN) return true;
            if (got <= 0) return false;
            connection.partial.append(scratch_.data(), static_cast<std::size_t>(got));
            const auto framed = parse_answer(connection.partial);
            if (!framed) continue;
            ++(framed->answer.status < 400 ? tally_.answered : tally_.refused);
            connection.partial.clear();
            idle_.push_back(&connection);
        }
    }

    void close(Connection& connection)
    {
        if (connection.fd >= 0) ::close(connection.fd);
        if (attack_.then != Attack::Then::hang_up) ++tally_.closed;
        connection.fd = -1;
        connection.partial.clear();
        std::erase(idle_, &connection);
        closed_.push_back(&connection);
    }

    const Attack& attack_;
    AttackTally& tally_;
    int epoll_;
    std::vector<char> scratch_;
    sockaddr_in own_{};
    sockaddr_in server_{};
    std::deque<Connection> connections_;
    std::deque<Connection*> closed_;
    std::deque<Connection*> idle_;
    std::uint64_t spent_ = 0;
    std::size_t next_ = 0;
};

/// Never returns by itself: its owner ends it.
int listen_inertly(int listener)
{
    constexpr std::string_view kRefusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.fd = listener;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &interest);
    std::array<char, 65536> scratch;
    std::array<epoll_event, 512> events;
    for (;;) {
        const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                for (int one = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); one >= 0;
                     one = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) {
                    interest.data.fd = one;
                    ::epoll_ctl(epoll, EPOLL_CTL_ADD, one, &interest);
                }
                continue;
            }
            if (::recv(fd, scratch.data(), scratch.size(), 0) <= 0)
                ::close(fd);
            else
                (void)!::send(fd, kRefusal.data(), kRefusal.size(), MSG_NOSIGNAL);
        }
    }
}

}  // namespace

pid_t Child::begin()
{
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw_errno("fork");
    if (child > 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::setpriority(PRIO_PROCESS, 0, kAttackerNice);
    return 0;
}

void Child::end(int code) { ::_exit(code); }

Child::~Child()
{
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

RunningAttack::RunningAttack(const Attack& attack, std::uint16_t port, const char* source)
{
    void* const shared = ::mmap(nullptr, sizeof(AttackTally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) throw_errno("mmap");
    tally_ = new (shared) AttackTally;
    child_ = std::make_unique<Child>([&] {
        try {
            Attacker(attack, port, source, *tally_).play();
            return 0;
        } catch (const std::exception&) {
            return 1;  // the tally shows that it came to nothing
        }
    });
}

RunningAttack::~RunningAttack()
{
    child_.reset();
    ::munmap(tally_, sizeof(AttackTally));
}

InertListener::InertListener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
{
    if (socket_ < 0) throw_errno("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(socket_, SOMAXCONN) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        ::close(socket_);
        throw_errno("an inert listener");
    }
    port_ = ntohs(address.sin_port);
    child_ = std::make_unique<Child>([this] { return listen_inertly(socket_); });
}

InertListener::~InertListener()
{
    child_.reset();
    ::close(socket_);
}

}  // namespace boxoffice::bench
