#include <array>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "net/connection.hpp"

/// The writing side of a connection.
namespace boxoffice::http
{

namespace
{

constexpr std::chrono::milliseconds kLingerTimeout{1'000};  // for the client to read why, before a reset can eat it
constexpr std::size_t kLingerBytes = 1024 * 1024;           // and this much of what it still sends

}  // namespace

void Connection::put(Reply reply, Afterwards afterwards)
{
    append_head(out_, reply, shared_.date.now(), head_, afterwards);
    if (head_.method == Method::head) {
        unsent_ = {};
        return;
    }
    const auto body = body_of(reply);
    if (body.size() <= kLightBytes) {
        out_ += body;
    } else if (!reply.static_body.empty()) {
        tail_ = reply.static_body;
    } else {
        tail_owner_ = std::move(reply.body);
        tail_ = tail_owner_;
    }
}

Connection::Flush Connection::write_some()
{
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(out_) + written_, asio::buffer(tail_)};
    boost::system::error_code error;
    auto written = socket_.write_some(buffers, error);
    if (error == asio::error::would_block) return Flush::more;
    if (error) return Flush::failed;
    sent_ += written;
    const auto of_out = std::min(written, out_.size() - written_);
    written_ += of_out;
    written -= of_out;
    tail_.remove_prefix(written);
    if (has_output()) return Flush::more;
    out_.clear();
    written_ = 0;
    if (!tail_owner_.empty()) std::string().swap(tail_owner_);
    if (unsent_.amount() > 0) unsent_ = {};
    if (out_.capacity() > 2 * kPipelinedBytes) out_.shrink_to_fit();
    return Flush::done;
}

Awaitable<Connection::Flush> Connection::flush()
{
    for (;;) {
        const auto before = out_.size() - written_ + tail_.size();
        const auto flushed = write_some();  // nearly always all of it, with no turn through the event loop
        if (flushed != Flush::more) co_return flushed;
        if (!remember_unsent()) co_return Flush::failed;
        const auto progressed = out_.size() - written_ + tail_.size() < before;
        if (phase_ != Phase::writing) rate_mark_ = {Clock::now(), sent_};
        if (progressed || phase_ != Phase::writing) enter(Phase::writing, kWriteTimeout);
        auto [error] = co_await socket_.async_wait(Socket::wait_write, kAwait);
        if (error || abandoned_) co_return Flush::failed;
    }
}

Awaitable<void> Connection::linger()
{
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    enter(Phase::lingering, kLingerTimeout);
    std::array<char, 4096> discarded;
    for (std::size_t total = 0; total < kLingerBytes;) {
        auto [error, read] = co_await socket_.async_read_some(asio::buffer(discarded), kAwait);
        if (error) co_return;
        total += read;
    }
}

}  // namespace boxoffice::http
