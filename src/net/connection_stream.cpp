#include "net/connection_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <exception>
#include <utility>

#include "runtime/log.hpp"

namespace boxoffice::http
{

namespace
{

constexpr std::size_t kBytesHeardMax = 64 * 1024;  // a client that goes on talking into a stream is no watcher
constexpr int kSendBufferBytes = 64 * 1024;        // in the kernel, which would take megabytes before a slow reader shows
constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace

Awaitable<void> Connection::stream(StartStream start)
{
    begin_stream(start);
    while (streaming_->ending != Streaming::Ending::now) {
        if (streaming_->pieces.empty()) {
            if (streaming_->ending == Streaming::Ending::when_written) break;
            co_await wait_to_be_woken();
            continue;
        }
        const auto piece = std::move(streaming_->pieces.front());
        streaming_->pieces.erase(streaming_->pieces.begin());
        auto flushed = write_piece(*piece);
        if (flushed == Flush::more) {
            flushed = co_await flush();
            enter(Phase::streaming, kForever);
        }
        streaming_->stream->written();
        if (flushed == Flush::failed) break;
    }
    end_stream();
}

void Connection::begin_stream(const StartStream& start)
{
    in_ = InBuffer{};
    std::string().swap(out_);
    head_.target = {};
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
    enter(Phase::streaming, kForever);
    streaming_ = std::make_unique<Streaming>();
    streaming_->stream = std::make_shared<Stream>(shared_.mailbox, weak_from_this());
    if (is_draining()) return stop_streaming();
    listen();
    try {
        start(streaming_->stream);
    } catch (const std::exception& exception) {
        log::error("a streamed answer could not be started", {{"what", std::string_view(exception.what())}});
        stop_streaming();
    }
}

void Connection::pushed(Piece piece)
{
    if (!streaming_ || streaming_->ending == Streaming::Ending::now) return;
    if (piece) {
        streaming_->pieces.push_back(std::move(piece));
    } else if (streaming_->stream->state() == Stream::State::ended) {
        streaming_->ending = Streaming::Ending::when_written;
    } else {
        return stop_streaming();
    }
    wake();
}

/// Without a copy but for what the kernel does not take at once, which goes to `out_`.
Connection::Flush Connection::write_piece(const std::string& piece)
{
    if (piece.empty()) return Flush::done;  // an empty chunk would be the last
    fmt::basic_memory_buffer<char, 24> size_line;
    std::string_view behind;
    if (head_.minor_version > 0) {
        fmt::format_to(fmt::appender(size_line), "{:x}\r\n", piece.size());
        behind = "\r\n";
    }
    const std::array<std::string_view, 3> parts{std::string_view(size_line.data(), size_line.size()), piece, behind};
    const std::array<asio::const_buffer, 3> buffers{asio::buffer(parts[0]), asio::buffer(parts[1]), asio::buffer(parts[2])};
    boost::system::error_code error;
    auto written = socket_.write_some(buffers, error);
    if (error && error != asio::error::would_block) return Flush::failed;
    for (auto part : parts) {
        const auto skipped = std::min(written, part.size());
        written -= skipped;
        out_ += part.substr(skipped);
    }
    if (has_output()) return Flush::more;
    return Flush::done;
}

/// Nothing is expected of the client any more but that it goes.
void Connection::listen()
{
    socket_.async_wait(Socket::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) { self->hear(error); });
}

void Connection::hear(const boost::system::error_code& error)
{
    if (error || !streaming_ || streaming_->ending == Streaming::Ending::now) return;
    std::array<char, 1024> discarded;
    boost::system::error_code ended;
    streaming_->bytes_heard += socket_.read_some(asio::buffer(discarded), ended);
    const bool gone = ended && ended != asio::error::would_block;
    if (gone || streaming_->bytes_heard > kBytesHeardMax) return stop_streaming();
    listen();
}

void Connection::stop_streaming()
{
    streaming_->ending = Streaming::Ending::now;
    streaming_->stream->close();
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    wake();
}

void Connection::end_stream()
{
    streaming_->ending = Streaming::Ending::now;
    streaming_->stream->close();
    const bool between_pieces = !has_output();
    boost::system::error_code ignored;
    if (between_pieces && head_.minor_version > 0) socket_.write_some(asio::buffer(kLastChunk), ignored);
}

}  // namespace boxoffice::http
