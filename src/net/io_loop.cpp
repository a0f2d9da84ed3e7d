#include "net/io_loop.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
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
using UnsentLowat = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;

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

constexpr std::size_t kLeavingPart = 64;     // one of so many that wait goes at a time, so that not every newcomer costs a search
constexpr int kUnsentInKernel = 128 * 1024;  // what a client takes in no time; the rest stays here, where it is counted

[[nodiscard]] Address address_of(const asio::ip::address& peer)
{
    Address address;
    address.bytes =
        peer.is_v4() ? asio::ip::make_address_v6(asio::ip::v4_mapped, peer.to_v4()).to_bytes() : peer.to_v6().to_bytes();
    return address;
}

/// No descriptor or no memory is left, so it helps to close a connection.
[[nodiscard]] bool is_exhausted(const boost::system::error_code& error)
{
    return error == boost::system::errc::too_many_files_open || error == boost::system::errc::too_many_files_open_in_system ||
           error == boost::system::errc::no_buffer_space || error == boost::system::errc::not_enough_memory;
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
        if (connection_.standing() == Connection::Standing::refused) {
            loop_.allowances_.turned_away.fetch_sub(1, std::memory_order_relaxed);
        } else if (!connection_.has_made_way()) {
            loop_.allowances_.open.fetch_sub(1, std::memory_order_relaxed);
        }
        loop_.end_if_done();
    }

private:
    IoLoop& loop_;
    const Connection& connection_;
};

IoLoop::IoLoop(const ServerOptions& options, Handler& handler, const Endpoint& endpoint, Allowances& allowances)
    : options_(options),
      acceptor_(context_.get_executor()),
      tick_(context_.get_executor()),
      pause_(context_.get_executor()),
      grace_(context_.get_executor()),
      loop_context_{options, allowances, limits_of(options), handler, nullptr},
      allowances_(allowances)
{
    loop_context_.mailbox = std::make_shared<Mailbox>(
        [this] {
            const auto mailbox = loop_context_.mailbox;
            asio::post(context_, [mailbox] { mailbox->deliver(); });
        },
        allowances.unsent);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.set_option(ReusePort(true));
    acceptor_.set_option(UnsentLowat(kUnsentInKernel));  // whatever is accepted here inherits it
    acceptor_.bind(endpoint);
    acceptor_.listen(kBacklog);
}

IoLoop::~IoLoop() { loop_context_.mailbox->close(); }

void IoLoop::start(const std::string& thread_name)
{
    asio::co_spawn(context_, accept_connections(), asio::detached);
    asio::co_spawn(context_, watch_deadlines(), asio::detached);
    thread_ = std::thread(&IoLoop::run, this, thread_name);
}

void IoLoop::run(const std::string& thread_name)
{
    pthread_setname_np(pthread_self(), thread_name.c_str());
    loop_context_.mailbox->own();
    context_.run();
}

void IoLoop::drain(std::chrono::milliseconds grace)
{
    asio::post(context_, [this, grace] { begin_drain(grace); });
}

void IoLoop::join()
{
    if (thread_.joinable()) thread_.join();
    loop_context_.mailbox->close();
}

Awaitable<void> IoLoop::accept_connections()
{
    while (acceptor_.is_open()) {
        auto [error, socket] = co_await acceptor_.async_accept(kAwait);
        if (!error) {
            admit(std::move(socket));
        } else if (error != asio::error::operation_aborted && error != asio::error::connection_aborted) {
            if (const auto unlogged = accept_log_.due()) {
                const auto what = error.message();
                log::warn("accepting a connection failed", {{"what", std::string_view(what)}, {"unlogged", *unlogged}});
            }
            if (is_exhausted(error)) (void)make_room(true);
            pause_.expires_after(kAcceptPause);
            co_await pause_.async_wait(kAwait);
        }
    }
}

void IoLoop::admit(Socket socket)
{
    boost::system::error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (!error) socket.set_option(asio::ip::tcp::no_delay(true), error);
    if (!error) socket.non_blocking(true, error);
    if (error) return;  // gone before it was let in
    const Address peer = address_of(endpoint.address());
    Shares::Place place;
    const bool is_proxy = !allowances_.proxies.empty() && allowances_.proxies.trusts(peer);
    if (!is_proxy && allowances_.connections.take(place, peer, 1) != Shares::Grant::given) {
        return refuse(std::move(socket), peer, "client_full", "Too many connections are open from your address.");
    }
    auto standing = Connection::Standing::ordinary;
    if (allowances_.is_crowded() && make_room(false) == 0) {
        const bool full = allowances_.open.load(std::memory_order_relaxed) >= allowances_.connections_max;
        if (full && make_room(true) == 0) {
            allowances_.wanted.store(true, std::memory_order_relaxed);
            return refuse(std::move(socket), peer, "full", "Too many connections are open; try again in a moment.");
        }
        if (!is_proxy) standing = Connection::Standing::on_trial;
    }
    allowances_.open.fetch_add(1, std::memory_order_relaxed);
    auto connection = std::make_shared<Connection>(loop_context_, std::move(socket), peer, standing, std::move(place));
    connections_.emplace(connection.get(), connection);
    asio::co_spawn(context_, attend(std::move(connection)), asio::detached);
}

void IoLoop::refuse(Socket socket, const Address& peer, std::string_view reason, std::string_view why)
{
    allowances_.refused("connection", reason, peer);
    if (allowances_.turned_away.fetch_add(1, std::memory_order_relaxed) >= allowances_.turned_away_max) {
        allowances_.turned_away.fetch_sub(1, std::memory_order_relaxed);
        return;
    }
    auto connection =
        std::make_shared<Connection>(loop_context_, std::move(socket), peer, Connection::Standing::refused, Shares::Place{});
    connections_.emplace(connection.get(), connection);
    asio::co_spawn(context_, turn_away(std::move(connection), why), asio::detached);
}

/// Closes those that have waited longest for their client, anonymous ones first, and says how many.
std::size_t IoLoop::make_room(bool even_signed_in)
{
    struct Waiting {
        Connection::Clock::time_point since;
        std::shared_ptr<Connection> connection;
    };
    std::vector<Waiting> waiting;
    waiting.reserve(connections_.size());
    for (const bool signed_in : {false, true}) {
        if (signed_in && (!even_signed_in || !waiting.empty())) break;
        for (const auto& [key, weak] : connections_) {
            auto connection = weak.lock();
            if (!connection || connection->is_signed_in() != signed_in) continue;
            if (const auto since = connection->waiting_since()) waiting.push_back({*since, std::move(connection)});
        }
    }
    if (waiting.empty()) return 0;
    const auto count = std::max<std::size_t>(1, waiting.size() / kLeavingPart);
    const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(count);
    std::ranges::nth_element(waiting, end - 1, {}, &Waiting::since);
    for (auto each = waiting.begin(); each != end; ++each) {
        allowances_.refused("connection", "made_way", each->connection->peer());
        each->connection->make_way();
        allowances_.open.fetch_sub(1, std::memory_order_relaxed);
    }
    return count;
}

Awaitable<void> IoLoop::attend(std::shared_ptr<Connection> connection)
{
    const Departure departure(*this, *connection);
    try {
        co_await connection->serve();
    } catch (const std::exception& exception) {
        log::error("a connection failed", {{"what", std::string_view(exception.what())}});
    }
}

Awaitable<void> IoLoop::turn_away(std::shared_ptr<Connection> connection, std::string_view why)
{
    const Departure departure(*this, *connection);
    try {
        co_await connection->turn_away(why);
    } catch (const std::exception& exception) {
        log::error("a connection failed", {{"what", std::string_view(exception.what())}});
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
        if (allowances_.wanted.exchange(false, std::memory_order_relaxed)) (void)make_room(true);
    }
}

void IoLoop::begin_drain(std::chrono::milliseconds grace)
{
    if (loop_context_.stage == LoopContext::Stage::draining) return;
    loop_context_.stage = LoopContext::Stage::draining;
    boost::system::error_code error;
    acceptor_.non_blocking(true, error);
    while (!error) {  // connections that the kernel has accepted already are served
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
