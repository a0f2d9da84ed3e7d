#include "loop.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "client.hpp"
#include "connection.hpp"
#include "machine.hpp"
#include "process.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr std::int64_t kSecond = 1'000'000'000;
// A paced set is looked after at this grain at the finest: waking up for each request alone would cost more than sending it.
constexpr std::int64_t kGrain = 100'000;
// A server that hangs up this often is not one to measure.
constexpr std::uint64_t kReconnectsMax = 1'000;

}  // namespace

Loop::Loop(std::uint16_t port, const char* source)
    : port_(port), source_(source), epoll_(::epoll_create1(EPOLL_CLOEXEC)), scratch_(std::size_t{256} * 1024)
{
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

Loop::~Loop()
{
    for (auto& set : sets_) {
        for (Connection& connection : set->connections) {
            if (connection.fd >= 0) ::close(connection.fd);
        }
    }
    ::close(epoll_);
}

void Loop::add(Traffic& traffic, const Shape& shape, Tally& tally)
{
    auto set = std::make_unique<Set>();
    set->traffic = &traffic;
    set->tally = &tally;
    set->shape = shape;
    for (std::size_t slot = 0; slot < shape.connections; ++slot) {
        Connection& connection = set->connections.emplace_back();
        connection.set = set.get();
        connection.slot = slot;
        open(connection);
        ++awake_;
    }
    sets_.push_back(std::move(set));
}

void Loop::open(Connection& connection)
{
    connection.fd = connect_local(port_, source_);
    ::fcntl(connection.fd, F_SETFL, O_NONBLOCK);
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
}

void Loop::watch(Connection& connection, int change, std::uint32_t events)
{
    epoll_event interest{};
    interest.events = events;
    interest.data.ptr = &connection;
    if (::epoll_ctl(epoll_, change, connection.fd, &interest) != 0) {
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
}

void Loop::ask(Connection& connection, std::int64_t started)
{
    const auto request = connection.set->traffic->next(connection.slot);
    if (!request) {
        connection.state = Connection::State::resting;
        --awake_;
        return;
    }
    connection.state = Connection::State::waiting;
    connection.started = started;
    connection.unsent = *request;
    flush(connection);
}

void Loop::flush(Connection& connection)
{
    const ssize_t sent = ::send(connection.fd, connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return;  // the broken connection shows as readable
    if (sent > 0) connection.unsent.remove_prefix(static_cast<std::size_t>(sent));
    if (sent > 0 && connection.unsent.empty()) return;
    watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

void Loop::readable(Connection& connection)
{
    const ssize_t got = ::recv(connection.fd, scratch_.data(), scratch_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return lose(connection);
    std::string_view input(scratch_.data(), static_cast<std::size_t>(got));
    if (!connection.partial.empty()) input = connection.partial.append(input);
    const auto framed = parse_answer(input);
    if (!framed) {
        if (connection.partial.empty()) connection.partial = input;
        return;
    }
    if (connection.state != Connection::State::waiting || framed->bytes != input.size()) {
        throw std::runtime_error("the server answered what was not asked");
    }
    finish(connection, framed->answer);
}

void Loop::finish(Connection& connection, const Answer& answer)
{
    Set& set = *connection.set;
    const std::int64_t now = steady_ns();
    if (set.traffic->answered(connection.slot, answer) == Verdict::good) {
        ++set.tally->good;
        set.tally->latency.add(now - connection.started);
    } else {
        ++set.tally->bad;
        ++set.tally->bad_by_status[answer.status];
    }
    connection.partial.clear();
    if (set.shape.per_second <= 0) return ask(connection, now);
    connection.state = Connection::State::idle;
    set.idle.push_back(&connection);
    release_due(set, now);
}

void Loop::lose(Connection& connection)
{
    Set& set = *connection.set;
    ::close(connection.fd);
    connection.fd = -1;
    connection.partial.clear();
    const auto before = connection.state;
    if (before == Connection::State::waiting) {
        ++set.tally->lost;
        set.traffic->lost(connection.slot);
    }
    if (before == Connection::State::resting) return;
    if (set.shape.on_loss == OnLoss::rest) {
        std::erase(set.idle, &connection);
        connection.state = Connection::State::resting;
        --awake_;
        return;
    }
    if (++reconnects_ > kReconnectsMax) throw std::runtime_error("the server keeps hanging up");
    open(connection);
    if (before != Connection::State::waiting) return;
    if (set.shape.per_second <= 0) return ask(connection, steady_ns());
    connection.state = Connection::State::idle;
    set.idle.push_back(&connection);
}

void Loop::release_due(Set& set, std::int64_t now)
{
    while (!set.idle.empty() && set.due_at(set.released) <= now) {
        Connection& connection = *set.idle.front();
        set.idle.pop_front();
        ask(connection, set.due_at(set.released++));
    }
}

void Loop::run_for(double seconds) { run(seconds, Until::deadline); }

void Loop::run_dry(double seconds_max)
{
    run(seconds_max, Until::dry);
    if (awake_ > 0) throw std::runtime_error("a burst did not end within " + std::to_string(seconds_max) + " s");
}

void Loop::run(double seconds, Until until)
{
    const std::int64_t end = steady_ns() + static_cast<std::int64_t>(seconds * 1e9);
    for (auto& set : sets_) {
        if (set->began == 0) set->began = steady_ns();
        for (Connection& connection : set->connections) {
            if (connection.state != Connection::State::fresh) continue;
            if (set->shape.per_second <= 0) {
                ask(connection, steady_ns());
            } else {
                connection.state = Connection::State::idle;
                set->idle.push_back(&connection);
            }
        }
    }
    std::array<epoll_event, 256> events;
    for (;;) {
        throw_if_interrupted();
        const std::int64_t now = steady_ns();
        if (now >= end || (until == Until::dry && awake_ == 0)) return;
        std::int64_t wake = end;
        for (auto& set : sets_) {
            if (set->shape.per_second <= 0) continue;
            release_due(*set, now);
            if (!set->idle.empty()) wake = std::min(wake, std::max(set->due_at(set->released), now + kGrain));
        }
        const timespec patience{(wake - now) / kSecond, (wake - now) % kSecond};
        const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &patience, nullptr);
        if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll_pwait2");
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            Connection& connection = *static_cast<Connection*>(event.data.ptr);
            if (connection.fd < 0) continue;  // lost to an earlier event of this very batch
            if ((event.events & EPOLLOUT) != 0) {
                watch(connection, EPOLL_CTL_MOD, EPOLLIN);
                if (!connection.unsent.empty()) flush(connection);
            }
            if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) readable(connection);
        }
    }
}

void Loop::wait_until_idle()
{
    const std::int64_t now = steady_ns();
    for (auto& set : sets_) {
        if (set->shape.per_second <= 0) continue;
        for (const Connection& connection : set->connections) {
            if (connection.state == Connection::State::waiting) set->tally->latency.add(now - connection.started);
        }
        for (std::uint64_t number = set->released; set->due_at(number) <= now; ++number) {
            set->tally->latency.add(now - set->due_at(number));
        }
    }
}

}  // namespace boxoffice::bench
