#include "net/server.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <mutex>
#include <system_error>
#include <vector>

#include "net/allowances.hpp"
#include "net/io_loop.hpp"
#include "net/read_fields.hpp"

namespace boxoffice::http
{

namespace beast = boost::beast;

namespace
{

[[nodiscard]] std::string lower_case(beast::string_view name)
{
    std::string text(name.data(), name.size());
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

}  // namespace

Refusal read_fields(std::string_view block, const Head& head, Request& request)
{
    beast::http::request_parser<beast::http::empty_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(block.size() + 1));  // judged already
    parser.body_limit(boost::none);                                     // that too
    beast::error_code error;
    parser.put({block.data(), block.size()}, error);
    if (error || !parser.is_header_done()) return {400, "The header is malformed."};
    const auto length = parser.content_length().value_or(0);
    if (parser.chunked() != (head.framing == Framing::chunked) || length != head.body_bytes) {
        return {400, "The body's length is ambiguous."};
    }
    request.headers.reserve(8);
    for (const auto& field : parser.get()) {
        request.headers.emplace_back(lower_case(field.name_string()), std::string(field.value()));
    }
    return {};
}

/// What an operator can do about an address that cannot be listened on.
std::string why_not_listening(const ServerOptions& options, const std::error_code& error)
{
    const bool v6 = options.host.find(':') != std::string::npos;
    const std::string where = fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), options.host, options.port);
    if (error == std::errc::address_in_use) {
        return fmt::format(
            "Cannot listen on {}: another program has the port (\"ss -ltnp\" shows which). Stop it, or choose another "
            "port with --listen HOST:PORT; port 0 takes any free one.",
            where);
    }
    if (error == std::errc::permission_denied) {
        return fmt::format(
            "Cannot listen on {}: this user may not use ports below 1024. Choose a higher one with --listen "
            "HOST:PORT, and let a proxy in front have the low one.",
            where);
    }
    if (error == std::errc::address_not_available) {
        return fmt::format(
            "Cannot listen on {}: this machine does not have the address. --listen 127.0.0.1:PORT is for this machine "
            "alone, --listen 0.0.0.0:PORT for every network it is in.",
            where);
    }
    return fmt::format("Cannot listen on {}: {}. Choose another address with --listen HOST:PORT.", where, error.message());
}

/// The error code for a program, the sentence for an operator.
class ListenFailure : public std::system_error
{
public:
    ListenFailure(const std::error_code& error, const ServerOptions& options)
        : std::system_error(error), sentence_(why_not_listening(options, error))
    {
    }
    [[nodiscard]] const char* what() const noexcept override { return sentence_.c_str(); }

private:
    std::string sentence_;
};

class Server::Self
{
public:
    Self(ServerOptions options, Handler& handler, Shedding* shedding)
        : options_(std::move(options)), allowances_(options_, shedding)
    {
        try {
            auto endpoint = find_endpoint();
            refuse_taken(endpoint);
            for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) {
                loops_.push_back(std::make_unique<IoLoop>(options_, handler, endpoint, allowances_));
                endpoint = loops_.front()->endpoint();
            }
        } catch (const boost::system::system_error& error) {
            throw ListenFailure(std::error_code(error.code()), options_);
        }
        port_ = loops_.front()->endpoint().port();
    }

    ~Self() { stop(std::chrono::milliseconds(0)); }
    Self(const Self&) = delete;
    Self& operator=(const Self&) = delete;

    void start()
    {
        const std::lock_guard lock(mutex_);
        if (stage_ != Stage::made) return;
        stage_ = Stage::started;
        for (std::size_t i = 0; i < loops_.size(); ++i) loops_[i]->start(fmt::format("io-{}", i));
    }

    void stop(std::chrono::milliseconds grace)
    {
        const std::lock_guard lock(mutex_);
        if (stage_ == Stage::started) {
            for (const auto& loop : loops_) loop->drain(grace);
            for (const auto& loop : loops_) loop->join();
        }
        stage_ = Stage::stopped;
        loops_.clear();
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] const Allowances& allowances() const { return allowances_; }

private:
    enum class Stage : std::uint8_t { made, started, stopped };

    [[nodiscard]] IoLoop::Endpoint find_endpoint() const
    {
        boost::system::error_code error;
        const auto address = asio::ip::make_address(options_.host, error);
        if (!error) return {address, options_.port};
        asio::io_context context;
        asio::ip::tcp::resolver resolver(context);
        return resolver.resolve(options_.host, std::to_string(options_.port), asio::ip::tcp::resolver::passive)
            .begin()
            ->endpoint();
    }

    /// With SO_REUSEPORT a second server of the same user would be given the port too and take half of the clients. Without
    /// it, the kernel reports a listener.
    static void refuse_taken(const IoLoop::Endpoint& endpoint)
    {
        asio::io_context context;
        asio::ip::tcp::acceptor probe(context, endpoint.protocol());
        probe.set_option(asio::socket_base::reuse_address(true));
        probe.bind(endpoint);
    }

    ServerOptions options_;
    Allowances allowances_;
    std::uint16_t port_ = 0;
    std::mutex mutex_;
    Stage stage_ = Stage::made;
    std::vector<std::unique_ptr<IoLoop>> loops_;
};

Server::Server(ServerOptions options, Handler& handler, Shedding* shedding)
    : self_(std::make_unique<Self>(std::move(options), handler, shedding))
{
}
Server::~Server() = default;
void Server::start() { self_->start(); }
void Server::stop(std::chrono::milliseconds grace) { self_->stop(grace); }
std::uint16_t Server::port() const { return self_->port(); }
std::size_t Server::connections() const { return self_->allowances().open.load(std::memory_order_relaxed); }
std::size_t Server::unsent_bytes() const { return self_->allowances().unsent.taken(); }
std::size_t Server::received_bytes() const { return self_->allowances().received.taken(); }

}  // namespace boxoffice::http
