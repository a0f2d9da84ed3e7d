#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "net/http.hpp"
#include "net/shares.hpp"

/// A reply is made on one thread and written on another, and a store thread that answers hundreds of buyers after one
/// commit must not pay a wake-up for each. So replies cross over in a mailbox, one for each I/O thread: only the reply that
/// finds it empty wakes the owner. Private to the socket side of this module; knows no socket.
namespace boxoffice::http
{

/// A body above this size is counted as memory from the moment it is there, and written from where it lies. Of those up to it a
/// copy costs less than a second buffer to write, and they are counted once their client does not take them.
inline constexpr std::size_t kLightBytes = 16 * 1024;

/// What has become of a request.
struct Outgoing {
    std::optional<Reply> reply{};                // none: the Respond was destroyed without one
    Shares::Place bytes{};                       // of the body, if it is not light
    Shares::Grant grant = Shares::Grant::given;  // if not: there is no memory for the body, which is gone
};

/// Who waits for a reply. Lives and dies on the mailbox owner's thread.
class ResponseSink
{
public:
    virtual ~ResponseSink() = default;
    /// True while it is inside Handler::handle(), and can take a reply without going through the mailbox.
    [[nodiscard]] virtual bool is_asking() const = 0;
    /// Owner's thread.
    virtual void answered(Outgoing answer) = 0;
    /// Owner's thread. The next piece of the streamed body that it answers with; none: look at what has become of the Stream.
    virtual void pushed(Piece piece) = 0;
};

class Mailbox
{
public:
    /// `wake` must cause a later call of deliver() on the owner's thread; called from any thread, under the mailbox's lock,
    /// and never again after close().
    /// `unsent` gives the memory of bodies.
    Mailbox(std::function<void()> wake, Shares unsent) : wake_(std::move(wake)), unsent_(std::move(unsent)) {}

    void own();                                    // the calling thread is the owner's from now on
    [[nodiscard]] bool is_owner() const noexcept;  // asked on any thread

    [[nodiscard]] const Shares& unsent() const noexcept { return unsent_; }

    void post(std::weak_ptr<ResponseSink> to, Outgoing answer);  // any thread; dropped once closed
    void push(std::weak_ptr<ResponseSink> to, Piece piece);      // any thread; dropped once closed
    void deliver();                                              // owner's thread
    void close();                                                // any thread

private:
    struct PendingReply {
        std::weak_ptr<ResponseSink> to;
        Outgoing answer;
    };
    struct PendingChunk {  // apart, as a broadcast makes thousands of these at once and a PendingReply is ten times the size
        std::weak_ptr<ResponseSink> to;
        Piece piece;
    };
    enum class State : std::uint8_t { open, closed };

    std::mutex mutex_;
    State state_ = State::open;
    std::vector<PendingReply> pending_replies_;
    std::vector<PendingChunk> pending_chunks_;
    std::vector<PendingReply> delivering_;         // owner's thread only
    std::vector<PendingChunk> delivering_chunks_;  // owner's thread only
    std::function<void()> wake_;
    const Shares unsent_;
};

/// The Respond for one request of `sink` for `client`, whom its body's memory is counted to: the first call counts, later ones
/// are ignored; when the last copy goes without a call, the sink is answered with nothing.
[[nodiscard]] Respond make_respond(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<ResponseSink> sink, const Address& client);

/// The sending end of a streamed body. Bounded: what lags behind by more than kPiecesMax is cut, for a client that reconnects
/// is told the present state, and one that has stopped reading must not cost memory.
class Stream final : public OpenStream
{
public:
    static constexpr std::size_t kPiecesMax = 16;  // four seconds of an event at its busiest

    enum class State : std::uint8_t { open, ended, cut, gone };

    Stream(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<ResponseSink> sink)
        : mailbox_(std::move(mailbox)), sink_(std::move(sink))
    {
    }

    bool send(const Piece& piece) override;
    void end() override { leave(State::ended); }

    [[nodiscard]] State state() const noexcept { return state_.load(std::memory_order_acquire); }
    void written() noexcept { waiting_.fetch_sub(1, std::memory_order_relaxed); }    // owner's thread: one piece is out
    void close() noexcept { state_.store(State::gone, std::memory_order_release); }  // owner's thread: no reader is left

private:
    void leave(State state);

    std::shared_ptr<Mailbox> mailbox_;
    std::weak_ptr<ResponseSink> sink_;  // locked on the owner's thread only
    std::atomic<State> state_{State::open};
    std::atomic<std::size_t> waiting_{0};  // sent and not yet written
};

}  // namespace boxoffice::http
