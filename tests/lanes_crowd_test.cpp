// Several lanes, the crowds that they gather, and what they tell of their batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <map>
#include <mutex>
#include <semaphore>
#include <set>
#include <thread>

#include "lanes_fakes.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

/// A store that remembers which thread brought the acts of an event. Acts of one of them wait until they are let go.
class SortingStore final : public EmptyStore
{
public:
    void execute(std::span<WriteJob* const> jobs) override
    {
        bool waits = false;
        {
            const std::lock_guard lock(mutex);
            sizes.push_back(jobs.size());
            for (WriteJob* const job : jobs) {
                if (const auto* const reserve = std::get_if<Reserve>(&job->act)) {
                    threads[reserve->event].insert(std::this_thread::get_id());
                    waits = waits || reserve->event == slow;
                }
                if (const auto* const change = std::get_if<ChangeEvent>(&job->act))
                    threads[change->event].insert(std::this_thread::get_id());
                if (const auto* const remove = std::get_if<RemoveEvent>(&job->act))
                    threads[remove->event].insert(std::this_thread::get_id());
                job->outcome = Done{};
            }
        }
        if (waits && !begun.try_wait()) begun.count_down();
        if (waits) gate.wait();
    }

    const EventId slow{1000};
    std::latch begun{1};
    std::latch gate{1};
    std::mutex mutex;
    std::map<EventId, std::set<std::thread::id>> threads;
    std::vector<std::size_t> sizes;
};

TEST(WriteLanes, ActsOfAnEventMeetInOneLaneAndEventsSpreadOverAll)
{
    SortingStore store;
    store.gate.count_down();
    Metrics metrics;
    WriteLane lanes(store, {.lanes = 3}, metrics);
    for (int round = 0; round < 10; ++round) {
        for (std::int64_t id = 1; id <= 40; ++id) {
            ASSERT_TRUE(lanes.submit(job(Reserve{EventId{id}, {}, {}, {}})));
            // Each of an account of its own: one alone has only so many places.
            ASSERT_TRUE(lanes.submit(job(ChangeEvent{EventId{id}, UserId{id}, {}, {}})));
            ASSERT_TRUE(lanes.submit(job(RemoveEvent{EventId{id}, UserId{id}, {}})));
        }
    }
    lanes.stop();
    std::set<std::thread::id> all;
    for (const auto& [event, threads] : store.threads) {
        EXPECT_EQ(threads.size(), 1u) << "event " << event.value;
        all.insert(threads.begin(), threads.end());
    }
    EXPECT_EQ(store.threads.size(), 40u);
    EXPECT_EQ(all.size(), 3u);
}

TEST(WriteLanes, ACrowdOnOneEventIsOneTransactionAndStandsInNobodysWay)
{
    SortingStore store;
    Metrics metrics;
    WriteLane lanes(store, {.lanes = 2}, metrics);
    ASSERT_TRUE(lanes.submit(job(Reserve{store.slow, {}, {}, {}})));
    store.begun.wait();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(lanes.submit(job(Reserve{store.slow, {}, {}, {}})));
    // Of twenty other events some are in the other lane, and are executed meanwhile.
    std::latch other(1);
    std::atomic<int> answered = 0;
    for (std::int64_t id = 1; id <= 20; ++id) {
        ASSERT_TRUE(lanes.submit(job(Reserve{EventId{id}, {}, {}, {}}, [&](LaneJob&) {
            if (answered++ == 0) other.count_down();
        })));
    }
    other.wait();
    EXPECT_LT(answered, 20);
    store.gate.count_down();
    lanes.stop();
    EXPECT_EQ(answered, 20);
    // The crowd is in one batch, with those other events that are in its lane.
    EXPECT_GE(*std::max_element(store.sizes.begin(), store.sizes.end()), 50u);
}

/// A store whose every batch waits to be let go.
class SteppingStore final : public EmptyStore
{
public:
    void execute(std::span<WriteJob* const> jobs) override
    {
        size = jobs.size();
        begun.release();
        go.acquire();
    }

    std::counting_semaphore<> begun{0};
    std::counting_semaphore<> go{0};
    std::atomic<std::size_t> size = 0;  // of the batch that has just begun
};

class Gathering : public testing::Test
{
protected:
    void submit(int count)
    {
        for (int i = 0; i < count; ++i) ASSERT_TRUE(lane.submit(job(Reserve{}, [this](LaneJob&) { ++answered; })));
    }
    std::size_t next_batch()
    {
        store.begun.acquire();
        return store.size;
    }
    /// Leaves the lane in a batch of 32 that followed another.
    void be_a_crowd()
    {
        submit(1);
        EXPECT_EQ(next_batch(), 1u);
        for (int i = 0; i < 2; ++i) {
            submit(32);
            store.go.release();
            EXPECT_EQ(next_batch(), 32u);
        }
    }

    SteppingStore store;
    Metrics metrics;
    std::atomic<int> answered = 0;
    WriteLane lane{store, {.gather = 1h}, metrics};
};

TEST_F(Gathering, AFewWaitForTheRestOfTheCrowd)
{
    be_a_crowd();
    submit(3);
    store.go.release();
    EXPECT_FALSE(store.begun.try_acquire_for(100ms)) << "went off with " << store.size;
    submit(28);
    EXPECT_FALSE(store.begun.try_acquire_for(100ms)) << "went off with " << store.size;
    submit(1);
    EXPECT_EQ(next_batch(), 32u);
    store.go.release();
}

TEST_F(Gathering, ACrowdThatIsThereDoesNotWaitForMore)
{
    be_a_crowd();
    submit(40);
    store.go.release();
    EXPECT_EQ(next_batch(), 40u);
    store.go.release();
}

TEST_F(Gathering, OneBuyerAfterTheOtherWaitsForNobody)
{
    for (int i = 0; i < 20; ++i) {
        submit(1);
        EXPECT_EQ(next_batch(), 1u);
        store.go.release();
    }
}

TEST_F(Gathering, EndsWithTheLaneAndCarriesOutWhoIsThere)
{
    be_a_crowd();
    submit(3);
    store.go.release(2);
    lane.stop();
    EXPECT_EQ(answered, 1 + 32 + 32 + 3);
}

TEST(WriteLane, GathersForTheTimeItIsGivenAtMost)
{
    SteppingStore store;
    store.go.release(100);
    Metrics metrics;
    WriteLane lane(store, {.gather = 1ms}, metrics);
    for (int size : {32, 32, 32, 3}) {
        std::latch answered(size);
        for (int i = 0; i < size; ++i) ASSERT_TRUE(lane.submit(job(Reserve{}, [&](LaneJob&) { answered.count_down(); })));
        answered.wait();
    }
}

/// A store that says what a test wants to be said.
class SayingStore final : public EmptyStore
{
public:
    void execute(std::span<WriteJob* const> jobs) override
    {
        for (WriteJob* const job : jobs) {
            job->outcome = say(*job);
            job->made_effects = makes_effects;
        }
    }
    std::function<Outcome(const WriteJob&)> say;
    bool makes_effects = false;
};

Ticket ticket_of(std::int64_t event, TicketStatus status, Instant expires_at = Instant(1h))
{
    Ticket ticket;
    ticket.event_id = EventId{event};
    ticket.status = status;
    ticket.expires_at = expires_at;
    return ticket;
}

/// What listeners hear of one act that ends so.
BatchNews news_of(Act act, Outcome outcome)
{
    SayingStore store;
    store.say = [&](const WriteJob&) { return outcome; };
    Metrics metrics;
    WriteLane lane(store, {}, metrics);
    BatchNews heard;
    lane.on_batch([&](const BatchNews& news) { heard = news; });
    EXPECT_TRUE(lane.submit(job(std::move(act))));
    lane.stop();
    return heard;
}

using Changed = std::vector<EventId>;

TEST(BatchNews, AHoldChangesItsEventAndHasADeadline)
{
    const BatchNews news = news_of(Reserve{}, ticket_of(7, TicketStatus::reserved, Instant(3h)));
    EXPECT_EQ(news.changed, Changed{EventId{7}});
    EXPECT_EQ(news.earliest_deadline, Instant(3h));
}

TEST(BatchNews, APaymentMayEndTheEarliestHoldAndHasNoDeadline)
{
    const BatchNews news = news_of(Pay{}, ticket_of(7, TicketStatus::paid));
    EXPECT_EQ(news.changed, Changed{EventId{7}});
    EXPECT_FALSE(news.earliest_deadline);
}

TEST(Trouble, LastsUntilSomethingWasSurelyWritten)
{
    SayingStore store;
    Metrics metrics;
    WriteLane lane(store, {}, metrics);
    const auto after = [&](Act act, const std::function<Outcome(const WriteJob&)>& say) {
        store.say = say;
        std::latch done(1);
        auto one = job(std::move(act));
        one->done = [&](LaneJob&) { done.count_down(); };
        EXPECT_TRUE(lane.submit(std::move(one)));
        done.wait();
        return lane.trouble();
    };
    const auto fail = [](Code code) { return [code](const WriteJob&) -> Outcome { throw StoreFailure(code, "as told"); }; };
    const auto say = [](Outcome outcome) { return [outcome](const WriteJob&) { return outcome; }; };
    EXPECT_EQ(after(Reserve{}, fail(Code::internal)), std::nullopt);
    EXPECT_EQ(after(Reserve{}, fail(Code::storage_full)), Code::storage_full);
    EXPECT_EQ(after(Reserve{}, fail(Code::busy)), Code::storage_full);
    EXPECT_EQ(after(Reserve{}, say(Error{Code::sold_out, {}})), Code::storage_full);
    EXPECT_EQ(after(Reserve{}, say(KeptAnswer{"as before"})), Code::storage_full);
    EXPECT_EQ(after(ExpireHolds{}, say(ExpiredHolds{})), Code::storage_full);
    EXPECT_EQ(after(TakeEffects{}, say(Effects{})), Code::storage_full);
    EXPECT_EQ(after(Pay{}, say(ticket_of(7, TicketStatus::paid))), Code::storage_full) << "it may be a repeated one";
    EXPECT_EQ(after(Reserve{}, say(ticket_of(7, TicketStatus::reserved))), std::nullopt);
}

TEST(BatchNews, TellsOfEffectsAsTheStoreSaysWhateverTheAct)
{
    SayingStore store;
    store.say = [](const WriteJob&) { return ticket_of(7, TicketStatus::reserved); };
    Metrics metrics;
    WriteLane lane(store, {}, metrics);
    std::vector<bool> heard;
    lane.on_batch([&](const BatchNews& news) { heard.push_back(news.made_effects); });
    for (const bool makes : {false, true, false}) {
        store.makes_effects = makes;
        std::latch told(1);
        auto one = job(Reserve{});
        one->done = [&](LaneJob&) { told.count_down(); };
        ASSERT_TRUE(lane.submit(std::move(one)));
        told.wait();
    }
    lane.stop();
    EXPECT_EQ(heard, (std::vector{false, true, false}));
}

TEST(BatchNews, CancellingChangesItsEvent)
{
    const BatchNews news = news_of(Cancel{}, ticket_of(7, TicketStatus::cancelled));
    EXPECT_EQ(news.changed, Changed{EventId{7}});
    EXPECT_FALSE(news.earliest_deadline);
}

TEST(BatchNews, LapsingChangesItsEvents)
{
    const BatchNews news = news_of(ExpireHolds{}, ExpiredHolds{{Instant(1h), Instant(1h)}, {EventId{3}, EventId{4}}, false});
    EXPECT_EQ(news.changed, (Changed{EventId{3}, EventId{4}}));
}

TEST(BatchNews, ChangingAnEventChangesIt)
{
    Event event;
    event.id = EventId{5};
    const BatchNews news = news_of(ChangeEvent{}, event);
    EXPECT_EQ(news.changed, Changed{EventId{5}});
}

TEST(BatchNews, RemovingAnEventChangesIt)
{
    EXPECT_EQ(news_of(RemoveEvent{EventId{6}, {}, {}}, Done{}).changed, Changed{EventId{6}});
}

TEST(BatchNews, ARefusalOrARepeatedAnswerIsNone)
{
    for (const Act& act :
         {Act(Reserve{}), Act(Pay{}), Act(ChangeEvent{}), Act(RemoveEvent{EventId{6}, {}, {}}), Act(ExpireHolds{})}) {
        for (const Outcome& outcome : {Outcome(Error{Code::not_found, {}}), Outcome(KeptAnswer{"as before"})}) {
            const BatchNews news = news_of(act, outcome);
            EXPECT_TRUE(news.changed.empty()) << act.index();
            EXPECT_FALSE(news.earliest_deadline) << act.index();
        }
    }
}

TEST(BatchNews, AnEventIsNamedOnceAndTheEarliestDeadlineCounts)
{
    SayingStore store;
    std::latch begun(1), gate(1);
    store.say = [&](const WriteJob& job) -> Outcome {
        if (std::holds_alternative<AddUser>(job.act)) {
            begun.count_down();
            gate.wait();
            return User{};
        }
        const auto& reserve = std::get<Reserve>(job.act);
        return ticket_of(reserve.event.value, TicketStatus::reserved, Instant(reserve.hold));
    };
    Metrics metrics;
    WriteLane lane(store, {}, metrics);
    std::vector<BatchNews> heard;
    lane.on_batch([&](const BatchNews& news) { heard.push_back(news); });
    ASSERT_TRUE(lane.submit(job(AddUser{})));
    begun.wait();
    for (const auto& [event, hold] : {std::pair(7, 9h), {8, 4h}, {7, 6h}, {8, 5h}})
        ASSERT_TRUE(lane.submit(job(Reserve{EventId{event}, {}, hold, {}})));
    gate.count_down();
    lane.stop();
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_TRUE(heard[0].changed.empty());
    EXPECT_EQ(heard[1].changed, (Changed{EventId{7}, EventId{8}}));
    EXPECT_EQ(heard[1].earliest_deadline, Instant(4h));
}

}  // namespace
}  // namespace boxoffice
