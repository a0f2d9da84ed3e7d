#include "net/exchange.hpp"

#include <atomic>
#include <utility>

namespace boxoffice::http
{

namespace
{

thread_local const Mailbox* owned_here = nullptr;

/// Shared by all copies of one Respond.
class Promise
{
public:
    Promise(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<ResponseSink> sink, const Address& client)
        : mailbox_(std::move(mailbox)), sink_(std::move(sink)), client_(client)
    {
    }
    Promise(const Promise&) = delete;
    Promise& operator=(const Promise&) = delete;
    ~Promise() { keep(std::nullopt); }

    void keep(std::optional<Reply> reply)
    {
        if (kept_.exchange(true, std::memory_order_acq_rel)) return;
        Outgoing answer{std::move(reply)};
        if (answer.reply && answer.reply->body.size() > kLightBytes) weigh(answer);
        if (mailbox_->is_owner()) {
            if (const auto sink = sink_.lock(); sink && sink->is_asking()) return sink->answered(std::move(answer));
        }
        mailbox_->post(sink_, std::move(answer));
    }

private:
    void weigh(Outgoing& answer) const
    {
        answer.grant = mailbox_->unsent().take(answer.bytes, client_, answer.reply->body.size());
        if (answer.grant == Shares::Grant::given) return;
        // Who heard 503 would do it once more. What is not taken at once is counted then.
        if (answer.reply->tells_of_change)
            answer.grant = Shares::Grant::given;
        else
            std::string().swap(answer.reply->body);
    }

    std::shared_ptr<Mailbox> mailbox_;
    std::weak_ptr<ResponseSink> sink_;  // locked on the owner's thread only, so that the sink is never destroyed on another
    const Address client_;
    std::atomic<bool> kept_{false};
};

}  // namespace

void Mailbox::own() { owned_here = this; }

bool Mailbox::is_owner() const noexcept { return owned_here == this; }

void Mailbox::post(std::weak_ptr<ResponseSink> to, Outgoing answer)
{
    const std::lock_guard lock(mutex_);
    if (state_ == State::closed) return;
    pending_replies_.push_back(PendingReply{std::move(to), std::move(answer)});
    if (pending_replies_.size() + pending_chunks_.size() == 1) wake_();
}

void Mailbox::push(std::weak_ptr<ResponseSink> to, Piece piece)
{
    const std::lock_guard lock(mutex_);
    if (state_ == State::closed) return;
    pending_chunks_.push_back(PendingChunk{std::move(to), std::move(piece)});
    if (pending_replies_.size() + pending_chunks_.size() == 1) wake_();
}

void Mailbox::deliver()
{
    {
        const std::lock_guard lock(mutex_);
        delivering_.swap(pending_replies_);
        delivering_chunks_.swap(pending_chunks_);
    }
    for (auto& pending : delivering_) {
        if (const auto sink = pending.to.lock()) sink->answered(std::move(pending.answer));
    }
    delivering_.clear();
    for (auto& chunk : delivering_chunks_) {
        if (const auto sink = chunk.to.lock()) sink->pushed(std::move(chunk.piece));
    }
    delivering_chunks_.clear();
}

void Mailbox::close()
{
    const std::lock_guard lock(mutex_);
    state_ = State::closed;
    pending_replies_.clear();
    pending_chunks_.clear();
}

bool Stream::send(const Piece& piece)
{
    if (state() != State::open) return false;
    if (waiting_.fetch_add(1, std::memory_order_relaxed) >= kPiecesMax) {
        leave(State::cut);
        return false;
    }
    mailbox_->push(sink_, piece);
    return true;
}

void Stream::leave(State state)
{
    auto open = State::open;
    if (state_.compare_exchange_strong(open, state, std::memory_order_acq_rel)) mailbox_->push(sink_, nullptr);
}

Respond make_respond(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<ResponseSink> sink, const Address& client)
{
    auto promise = std::make_shared<Promise>(std::move(mailbox), std::move(sink), client);
    return [promise = std::move(promise)](Reply reply) { promise->keep(std::move(reply)); };
}

}  // namespace boxoffice::http
