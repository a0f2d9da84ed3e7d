#pragma once
#include <hiredis/hiredis.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/tls.hpp"
#include "redis/url.hpp"

namespace boxoffice::redis
{

/// Redis could not be reached, or did not say what it should in time.
class LinkFailure : public StreamFailure
{
    using StreamFailure::StreamFailure;
};

struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;
using Command = std::vector<std::string>;

/// What of a reply, or of a part of one, is text; empty for anything else.
[[nodiscard]] std::string_view text_of(const redisReply& reply);
/// The parts of an array; none for anything else.
[[nodiscard]] std::span<redisReply* const> parts_of(const redisReply& reply);
[[nodiscard]] bool is_error(const redisReply& reply);
/// An error that begins with this word: Redis' stable names of errors.
[[nodiscard]] bool is_error(const redisReply& reply, std::string_view word);

/// Ends another thread's wait; stays set. Any thread.
class StopEvent
{
public:
    StopEvent();
    ~StopEvent();
    StopEvent(const StopEvent&) = delete;
    StopEvent& operator=(const StopEvent&) = delete;
    void signal() const noexcept;
    /// Returns whether it is set by the end of `wait`.
    [[nodiscard]] bool wait_for(Micros wait) const;
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

/// The growing pause between tries to reach what is unavailable.
class Pause
{
public:
    [[nodiscard]] Micros next();
    void reset() { next_ = kLeast; }

private:
    static constexpr Micros kLeast = std::chrono::milliseconds(50);
    static constexpr Micros kMost = std::chrono::seconds(2);
    Micros next_ = kLeast;
};

/// One connection, for one thread at a time. Whatever goes wrong on it closes it, so that no late answer is taken for that of
/// another question. hiredis connects, writes the protocol and reads it; the waiting is done here: hiredis would write into a
/// broken connection with SIGPIPE and knows no deadline for a pipeline as a whole.
class Link
{
public:
    Link(Address address, Micros timeout) : address_(std::move(address)), timeout_(timeout) {}

    /// Connects, is let in and chooses the database. Throws LinkFailure.
    void open();
    void close() noexcept
    {
        context_.reset();
        tls_.reset();
    }
    [[nodiscard]] bool is_open() const noexcept { return context_ != nullptr; }
    /// Of an idle link: whether it still stands, as far as this machine knows. Closes it if not.
    [[nodiscard]] bool still_stands();

    /// Sends the commands as one pipeline and returns their answers in order, errors among them. Throws LinkFailure.
    [[nodiscard]] std::vector<Reply> exchange(std::span<const Command> pipeline, Micros patience);
    [[nodiscard]] std::vector<Reply> exchange(std::span<const Command> pipeline) { return exchange(pipeline, timeout_); }
    [[nodiscard]] Reply ask(const Command& command, Micros patience);
    [[nodiscard]] Reply ask(const Command& command) { return ask(command, timeout_); }

    /// For a link that listens. A null reply: nothing came, or the stop event is set.
    void send(const Command& command);
    [[nodiscard]] Reply receive(Micros wait, const StopEvent& stop);

private:
    using Steady = std::chrono::steady_clock;
    struct FreeContext {
        void operator()(redisContext* context) const { redisFree(context); }
    };

    [[noreturn]] void fail(const std::string& why);
    void pump(std::string_view out, std::size_t count, std::vector<Reply>& in, Steady::time_point deadline);
    void shake_hands(Steady::time_point deadline);
    [[nodiscard]] Reply next_read();
    /// Returns how many bytes of plain text came.
    std::size_t read_some();
    [[nodiscard]] std::size_t write_some(std::string_view out);

    Address address_;
    Micros timeout_;
    std::unique_ptr<redisContext, FreeContext> context_;
    std::unique_ptr<Tls> tls_;  // of a connection over TLS
};

}  // namespace boxoffice::redis
