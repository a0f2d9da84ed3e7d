#include "app/notices.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace boxoffice
{

namespace
{

/// A turn outlasts the longest time that a mailer takes over one message, so that nobody sends beside one who is still at it.
constexpr Micros kTurn = std::chrono::seconds(60);

/// That a mail was sent is worth insisting on: unless it is known, it is sent again.
constexpr int kMarkTries = 3;

std::string why_of(const Outcome& outcome)
{
    const Error* const error = std::get_if<Error>(&outcome);
    return error != nullptr ? error->message + " " + error->detail : "the store gave an answer of another kind";
}

/// What went wrong with some of an effect's messages. One refused for good must not keep the others from being tried again.
class Troubles
{
public:
    void add(const std::string& why, MailFailure::Hope hope)
    {
        ++count_;
        if (hope == MailFailure::Hope::later) hope_ = hope;
        if (why_.empty() || hope == MailFailure::Hope::later) why_ = why;
    }
    void throw_if_any(std::size_t messages) const
    {
        if (count_ == 0) return;
        throw MailFailure(messages == 1 ? why_ : fmt::format("{} of {} messages: {}", count_, messages, why_), hope_);
    }

private:
    std::size_t count_ = 0;
    MailFailure::Hope hope_ = MailFailure::Hope::none;
    std::string why_;
};

}  // namespace

Notices::Notices(Store& store, const Clock& clock, const Zones& zones, Mailer& mailer, CarryOut carry_out, NoticeOptions options)
    : store_(store), clock_(clock), zones_(zones), mailer_(mailer), carry_out_(std::move(carry_out)), options_(std::move(options))
{
}

void Notices::tell(const Effect& effect) const
{
    switch (effect.kind) {
        case EffectKind::ticket_paid:
            return tell_holders(effect, confirmation_mail);
        case EffectKind::hold_expired:
            return tell_holders(effect, hold_expired_mail);
        case EffectKind::event_changed:
            return;  // who looks at the event sees it; nobody asked for a mail
    }
    throw std::runtime_error(fmt::format("effects of kind {} are unknown to this version", static_cast<unsigned>(effect.kind)));
}

void Notices::tell_holders(const Effect& effect, Words words) const
{
    const std::optional<Event> event = store_.find_event(effect.event);
    if (!event) return;  // removed since: there is nothing left to go to
    Troubles troubles;
    for (const TicketId id : effect.tickets) {
        try {
            const std::optional<TicketView> view = store_.find_ticket(id);
            const std::optional<User> holder = view ? store_.find_user(view->ticket.user_id) : std::nullopt;
            if (holder) send_once(words(*holder, *event, view->ticket, zones_, options_));
        } catch (const MailFailure& failure) {
            troubles.add(failure.what(), failure.hope());
        } catch (const std::exception& failure) {
            troubles.add(failure.what(), MailFailure::Hope::later);
        }
    }
    troubles.throw_if_any(effect.tickets.size());
}

void Notices::send_once(const Mail& mail) const
{
    const Instant now = clock_.now();
    const Instant until = now + kTurn;
    const Outcome outcome = carry_out_(TakeMailTurn{mail.key, now, until});
    const MailTurn* const turn = std::get_if<MailTurn>(&outcome);
    if (turn == nullptr) throw std::runtime_error(why_of(outcome));
    if (*turn == MailTurn::already_sent) return;
    if (*turn == MailTurn::elsewhere) throw MailFailure("another worker is about to send it", MailFailure::Hope::later);
    try {
        mailer_.send(mail);
    } catch (...) {
        // Gives the turn back, or the next try would find it taken: taken again as if at its end, which fails when by now
        // somebody else has it, and ending at once.
        (void)carry_out_(TakeMailTurn{mail.key, until, clock_.now()});
        throw;
    }
    Outcome marked;
    for (int tries = 0; tries < kMarkTries && !std::holds_alternative<Done>(marked); ++tries)
        marked = carry_out_(MarkMailSent{mail.key, clock_.now()});
    if (!std::holds_alternative<Done>(marked)) throw std::runtime_error("a mail was sent, but " + why_of(marked));
}

}  // namespace boxoffice
