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
    Promise(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Asker> asker, const Address& client)
        : mailbox_(std::move(mailbox)), asker_(std::move(asker)), client_(client)
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
            if (const auto asker = asker_.lock(); asker && asker->is_asking()) return asker->answered(std::move(answer));
        }
        mailbox_->post(asker_, std::move(answer));
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
    std::weak_ptr<Asker> asker_;  // locked on the owner's thread only, so that the asker never dies on another
    const Address client_;
    std::atomic<bool> kept_{false};
};

}  // namespace

void Mailbox::own() { owned_here = this; }

bool Mailbox::is_owner() const noexcept { return owned_here == this; }

void Mailbox::post(std::weak_ptr<Asker> to, Outgoing answer)
{
    const std::lock_guard lock(mutex_);
    if (state_ == State::closed) return;
    letters_.push_back(Letter{std::move(to), std::move(answer)});
    if (letters_.size() + parcels_.size() == 1) wake_();
}

void Mailbox::push(std::weak_ptr<Asker> to, Piece piece)
{
    const std::lock_guard lock(mutex_);
    if (state_ == State::closed) return;
    parcels_.push_back(Parcel{std::move(to), std::move(piece)});
    if (letters_.size() + parcels_.size() == 1) wake_();
}

void Mailbox::deliver()
{
    {
        const std::lock_guard lock(mutex_);
        delivering_.swap(letters_);
        handing_out_.swap(parcels_);
    }
    for (auto& letter : delivering_) {
        if (const auto asker = letter.to.lock()) asker->answered(std::move(letter.answer));
    }
    delivering_.clear();
    for (auto& parcel : handing_out_) {
        if (const auto asker = parcel.to.lock()) asker->pushed(std::move(parcel.piece));
    }
    handing_out_.clear();
}

void Mailbox::close()
{
    const std::lock_guard lock(mutex_);
    state_ = State::closed;
    letters_.clear();
    parcels_.clear();
}

bool Stream::send(const Piece& piece)
{
    if (state() != State::open) return false;
    if (waiting_.fetch_add(1, std::memory_order_relaxed) >= kPiecesMax) {
        leave(State::cut);
        return false;
    }
    mailbox_->push(asker_, piece);
    return true;
}

void Stream::leave(State state)
{
    auto open = State::open;
    if (state_.compare_exchange_strong(open, state, std::memory_order_acq_rel)) mailbox_->push(asker_, nullptr);
}

Respond make_respond(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Asker> asker, const Address& client)
{
    auto promise = std::make_shared<Promise>(std::move(mailbox), std::move(asker), client);
    return [promise = std::move(promise)](Reply reply) { promise->keep(std::move(reply)); };
}

}  // namespace boxoffice::http
