#pragma once
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/body_reader.hpp"
#include "http/exchange.hpp"
#include "http/framing.hpp"
#include "http/reply_text.hpp"
#include "http/server.hpp"

/// One client's connection: reads requests, has them answered, writes the replies in order. Private to the socket side of
/// this room.
namespace boxoffice::http
{

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;  // concrete: nothing is dispatched through a type-erased one
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kAwait{asio::use_awaitable_t<Executor>{}};
inline constexpr std::chrono::milliseconds kForever = std::chrono::milliseconds::max();

/// What all connections of one I/O thread share; used on that thread only.
struct Surroundings {
    const ServerOptions& options;
    Limits limits;
    Handler& handler;
    std::shared_ptr<Mailbox> mailbox;
    DateLine date{};
    enum class Stage : std::uint8_t { serving, draining } stage = Stage::serving;
};

/// Bytes that have come in and are not yet used up.
class InBuffer
{
public:
    [[nodiscard]] std::string_view bytes() const { return {data_.data() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    /// Room behind the bytes, at least `wanted` of it.
    [[nodiscard]] asio::mutable_buffer room(std::size_t wanted);
    void commit(std::size_t read) { end_ += read; }
    void consume(std::size_t used);

private:
    std::vector<char> data_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

class Connection final : public Asker, public std::enable_shared_from_this<Connection>
{
public:
    using Clock = std::chrono::steady_clock;

    Connection(Surroundings& surroundings, Socket socket, std::string peer);
    ~Connection() override;

    Awaitable<void> serve();      // answers requests until either side has had enough, then closes
    Awaitable<void> turn_away();  // answers 503, then closes

    void expire(Clock::time_point now);  // acts if the deadline has passed; called every tick
    void drain();                        // no request after the present one, and no more of a stream
    void abandon();                      // ends at once, whatever it was doing

    [[nodiscard]] bool is_asking() const override { return asking_ == Asking::now; }
    void answered(std::optional<Reply> reply) override;
    void pushed(Piece piece) override;

private:
    enum class Phase : std::uint8_t { idle, head, body, answering, streaming, writing, lingering };
    enum class Next : std::uint8_t { go_on, leave };
    enum class Fill : std::uint8_t { data, end, timeout, gone };
    enum class Flush : std::uint8_t { done, more, failed };
    enum class Asking : std::uint8_t { no, now };
    struct Waiter;
    template <class Resume>
    struct WaiterFor;
    struct StartWaiting;
    struct Streaming;

    Awaitable<Next> receive_head();
    Awaitable<Next> receive_body();
    Awaitable<Next> answer();
    Awaitable<Fill> fill(std::size_t wanted);
    Awaitable<Next> refuse(Refusal refusal, std::string asked_id = {});
    Awaitable<Next> refuse_short(Fill fill);
    Awaitable<Flush> flush();
    Awaitable<void> linger();
    Awaitable<void> wait_to_be_woken();
    Awaitable<void> stream(StartStream start);

    void ask();
    void put(Reply reply, Afterwards afterwards);
    [[nodiscard]] Reply reply_to(const Refusal& refusal, std::string_view asked_id);
    /// The X-Request-Id of the request that is being received.
    [[nodiscard]] std::string asked_id() const;
    [[nodiscard]] Flush write_some();
    [[nodiscard]] bool has_output() const { return written_ < out_.size() || !tail_.empty(); }
    [[nodiscard]] bool is_draining() const { return shared_.stage == Surroundings::Stage::draining; }
    void enter(Phase phase, std::chrono::milliseconds timeout);
    void wake();
    void close();
    /// Whether anybody still waits for the answer that is being worked out.
    void look_for_client();

    void begin_stream(const StartStream& start);
    [[nodiscard]] Flush write_piece(const std::string& piece);
    void listen();
    void hear(const boost::system::error_code& error);
    void stop_streaming();
    void end_stream();

    Surroundings& shared_;
    Socket socket_;
    std::string peer_;

    Phase phase_ = Phase::idle;
    Clock::time_point deadline_ = Clock::time_point::max();
    bool timed_out_ = false;
    bool abandoned_ = false;

    InBuffer in_;
    HeadScanner scanner_;
    Head head_;
    BodyReader body_;
    std::shared_ptr<Request> request_;

    Asking asking_ = Asking::no;
    std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);  // outlives this in its requests
    bool probed_ = false;                                                                   // see look_for_client()
    bool has_answer_ = false;
    std::optional<Reply> reply_;
    std::unique_ptr<Waiter> waiter_;
    std::unique_ptr<Streaming> streaming_;

    std::string out_;          // replies, whole or up to a body that is too large to copy
    std::size_t written_ = 0;  // of out_
    std::string tail_owner_;   // such a body, unless it is static
    std::string_view tail_;    // what is left of it
};

}  // namespace boxoffice::http
