// An act that would keep its lane for long goes on in steps, with its answer, and what its key keeps, after the last.
#include <gtest/gtest.h>

#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

class GoingOnInSteps : public StoreTest
{
protected:
    /// As a lane brings it.
    void bring(WriteJob& job)
    {
        job.deferrable = true;
        job.again = job.deferred != Deferred::no;
        job.deferred = Deferred::no;
        WriteJob* const jobs[] = {&job};
        store().execute(jobs);
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, GoingOnInSteps, testing::ValuesIn(engines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(GoingOnInSteps, AnEventWithManyDueHoldsIsRemoved)
{
    constexpr int kHolds = 4500;
    const EventId concert = event(kHolds);
    const UserId buyer = person();
    std::vector<WriteJob> holds(kHolds, WriteJob{Reserve{concert, buyer, hold, now}, {}, {}});
    std::vector<WriteJob*> batch;
    for (WriteJob& job : holds) batch.push_back(&job);
    store().execute(batch);
    ASSERT_EQ(sold(concert), kHolds);
    now += 2 * hold;

    IdempotencyClaim claim{organizer, "key", "f", now, [](const Outcome& outcome) {
                               return KeptAnswer{std::holds_alternative<Done>(outcome) ? "removed" : "something else"};
                           }};
    WriteJob remove{RemoveEvent{concert, organizer, now}, claim, {}};
    int steps = 0;
    for (std::int64_t before = kHolds;; ++steps) {
        bring(remove);
        if (remove.deferred == Deferred::no) break;
        EXPECT_EQ(remove.deferred, Deferred::unfinished);
        ASSERT_TRUE(store().find_event(concert));
        EXPECT_LT(sold(concert), before);
        before = sold(concert);
    }
    EXPECT_GE(steps, 2);
    EXPECT_TRUE(std::holds_alternative<Done>(remove.outcome));
    EXPECT_FALSE(store().find_event(concert));
    EXPECT_EQ(store().reserved_count(), 0);
    bring(remove);
    ASSERT_TRUE(std::holds_alternative<KeptAnswer>(remove.outcome));
    EXPECT_EQ(std::get<KeptAnswer>(remove.outcome).bytes, "removed");
}

TEST_P(GoingOnInSteps, AnEventWithOneTicketAmongThemStays)
{
    constexpr int kHolds = 2500;
    const EventId concert = event(kHolds + 1);
    const UserId buyer = person();
    std::vector<WriteJob> holds(kHolds, WriteJob{Reserve{concert, buyer, hold, now}, {}, {}});
    std::vector<WriteJob*> batch;
    for (WriteJob& job : holds) batch.push_back(&job);
    store().execute(batch);
    const Ticket paid = reserve(concert, buyer);
    must<Ticket>(Pay{paid.id, buyer, "r", now});
    now += 2 * hold;
    WriteJob remove{RemoveEvent{concert, organizer, now}, {}, {}};
    do bring(remove);
    while (remove.deferred != Deferred::no);
    ASSERT_TRUE(std::holds_alternative<Error>(remove.outcome));
    EXPECT_EQ(std::get<Error>(remove.outcome).code, Code::has_tickets);
    EXPECT_EQ(sold(concert), 1);
}

}  // namespace
}  // namespace boxoffice
