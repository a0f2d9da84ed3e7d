// How many events an account may add in a day.
#include <gtest/gtest.h>

#include "drafts.hpp"
#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

class Publishing : public StoreTest
{
protected:
    AddEvent add(UserId by, std::int64_t most_a_day) const
    {
        EventDraft draft = draft_of("Jazz night", 10, now + 48h, 2h);
        draft.venue = {"1 Main Street", {52.5, 13.4}};
        return {by, draft, now, most_a_day};
    }
    /// The time after which it may be tried again, when that is all that is wrong.
    std::optional<Micros> wait_of(Outcome outcome)
    {
        const auto* const error = std::get_if<Error>(&outcome);
        if (error == nullptr) return std::nullopt;
        EXPECT_EQ(error->code, Code::rate_limited) << error->message;
        return error->retry_after;
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, Publishing, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(Publishing, IsLimitedToSoManyEventsADayRemovedOnesIncluded)
{
    const UserId ada = person();
    const UserId ben = person();
    const Instant first_at = now;
    const EventId first = must<Event>(add(ada, 3)).id;
    now += 1h;
    const EventId second = must<Event>(add(ada, 3)).id;
    must<Event>(add(ada, 3));
    must<Done>(RemoveEvent{second, ada, now});
    now += 1h;
    EXPECT_EQ(wait_of(act(add(ada, 3))), first_at + 24h - now);
    EXPECT_EQ(wait_of(act(add(ben, 3))), std::nullopt);
    EXPECT_EQ(wait_of(act(add(ada, 0))), std::nullopt) << "who is not limited";
    EXPECT_NE(wait_of(act(add(ada, 3))), std::nullopt) << "of the newest three, one more was added just now";
    now = first_at + 26h;
    EXPECT_EQ(wait_of(act(add(ada, 3))), std::nullopt);
    EXPECT_TRUE(store().find_event(first));
}

TEST_P(Publishing, CountsWhatOneBatchAdds)
{
    const UserId ada = person();
    const UserId ben = person();
    must<Event>(add(ada, 4));
    now += 1h;
    std::vector<WriteJob> jobs(8);
    std::vector<WriteJob*> batch;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        jobs[i].act = add(i % 4 == 3 ? ben : ada, 4);
        batch.push_back(&jobs[i]);
    }
    store().execute(batch);
    std::vector<bool> added;
    for (const WriteJob& job : jobs) added.push_back(std::holds_alternative<Event>(job.outcome));
    EXPECT_EQ(added, (std::vector{true, true, true, true, false, false, false, true}));
    EXPECT_EQ(wait_of(jobs[4].outcome), 23h);
}

TEST_P(Publishing, MayBeLimitedToOneEventADay)
{
    const UserId ada = person();
    WriteJob jobs[] = {{add(ada, 1), {}, {}}, {add(ada, 1), {}, {}}};
    WriteJob* const batch[] = {&jobs[0], &jobs[1]};
    store().execute(batch);
    EXPECT_TRUE(std::holds_alternative<Event>(jobs[0].outcome));
    EXPECT_EQ(wait_of(jobs[1].outcome), 24h);
    now += 24h - 1us;
    EXPECT_EQ(wait_of(act(add(ada, 1))), 1us);
    now += 1us;
    must<Event>(add(ada, 1));
}

TEST_P(Publishing, ARefusalThatPassesIsNotKeptForARepeat)
{
    const UserId ada = person();
    must<Event>(add(ada, 1));
    const auto with_key = [&] {
        WriteJob job{add(ada, 1), IdempotencyClaim{ada, "k", "f", now, [](const Outcome&) { return KeptAnswer{"kept"}; }}, {}};
        WriteJob* const jobs[] = {&job};
        store().execute(jobs);
        return job.outcome;
    };
    EXPECT_EQ(wait_of(with_key()), 24h);
    EXPECT_EQ(wait_of(with_key()), 24h);
    now += 24h;
    EXPECT_TRUE(std::holds_alternative<Event>(with_key()));
    EXPECT_TRUE(std::holds_alternative<KeptAnswer>(with_key()));
}

}  // namespace
}  // namespace boxoffice
