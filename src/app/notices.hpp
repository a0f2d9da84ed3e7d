#pragma once
#include <functional>
#include <optional>
#include <string>

#include "core/core.hpp"

/// The messages that follow from a change: whom to tell, and in which words. Text and HTML say the same; every word that came
/// from a person is escaped. Per-user language has its place here, in the words of notices_words.cpp.
namespace boxoffice
{

struct NoticeOptions {
    std::string site;  // "https://tickets.example.org": where links lead; empty: no links
};

/// What a notice says: pure, so that it can be read in a test.
[[nodiscard]] Mail confirmation_mail(const User& user, const Event& event, const Ticket& ticket, const Zones& zones,
                                     const NoticeOptions& options);
[[nodiscard]] Mail hold_expired_mail(const User& user, const Event& event, const Ticket& ticket, const Zones& zones,
                                     const NoticeOptions& options);

/// The job of an effect: mails whoever is concerned, each message once. One message that fails does not keep the others of
/// the effect from being sent. Throws afterwards: MailFailure without hope when all that failed is refused for good, anything
/// else when something has to be tried again.
class Notices
{
public:
    /// How an act is carried out and waited for.
    using CarryOut = std::function<Outcome(Act)>;

    Notices(Store& store, const Clock& clock, const Zones& zones, Mailer& mailer, CarryOut carry_out, NoticeOptions options);
    void tell(const Effect& effect) const;  // any thread

private:
    using Words = Mail (*)(const User&, const Event&, const Ticket&, const Zones&, const NoticeOptions&);

    void tell_holders(const Effect& effect, Words words) const;
    void send_once(const Mail& mail) const;

    Store& store_;
    const Clock& clock_;
    const Zones& zones_;
    Mailer& mailer_;
    CarryOut carry_out_;
    NoticeOptions options_;
};

}  // namespace boxoffice
