#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

class Outbox : public StoreTest
{
protected:
    /// Those due at `at`, hidden for a minute.
    std::vector<Effect> take(Instant at, std::size_t most = 100) { return must<Effects>(TakeEffects{at, most, at + 1min}).taken; }
    std::vector<std::int64_t> ids(Instant at, std::size_t most = 100)
    {
        std::vector<std::int64_t> found;
        for (const Effect& effect : take(at, most)) found.push_back(effect.id);
        return found;
    }
    Ticket pay(const Ticket& ticket)
    {
        return must<Ticket>(Pay{ticket.id, ticket.user_id, "ref" + std::to_string(ticket.id.value), now});
    }
    /// One effect of its own, made at `now`.
    Effect effect()
    {
        const std::int64_t before = store().outbox_counts().waiting;
        const Ticket paid = pay(reserve(event(1), person()));
        EXPECT_EQ(store().outbox_counts().waiting, before + 1);
        return {0, EffectKind::ticket_paid, paid.event_id, {paid.id}, now, 0};
    }
    void postpone(std::int64_t id, std::optional<Instant> due_at, const std::string& why)
    {
        must<Done>(PostponeEffect{id, due_at, why, now});
    }
    using Ids = std::vector<std::int64_t>;
};
INSTANTIATE_TEST_SUITE_P(Engines, Outbox, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(Outbox, GetsItsRowInTheTransactionOfTheChangeOrNotAtAll)
{
    const UserId buyer = person();
    const Ticket ticket = reserve(event(2), buyer);
    WriteJob paid{Pay{ticket.id, buyer, "ref", now + 1s}, {}, {}};
    WriteJob poisoned{
        Cancel{ticket.id, buyer, now + 1s},
        IdempotencyClaim{buyer, "k", "f", now, [](const Outcome&) -> KeptAnswer { throw std::runtime_error("poison"); }},
        {}};
    WriteJob* const both[] = {&paid, &poisoned};
    EXPECT_THROW(store().execute(both), std::runtime_error);
    EXPECT_EQ(store().outbox_counts().waiting, 0);
    EXPECT_TRUE(take(now + 1s).empty());

    WriteJob* const alone[] = {&paid};
    store().execute(alone);
    home->reopen();
    EXPECT_EQ(store().outbox_counts().waiting, 1);
    EXPECT_TRUE(take(now + 1s - 1us).empty()) << "due when it was made, not before";
    const std::vector<Effect> taken = take(now + 1s);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_GT(taken[0].id, 0);
    EXPECT_EQ(taken[0].kind, EffectKind::ticket_paid);
    EXPECT_EQ(taken[0].event, ticket.event_id);
    EXPECT_EQ(taken[0].tickets, std::vector{ticket.id});
    EXPECT_EQ(taken[0].made_at, now + 1s);
    EXPECT_EQ(taken[0].tries, 0);
}

TEST_P(Outbox, HasNoRowOfAReservationACancelOrWhatWasRefusedOrSoAlready)
{
    const EventId concert = event(2);
    const UserId buyer = person();
    const Ticket kept = reserve(concert, buyer);
    must<Ticket>(Cancel{reserve(concert, buyer).id, buyer, now});
    EXPECT_EQ(said(Pay{TicketId{99}, buyer, "r", now}), "not_found");
    EXPECT_EQ(said(ChangeEvent{concert, buyer, {}, now}), "not_organizer");
    EXPECT_EQ(said(RemoveEvent{concert, organizer, now}), "has_tickets");
    EXPECT_TRUE(must<ExpiredHolds>(ExpireHolds{now, 10}).events.empty());
    EXPECT_EQ(store().outbox_counts().waiting, 0);
    pay(kept);
    pay(kept);
    EXPECT_EQ(store().outbox_counts().waiting, 1);
}

TEST_P(Outbox, TellsThatAnEventWasChangedOrRemoved)
{
    const EventId concert = event(2);
    EventPatch patch;
    patch.title = "Blues";
    must<Event>(ChangeEvent{concert, organizer, patch, now});
    must<Done>(RemoveEvent{concert, organizer, now + 1s});
    const std::vector<Effect> taken = take(now + 1s);
    ASSERT_EQ(taken.size(), 2u);
    for (const Effect& one : taken) {
        EXPECT_EQ(one.kind, EffectKind::event_changed);
        EXPECT_EQ(one.event, concert);
        EXPECT_TRUE(one.tickets.empty());
    }
    EXPECT_EQ(taken[1].made_at, now + 1s);
}

TEST_P(Outbox, TellsOfHoldsThatAReservationOrARemovalLapses)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const Ticket first = reserve(concert, buyer);
    now = first.expires_at;
    const Ticket second = reserve(concert, buyer);
    EXPECT_TRUE(take(now + kLapsesGatherFor - 1us).empty()) << "others of the same person may lapse yet";
    std::vector<Effect> taken = take(now + kLapsesGatherFor);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].kind, EffectKind::hold_expired);
    EXPECT_EQ(taken[0].tickets, std::vector{first.id});

    now = second.expires_at + 1h;
    must<Done>(SettleEffects{{taken[0].id}});
    must<Done>(RemoveEvent{concert, organizer, now});
    taken = take(now + kLapsesGatherFor);
    ASSERT_EQ(taken.size(), 2u);
    if (taken[0].kind == EffectKind::event_changed) std::swap(taken[0], taken[1]);
    EXPECT_EQ(taken[0].kind, EffectKind::hold_expired);
    EXPECT_EQ(taken[0].tickets, std::vector{second.id});
    EXPECT_EQ(taken[1].kind, EffectKind::event_changed);
}

TEST_P(Outbox, IsSaidToHaveARowByTheActThatMadeIt)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const auto made = [&](Act act) {
        WriteJob job{std::move(act), {}, {}};
        job.made_effects = true;  // as an earlier try may have left it
        WriteJob* const alone[] = {&job};
        store().execute(alone);
        return job.made_effects;
    };
    EXPECT_FALSE(made(Reserve{concert, buyer, hold, now}));
    now += hold;
    EXPECT_TRUE(made(Reserve{concert, buyer, hold, now})) << "the hold before it lapsed for it";
    EXPECT_FALSE(made(Reserve{concert, buyer, hold, now})) << "sold out";
    EXPECT_FALSE(made(ExpireHolds{now, 10}));
    EXPECT_TRUE(made(ExpireHolds{now + hold, 10}));
    EXPECT_FALSE(made(RemoveEvent{concert, buyer, now})) << "not theirs";
    EXPECT_TRUE(made(RemoveEvent{concert, organizer, now}));
}

TEST_P(Outbox, GivesWhatNeedsNoMailToWhoCanSendNone)
{
    const EventId concert = event(3);
    const UserId buyer = person();
    pay(reserve(concert, buyer));
    reserve(concert, buyer);
    now += hold;
    must<ExpiredHolds>(ExpireHolds{now, 10});
    EventPatch longer;
    longer.description = "With an encore";
    must<Event>(ChangeEvent{concert, organizer, longer, now});
    const Instant later = now + kLapsesGatherFor;
    const auto taken = must<Effects>(TakeEffects{later, 10, later + 1min, false}).taken;
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].kind, EffectKind::event_changed);
    EXPECT_EQ(take(later).size(), 2u) << "the messages are still there for who can";
}

TEST_P(Outbox, HasNoMessagesWhereNoneIsEverToBeSent)
{
    home = GetParam().make_without_mail();
    const EventId concert = event(3);
    const UserId buyer = person();
    pay(reserve(concert, buyer));
    reserve(concert, buyer);
    now += hold;
    must<ExpiredHolds>(ExpireHolds{now, 10});
    EXPECT_EQ(store().outbox_counts().waiting, 0);
    EventPatch longer;
    longer.description = "With an encore";
    must<Event>(ChangeEvent{concert, organizer, longer, now});
    const auto taken = take(now + 1h);
    ASSERT_EQ(taken.size(), 1u) << "other effects stay";
    EXPECT_EQ(taken[0].kind, EffectKind::event_changed);
}

TEST_P(Outbox, SharesRowsAmongHoldsOfOneEventAndNamesEachOnce)
{
    const EventId crowded = event(120);
    const EventId quiet = event(3);
    const UserId buyer = person();
    std::set<TicketId> held;
    for (int i = 0; i < 120; ++i) held.insert(reserve(crowded, buyer).id);
    const Ticket other = reserve(quiet, buyer);
    now += hold;
    ExpiredHolds lapsed = must<ExpiredHolds>(ExpireHolds{now, 1000});
    EXPECT_EQ(lapsed.deadlines.size(), 121u);
    std::sort(lapsed.events.begin(), lapsed.events.end());
    EXPECT_EQ(lapsed.events, (std::vector{crowded, quiet})) << "each once";

    std::set<TicketId> named;
    std::size_t rows = 0;
    for (const Effect& one : take(now + kLapsesGatherFor)) {
        EXPECT_EQ(one.kind, EffectKind::hold_expired);
        EXPECT_LE(one.tickets.size(), kTicketsToAnEffect);
        if (one.event == quiet) {
            EXPECT_EQ(one.tickets, std::vector{other.id});
            continue;
        }
        ++rows;
        EXPECT_EQ(one.event, crowded);
        for (const TicketId ticket : one.tickets) EXPECT_TRUE(named.insert(ticket).second) << ticket.value << " twice";
    }
    EXPECT_EQ(rows, 3u);
    EXPECT_EQ(named, held);
}

TEST_P(Outbox, NamesTheEventsOfEachBoundedLapseOnly)
{
    const EventId concert = event(4);
    const UserId buyer = person();
    for (int i = 0; i < 4; ++i) reserve(concert, buyer);
    now += hold;
    EXPECT_EQ(must<ExpiredHolds>(ExpireHolds{now, 3}).events, std::vector{concert});
    EXPECT_EQ(must<ExpiredHolds>(ExpireHolds{now, 3}).events, std::vector{concert});
    EXPECT_TRUE(must<ExpiredHolds>(ExpireHolds{now, 3}).events.empty());
    EXPECT_EQ(store().outbox_counts().waiting, 2);
}

TEST_P(Outbox, GivesEarliestFirstAndNoMoreThanAsked)
{
    now += 1h;
    const Effect late = effect();
    now -= 1h;
    const Effect early = effect();
    now += 30min;
    const Effect middle = effect();
    now += 1h;
    std::vector<TicketId> order;
    for (const Effect& one : take(now, 2)) order.push_back(one.tickets.at(0));
    for (const Effect& one : take(now, 2)) order.push_back(one.tickets.at(0));
    EXPECT_EQ(order, (std::vector{early.tickets[0], middle.tickets[0], late.tickets[0]}));
}

TEST_P(Outbox, HidesWhatIsTakenUntilItsTimeAndThenGivesItAgain)
{
    effect();
    const Ids taken = ids(now);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(ids(now), Ids{});
    EXPECT_EQ(ids(now + 1min - 1us), Ids{});
    EXPECT_EQ(store().outbox_counts().waiting, 1) << "taken is not done";
    EXPECT_EQ(ids(now + 1min), taken);
    EXPECT_EQ(ids(now + 2min), taken);
}

TEST_P(Outbox, ForgetsWhatIsSettledAndUsesNoNumberAgain)
{
    effect();
    effect();
    const Ids taken = ids(now);
    ASSERT_EQ(taken.size(), 2u);
    must<Done>(SettleEffects{taken});
    EXPECT_EQ(store().outbox_counts().waiting, 0);
    EXPECT_EQ(ids(now + 1h), Ids{});
    // A worker that was slow says so once more, of a number that must not belong to another effect by now.
    effect();
    must<Done>(SettleEffects{taken});
    must<Done>(SettleEffects{{}});
    EXPECT_EQ(ids(now).size(), 1u);
}

TEST_P(Outbox, GivesWhatWasPostponedAtItsTimeWithItsTriesCounted)
{
    effect();
    const std::int64_t id = ids(now).at(0);
    postpone(id, now + 10min, "no route");
    EXPECT_EQ(store().outbox_counts().waiting, 1);
    EXPECT_EQ(store().outbox_counts().last_why, "no route");
    EXPECT_TRUE(take(now + 10min - 1us).empty());
    std::vector<Effect> taken = take(now + 10min);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].tries, 1);
    EXPECT_EQ(taken[0].made_at, now);
    postpone(id, now + 20min, "mailbox \"full\"; ünïcode");
    EXPECT_EQ(store().outbox_counts().last_why, "mailbox \"full\"; ünïcode");
    taken = take(now + 20min);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].tries, 2);
    postpone(id + 1000, now, "gone already");
    EXPECT_EQ(store().outbox_counts().waiting, 1);
}

TEST_P(Outbox, NeverGivesTheDeadAndCountsThem)
{
    EXPECT_EQ(store().outbox_counts().dead, 0);
    EXPECT_EQ(store().outbox_counts().last_why, "");
    effect();
    effect();
    effect();
    const Ids taken = ids(now);
    ASSERT_EQ(taken.size(), 3u);
    postpone(taken[0], {}, "first");
    now += 1s;
    postpone(taken[1], {}, "second");
    postpone(taken[2], now + 1h, "not dead yet");
    EXPECT_EQ(ids(now + 24h), Ids{taken[2]});
    const OutboxCounts counts = store().outbox_counts();
    EXPECT_EQ(counts.waiting, 1);
    EXPECT_EQ(counts.dead, 2);
    EXPECT_EQ(counts.last_why, "second");
    // Another worker that had it too fails later: it does not come back.
    postpone(taken[1], now, "late");
    must<Done>(ForgetAnswers{now + std::chrono::days(400), 100});
    home->reopen();
    EXPECT_EQ(ids(now + 48h), Ids{taken[2]});
    EXPECT_EQ(store().outbox_counts().dead, 2);
    EXPECT_EQ(store().outbox_counts().last_why, "second");
}

class MailTurns : public StoreTest
{
protected:
    MailTurn turn(const std::string& key, Instant at) { return must<MailTurn>(TakeMailTurn{key, at, at + 1min}); }
    /// To one whose messages are counted.
    MailTurn turn_to(const std::string& recipient, const std::string& key, Instant at, bool always = false)
    {
        return must<MailTurn>(TakeMailTurn{key, at, at + 1min, recipient, always});
    }
    void send(const std::string& recipient, const std::string& key, Instant at, bool always = false)
    {
        EXPECT_EQ(turn_to(recipient, key, at, always), MailTurn::yours) << key;
        must<Done>(MarkMailSent{key, at});
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, MailTurns, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(MailTurns, AreOnePersonsUntilTheirTimeAndThenTheNexts)
{
    EXPECT_EQ(turn("paid-1", now), MailTurn::yours);
    EXPECT_EQ(turn("paid-1", now), MailTurn::elsewhere);
    EXPECT_EQ(turn("paid-2", now), MailTurn::yours) << "another message";
    EXPECT_EQ(turn("paid-1", now + 1min - 1us), MailTurn::elsewhere);
    EXPECT_EQ(turn("paid-1", now + 1min), MailTurn::yours);
    EXPECT_EQ(turn("paid-1", now + 1min), MailTurn::elsewhere) << "the turn was taken anew";
}

TEST_P(MailTurns, EndWithTheMessageSent)
{
    EXPECT_EQ(turn("paid-1", now), MailTurn::yours);
    must<Done>(MarkMailSent{"paid-1", now + 1s});
    EXPECT_EQ(turn("paid-1", now + 1s), MailTurn::already_sent);
    home->reopen();
    EXPECT_EQ(turn("paid-1", now + 1h), MailTurn::already_sent);
    must<Done>(MarkMailSent{"never-asked", now});
    EXPECT_EQ(turn("never-asked", now), MailTurn::already_sent);
}

TEST_P(MailTurns, AreSoManyAnHourToOneRecipient)
{
    for (std::int64_t i = 0; i < kMailsAnHour; ++i) send("a@b.co", "lapse-" + std::to_string(i), now + Micros(i));
    EXPECT_EQ(turn_to("a@b.co", "lapse-more", now + 1s), MailTurn::too_many);
    home->reopen();
    EXPECT_EQ(turn_to("a@b.co", "lapse-more", now + 1h - 1us), MailTurn::too_many);
    EXPECT_EQ(turn_to("a@b.co", "lapse-3", now + 1s), MailTurn::already_sent) << "told as it is";
    EXPECT_EQ(turn_to("other@b.co", "lapse-other", now + 1s), MailTurn::yours);
    send("a@b.co", "paid", now + 1s, true);
    EXPECT_EQ(turn_to("a@b.co", "lapse-more", now + 1h), MailTurn::too_many) << "the first is an hour old, the paid one is not";
    EXPECT_EQ(turn_to("a@b.co", "lapse-more", now + 1h + 1us), MailTurn::yours) << "and now the second, too";
    EXPECT_EQ(turn_to("a@b.co", "lapse-still-more", now + 1h + 1us), MailTurn::too_many) << "that one is still under way";
}

TEST_P(MailTurns, ThatCameToNothingCountForNothing)
{
    for (int i = 0; i < 30; ++i) {
        const std::string key = "away-" + std::to_string(i);
        EXPECT_EQ(turn_to("a@b.co", key, now), MailTurn::yours) << key;
        must<MailTurn>(TakeMailTurn{key, now + 1min, now});  // given back, as MailNotifier does
    }
    EXPECT_EQ(turn_to("a@b.co", "last", now), MailTurn::yours);
}

TEST_P(MailTurns, OfPaidTicketsCountAndAreNeverRefused)
{
    for (int i = 0; i < 12; ++i) send("a@b.co", "paid-" + std::to_string(i), now, true);
    EXPECT_EQ(turn_to("a@b.co", "lapse", now), MailTurn::too_many);
}

TEST_P(MailTurns, ToOneRecipientAreCountedWithinABatch)
{
    std::vector<WriteJob> jobs(15);
    std::vector<WriteJob*> batch;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        jobs[i].act = TakeMailTurn{"lapse-" + std::to_string(i), now, now + 1min, "a@b.co", false};
        batch.push_back(&jobs[i]);
    }
    store().execute(batch);
    EXPECT_EQ(std::count_if(jobs.begin(), jobs.end(),
                            [](const WriteJob& job) { return std::get<MailTurn>(job.outcome) == MailTurn::yours; }),
              kMailsAnHour);
}

TEST_P(MailTurns, GoToOneAskerOfABatch)
{
    std::vector<WriteJob> jobs(3);
    std::vector<WriteJob*> batch;
    for (WriteJob& job : jobs) {
        job.act = TakeMailTurn{"paid-1", now, now + 1min};
        batch.push_back(&job);
    }
    store().execute(batch);
    EXPECT_EQ(std::get<MailTurn>(jobs[0].outcome), MailTurn::yours);
    EXPECT_EQ(std::get<MailTurn>(jobs[1].outcome), MailTurn::elsewhere);
    EXPECT_EQ(std::get<MailTurn>(jobs[2].outcome), MailTurn::elsewhere);
}

TEST_P(MailTurns, AreRememberedForAMonthAndThenForgottenInBoundedBatches)
{
    for (int i = 0; i < 3; ++i) {
        const std::string key = "sent-" + std::to_string(i);
        EXPECT_EQ(turn(key, now), MailTurn::yours);
        must<Done>(MarkMailSent{key, now + 1s});
    }
    EXPECT_EQ(turn("abandoned", now), MailTurn::yours);
    EXPECT_FALSE(must<Done>(ForgetAnswers{now + std::chrono::days(29), 10}).more);
    EXPECT_EQ(turn("sent-0", now + std::chrono::days(29)), MailTurn::already_sent);
    const Instant later = now + std::chrono::days(31);
    EXPECT_TRUE(must<Done>(ForgetAnswers{later, 3}).more);
    EXPECT_FALSE(must<Done>(ForgetAnswers{later, 3}).more);
    for (const char* key : {"sent-0", "sent-1", "sent-2", "abandoned"}) EXPECT_EQ(turn(key, now), MailTurn::yours) << key;
}

class Availabilities : public StoreTest
{
};
INSTANTIATE_TEST_SUITE_P(Engines, Availabilities, testing::ValuesIn(engines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(Availabilities, TellWhatIsLeftAndWhenTheNextLiveHoldEnds)
{
    const EventId concert = event(5);
    const EventId untouched = event(7);
    const EventId removed = event(7);
    must<Done>(RemoveEvent{removed, organizer, now});
    const UserId buyer = person();
    must<Ticket>(Pay{reserve(concert, buyer).id, buyer, "r", now});
    const Ticket first = reserve(concert, buyer);
    now += 1s;
    const Ticket second = reserve(concert, buyer);
    const EventId asked[] = {concert, EventId{99}, removed, untouched};
    const auto at = [&](Instant when) {
        std::vector<Availability> found = store().availability(asked, when);
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.event < b.event; });
        return found;
    };
    const Availability full{untouched, 7, {}};
    EXPECT_EQ(at(now), (std::vector{Availability{concert, 2, first.expires_at}, full}));
    EXPECT_EQ(at(first.expires_at), (std::vector{Availability{concert, 2, second.expires_at}, full}))
        << "a hold whose time is up has nothing to wait for";
    EXPECT_EQ(at(second.expires_at), (std::vector{Availability{concert, 2, {}}, full}));
    EXPECT_TRUE(store().availability({}, now).empty());
}

TEST_P(Outbox, KnowsAnEffectByAllThatItSaysButItsTries)
{
    (void)effect();
    const Effect there = take(now).at(0);
    EXPECT_TRUE(store().has_effect(there));
    Effect tried = there;
    tried.tries = 5;
    EXPECT_TRUE(store().has_effect(tried));

    // Of another life, in which the number was given to something else.
    for (const auto& change : std::vector<std::function<void(Effect&)>>{
             [](Effect& other) { ++other.id; }, [](Effect& other) { other.kind = EffectKind::hold_expired; },
             [](Effect& other) { ++other.event.value; }, [](Effect& other) { ++other.tickets.at(0).value; },
             [](Effect& other) { other.tickets.push_back(TicketId{9}); }, [](Effect& other) { other.made_at += Micros(1); }}) {
        Effect other = there;
        change(other);
        EXPECT_FALSE(store().has_effect(other));
    }
    must<Done>(SettleEffects{{there.id}});
    EXPECT_FALSE(store().has_effect(there));
}

}  // namespace
}  // namespace boxoffice
