#include "http/io_loop.hpp"

#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "runtime/log.hpp"

namespace boxoffice::http
{

using namespace std::chrono_literals;

namespace
{

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr std::chrono::milliseconds kAcceptPause = 100ms;  // out of descriptors or memory: some will come free
constexpr int kBacklog = 4096;                             // a crowd at the opening of a sale; the kernel caps it (somaxconn)

/// Deadlines are looked at this often, all in one sweep, which costs nothing per request. At most a twentieth late.
[[nodiscard]] std::chrono::milliseconds tick_of(const ServerOptions& options)
{
    const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout});
    return std::clamp<std::chrono::milliseconds>(shortest / 20, 5ms, 500ms);
}

[[nodiscard]] Limits limits_of(const ServerOptions& options)
{
    Limits limits;
    limits.header_bytes_max = options.header_bytes_max;
    limits.target_bytes_max = options.target_bytes_max;
    limits.body_bytes_max = options.body_bytes_max;
    return limits;
}

/// Of this many over the limit each is told so; those beyond are closed without a word.
[[nodiscard]] std::size_t turned_away_max(const ServerOptions& options)
{
    return std::max<std::size_t>(16, options.connections_max / 16);
}

}  // namespace

/// Takes a connection off its loop's list when its coroutine ends, however it ends.
class IoLoop::Departure
{
public:
    Departure(IoLoop& loop, const Connection& connection) : loop_(loop), connection_(connection) {}
    Departure(const Departure&) = delete;
    Departure& operator=(const Departure&) = delete;
    ~Departure()
    {
        loop_.connections_.erase(&connection_);
        loop_.open_connections_.fetch_sub(1, std::memory_order_relaxed);
        loop_.end_if_done();
    }

private:
    IoLoop& loop_;
    const Connection& connection_;
};

IoLoop::IoLoop(const ServerOptions& options, Handler& handler, const Endpoint& endpoint,
               std::atomic<std::size_t>& open_connections)
    : options_(options),
      acceptor_(context_.get_executor()),
      tick_(context_.get_executor()),
      pause_(context_.get_executor()),
      grace_(context_.get_executor()),
      surroundings_{options, limits_of(options), handler, nullptr},
      open_connections_(open_connections)
{
    surroundings_.mailbox = std::make_shared<Mailbox>([this] {
        const auto mailbox = surroundings_.mailbox;
        asio::post(context_, [mailbox] { mailbox->deliver(); });
    });
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.set_option(ReusePort(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(kBacklog);
}

IoLoop::~IoLoop() { surroundings_.mailbox->close(); }

void IoLoop::start(const std::string& thread_name)
{
    asio::co_spawn(context_, accept_connections(), asio::detached);
    asio::co_spawn(context_, watch_deadlines(), asio::detached);
    thread_ = std::thread(&IoLoop::run, this, thread_name);
}

void IoLoop::run(const std::string& thread_name)
{
    pthread_setname_np(pthread_self(), thread_name.c_str());
    surroundings_.mailbox->own();
    context_.run();
}

void IoLoop::drain(std::chrono::milliseconds grace)
{
    asio::post(context_, [this, grace] { begin_drain(grace); });
}

void IoLoop::join()
{
    if (thread_.joinable()) thread_.join();
    surroundings_.mailbox->close();
}

Awaitable<void> IoLoop::accept_connections()
{
    while (acceptor_.is_open()) {
        auto [error, socket] = co_await acceptor_.async_accept(kAwait);
        if (!error) {
            admit(std::move(socket));
        } else if (error != asio::error::operation_aborted && error != asio::error::connection_aborted) {
            const auto what = error.message();
            log::warn("no connection could be accepted", {{"what", std::string_view(what)}});
            pause_.expires_after(kAcceptPause);
            co_await pause_.async_wait(kAwait);
        }
    }
}

void IoLoop::admit(Socket socket)
{
    boost::system::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (!error) socket.set_option(asio::ip::tcp::no_delay(true), error);
    if (!error) socket.non_blocking(true, error);
    if (error) return;  // gone before it was let in
    const auto others = open_connections_.fetch_add(1, std::memory_order_relaxed);
    if (others >= options_.connections_max + turned_away_max(options_)) {
        open_connections_.fetch_sub(1, std::memory_order_relaxed);
        return;
    }
    auto connection = std::make_shared<Connection>(surroundings_, std::move(socket), peer.address().to_string());
    connections_.emplace(connection.get(), connection);
    if (others < options_.connections_max) {
        asio::co_spawn(context_, attend(std::move(connection)), asio::detached);
    } else {
        asio::co_spawn(context_, turn_away(std::move(connection)), asio::detached);
    }
}

Awaitable<void> IoLoop::attend(std::shared_ptr<Connection> connection)
{
    const Departure departure(*this, *connection);
    try {
        co_await connection->serve();
    } catch (const std::exception& accident) {
        log::error("a connection broke", {{"what", std::string_view(accident.what())}});
    }
}

Awaitable<void> IoLoop::turn_away(std::shared_ptr<Connection> connection)
{
    const Departure departure(*this, *connection);
    try {
        co_await connection->turn_away();
    } catch (const std::exception& accident) {
        log::error("a connection broke", {{"what", std::string_view(accident.what())}});
    }
}

Awaitable<void> IoLoop::watch_deadlines()
{
    const auto tick = tick_of(options_);
    for (;;) {
        tick_.expires_after(tick);
        auto [error] = co_await tick_.async_wait(kAwait);
        if (error || is_done()) co_return;  // a timer that had just gone off is past being cancelled
        const auto now = Connection::Clock::now();
        for (const auto& connection : present()) connection->expire(now);
    }
}

void IoLoop::begin_drain(std::chrono::milliseconds grace)
{
    if (surroundings_.stage == Surroundings::Stage::draining) return;
    surroundings_.stage = Surroundings::Stage::draining;
    boost::system::error_code error;
    acceptor_.non_blocking(true, error);
    while (!error) {  // whoever the kernel let in already is not turned out unheard
        auto socket = acceptor_.accept(error);
        if (!error) admit(std::move(socket));
    }
    acceptor_.close(error);
    pause_.cancel();
    for (const auto& connection : present()) connection->drain();
    grace_.expires_after(grace);
    grace_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) cut_off();
    });
    end_if_done();
}

void IoLoop::cut_off()
{
    for (const auto& connection : present()) connection->abandon();
}

/// Apart from the list, which a connection that is told to end leaves at once.
std::vector<std::shared_ptr<Connection>> IoLoop::present() const
{
    std::vector<std::shared_ptr<Connection>> connections;
    connections.reserve(connections_.size());
    for (const auto& [key, weak] : connections_) {
        if (auto connection = weak.lock()) connections.push_back(std::move(connection));
    }
    return connections;
}

void IoLoop::end_if_done()
{
    if (!is_done()) return;
    tick_.cancel();
    grace_.cancel();
}

}  // namespace boxoffice::http
