#pragma once
#include <cstdint>
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
    using CarryOut = std::function<Outcome(Act)>;

    /// What threads and time are to whoever carries effects out. Called on any thread.
    struct Means {
        CarryOut carry_out;              // has an act carried out and waits for what became of it
        CarryOut insist;                 // the same for what cannot be undone: a store in trouble is asked again, for minutes
        std::function<bool()> stopping;  // the process is to end: no message is begun any more
    };

    /// some: it left off at a stop, or because it had taken its time. Nothing has failed, and the rest is to be told later.
    enum class Told : std::uint8_t { all, some };

    Notices(Store& store, const Clock& clock, const Zones& zones, Mailer& mailer, Means means, NoticeOptions options);
    [[nodiscard]] Told tell(const Effect& effect) const;  // any thread

private:
    using Words = Mail (*)(const User&, const Event&, const Ticket&, const Zones&, const NoticeOptions&);

    [[nodiscard]] Told tell_holders(const Effect& effect, Words words) const;
    void tell_holder(TicketId id, const Event& event, Words words) const;
    void send_once(const Mail& mail) const;

    Store& store_;
    const Clock& clock_;
    const Zones& zones_;
    Mailer& mailer_;
    Means means_;
    NoticeOptions options_;
};

}  // namespace boxoffice
