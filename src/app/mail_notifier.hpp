#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/core.hpp"

/// The messages that follow from a change: whom to tell, and in which words. Text and HTML say the same; every word that came
/// from a person is escaped. Per-user language has its place here, in the words of mail_texts.cpp.
namespace boxoffice
{

struct MailNotifierOptions {
    std::string site;  // "https://tickets.example.org": where links lead; empty: no links
};

/// The texts of mails: pure, so that they can be read in a test.
[[nodiscard]] Mail confirmation_mail(const User& user, const Event& event, const Ticket& ticket, const Zones& zones,
                                     const MailNotifierOptions& options);
/// `tickets`: all of theirs on that event that the message tells of, at least one.
[[nodiscard]] Mail holds_expired_mail(const User& user, const Event& event, std::span<const Ticket> tickets, std::string key,
                                      const Zones& zones, const MailNotifierOptions& options);

/// The names of messages, each of which goes out once: one a paid ticket; one an hour of a person's lapsed holds on one event.
[[nodiscard]] std::string paid_key(TicketId ticket);
[[nodiscard]] std::string lapsed_key(EventId event, UserId user, Instant lapsed_at);

/// The job of an effect: mails each user concerned, each message once. Holds of one person that lapsed share a message, and of
/// such messages only so many an hour go to one address (kMailsAnHour): the others are left out for good. What tells of a paid
/// ticket always goes. One message that fails does not keep the others of the effect from being sent. Throws afterwards:
/// a permanent MailFailure when all that failed is refused for good, anything else when something has to be tried again.
class MailNotifier
{
public:
    using ExecuteAct = std::function<Outcome(Act)>;

    /// What the notifier needs of the process that runs it. Called on any thread.
    struct Callbacks {
        ExecuteAct execute;               // executes an act and waits for its outcome
        ExecuteAct execute_with_retries;  // the same for what cannot be undone: a store in trouble is asked again, for minutes
        std::function<bool()> stopping;   // the process is to end: no message is begun any more
        std::function<void(UserId)> left_out = [](UserId) {};  // a message was not sent, for this person has had enough of them
    };

    /// partial: it stopped early, at a shutdown or because its time was up. Nothing has failed, and the rest is to be told later.
    enum class Progress : std::uint8_t { complete, partial };

    MailNotifier(Store& store, const Clock& clock, const Zones& zones, Mailer& mailer, Callbacks callbacks,
                 MailNotifierOptions options);
    [[nodiscard]] Progress notify(const Effect& effect) const;  // any thread

private:
    using Compose = std::function<Mail()>;
    enum class Matter : std::uint8_t { paid, lapsed };
    /// Some tickets of one person.
    struct Concern {
        UserId user;
        std::vector<Ticket> tickets;
    };

    [[nodiscard]] std::vector<Concern> concerns_of(const Effect& effect) const;
    [[nodiscard]] Progress notify_each(const Effect& effect, const std::vector<Concern>& concerns, Instant leave_at) const;
    void notify_one(const Effect& effect, const Event& event, const Concern& concern) const;
    [[nodiscard]] std::vector<Ticket> lapsed_with(const Concern& concern, const Effect& effect) const;
    void send_once(const std::string& key, const User& user, Matter matter, const Compose& compose) const;

    Store& store_;
    const Clock& clock_;
    const Zones& zones_;
    Mailer& mailer_;
    Callbacks callbacks_;
    MailNotifierOptions options_;
};

}  // namespace boxoffice
