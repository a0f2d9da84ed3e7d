#include "redis/link.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <system_error>

namespace boxoffice::redis
{

namespace
{

constexpr std::size_t kReadAtOnce = 16 * 1024;

std::string why_of(int error) { return std::generic_category().message(error); }

void append(std::string& out, const Command& command)
{
    std::vector<const char*> words;
    std::vector<std::size_t> lengths;
    for (const std::string& word : command) {
        words.push_back(word.data());
        lengths.push_back(word.size());
    }
    char* formatted = nullptr;
    const int size = redisFormatCommandArgv(&formatted, static_cast<int>(words.size()), words.data(), lengths.data());
    if (size < 0) throw std::bad_alloc();
    const std::unique_ptr<char, decltype(&redisFreeCommand)> owner(formatted, &redisFreeCommand);
    out.append(formatted, static_cast<std::size_t>(size));
}

int milliseconds_until(std::chrono::steady_clock::time_point deadline)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

}  // namespace

std::string_view text_of(const redisReply& reply)
{
    if (reply.type != REDIS_REPLY_STRING && reply.type != REDIS_REPLY_STATUS && reply.type != REDIS_REPLY_ERROR) return {};
    return {reply.str, static_cast<std::size_t>(reply.len)};
}

std::span<redisReply* const> parts_of(const redisReply& reply)
{
    if (reply.type != REDIS_REPLY_ARRAY) return {};
    return {reply.element, reply.elements};
}

bool is_error(const redisReply& reply) { return reply.type == REDIS_REPLY_ERROR; }

bool is_error(const redisReply& reply, std::string_view word) { return is_error(reply) && text_of(reply).starts_with(word); }

void Link::fail(const std::string& why)
{
    close();
    throw LinkFailure("Redis: " + why);
}

void Link::open()
{
    close();
    const auto timeout = timeval{static_cast<time_t>(timeout_ / std::chrono::seconds(1)),
                                 static_cast<suseconds_t>((timeout_ % std::chrono::seconds(1)).count())};
    context_.reset(address_.socket.empty() ? redisConnectWithTimeout(address_.host.c_str(), address_.port, timeout)
                                           : redisConnectUnixWithTimeout(address_.socket.c_str(), timeout));
    if (!context_) throw std::bad_alloc();
    if (context_->err != 0) fail(fmt::format("cannot connect: {}", static_cast<const char*>(context_->errstr)));
    if (address_.socket.empty()) redisEnableKeepAlive(context_.get());
    if (address_.tls) shake_hands(Steady::now() + timeout_);

    std::vector<Command> greeting;
    if (!address_.user.empty()) {  // of an access list; "default" is the user of a client that gives a password only
        greeting.push_back({"AUTH", address_.user, address_.password});
    } else if (!address_.password.empty()) {
        greeting.push_back({"AUTH", address_.password});
    }
    if (address_.database != 0) greeting.push_back({"SELECT", std::to_string(address_.database)});
    for (const Reply& reply : exchange(greeting)) {
        if (is_error(*reply)) fail(std::string(text_of(*reply)));
    }
}

bool Link::still_stands()
{
    if (!context_) return false;
    // No command is pending, so anything to read is the end, or something unasked for; over TLS it may also be what the
    // other side sends for its own sake, such as tickets for a later session.
    pollfd socket{context_->fd, POLLIN, 0};
    if (::poll(&socket, 1, 0) == 0) return true;
    const auto has_nothing_to_say = [this] {
        try {
            return read_some() == 0;
        } catch (const LinkFailure&) {
            return false;  // the end
        }
    };
    if (tls_ && has_nothing_to_say()) return true;
    close();
    return false;
}

void Link::shake_hands(Steady::time_point deadline)
{
    try {
        tls_ = std::make_unique<Tls>(address_);
    } catch (const TlsFailure& failure) {
        fail(failure.what());
    }
    std::string out = tls_->take_out();
    while (!tls_->is_ready() || !out.empty()) {
        pollfd socket{context_->fd, static_cast<short>(out.empty() ? POLLIN : POLLIN | POLLOUT), 0};
        const int ready = ::poll(&socket, 1, milliseconds_until(deadline));
        if (ready < 0 && errno != EINTR) fail(why_of(errno));
        if (ready == 0) fail("no answer to TLS in time");
        if (ready < 0) continue;
        if ((socket.revents & POLLOUT) != 0) out.erase(0, write_some(out));
        if ((socket.revents & ~POLLOUT) != 0) read_some();
        out += tls_->take_out();
    }
}

std::vector<Reply> Link::exchange(std::span<const Command> pipeline, Micros patience)
{
    std::vector<Reply> replies;
    if (pipeline.empty()) return replies;
    std::string out;
    try {
        for (const Command& command : pipeline) append(out, command);
        pump(out, pipeline.size(), replies, Steady::now() + patience);
    } catch (...) {
        close();
        throw;
    }
    return replies;
}

Reply Link::ask(const Command& command, Micros patience) { return std::move(exchange(std::span(&command, 1), patience).front()); }

void Link::send(const Command& command)
{
    std::string out;
    append(out, command);
    std::vector<Reply> none;
    pump(out, 0, none, Steady::now() + timeout_);
}

Reply Link::receive(Micros wait, const StopEvent& stop)
{
    if (!context_) fail("not connected");
    const auto deadline = Steady::now() + wait;
    for (;;) {
        if (Reply reply = next_read()) return reply;
        std::array<pollfd, 2> ends = {pollfd{context_->fd, POLLIN, 0}, pollfd{stop.descriptor(), POLLIN, 0}};
        const int ready = ::poll(ends.data(), ends.size(), milliseconds_until(deadline));
        if (ready < 0 && errno != EINTR) fail(why_of(errno));
        if (ready == 0 || (ready > 0 && ends[1].revents != 0)) return nullptr;
        if (ready > 0) read_some();
    }
}

/// Reads while it writes: a long pipeline's answers would fill both sides' buffers before its last question is sent.
void Link::pump(std::string_view out, std::size_t count, std::vector<Reply>& in, Steady::time_point deadline)
{
    if (!context_) fail("not connected");
    std::string sealed;
    if (tls_) {
        try {
            tls_->say(out);
        } catch (const TlsFailure& failure) {
            fail(failure.what());
        }
        sealed = tls_->take_out();
        out = sealed;
    }
    for (;;) {
        while (in.size() < count) {
            Reply reply = next_read();
            if (!reply) break;
            in.push_back(std::move(reply));
        }
        if (out.empty() && in.size() >= count) return;
        pollfd socket{context_->fd, POLLIN, 0};
        if (!out.empty()) socket.events = POLLIN | POLLOUT;
        const int ready = ::poll(&socket, 1, milliseconds_until(deadline));
        if (ready < 0 && errno != EINTR) fail(why_of(errno));
        if (ready == 0) fail("no answer in time");
        if (ready < 0) continue;
        if ((socket.revents & POLLOUT) != 0) out.remove_prefix(write_some(out));
        if ((socket.revents & ~POLLOUT) != 0) read_some();
    }
}

Reply Link::next_read()
{
    void* reply = nullptr;
    if (redisReaderGetReply(context_->reader, &reply) != REDIS_OK)
        fail(fmt::format("protocol error: {}", static_cast<const char*>(context_->reader->errstr)));
    return Reply(static_cast<redisReply*>(reply));
}

std::size_t Link::read_some()
{
    std::array<char, kReadAtOnce> buffer;
    const ssize_t count = ::recv(context_->fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == 0) fail("closed the connection");
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR) fail(why_of(errno));
        return 0;
    }
    std::string_view plain(buffer.data(), static_cast<std::size_t>(count));
    std::string opened;
    if (tls_) {
        try {
            tls_->take(plain, opened);
        } catch (const TlsFailure& failure) {
            fail(failure.what());
        }
        plain = opened;
    }
    if (!plain.empty() && redisReaderFeed(context_->reader, plain.data(), plain.size()) != REDIS_OK) throw std::bad_alloc();
    return plain.size();
}

std::size_t Link::write_some(std::string_view out)
{
    const ssize_t count = ::send(context_->fd, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EAGAIN && errno != EINTR) fail(why_of(errno));
    return 0;
}

}  // namespace boxoffice::redis
