#include "net/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <exception>
#include <utility>

#include "net/connection_stream.hpp"
#include "net/read_fields.hpp"
#include "runtime/log.hpp"

namespace boxoffice::http
{

using namespace std::chrono_literals;

namespace
{

constexpr std::size_t kReadBytes = 2 * 1024;       // most requests fit, and 20 000 idle connections stay small
constexpr std::size_t kBodyReadBytes = 16 * 1024;  // fewer system calls where more is known to come
constexpr std::size_t kKeptBytes = 8 * 1024;       // a buffer larger than that is given back between requests
constexpr Refusal kNoMemory{503, "There is no memory for so large a request now; try again in a moment."};

}  // namespace

asio::mutable_buffer InBuffer::room(std::size_t wanted)
{
    if (data_.size() - end_ < wanted && begin_ > 0) {
        std::memmove(data_.data(), data_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (data_.size() - end_ < wanted) data_.resize(std::max(end_ + wanted, data_.size() * 2));
    return {data_.data() + end_, data_.size() - end_};
}

void InBuffer::consume(std::size_t used)
{
    begin_ += used;
    if (begin_ != end_) return;
    begin_ = end_ = 0;
    if (data_.size() > kKeptBytes) std::vector<char>().swap(data_);
}

/// What is resumed when the reply is there, whatever type Asio gives it.
struct Connection::Waiter {
    virtual ~Waiter() = default;
    virtual void resume() = 0;
};

template <class Resume>
struct Connection::WaiterFor final : Waiter {
    explicit WaiterFor(Resume&& resume) : resume_(std::move(resume)) {}
    void resume() override { std::move(resume_)(); }
    Resume resume_;
};

struct Connection::StartWaiting {
    explicit StartWaiting(Connection& connection) : connection_(connection) {}
    template <class Resume>
    void operator()(Resume&& resume) const
    {
        connection_.waiter_ = std::make_unique<WaiterFor<std::decay_t<Resume>>>(std::forward<Resume>(resume));
    }
    Connection& connection_;
};

Connection::Connection(LoopContext& loop_context, Socket socket, const Address& peer, Standing standing, Shares::Place place)
    : shared_(loop_context),
      socket_(std::move(socket)),
      peer_(peer),
      peer_text_(address_text(peer)),
      client_(peer),
      standing_(standing),
      is_proxy_(!loop_context.allowances.proxies.empty() && loop_context.allowances.proxies.trusts(peer)),
      place_(std::move(place))
{
}

Connection::~Connection() = default;

Awaitable<void> Connection::serve()
{
    for (;;) {
        if (co_await receive_head() == Next::leave) break;
        if (head_.framing != Framing::none) {
            if (co_await receive_body() == Next::leave) break;
        }
        if (co_await answer() == Next::leave) break;
    }
    close();
}

Awaitable<void> Connection::turn_away(std::string_view why)
{
    const Refusal refusal{503, why};
    co_await refuse(refusal);
    close();
}

Awaitable<Connection::Next> Connection::receive_head()
{
    scanner_.reset();
    head_ = Head{};
    phase_ = Phase::answering;  // until a read is needed no time passes, so none is measured
    for (;;) {
        const auto state = scanner_.scan(in_.bytes(), shared_.limits);
        if (state == HeadScanner::State::whole) break;
        if (state == HeadScanner::State::refused) co_return co_await refuse(scanner_.refusal(), asked_id());
        if (in_.bytes().size() <= scanner_.skipped()) {
            if (phase_ != Phase::idle) enter(Phase::idle, shared_.options.idle_timeout);
        } else if (phase_ != Phase::head) {
            enter(Phase::head, shared_.options.header_timeout);
        }
        if (!remember_received()) co_return co_await refuse(kNoMemory, asked_id());
        const auto fill = co_await this->fill(kReadBytes);
        if (fill != Fill::data) co_return co_await refuse_short(fill);
    }
    const auto block = in_.bytes().substr(scanner_.skipped(), scanner_.size() - scanner_.skipped());
    auto refusal = check_head(block, shared_.limits, head_);
    if (!refusal) {
        request_ = std::make_shared<Request>();
        refusal = read_fields(block, head_, *request_);
    }
    if (refusal) co_return co_await refuse(refusal, asked_id());
    in_.consume(scanner_.size());
    if (is_proxy_) client_ = client_behind(*request_, peer_, shared_.allowances.proxies).value_or(peer_);
    co_return Next::go_on;
}

Awaitable<Connection::Next> Connection::receive_body()
{
    enter(Phase::body, shared_.options.body_timeout);
    if (head_.expectation == Expectation::go_on && in_.empty()) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    body_.begin(head_, shared_.limits.body_bytes_max);
    for (;;) {
        auto bytes = in_.bytes();
        const auto state = body_.feed(bytes);
        if (state == BodyReader::State::refused) co_return co_await refuse(body_.refusal(), asked_id());
        in_.consume(in_.bytes().size() - bytes.size());
        if (state == BodyReader::State::whole) break;
        if (!remember_received()) co_return co_await refuse(kNoMemory, asked_id());
        const auto fill = co_await this->fill(kBodyReadBytes);
        if (fill != Fill::data) co_return co_await refuse_short(fill);
    }
    request_->body = body_.take();
    co_return Next::go_on;
}

Awaitable<Connection::Next> Connection::answer()
{
    enter(Phase::answering, kForever);
    if (const auto refusal = admit_request()) {
        reply_ = reply_to(*refusal, asked_id());
        has_answer_ = true;
    } else {
        ask();
    }
    if (!has_answer_ && has_output()) {
        if (co_await flush() == Flush::failed) co_return Next::leave;
        enter(Phase::answering, kForever);
    }
    if (!has_answer_ && !abandoned_) co_await wait_to_be_woken();
    if (abandoned_) co_return Next::leave;
    if (!reply_) {
        const Refusal refusal{500, "The request could not be answered."};
        co_return co_await refuse(refusal);
    }
    auto afterwards = head_.afterwards;
    if (is_draining() || !may_stay()) afterwards = Afterwards::close;
    StartStream start;
    if (reply_->stream && head_.method != Method::head) {
        start = reply_->stream;
        afterwards = Afterwards::close;
    }
    put(std::move(*reply_), afterwards);
    reply_.reset();
    received_ = {};
    if (start) {
        if (co_await flush() == Flush::failed) co_return Next::leave;
        turn_ = {};  // from now on it counts as a feed
        co_await stream(std::move(start));
        co_return Next::leave;
    }
    if (afterwards == Afterwards::keep_alive && tail_.empty() && out_.size() < kPipelinedBytes) {
        turn_ = {};
        co_return Next::go_on;
    }
    if (co_await flush() == Flush::failed) co_return Next::leave;
    turn_ = {};
    if (afterwards == Afterwards::keep_alive) co_return Next::go_on;
    if (is_draining() || !in_.empty()) co_await linger();
    co_return Next::leave;
}

void Connection::ask()
{
    request_->method = head_.method;
    request_->target = std::move(head_.target);
    request_->peer = peer_text_;
    request_->gone = gone_;
    has_answer_ = false;
    asking_ = Asking::now;
    try {
        shared_.handler.handle(std::move(request_), make_respond(shared_.mailbox, weak_from_this(), client_));
    } catch (const std::exception& exception) {  // its Respond is gone or will go, and with it comes the 500
        log::error("a request handler threw", {{"what", std::string_view(exception.what())}});
    }
    asking_ = Asking::no;
}

void Connection::answered(Outgoing answer)
{
    has_answer_ = true;
    reply_ = std::move(answer.reply);
    if (reply_ && reply_->signed_in) signed_in_ = true;
    if (answer.grant == Shares::Grant::given) {
        if (answer.bytes.amount() > 0) unsent_ = std::move(answer.bytes);
    } else {
        refuse_memory(answer.grant);
    }
    wake();
}

void Connection::wake()
{
    if (const auto waiter = std::move(waiter_)) waiter->resume();
}

Awaitable<void> Connection::wait_to_be_woken()
{
    StartWaiting start(*this);
    constexpr asio::use_awaitable_t<Executor> kToken;
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(start, kToken);
}

Awaitable<Connection::Fill> Connection::fill(std::size_t wanted)
{
    auto flushed = Flush::done;
    if (has_output()) flushed = write_some();
    if (flushed == Flush::more) {
        const auto phase = phase_;
        const auto deadline = deadline_;
        flushed = co_await flush();
        phase_ = phase;
        deadline_ = deadline;
    }
    if (flushed == Flush::failed) co_return Fill::gone;
    if (!is_draining() || phase_ != Phase::idle) {
        auto [error, read] = co_await socket_.async_read_some(in_.room(wanted), kAwait);
        in_.commit(read);
        if (!error) co_return Fill::data;
        if (error == asio::error::eof) co_return Fill::end;
        if (error != asio::error::operation_aborted || abandoned_) co_return Fill::gone;
        if (timed_out_) co_return Fill::timeout;
    }
    // Draining: a request whose bytes were here before the listener closed is still answered.
    boost::system::error_code error;
    in_.commit(socket_.read_some(in_.room(wanted), error));
    co_return error ? Fill::gone : Fill::data;
}

Awaitable<Connection::Next> Connection::refuse_short(Fill fill)
{
    Refusal refusal;
    if (fill == Fill::timeout && phase_ != Phase::idle) refusal = {408, "The request took too long to arrive."};
    if (fill == Fill::end && phase_ != Phase::idle) refusal = {400, "The request was cut off."};
    if (!refusal) co_return Next::leave;
    co_return co_await refuse(refusal, asked_id());
}

std::string Connection::asked_id() const
{
    if (request_) return std::string(request_->header("x-request-id"));
    return std::string(request_id_in(in_.bytes().substr(scanner_.skipped())));
}

Awaitable<Connection::Next> Connection::refuse(Refusal refusal, std::string asked_id)
{
    put(reply_to(refusal, asked_id), Afterwards::close);
    if (co_await flush() == Flush::done) co_await linger();
    co_return Next::leave;
}

Reply Connection::reply_to(const Refusal& refusal, std::string_view asked_id)
{
    try {
        return shared_.handler.refuse(refusal.status, refusal.reason, asked_id);
    } catch (const std::exception& exception) {
        log::error("an error answer could not be built", {{"what", std::string_view(exception.what())}});
    }
    Reply reply;
    reply.status = refusal.status;
    return reply;
}

void Connection::enter(Phase phase, std::chrono::milliseconds timeout)
{
    phase_ = phase;
    timed_out_ = false;
    deadline_ = Clock::time_point::max();
    if (timeout != kForever) deadline_ = Clock::now() + timeout;
}

void Connection::expire(Clock::time_point now)
{
    if (phase_ == Phase::answering && waiter_) return look_for_client();
    if (phase_ == Phase::writing) look_at_rate(now);
    if (now < deadline_) return;
    timed_out_ = true;
    if (phase_ == Phase::writing || phase_ == Phase::lingering) return close();
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void Connection::drain()
{
    if (streaming_) return stop_streaming();
    boost::system::error_code ignored;
    if (phase_ == Phase::idle) socket_.cancel(ignored);
}

// While a request is executed nothing is read, for what comes is the next one. A reset shows in the state of the socket; a
// close does not, for it looks like the end of what a client has to say that still wants its answer. So that one is sent an
// interim answer, once: a client that is there skips it (RFC 9110, 15.2), and the kernel of one that is not answers with a reset,
// which shows the next time.
void Connection::look_for_client()
{
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
    if (info.tcpi_state == TCP_CLOSE) return abandon();
    if (info.tcpi_state != TCP_CLOSE_WAIT || probed_ || head_.minor_version == 0 || has_output()) return;
    probed_ = true;
    out_ = "HTTP/1.1 100 Continue\r\n\r\n";
    if (write_some() == Flush::failed) abandon();
}

void Connection::abandon()
{
    gone_->store(true, std::memory_order_relaxed);
    abandoned_ = true;
    close();
    if (streaming_) stop_streaming();
    wake();
}

void Connection::close()
{
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace boxoffice::http
