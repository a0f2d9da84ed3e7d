#include <gtest/gtest.h>

#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

class Selling : public StoreTest
{
};
INSTANTIATE_TEST_SUITE_P(Engines, Selling, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(Selling, SellsEverySeatOnceAndNoMore)
{
    const EventId concert = event(3);
    const UserId buyer = person();
    for (int i = 0; i < 3; ++i) reserve(concert, buyer);
    EXPECT_EQ(said(Reserve{concert, buyer, hold, now}), "sold_out");
    EXPECT_EQ(sold(concert), 3);
    EXPECT_EQ(store().find_event(concert)->available_tickets(), 0);
}

TEST_P(Selling, HoldsUntilNowPlusTheHoldTime)
{
    const Ticket ticket = reserve(event(1), person());
    EXPECT_EQ(ticket.status, TicketStatus::reserved);
    EXPECT_EQ(ticket.created_at, now);
    EXPECT_EQ(ticket.expires_at, now + hold);
    const auto seen = store().find_ticket(ticket.id);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->ticket.user_id, ticket.user_id);
    EXPECT_EQ(seen->organizer, organizer);
}

TEST_P(Selling, RefusesWhatIsNotThere)
{
    const UserId buyer = person();
    EXPECT_EQ(said(Reserve{EventId{99}, buyer, hold, now}), "not_found");
    EXPECT_EQ(said(Reserve{event(1), UserId{99}, hold, now}), "unauthenticated");
    EXPECT_EQ(said(Pay{TicketId{99}, buyer, "r", now}), "not_found");
    EXPECT_EQ(said(Cancel{TicketId{99}, buyer, now}), "not_found");
}

TEST_P(Selling, DoesNotLetAStrangerPayOrCancel)
{
    const Ticket ticket = reserve(event(1), person());
    const UserId stranger = person();
    EXPECT_EQ(said(Pay{ticket.id, stranger, "r", now}), "not_found");
    EXPECT_EQ(said(Cancel{ticket.id, stranger, now}), "not_found");
    EXPECT_EQ(store().find_ticket(ticket.id)->ticket.status, TicketStatus::reserved);
}

TEST_P(Selling, PaysOnceAndAnswersTheSameReferenceTheSame)
{
    const EventId concert = event(2);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    const Ticket paid = must<Ticket>(Pay{ticket.id, buyer, "ref", now + 1s});
    EXPECT_EQ(paid.status, TicketStatus::paid);
    EXPECT_EQ(paid.paid_at, now + 1s);
    const Ticket again = must<Ticket>(Pay{ticket.id, buyer, "ref", now + 9s});
    EXPECT_EQ(again.paid_at, now + 1s);
    EXPECT_EQ(said(Pay{ticket.id, buyer, "other", now + 1s}), "already_paid");
    EXPECT_EQ(said(Cancel{ticket.id, buyer, now + 1s}), "already_paid");
    EXPECT_EQ(sold(concert), 1);
    const Ticket second = reserve(concert, buyer);
    EXPECT_EQ(said(Pay{second.id, buyer, "ref", now + 1s}), "reference_used");
}

TEST_P(Selling, GivesACancelledSeatBackAtOnce)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    EXPECT_EQ(must<Ticket>(Cancel{ticket.id, buyer, now}).status, TicketStatus::cancelled);
    EXPECT_EQ(sold(concert), 0);
    EXPECT_EQ(said(Cancel{ticket.id, buyer, now}), "cancelled");
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", now}), "cancelled");
    reserve(concert, buyer);
}

TEST_P(Selling, SellsASeatWhoseHoldIsDueWithoutWaitingForATidier)
{
    const EventId concert = event(1);
    const UserId first = person();
    const UserId second = person();
    const Ticket lost = reserve(concert, first);
    now += hold - 1us;
    EXPECT_EQ(said(Reserve{concert, second, hold, now}), "sold_out");
    now += 1us;
    const Ticket won = reserve(concert, second);
    EXPECT_EQ(sold(concert), 1);
    EXPECT_EQ(said(Pay{lost.id, first, "r", now}), "hold_expired");
    must<Ticket>(Pay{won.id, second, "r", now});
}

TEST_P(Selling, JudgesAPaymentByTheTimeItArrived)
{
    const UserId buyer = person();
    const Ticket ticket = reserve(event(1), buyer);
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", ticket.expires_at}), "hold_expired");
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", ticket.expires_at - 1us}), "ok");
}

TEST_P(Selling, LapsesDueHoldsEarliestFirstInBoundedBatches)
{
    const EventId concert = event(10);
    const UserId buyer = person();
    std::vector<Ticket> tickets;
    for (int i = 0; i < 5; ++i) {
        tickets.push_back(reserve(concert, buyer));
        now += 1s;
    }
    must<Ticket>(Pay{tickets[0].id, buyer, "r", now});
    EXPECT_EQ(store().next_deadline(), tickets[1].expires_at);
    EXPECT_EQ(store().reserved_count(), 4);

    const Instant due = tickets[3].expires_at;
    ExpiredHolds lapsed = must<ExpiredHolds>(ExpireHolds{due, 2});
    EXPECT_EQ(lapsed.deadlines.size(), 2u);
    EXPECT_TRUE(lapsed.more);
    EXPECT_EQ(store().find_ticket(tickets[1].id)->ticket.status, TicketStatus::expired);
    EXPECT_EQ(store().find_ticket(tickets[3].id)->ticket.status, TicketStatus::reserved);
    lapsed = must<ExpiredHolds>(ExpireHolds{due, 2});
    EXPECT_EQ(lapsed.deadlines.size(), 1u);
    EXPECT_FALSE(lapsed.more);
    EXPECT_EQ(must<ExpiredHolds>(ExpireHolds{due, 2}).deadlines.size(), 0u);
    EXPECT_EQ(sold(concert), 2);
    EXPECT_EQ(store().reserved_count(), 1);
    EXPECT_EQ(store().next_deadline(), tickets[4].expires_at);
}

TEST_P(Selling, SellsNoSeatTwiceWhenTheClockIsSetBack)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    must<ExpiredHolds>(ExpireHolds{now + hold, 10});
    EXPECT_EQ(sold(concert), 0);
    reserve(concert, buyer);
    now -= 1h;
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", now}), "hold_expired");
    EXPECT_EQ(sold(concert), 1);
}

TEST_P(Selling, CountsSalesOfOneBatchTogetherAndRefusesTheSurplus)
{
    const EventId concert = event(7);
    const UserId buyer = person();
    std::vector<WriteJob> jobs(20);
    std::vector<WriteJob*> batch;
    for (WriteJob& job : jobs) {
        job.act = Reserve{concert, buyer, hold, now};
        batch.push_back(&job);
    }
    store().execute(batch);
    int made = 0;
    for (const WriteJob& job : jobs) made += std::holds_alternative<Ticket>(job.outcome) ? 1 : 0;
    EXPECT_EQ(made, 7);
    EXPECT_EQ(sold(concert), 7);
}

TEST_P(Selling, LeavesNothingOfABatchInWhichAnAccidentHappens)
{
    const EventId concert = event(7);
    const UserId buyer = person();
    WriteJob good{Reserve{concert, buyer, hold, now}, {}, {}};
    WriteJob poisoned{
        Reserve{concert, buyer, hold, now},
        IdempotencyClaim{buyer, "k", "f", now, [](const Outcome&) -> KeptAnswer { throw std::runtime_error("poison"); }},
        {}};
    WriteJob* const batch[] = {&good, &poisoned};
    EXPECT_THROW(store().execute(batch), std::runtime_error);
    EXPECT_EQ(sold(concert), 0);
    EXPECT_EQ(store().reserved_count(), 0);
    WriteJob* const alone[] = {&good};
    store().execute(alone);
    EXPECT_EQ(sold(concert), 1);
    EXPECT_EQ(store().reserved_count(), 1);
}

TEST_P(Selling, KeepsEverythingAcrossAReopen)
{
    const EventId concert = event(5);
    const UserId buyer = person();
    const Ticket paid = reserve(concert, buyer);
    const Ticket held = reserve(concert, buyer);
    must<Ticket>(Pay{paid.id, buyer, "r", now});
    home->reopen();
    EXPECT_EQ(sold(concert), 2);
    EXPECT_EQ(store().find_ticket(paid.id)->ticket.payment_reference, "r");
    EXPECT_EQ(store().next_deadline(), held.expires_at);
    EXPECT_EQ(store().reserved_count(), 1);
    EXPECT_EQ(store().latest_instant(), now);
    store().check_ready();
}

TEST_P(Selling, ListsTicketsNewestFirstByTheStatusOfTheMoment)
{
    const EventId concert = event(9);
    const EventId other = event(9);
    const UserId buyer = person();
    const Ticket lapsing = reserve(concert, buyer);
    now += 1min;
    const Ticket paid = reserve(other, buyer);
    const Ticket given_back = reserve(concert, buyer);
    const Ticket live = reserve(concert, buyer);
    must<Ticket>(Pay{paid.id, buyer, "r", now});
    must<Ticket>(Cancel{given_back.id, buyer, now});
    reserve(concert, person());
    now = lapsing.expires_at;

    const auto ids = [&](std::optional<TicketStatus> status, std::optional<EventId> of = {}, std::int64_t skip = 0,
                         std::int64_t limit = 100) {
        const Page<Ticket> page = store().list_tickets({buyer, skip, limit, status, of, now});
        std::vector<std::int64_t> found;
        for (const Ticket& ticket : page.items) found.push_back(ticket.id.value);
        found.push_back(-page.total);
        return found;
    };
    using Ids = std::vector<std::int64_t>;
    EXPECT_EQ(ids({}), (Ids{live.id.value, given_back.id.value, paid.id.value, lapsing.id.value, -4}));
    EXPECT_EQ(ids({}, {}, 1, 2), (Ids{given_back.id.value, paid.id.value, -4}));
    EXPECT_EQ(ids(TicketStatus::expired), (Ids{lapsing.id.value, -1}));
    EXPECT_EQ(ids(TicketStatus::reserved), (Ids{live.id.value, -1}));
    EXPECT_EQ(ids(TicketStatus::paid), (Ids{paid.id.value, -1}));
    EXPECT_EQ(ids(TicketStatus::cancelled), (Ids{given_back.id.value, -1}));
    EXPECT_EQ(ids({}, other), (Ids{paid.id.value, -1}));
    must<ExpiredHolds>(ExpireHolds{now, 10});
    EXPECT_EQ(ids(TicketStatus::expired), (Ids{lapsing.id.value, -1}));
}

class Idempotency : public StoreTest
{
protected:
    Outcome act_with_key(Act what, UserId user, const std::string& key, const std::string& fingerprint, Instant at)
    {
        WriteJob job{std::move(what),
                     IdempotencyClaim{user, key, fingerprint, at,
                                      [this](const Outcome&) { return KeptAnswer{"answer " + std::to_string(++rendered)}; }},
                     {}};
        WriteJob* const jobs[] = {&job};
        store().execute(jobs);
        return job.outcome;
    }
    int rendered = 0;
};
INSTANTIATE_TEST_SUITE_P(Engines, Idempotency, testing::ValuesIn(engines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(Idempotency, CarriesAnActOutOnceAndKeepsItsAnswer)
{
    const EventId concert = event(5);
    const UserId buyer = person();
    EXPECT_TRUE(std::holds_alternative<Ticket>(act_with_key(Reserve{concert, buyer, hold, now}, buyer, "k", "f", now)));
    const Outcome again = act_with_key(Reserve{concert, buyer, hold, now}, buyer, "k", "f", now + 1h);
    EXPECT_EQ(std::get<KeptAnswer>(again).bytes, "answer 1");
    EXPECT_EQ(sold(concert), 1);
    home->reopen();
    EXPECT_EQ(std::get<KeptAnswer>(act_with_key(Reserve{concert, buyer, hold, now}, buyer, "k", "f", now)).bytes, "answer 1");
}

TEST_P(Idempotency, KeepsRefusalsTooBytesAndAll)
{
    const UserId buyer = person();
    EXPECT_TRUE(std::holds_alternative<Error>(act_with_key(Reserve{EventId{77}, buyer, hold, now}, buyer, "k", "f", now)));
    EXPECT_EQ(std::get<KeptAnswer>(act_with_key(Reserve{EventId{77}, buyer, hold, now}, buyer, "k", "f", now)).bytes, "answer 1");
}

// A key kept in any other way than by the transaction of its act would promise what did not happen.
TEST_P(Idempotency, KeepsNoAnswerOfABatchThatFailsWhenItIsWritten)
{
    const EventId concert = event(5);
    const UserId buyer = person();
    const IdempotencyClaim claim{buyer, "the key", "f", now, [](const Outcome&) { return KeptAnswer{"kept"}; }};
    WriteJob good{Reserve{concert, buyer, hold, now}, claim, {}};
    WriteJob impossible{Reserve{concert, buyer, Micros(0), now}, {}, {}};  // no rule asks for it, and every engine refuses it
    WriteJob* const batch[] = {&good, &impossible};
    EXPECT_ANY_THROW(store().execute(batch));
    EXPECT_EQ(sold(concert), 0);

    WriteJob again{Reserve{concert, buyer, hold, now}, claim, {}};
    WriteJob* const alone[] = {&again};
    store().execute(alone);
    EXPECT_TRUE(std::holds_alternative<Ticket>(again.outcome));
    EXPECT_EQ(sold(concert), 1);
}

TEST_P(Idempotency, RefusesAKeyForAnotherRequestAndLetsUsersShareOne)
{
    const EventId concert = event(5);
    const UserId buyer = person();
    const UserId other = person();
    act_with_key(Reserve{concert, buyer, hold, now}, buyer, "k", "f", now);
    EXPECT_EQ(std::get<Error>(act_with_key(Reserve{concert, buyer, hold, now}, buyer, "k", "g", now)).code,
              Code::idempotency_key_reused);
    EXPECT_TRUE(std::holds_alternative<Ticket>(act_with_key(Reserve{concert, other, hold, now}, other, "k", "g", now)));
    EXPECT_EQ(sold(concert), 2);
}

TEST_P(Idempotency, ForgetsAnAnswerAfterADay)
{
    const EventId concert = event(5);
    const UserId buyer = person();
    act_with_key(Reserve{concert, buyer, hold, now}, buyer, "k", "f", now);
    EXPECT_TRUE(
        std::holds_alternative<KeptAnswer>(act_with_key(Reserve{concert, buyer, hold, now}, buyer, "k", "f", now + 24h - 1us)));
    EXPECT_TRUE(std::holds_alternative<Ticket>(act_with_key(Reserve{concert, buyer, hold, now}, buyer, "k", "other", now + 24h)));
    for (int i = 0; i < 5; ++i) act_with_key(Reserve{concert, buyer, hold, now}, buyer, "k" + std::to_string(i), "f", now);
    EXPECT_TRUE(must<Done>(ForgetAnswers{now + 1us, 3}).more);
    EXPECT_FALSE(must<Done>(ForgetAnswers{now + 1us, 3}).more);
}

TEST_P(Idempotency, MeetsItsOwnKeyInsideOneBatch)
{
    const EventId concert = event(5);
    const UserId buyer = person();
    const auto keyed = [&] {
        return WriteJob{Reserve{concert, buyer, hold, now},
                        IdempotencyClaim{buyer, "k", "f", now, [](const Outcome&) { return KeptAnswer{"x"}; }},
                        {}};
    };
    WriteJob first = keyed();
    WriteJob second = keyed();
    WriteJob* const jobs[] = {&first, &second};
    store().execute(jobs);
    EXPECT_TRUE(std::holds_alternative<Ticket>(first.outcome));
    EXPECT_TRUE(std::holds_alternative<KeptAnswer>(second.outcome));
    EXPECT_EQ(sold(concert), 1);
}

}  // namespace
}  // namespace boxoffice
