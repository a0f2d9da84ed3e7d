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

/// What a mailer may take over one message (SmtpOptions::timeout, 20 s), and a little to note that it was sent: with less left of
/// its turn nobody begins to send. A turn counts from when it was asked for, and the store may have been away since.
constexpr Micros kSendTakes = std::chrono::seconds(25);

/// After so long no further message of an effect is begun. With a job's wait behind others of the same take (10 s in
/// runtime/jobs.cpp) and a last message's 20 s it is below the 60 s after which a delivery is another worker's.
constexpr Micros kTellFor = std::chrono::seconds(25);

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
    /// There are messages that were not even tried.
    void leave_hope() { hope_ = MailFailure::Hope::later; }
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

Notices::Notices(Store& store, const Clock& clock, const Zones& zones, Mailer& mailer, Means means, NoticeOptions options)
    : store_(store), clock_(clock), zones_(zones), mailer_(mailer), means_(std::move(means)), options_(std::move(options))
{
}

Notices::Told Notices::tell(const Effect& effect) const
{
    switch (effect.kind) {
        case EffectKind::ticket_paid:
            return tell_holders(effect, confirmation_mail);
        case EffectKind::hold_expired:
            return tell_holders(effect, hold_expired_mail);
        case EffectKind::event_changed:
            return Told::all;  // who looks at the event sees it; nobody asked for a mail
    }
    throw std::runtime_error(fmt::format("effects of kind {} are unknown to this version", static_cast<unsigned>(effect.kind)));
}

Notices::Told Notices::tell_holders(const Effect& effect, Words words) const
{
    const Instant leave_at = clock_.now() + kTellFor;
    const std::optional<Event> event = store_.find_event(effect.event);
    if (!event) return Told::all;  // removed since: there is nothing left to go to
    const std::size_t messages = effect.tickets.size();
    Troubles troubles;
    Told told = Told::all;
    for (std::size_t i = 0; i < messages; ++i) {
        if (means_.stopping() || clock_.now() >= leave_at) {
            told = Told::some;
            break;
        }
        try {
            // Every try begins with another one, or a few that fail slowly would keep the others from ever being sent.
            tell_holder(effect.tickets[(static_cast<std::size_t>(effect.tries) + i) % messages], *event, words);
        } catch (const MailFailure& failure) {
            troubles.add(failure.what(), failure.hope());
        } catch (const std::exception& failure) {
            troubles.add(failure.what(), MailFailure::Hope::later);
        }
    }
    if (told == Told::some) troubles.leave_hope();
    troubles.throw_if_any(messages);
    return told;
}

void Notices::tell_holder(TicketId id, const Event& event, Words words) const
{
    const std::optional<TicketView> view = store_.find_ticket(id);
    const std::optional<User> holder = view ? store_.find_user(view->ticket.user_id) : std::nullopt;
    if (holder) send_once(words(*holder, event, view->ticket, zones_, options_));
}

void Notices::send_once(const Mail& mail) const
{
    const Instant now = clock_.now();
    const Instant until = now + kTurn;
    const Outcome outcome = means_.carry_out(TakeMailTurn{mail.key, now, until});
    const MailTurn* const turn = std::get_if<MailTurn>(&outcome);
    if (turn == nullptr) throw std::runtime_error(why_of(outcome));
    if (*turn == MailTurn::already_sent) return;
    if (*turn == MailTurn::elsewhere) throw MailFailure("another worker is about to send it", MailFailure::Hope::later);
    try {
        if (until - clock_.now() < kSendTakes)
            throw MailFailure("its turn was nearly over when the store gave it", MailFailure::Hope::later);
        mailer_.send(mail);
    } catch (...) {
        // Gives the turn back, or the next try would find it taken: taken again as if at its end, which fails when by now
        // somebody else has it, and ending at once.
        (void)means_.carry_out(TakeMailTurn{mail.key, until, clock_.now()});
        throw;
    }
    // Unless it is known that a mail was sent, it is sent again.
    const Outcome marked = means_.insist(MarkMailSent{mail.key, clock_.now()});
    if (!std::holds_alternative<Done>(marked)) throw std::runtime_error("a mail was sent, but " + why_of(marked));
}

}  // namespace boxoffice
