#include "app/mail_notifier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <utility>

namespace boxoffice
{

namespace
{

/// A turn outlasts the longest time that a mailer takes over one message, so that no second worker sends it while the first is
/// still sending.
constexpr Micros kTurn = std::chrono::seconds(60);

/// What a mailer may take over one message (SmtpOptions::timeout, 20 s), and a little to note that it was sent: with less left of
/// its turn no worker begins to send. A turn counts from when it was asked for, and the store may have been unavailable since.
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
    void add(const std::string& why, MailFailure::Kind kind)
    {
        ++count_;
        if (kind == MailFailure::Kind::transient) kind_ = kind;
        if (why_.empty() || kind == MailFailure::Kind::transient) why_ = why;
    }
    /// There are messages that were not even tried.
    void mark_transient() { kind_ = MailFailure::Kind::transient; }
    void throw_if_any(std::size_t messages) const
    {
        if (count_ == 0) return;
        throw MailFailure(messages == 1 ? why_ : fmt::format("{} of {} messages: {}", count_, messages, why_), kind_);
    }

private:
    std::size_t count_ = 0;
    MailFailure::Kind kind_ = MailFailure::Kind::permanent;
    std::string why_;
};

}  // namespace

MailNotifier::MailNotifier(Store& store, const Clock& clock, const Zones& zones, Mailer& mailer, Callbacks callbacks,
                           MailNotifierOptions options)
    : store_(store), clock_(clock), zones_(zones), mailer_(mailer), callbacks_(std::move(callbacks)), options_(std::move(options))
{
}

MailNotifier::Progress MailNotifier::notify(const Effect& effect) const
{
    switch (effect.kind) {
        case EffectKind::ticket_paid:
        case EffectKind::hold_expired: {
            const Instant leave_at = clock_.now() + kTellFor;
            return notify_each(effect, concerns_of(effect), leave_at);
        }
        case EffectKind::event_changed:
            return Progress::complete;  // shown on the event's page; no mail was asked for
    }
    throw std::runtime_error(fmt::format("effects of kind {} are unknown to this version", static_cast<unsigned>(effect.kind)));
}

std::vector<MailNotifier::Concern> MailNotifier::concerns_of(const Effect& effect) const
{
    std::vector<Concern> concerns;
    for (const TicketId id : effect.tickets) {
        const std::optional<TicketView> view = store_.find_ticket(id);
        if (!view) continue;
        const Ticket& ticket = view->ticket;
        auto of = concerns.end();
        if (effect.kind == EffectKind::hold_expired) {
            if (ticket.status != TicketStatus::expired) continue;  // a payment that was on its way in time has had it back
            of = std::find_if(concerns.begin(), concerns.end(), [&](const Concern& one) { return one.user == ticket.user_id; });
        }
        if (of == concerns.end()) of = concerns.insert(concerns.end(), {ticket.user_id, {}});
        of->tickets.push_back(ticket);
    }
    return concerns;
}

MailNotifier::Progress MailNotifier::notify_each(const Effect& effect, const std::vector<Concern>& concerns,
                                                 Instant leave_at) const
{
    const std::optional<Event> event = store_.find_event(effect.event);
    if (!event) return Progress::complete;  // removed since: there is nothing left to go to
    const std::size_t messages = concerns.size();
    Troubles troubles;
    Progress progress = Progress::complete;
    for (std::size_t i = 0; i < messages; ++i) {
        if (callbacks_.stopping() || clock_.now() >= leave_at) {
            progress = Progress::partial;
            break;
        }
        try {
            // Every try begins with another one, or a few that fail slowly would keep the others from ever being sent.
            notify_one(effect, *event, concerns[(static_cast<std::size_t>(effect.tries) + i) % messages]);
        } catch (const MailFailure& failure) {
            troubles.add(failure.what(), failure.kind());
        } catch (const std::exception& failure) {
            troubles.add(failure.what(), MailFailure::Kind::transient);
        }
    }
    if (progress == Progress::partial) troubles.mark_transient();
    troubles.throw_if_any(messages);
    return progress;
}

void MailNotifier::notify_one(const Effect& effect, const Event& event, const Concern& concern) const
{
    const std::optional<User> user = store_.find_user(concern.user);
    if (!user) return;
    if (effect.kind == EffectKind::ticket_paid) {
        const Ticket& ticket = concern.tickets.front();
        return send_once(paid_key(ticket.id), *user, Matter::paid,
                         [&] { return confirmation_mail(*user, event, ticket, zones_, options_); });
    }
    const std::string key = lapsed_key(effect.event, user->id, effect.made_at);
    send_once(key, *user, Matter::lapsed,
              [&] { return holds_expired_mail(*user, event, lapsed_with(concern, effect), key, zones_, options_); });
}

/// Those of the effect and all others of theirs that have lapsed in the same hour: other effects tell of these, and theirs is the
/// same message.
std::vector<Ticket> MailNotifier::lapsed_with(const Concern& concern, const Effect& effect) const
{
    TicketQuery query;
    query.user = concern.user;
    query.limit = kPageMax;
    query.status = TicketStatus::expired;
    query.event = effect.event;
    query.now = clock_.now();
    std::map<TicketId, Ticket> all;
    for (const Ticket& ticket : concern.tickets) all.emplace(ticket.id, ticket);
    const Instant hour = std::chrono::floor<std::chrono::hours>(effect.made_at);
    for (const Ticket& ticket : store_.list_tickets(query).items) {
        if (ticket.expires_at >= hour) all.emplace(ticket.id, ticket);
    }
    std::vector<Ticket> tickets;
    tickets.reserve(all.size());
    for (auto& [id, ticket] : all) tickets.push_back(std::move(ticket));
    return tickets;
}

void MailNotifier::send_once(const std::string& key, const User& user, Matter matter, const Compose& compose) const
{
    const Instant now = clock_.now();
    const Instant until = now + kTurn;
    const Outcome outcome = callbacks_.execute(TakeMailTurn{key, now, until, fold_email(user.email), matter == Matter::paid});
    const MailTurn* const turn = std::get_if<MailTurn>(&outcome);
    if (turn == nullptr) throw std::runtime_error(why_of(outcome));
    if (*turn == MailTurn::already_sent) return;
    if (*turn == MailTurn::too_many) return callbacks_.left_out(user.id);
    if (*turn == MailTurn::elsewhere) throw MailFailure("another worker is about to send it", MailFailure::Kind::transient);
    try {
        const Mail mail = compose();
        if (until - clock_.now() < kSendTakes)
            throw MailFailure("its turn was nearly over when the store gave it", MailFailure::Kind::transient);
        mailer_.send(mail);
    } catch (...) {
        // Gives the turn back, or the next try would find it taken: taken again as if at its end, which fails when by now
        // another worker has it, and ending at once.
        (void)callbacks_.execute(TakeMailTurn{key, until, clock_.now()});
        throw;
    }
    // Unless it is known that a mail was sent, it is sent again.
    const Outcome marked = callbacks_.execute_with_retries(MarkMailSent{key, clock_.now()});
    if (!std::holds_alternative<Done>(marked)) throw std::runtime_error("a mail was sent, but " + why_of(marked));
}

}  // namespace boxoffice
