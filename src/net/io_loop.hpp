#pragma once
#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "net/connection.hpp"
#include "runtime/log_throttle.hpp"

/// One I/O thread: an io_context of its own, its own listening socket on the shared port, and the connections it accepted.
/// Nothing is shared between two of these but the port and a counter, so nothing is locked. Private to this module.
namespace boxoffice::http
{

class IoLoop
{
public:
    using Endpoint = asio::ip::tcp::endpoint;

    /// Listens at once; throws boost::system::system_error. `allowances` are those of all loops.
    IoLoop(const ServerOptions& options, Handler& handler, const Endpoint& endpoint, Allowances& allowances);
    ~IoLoop();
    IoLoop(const IoLoop&) = delete;
    IoLoop& operator=(const IoLoop&) = delete;

    [[nodiscard]] Endpoint endpoint() const { return acceptor_.local_endpoint(); }

    void start(const std::string& thread_name);
    void drain(std::chrono::milliseconds grace);  // any thread; ends the loop once its connections are gone, or cut off
    void join();

private:
    using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
    class Departure;

    Awaitable<void> accept_connections();
    Awaitable<void> watch_deadlines();
    Awaitable<void> attend(std::shared_ptr<Connection> connection);
    Awaitable<void> turn_away(std::shared_ptr<Connection> connection, std::string_view why);
    void admit(Socket socket);
    void refuse(Socket socket, const Address& peer, std::string_view reason, std::string_view why);
    [[nodiscard]] std::size_t make_room(bool even_signed_in);
    void begin_drain(std::chrono::milliseconds grace);
    void cut_off();
    [[nodiscard]] std::vector<std::shared_ptr<Connection>> present() const;
    void end_if_done();
    [[nodiscard]] bool is_done() const { return loop_context_.stage == LoopContext::Stage::draining && connections_.empty(); }
    void run(const std::string& thread_name);

    const ServerOptions& options_;
    asio::io_context context_{1};
    Acceptor acceptor_;
    Timer tick_;
    Timer pause_;
    Timer grace_;
    LoopContext loop_context_;
    std::unordered_map<const Connection*, std::weak_ptr<Connection>> connections_;
    Allowances& allowances_;
    LogThrottle accept_log_{std::chrono::seconds(1)};
    std::thread thread_;
};

}  // namespace boxoffice::http
