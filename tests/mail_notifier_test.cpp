#include "app/mail_notifier.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fake_outbox.hpp"
#include "fake_zones.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using Kind = MailFailure::Kind;

const Instant kStart = Instant(std::chrono::sys_days(std::chrono::year(2026) / 7 / 4)) + 18h;

User anna() { return {UserId{2}, "Anna <b>", "anna@example.org", {}, {}}; }

Event blues()
{
    Event event;
    event.id = EventId{1};
    event.title = "Blues & \"Friends\"";
    event.start_time = kStart;
    event.end_time = kStart + 3h;
    event.timezone = "Test/Plus2";
    event.venue.address = "Kings <Road> 1";
    return event;
}

Ticket lapsed(std::int64_t id, std::int64_t user = 2, Instant expires = kStart)
{
    return {TicketId{id}, UserId{user}, EventId{1}, TicketStatus::expired, {}, expires, {}, {}};
}

Ticket paid(std::int64_t id) { return {TicketId{id}, UserId{2}, EventId{1}, TicketStatus::paid, {}, {}, kStart, "PAY-<7>"}; }

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(ConfirmationMail, SaysWhatWhenWhereAndWhichTicketInTextAndHtml)
{
    const Mail mail = confirmation_mail(anna(), blues(), paid(7), FakeZones(), {"https://tickets.example.org"});
    EXPECT_EQ(mail.key, "ticket_paid:7");
    EXPECT_EQ(mail.to_address, "anna@example.org");
    EXPECT_EQ(mail.to_name, "Anna <b>") << "as a name of its header, where it is quoted";
    EXPECT_EQ(mail.subject, "Your ticket for Blues & \"Friends\"");
    for (const char* part : {"Hello Anna <b>,", "Blues & \"Friends\"", "Saturday, 4 July 2026, 20:00 to 23:00 (Test/Plus2)",
                             "Kings <Road> 1", "No. 7", "PAY-<7>", "Your tickets: https://tickets.example.org"})
        EXPECT_TRUE(has(mail.text, part)) << part << "\nin\n" << mail.text;
    for (const char* part :
         {"Hello Anna &lt;b&gt;,", "Blues &amp; &quot;Friends&quot;", "Saturday, 4 July 2026, 20:00 to 23:00 (Test/Plus2)",
          "Kings &lt;Road&gt; 1", "No. 7", "PAY-&lt;7&gt;", "href=\"https://tickets.example.org\"", "color-scheme"})
        EXPECT_TRUE(has(mail.html, part)) << part << "\nin\n" << mail.html;
    for (const char* part : {"<img", "<style", "<script", "<b>", "<Road>"}) EXPECT_FALSE(has(mail.html, part)) << part;
}

TEST(ConfirmationMail, HasNoLinkWithoutASite)
{
    const Mail mail = confirmation_mail(anna(), blues(), paid(7), FakeZones(), {});
    EXPECT_FALSE(has(mail.text, "http")) << mail.text;
    EXPECT_FALSE(has(mail.html, "<a ")) << mail.html;
}

TEST(ConfirmationMail, KeepsATitleOnOneLine)
{
    Event event = blues();
    event.title = "Blues\r\nBcc: x@y.z";
    const Mail mail = confirmation_mail(anna(), event, paid(7), FakeZones(), {});
    EXPECT_EQ(mail.subject, "Your ticket for Blues  Bcc: x@y.z");
    EXPECT_FALSE(has(mail.text, "\nBcc")) << mail.text;
}

TEST(ConfirmationMail, NamesBothDaysOfANightAndFallsBackOnUtc)
{
    Event event = blues();
    event.end_time = kStart + 7h;
    EXPECT_TRUE(has(confirmation_mail(anna(), event, paid(7), FakeZones(), {}).text,
                    "Saturday, 4 July 2026, 20:00 to Sunday, 5 July 2026, 03:00 (Test/Plus2)"));
    event.timezone = "Gone/Zone";
    EXPECT_TRUE(has(confirmation_mail(anna(), event, paid(7), FakeZones(), {}).text,
                    "Saturday, 4 July 2026, 18:00 to Sunday, 5 July 2026, 01:00 (UTC)"));
}

TEST(ConfirmationMail, GreetsByANameAndNotByAStrangersMessage)
{
    const auto greeting = [](const std::string& name) {
        User user = anna();
        user.name = name;
        const Mail mail = confirmation_mail(user, blues(), paid(7), FakeZones(), {});
        EXPECT_EQ(mail.to_name, mail.text.starts_with("Hello,") ? "" : mail.text.substr(6, mail.text.find(",\n") - 6));
        return mail.text.substr(0, mail.text.find('\n'));
    };
    for (const char* good :
         {"Anna", "J.R.R. Hartley", "Anna-Lena O'Neill", "\u738b\u5c0f\u660e", "Jos\u00e9 M.", "Dr. X", "A & B, 3rd"})
        EXPECT_EQ(greeting(good), "Hello " + std::string(good) + ",");
    for (const char* bad : {"http://evil.example/win", "Win at HTTPS://EVIL.EXAMPLE", "evil.example", "go to evil.example/x now",
                            "WWW.evil.example", "1.2.3.4", "//evil", "mailto:x", "x@evil.example", "evil\uff0eexample",
                            "\u4f8b\u3048\u3002\u30c6\u30b9\u30c8", "javascript:alert(1)", "e\u200bvil.ex\u200bample",
                            " \u200b\u202e ", "ftp://x", "evil.co"})
        EXPECT_EQ(greeting(bad), "Hello,") << bad;
    EXPECT_EQ(greeting("Anna\r\n\r\nBcc: x"), "Hello Anna Bcc: x,");
    EXPECT_EQ(greeting("An\u202ena\u2066"), "Hello Anna,") << "nothing that turns the direction of writing";
    std::string accents;
    for (int i = 0; i < 200; ++i) accents += "\u00e9";
    EXPECT_EQ(greeting(accents), "Hello " + accents.substr(0, 160) + ",") << "80 characters";
    EXPECT_EQ(greeting(std::string(100, 'x') + " http://evil.example"), "Hello,") << "even where it would be cut off";
}

TEST(ConfirmationMail, HasNoAddressOfAStrangerInIt)
{
    Event event = blues();
    event.title = "Blues (https://evil.example/a) www.evil.example Node.js";
    event.venue.address = "Kings Road 1, HTTP://evil.example";
    Ticket ticket = paid(7);
    ticket.payment_reference = "http://evil.example/pay";
    for (const Mail& mail : {confirmation_mail(anna(), event, ticket, FakeZones(), {}),
                             holds_expired_mail(anna(), event, {&ticket, 1}, "k", FakeZones(), {})}) {
        for (const std::string& text : {mail.subject, mail.text, mail.html}) EXPECT_FALSE(has(text, "evil")) << text;
        EXPECT_TRUE(has(mail.subject, "Blues \u2026 \u2026 Node.js")) << mail.subject;
    }
}

TEST(HoldExpiredMail, SaysThatTheTicketIsBackOnSaleAndHowToTryAgain)
{
    const Ticket ticket = paid(7);
    const Mail mail = holds_expired_mail(anna(), blues(), {&ticket, 1}, "key", FakeZones(), {"https://tickets.example.org"});
    EXPECT_EQ(mail.key, "key");
    EXPECT_EQ(mail.subject, "Your hold for Blues & \"Friends\" has expired");
    for (const std::string& text : {mail.text, mail.html}) {
        EXPECT_TRUE(has(text, "not paid in time")) << text;
        EXPECT_TRUE(has(text, "back on sale")) << text;
        EXPECT_TRUE(has(text, "reserve again")) << text;
        EXPECT_TRUE(has(text, "No. 7")) << text;
        EXPECT_FALSE(has(text, "PAY")) << text;
    }
}

TEST(HoldExpiredMail, TellsOfSeveralTicketsAtOnceAndNamesSoManyOfThem)
{
    std::vector<Ticket> tickets;
    for (int id = 1; id <= 25; ++id) tickets.push_back(lapsed(id));
    const Mail few = holds_expired_mail(anna(), blues(), std::span(tickets).first(3), "k", FakeZones(), {});
    EXPECT_EQ(few.subject, "Your holds for Blues & \"Friends\" have expired");
    EXPECT_TRUE(has(few.text, "We held 3 tickets for you")) << few.text;
    EXPECT_TRUE(has(few.text, "Tickets:  No. 1, No. 2, No. 3\n")) << few.text;
    const Mail many = holds_expired_mail(anna(), blues(), tickets, "k", FakeZones(), {});
    EXPECT_TRUE(has(many.text, "We held 25 tickets for you")) << many.text;
    EXPECT_TRUE(has(many.text, "No. 20 and 5 more\n")) << many.text;
}

class ManualClock final : public Clock
{
public:
    Instant now() const override { return time; }
    Instant time = kStart;
};

/// Keeps what it is given, or refuses by the key.
class FakeMailer final : public Mailer
{
public:
    void send(const Mail& mail) override
    {
        if (refuse) refuse(mail);
        sent.push_back(mail.key);
        texts.push_back(mail.text);
    }
    std::function<void(const Mail&)> refuse;
    std::vector<std::string> sent;
    std::vector<std::string> texts;
};

class Notifying : public testing::Test
{
protected:
    Notifying()
    {
        store.users[UserId{2}] = anna();
        store.events[EventId{1}] = blues();
        for (const std::int64_t id : {7, 8, 9}) {
            store.users[UserId{id}] = anna();
            store.users[UserId{id}].id = UserId{id};
            store.users[UserId{id}].email = "Anna" + std::to_string(id) + "@example.org";
            store.tickets[TicketId{id}] = lapsed(id, id);
            store.tickets[TicketId{id + 10}] = paid(id + 10);
        }
    }
    static std::string key(std::int64_t user) { return lapsed_key(EventId{1}, UserId{user}, kStart); }
    static std::vector<std::string> keys(std::initializer_list<std::int64_t> users)
    {
        std::vector<std::string> all;
        for (const std::int64_t user : users) all.push_back(key(user));
        return all;
    }
    Outcome execute(Act act)
    {
        WriteJob job{std::move(act), {}, {}};
        WriteJob* const one = &job;
        store.execute({&one, 1});
        return job.outcome;
    }
    std::optional<Kind> notify(EffectKind kind, std::vector<TicketId> tickets, int tries = 0)
    {
        try {
            progress = notifier.notify({1, kind, EventId{1}, std::move(tickets), kStart, tries});
            return std::nullopt;
        } catch (const MailFailure& failure) {
            why = failure.what();
            return failure.kind();
        }
    }

    FakeOutbox store;
    ManualClock clock;
    FakeZones zones;
    FakeMailer mailer;
    bool stopping = false;
    std::vector<UserId> left_out;
    Micros lane_wait{0};    // of every act but those that are retried
    std::string retried{};  // the keys of mails that were marked so
    std::optional<Error> retried_in_vain;
    MailNotifier notifier{store,
                          clock,
                          zones,
                          mailer,
                          {.execute =
                               [this](Act act) {
                                   clock.time += lane_wait;
                                   return execute(std::move(act));
                               },
                           .execute_with_retries = [this](Act act) -> Outcome {
                               retried += std::get<MarkMailSent>(act).key + ' ';
                               if (retried_in_vain) return *retried_in_vain;
                               return execute(std::move(act));
                           },
                           .stopping = [this] { return stopping; },
                           .left_out = [this](UserId user) { left_out.push_back(user); }},
                          {}};
    MailNotifier::Progress progress = MailNotifier::Progress::complete;
    std::string why;
};

TEST_F(Notifying, SendsEveryMessageOnceHoweverOftenTheEffectIsDelivered)
{
    for (int i = 0; i < 3; ++i) EXPECT_EQ(notify(EffectKind::hold_expired, {TicketId{7}, TicketId{8}}), std::nullopt);
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), std::nullopt);
    EXPECT_EQ(mailer.sent, (std::vector<std::string>{key(7), key(8), "ticket_paid:17"}));
}

TEST_F(Notifying, SharesOneMessageAmongThePersonsLapsedHoldsOnTheEvent)
{
    for (const std::int64_t id : {21, 22, 23, 24}) store.tickets[TicketId{id}] = lapsed(id, 8);
    store.tickets[TicketId{24}].expires_at = kStart - 61min;  // told of in another hour
    EXPECT_EQ(notify(EffectKind::hold_expired, {TicketId{7}, TicketId{21}, TicketId{22}}), std::nullopt);
    EXPECT_EQ(mailer.sent, keys({7, 8}));
    EXPECT_TRUE(has(mailer.texts.at(1), "No. 8, No. 21, No. 22, No. 23\n")) << mailer.texts.at(1);
    EXPECT_EQ(notify(EffectKind::hold_expired, {TicketId{8}, TicketId{23}}), std::nullopt);
    EXPECT_EQ(mailer.sent, keys({7, 8})) << "the other effect's message has told of these";
}

TEST_F(Notifying, SaysNothingOfAHoldThatWasPaidInTimeAfterAll)
{
    EXPECT_EQ(notify(EffectKind::hold_expired, {TicketId{17}}), std::nullopt);
    EXPECT_TRUE(mailer.sent.empty());
}

TEST_F(Notifying, LeavesOutWhatIsTooMuchForOneAddressButForPaidTickets)
{
    store.users[UserId{7}].email = "anna@EXAMPLE.org";  // another account's, as addresses were compared once
    for (int i = 0; i < 12; ++i) {
        clock.time += 1min;
        Event& event = store.events[EventId{100 + i}] = blues();
        event.id = EventId{100 + i};
        Ticket ticket = lapsed(100 + i, i % 2 == 0 ? 2 : 7);
        ticket.event_id = event.id;
        store.tickets[ticket.id] = ticket;
        EXPECT_EQ(notifier.notify({1, EffectKind::hold_expired, event.id, {ticket.id}, kStart, 0}),
                  MailNotifier::Progress::complete);
    }
    EXPECT_EQ(mailer.sent.size(), 10U);
    EXPECT_EQ(left_out, (std::vector{UserId{2}, UserId{7}}));
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), std::nullopt);
    EXPECT_EQ(mailer.sent.back(), "ticket_paid:17");
    EXPECT_EQ(notify(EffectKind::hold_expired, {TicketId{8}}), std::nullopt);
    EXPECT_EQ(mailer.sent.back(), key(8)) << "another user's";
}

TEST_F(Notifying, HasNothingToSayOfAChangedOrARemovedEventOrAMissingTicket)
{
    EXPECT_EQ(notify(EffectKind::event_changed, {}), std::nullopt);
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{404}}), std::nullopt);
    store.events.clear();
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), std::nullopt);
    EXPECT_TRUE(mailer.sent.empty());
}

TEST_F(Notifying, WaitsWhileAnotherWorkerHasTheTurnAndTakesItOnceThatHasLapsed)
{
    store.turns["ticket_paid:17"] = {clock.time + 30s, false};
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), Kind::transient);
    EXPECT_TRUE(mailer.sent.empty());
    clock.time += 30s;
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), std::nullopt);
    EXPECT_EQ(mailer.sent.size(), 1U);
}

TEST_F(Notifying, GivesItsTurnBackWhenTheServerFails)
{
    mailer.refuse = [](const Mail&) { throw MailFailure("away", Kind::transient); };
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), Kind::transient);
    EXPECT_EQ(why, "away");
    mailer.refuse = nullptr;
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), std::nullopt) << "no time has passed";
    EXPECT_EQ(mailer.sent.size(), 1U);
}

TEST_F(Notifying, DoesNotTakeBackATurnThatAnotherWorkerHasTakenMeanwhile)
{
    mailer.refuse = [&](const Mail&) {
        clock.time += 2min;
        store.turns["ticket_paid:17"].until = clock.time + 60s;
        throw MailFailure("slow", Kind::transient);
    };
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), Kind::transient);
    EXPECT_EQ(store.turns["ticket_paid:17"].until, clock.time + 60s);
}

TEST_F(Notifying, FinishesTheOthersBeforeItSaysThatOneIsToBeTriedAgain)
{
    mailer.refuse = [](const Mail& mail) {
        if (mail.key == key(7)) throw MailFailure("unknown", Kind::permanent);
        if (mail.key == key(8)) throw MailFailure("away", Kind::transient);
    };
    EXPECT_EQ(notify(EffectKind::hold_expired, {TicketId{7}, TicketId{8}, TicketId{9}}), Kind::transient);
    EXPECT_EQ(why, "2 of 3 messages: away");
    EXPECT_EQ(mailer.sent, keys({9}));
}

TEST_F(Notifying, HasNoHopeWhenAllThatFailedIsRefusedForGood)
{
    mailer.refuse = [](const Mail& mail) {
        if (mail.key == key(8)) throw MailFailure("unknown", Kind::permanent);
    };
    EXPECT_EQ(notify(EffectKind::hold_expired, {TicketId{7}, TicketId{8}, TicketId{9}}), Kind::permanent);
    EXPECT_EQ(why, "1 of 3 messages: unknown");
    EXPECT_EQ(mailer.sent, keys({7, 9}));
}

TEST_F(Notifying, LeavesAKindItDoesNotKnowToALaterVersion)
{
    EXPECT_THROW((void)notifier.notify({1, static_cast<EffectKind>(99), EventId{1}, {}, {}}), std::runtime_error);
}

TEST_F(Notifying, BeginsNoFurtherMessageOnceItHasTakenItsTimeAndGoesOnNextTime)
{
    mailer.refuse = [&](const Mail&) { clock.time += 13s; };
    const std::vector<TicketId> tickets = {TicketId{7}, TicketId{8}, TicketId{9}};
    EXPECT_EQ(notify(EffectKind::hold_expired, tickets), std::nullopt);
    EXPECT_EQ(progress, MailNotifier::Progress::partial);
    EXPECT_EQ(mailer.sent, keys({7, 8}));
    EXPECT_EQ(notify(EffectKind::hold_expired, tickets), std::nullopt);
    EXPECT_EQ(progress, MailNotifier::Progress::complete);
    EXPECT_EQ(mailer.sent, keys({7, 8, 9}));
}

TEST_F(Notifying, HasHopeForMessagesThatItDidNotComeTo)
{
    mailer.refuse = [&](const Mail&) {
        clock.time += 25s;
        throw MailFailure("unknown", Kind::permanent);
    };
    EXPECT_EQ(notify(EffectKind::hold_expired, {TicketId{7}, TicketId{8}}), Kind::transient);
    EXPECT_EQ(why, "1 of 2 messages: unknown");
}

TEST_F(Notifying, BeginsNoMessageInAProcessThatIsToEnd)
{
    mailer.refuse = [&](const Mail&) { stopping = true; };
    EXPECT_EQ(notify(EffectKind::hold_expired, {TicketId{7}, TicketId{8}}), std::nullopt);
    EXPECT_EQ(progress, MailNotifier::Progress::partial);
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{19}}), std::nullopt);
    EXPECT_EQ(progress, MailNotifier::Progress::partial);
    EXPECT_EQ(mailer.sent, keys({7}));
}

TEST_F(Notifying, BeginsEveryTryWithAnotherMessageSoThatSlowFailuresKeepNoneFromBeingSent)
{
    mailer.refuse = [&](const Mail& mail) {
        if (mail.key != key(7)) return;
        clock.time += 25s;
        throw MailFailure("slow", Kind::transient);
    };
    const std::vector<TicketId> tickets = {TicketId{7}, TicketId{8}, TicketId{9}};
    EXPECT_EQ(notify(EffectKind::hold_expired, tickets, 0), Kind::transient);
    EXPECT_TRUE(mailer.sent.empty());
    EXPECT_EQ(notify(EffectKind::hold_expired, tickets, 1), Kind::transient);
    EXPECT_EQ(mailer.sent, keys({8, 9}));
    EXPECT_EQ(notify(EffectKind::hold_expired, tickets, 11), Kind::transient);
    EXPECT_EQ(mailer.sent.size(), 2U);
}

TEST_F(Notifying, GivesBackATurnThatIsNearlyOverWhenItIsGiven)
{
    lane_wait = 35s + 1us;  // of 60
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), Kind::transient);
    EXPECT_TRUE(mailer.sent.empty());
    EXPECT_LE(store.turns["ticket_paid:17"].until, clock.time) << "not given back";
    lane_wait = 35s;
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), std::nullopt);
    EXPECT_EQ(mailer.sent.size(), 1U);
}

TEST_F(Notifying, InsistsOnItsNoteThatAMailWasSent)
{
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{17}}), std::nullopt);
    EXPECT_EQ(retried, "ticket_paid:17 ");
    retried_in_vain = Error{Code::storage_full, "full"};
    EXPECT_EQ(notify(EffectKind::ticket_paid, {TicketId{18}}), Kind::transient);
    EXPECT_TRUE(why.starts_with("a mail was sent, but full")) << why;
}

}  // namespace
}  // namespace boxoffice
