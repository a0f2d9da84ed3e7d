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

#include "net/allowances.hpp"
#include "net/body_reader.hpp"
#include "net/exchange.hpp"
#include "net/framing.hpp"
#include "net/reply_text.hpp"
#include "net/server.hpp"

/// One client's connection: reads requests, has them answered, writes the replies in order. Private to the socket side of
/// this module.
namespace boxoffice::http
{

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;  // concrete: nothing is dispatched through a type-erased one
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kAwait{asio::use_awaitable_t<Executor>{}};
inline constexpr std::chrono::milliseconds kForever = std::chrono::milliseconds::max();
inline constexpr std::size_t kPipelinedBytes = 64 * 1024;  // replies to pipelined requests are written at the latest then
inline constexpr std::chrono::seconds kWriteTimeout{30};   // without a byte taken: the client has stopped reading

/// What all connections of one I/O thread share; used on that thread only.
struct LoopContext {
    const ServerOptions& options;
    Allowances& allowances;
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

class Connection final : public ResponseSink, public std::enable_shared_from_this<Connection>
{
public:
    using Clock = std::chrono::steady_clock;

    /// How it was let in.
    enum class Standing : std::uint8_t {
        ordinary,
        on_trial,  // while the server is crowded: it stays after its first answer only if it has signed in by then
        refused    // it is here to be told so
    };

    /// `place` is what it has of its client's share.
    Connection(LoopContext& loop_context, Socket socket, const Address& peer, Standing standing, Shares::Place place);
    ~Connection() override;

    Awaitable<void> serve();                          // answers requests until either side has had enough, then closes
    Awaitable<void> turn_away(std::string_view why);  // answers 503, then closes
    [[nodiscard]] Standing standing() const { return standing_; }
    [[nodiscard]] const Address& peer() const { return peer_; }

    /// Since when it has waited for its client: to say something, or the rest of it, or to take a byte of the answer. None: it is
    /// doing something for the client, or it is a trusted proxy's, which many clients may want at once.
    [[nodiscard]] std::optional<Clock::time_point> waiting_since() const;
    [[nodiscard]] bool is_signed_in() const { return signed_in_; }
    void make_way();  // abandon(), counted as closed in favour of another
    [[nodiscard]] bool has_made_way() const { return made_way_; }

    void expire(Clock::time_point now);  // acts if the deadline has passed; called every tick
    void drain();                        // no request after the present one, and no more of a stream
    void abandon();                      // ends at once, whatever it was doing

    [[nodiscard]] bool is_asking() const override { return asking_ == Asking::now; }
    void answered(Outgoing answer) override;
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
    [[nodiscard]] bool is_draining() const { return shared_.stage == LoopContext::Stage::draining; }
    void enter(Phase phase, std::chrono::milliseconds timeout);
    void wake();
    void close();
    /// Whether the client still waits for the answer that is being worked out.
    void look_for_client();

    [[nodiscard]] std::optional<Refusal> admit_request();
    [[nodiscard]] bool remember_received();
    [[nodiscard]] bool remember_unsent();
    void refuse_memory(Shares::Grant grant);  // for the body of the reply that has come
    void look_at_rate(Clock::time_point now);
    [[nodiscard]] bool may_stay() const;

    void begin_stream(const StartStream& start);
    [[nodiscard]] Flush write_piece(const std::string& piece);
    void listen();
    void hear(const boost::system::error_code& error);
    void stop_streaming();
    void end_stream();

    LoopContext& shared_;
    Socket socket_;
    const Address peer_;
    const std::string peer_text_;
    Address client_;  // who asks now: the peer, or whom a trusted proxy asks for
    const Standing standing_;
    const bool is_proxy_;
    bool signed_in_ = false;
    bool made_way_ = false;

    Shares::Place place_;     // as a connection
    Shares::Place turn_;      // as a request, if a proxy brought it
    Shares::Place received_;  // memory of a request that is not answered yet
    Shares::Place unsent_;    // memory of answers that are not written yet
    std::size_t sent_ = 0;    // bytes written in all
    struct {
        Clock::time_point at;
        std::size_t sent = 0;
    } rate_mark_;

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
