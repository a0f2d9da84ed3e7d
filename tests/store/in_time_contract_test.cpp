// What arrived before a hold's deadline is in time, however long it waits and whatever becomes of the hold meanwhile.
#include <gtest/gtest.h>

#include <set>

#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

struct ClockAt final : Clock {
    explicit ClockAt(Instant instant) : at(instant) {}
    [[nodiscard]] Instant now() const override { return at; }
    Instant at;
};

class InTime : public StoreTest
{
protected:
    /// A payment or cancellation that arrived then and waits for its turn as long as the object is there.
    LocalArrivals::Entry arrival_of(const Ticket& ticket, Instant at) { return home->arrivals.enter(ticket.id, ClockAt(at)); }
    TicketStatus status(const Ticket& ticket) { return store().find_ticket(ticket.id)->ticket.status; }
};
INSTANTIATE_TEST_SUITE_P(Engines, InTime, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(InTime, APaymentTakesAFreeSeatWhenItsHoldWasLapsedMeanwhile)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    const Instant arrived = ticket.expires_at - 1us;
    must<ExpiredHolds>(ExpireHolds{ticket.expires_at, 10});
    ASSERT_EQ(status(ticket), TicketStatus::expired);
    const Ticket paid = must<Ticket>(Pay{ticket.id, buyer, "r", arrived});
    EXPECT_EQ(paid.status, TicketStatus::paid);
    EXPECT_EQ(paid.paid_at, arrived);
    EXPECT_EQ(status(ticket), TicketStatus::paid);
    EXPECT_EQ(sold(concert), 1);
    EXPECT_EQ(store().reserved_count(), 0);
    EXPECT_EQ(said(Reserve{concert, buyer, hold, now}), "sold_out");
    EXPECT_EQ(must<Ticket>(Pay{ticket.id, buyer, "r", ticket.expires_at + 1h}).paid_at, arrived);
    EXPECT_EQ(said(Pay{ticket.id, buyer, "s", arrived}), "already_paid");
    // Both follow; whether a mail is sent for the first depends on the ticket's state then.
    std::multiset<EffectKind> kinds;
    for (const Effect& effect : must<Effects>(TakeEffects{now + 1h, 10, now + 2h}).taken) kinds.insert(effect.kind);
    EXPECT_EQ(kinds, (std::multiset{EffectKind::ticket_paid, EffectKind::hold_expired}));
}

TEST_P(InTime, APaymentIsRefusedOnlyWhenTheSeatWasSoldMeanwhile)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    now = ticket.expires_at;
    const Ticket other = reserve(concert, person());
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", ticket.expires_at - 1us}), "hold_expired");
    EXPECT_EQ(status(other), TicketStatus::reserved);
    EXPECT_EQ(sold(concert), 1);
    must<Ticket>(Cancel{other.id, other.user_id, now});
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", ticket.expires_at}), "hold_expired");  // late
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", ticket.expires_at - 1us}), "ok");
    EXPECT_EQ(sold(concert), 1);
}

TEST_P(InTime, APaymentTakesTheSeatOfAHoldThatWasDueWhenItArrived)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    must<ExpiredHolds>(ExpireHolds{ticket.expires_at, 10});
    const Ticket short_lived = must<Ticket>(Reserve{concert, person(), 1s, now});
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", short_lived.expires_at - 1us}), "hold_expired");
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", short_lived.expires_at}), "ok");
    EXPECT_EQ(status(short_lived), TicketStatus::expired);
    EXPECT_EQ(sold(concert), 1);
    EXPECT_EQ(store().reserved_count(), 0);
}

TEST_P(InTime, ACancellationIsDoneAlthoughTheSeatIsFreeAlready)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    now = ticket.expires_at;
    const Ticket other = reserve(concert, person());
    EXPECT_EQ(said(Cancel{ticket.id, buyer, ticket.expires_at}), "hold_expired");
    EXPECT_EQ(must<Ticket>(Cancel{ticket.id, buyer, ticket.expires_at - 1us}).status, TicketStatus::cancelled);
    EXPECT_EQ(status(ticket), TicketStatus::cancelled);
    EXPECT_EQ(status(other), TicketStatus::reserved);
    EXPECT_EQ(sold(concert), 1);
    EXPECT_EQ(store().reserved_count(), 1);
    EXPECT_EQ(said(Cancel{ticket.id, buyer, ticket.expires_at - 1us}), "cancelled");
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", ticket.expires_at - 1us}), "cancelled");
}

TEST_P(InTime, NothingIsRevivedAtAnEventThatWasRemoved)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    must<ExpiredHolds>(ExpireHolds{ticket.expires_at, 10});
    must<Done>(RemoveEvent{concert, organizer, ticket.expires_at});
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", ticket.expires_at - 1us}), "hold_expired");
    EXPECT_EQ(said(Cancel{ticket.id, buyer, ticket.expires_at - 1us}), "ok");
}

TEST_P(InTime, AReferenceStillPaysOneTicketOnly)
{
    const EventId concert = event(2);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    const Ticket other = reserve(concert, buyer);
    must<Ticket>(Pay{other.id, buyer, "r", now});
    must<ExpiredHolds>(ExpireHolds{ticket.expires_at, 10});
    EXPECT_EQ(said(Pay{ticket.id, buyer, "r", now}), "reference_used");
    EXPECT_EQ(sold(concert), 1);
}

TEST_P(InTime, ABatchThatLapsesAHoldStillPaysItAndCancelsAnother)
{
    const EventId concert = event(2);
    const UserId buyer = person();
    const Ticket paid = reserve(concert, buyer);
    const Ticket cancelled = reserve(concert, buyer);
    WriteJob jobs[] = {{ExpireHolds{paid.expires_at, 10}, {}, {}},
                       {Pay{paid.id, buyer, "r", now}, {}, {}},
                       {Cancel{cancelled.id, buyer, now}, {}, {}}};
    WriteJob* const batch[] = {&jobs[0], &jobs[1], &jobs[2]};
    store().execute(batch);
    EXPECT_EQ(std::get<ExpiredHolds>(jobs[0].outcome).deadlines.size(), 2u);
    EXPECT_EQ(status(paid), TicketStatus::paid);
    EXPECT_EQ(status(cancelled), TicketStatus::cancelled);
    EXPECT_EQ(sold(concert), 1);
    EXPECT_EQ(store().reserved_count(), 0);
}

TEST_P(InTime, ManyPaymentsOfOneBatchShareTheSeatsThatAreLeft)
{
    constexpr int kLapsed = 12;
    constexpr int kSoldMeanwhile = 5;
    const EventId concert = event(kLapsed);
    const UserId buyer = person();
    std::vector<Ticket> tickets;
    for (int i = 0; i < kLapsed; ++i) tickets.push_back(reserve(concert, buyer));
    must<ExpiredHolds>(ExpireHolds{now + hold, 100});
    now += hold;
    for (int i = 0; i < kSoldMeanwhile; ++i) reserve(concert, buyer);
    std::vector<WriteJob> jobs;
    for (const Ticket& ticket : tickets)
        jobs.push_back({Pay{ticket.id, buyer, std::to_string(ticket.id.value), ticket.expires_at - 1us}, {}, {}});
    std::vector<WriteJob*> batch;
    for (WriteJob& job : jobs) batch.push_back(&job);
    store().execute(batch);
    const auto paid =
        std::count_if(jobs.begin(), jobs.end(), [](const WriteJob& job) { return std::holds_alternative<Ticket>(job.outcome); });
    EXPECT_EQ(paid, kLapsed - kSoldMeanwhile);
    EXPECT_EQ(sold(concert), kLapsed);
}

TEST_P(InTime, NoLapseOfTheProcessOvertakesAPaymentThatWaits)
{
    const EventId concert = event(1);
    const UserId buyer = person();
    const Ticket ticket = reserve(concert, buyer);
    now = ticket.expires_at;
    {
        const auto waiting = arrival_of(ticket, ticket.expires_at - 1us);
        EXPECT_TRUE(must<ExpiredHolds>(ExpireHolds{now + 1h, 10}).deadlines.empty());
        EXPECT_EQ(said(Reserve{concert, buyer, hold, now + 1h}), "sold_out");
        EXPECT_EQ(said(RemoveEvent{concert, organizer, now + 1h}), "has_tickets");
        EXPECT_EQ(status(ticket), TicketStatus::reserved);
        EXPECT_EQ(sold(concert), 1);
    }
    // One that came too late keeps nothing.
    const auto late = arrival_of(ticket, ticket.expires_at);
    EXPECT_EQ(must<ExpiredHolds>(ExpireHolds{now, 10}).deadlines.size(), 1u);
    EXPECT_EQ(sold(concert), 0);
}

TEST_P(InTime, PaymentsThatWaitKeepNobodyElsesHold)
{
    constexpr int kAwaited = 30;
    const EventId concert = event(kAwaited + 2);
    const UserId buyer = person();
    std::vector<LocalArrivals::Entry> waiting;
    for (int i = 0; i < kAwaited; ++i) waiting.push_back(arrival_of(reserve(concert, buyer), now));
    now += 1s;
    for (int i = 0; i < 2; ++i) reserve(concert, buyer);
    now += hold;
    // The two that may lapse are the last of all that are due.
    const ExpiredHolds lapsed = must<ExpiredHolds>(ExpireHolds{now, 1});
    EXPECT_EQ(lapsed.deadlines.size(), 1u);
    EXPECT_TRUE(lapsed.more);
    reserve(concert, buyer);  // into the seat that came back
    reserve(concert, buyer);  // for this one the last due hold lapses
    EXPECT_EQ(said(Reserve{concert, buyer, hold, now}), "sold_out");
    EXPECT_EQ(sold(concert), kAwaited + 2);
}

}  // namespace
}  // namespace boxoffice
