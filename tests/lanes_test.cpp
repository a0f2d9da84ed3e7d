#include "runtime/lanes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>

#include "drafts.hpp"
#include "fake_zones.hpp"
#include "lanes_fakes.hpp"
#include "runtime/expiry.hpp"
#include "sqlite/sqlite.hpp"
#include "temp_folder.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

/// A store that only remembers which acts it was given, batch by batch. The first batch waits until it is let go.
class RecordingStore final : public EmptyStore
{
public:
    void execute(std::span<WriteJob* const> jobs) override
    {
        ++calls;
        begun.count_down();
        gate.wait();
        std::vector<std::size_t> batch;
        for (WriteJob* job : jobs) {
            const auto* reserve = std::get_if<Reserve>(&job->act);
            if (reserve && reserve->user == poison) throw StoreFailure(Code::storage_full, "poison");
            if (reserve && (unavailable || (unavailable_alone && jobs.size() == 1)))
                throw StoreFailure(Code::storage_failed, "gone", StoreFailure::Outcome::unavailable);
            if (reserve && unclear) throw StoreFailure(Code::storage_failed, "lost", StoreFailure::Outcome::unclear);
            batch.push_back(job->act.index());
            job->outcome = Done{};
        }
        batches.push_back(std::move(batch));
    }
    const UserId poison{666};
    std::atomic<bool> unavailable = false;
    std::atomic<bool> unavailable_alone = false;
    std::atomic<bool> unclear = false;
    std::latch begun{1};
    std::latch gate{1};
    std::vector<std::vector<std::size_t>> batches;
    int calls = 0;  // those that failed too
};

const std::size_t kPay = Act(Pay{}).index();
const std::size_t kReserve = Act(Reserve{}).index();
const std::size_t kAddUser = Act(AddUser{}).index();

/// A lane whose first act is held at the store's gate, so that what is submitted then makes one batch.
class HeldLane
{
public:
    explicit HeldLane(WriteLane::Options options = {}) : lane(store, options, metrics)
    {
        EXPECT_TRUE(lane.submit(job(AddUser{})));
        store.begun.wait();
    }
    void submit(Act act, std::function<void(LaneJob&)> done) { EXPECT_TRUE(lane.submit(job(std::move(act), std::move(done)))); }
    void let_go_and_stop()
    {
        store.gate.count_down();
        lane.stop();
    }

    RecordingStore store;
    Metrics metrics;
    WriteLane lane;
};

TEST(WriteLane, DrainsWhatWaitsIntoOneBatchPayingFirst)
{
    RecordingStore store;
    Metrics metrics;
    WriteLane lane(store, {}, metrics);
    ASSERT_TRUE(lane.submit(job(Reserve{})));
    store.begun.wait();
    ASSERT_TRUE(lane.submit(job(AddUser{})));
    ASSERT_TRUE(lane.submit(job(Reserve{})));
    ASSERT_TRUE(lane.submit(job(Pay{})));
    ASSERT_TRUE(lane.submit(job(Reserve{})));
    EXPECT_EQ(lane.depth(), 4u);
    store.gate.count_down();
    lane.stop();
    EXPECT_EQ(store.batches, (std::vector<std::vector<std::size_t>>{{kReserve}, {kPay, kReserve, kReserve, kAddUser}}));
}

TEST(WriteLane, StarvesNobodyWhileReservationsPourIn)
{
    RecordingStore store;
    Metrics metrics;
    WriteLane lane(store, {.depth_max = 8192, .batch_max = 32}, metrics);
    ASSERT_TRUE(lane.submit(job(Reserve{})));
    store.begun.wait();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(lane.submit(job(Reserve{})));
    ASSERT_TRUE(lane.submit(job(AddUser{})));
    store.gate.count_down();
    lane.stop();
    ASSERT_GE(store.batches.size(), 2u);
    EXPECT_EQ(store.batches[1].size(), 32u);
    EXPECT_EQ(std::count(store.batches[1].begin(), store.batches[1].end(), kAddUser), 1);
}

TEST(WriteLane, RefusesWhenFullAndDoesNotCallDone)
{
    RecordingStore store;
    Metrics metrics;
    WriteLane lane(store, {.depth_max = 2, .batch_max = 512}, metrics);
    ASSERT_TRUE(lane.submit(job(Reserve{})));
    store.begun.wait();
    std::atomic<int> done = 0;
    ASSERT_TRUE(lane.submit(job(Reserve{}, [&](LaneJob&) { ++done; })));
    ASSERT_TRUE(lane.submit(job(Reserve{}, [&](LaneJob&) { ++done; })));
    EXPECT_FALSE(lane.submit(job(Reserve{}, [&](LaneJob&) { ++done; })));
    store.gate.count_down();
    lane.stop();
    EXPECT_EQ(done, 2);
    EXPECT_FALSE(lane.submit(job(Reserve{})));
}

TEST(WriteLane, LetsAPoisonedActHurtOnlyItself)
{
    HeldLane held;
    std::atomic<int> good = 0;
    std::atomic<int> full = 0;
    const auto count = [&](LaneJob& done) {
        const auto* const error = std::get_if<Error>(&done.outcome);
        good += std::holds_alternative<Done>(done.outcome) ? 1 : 0;
        full += error && error->code == Code::storage_full ? 1 : 0;
    };
    held.submit(Reserve{}, count);
    held.submit(Reserve{{}, held.store.poison, {}, {}}, count);
    held.submit(Reserve{}, count);
    held.let_go_and_stop();
    EXPECT_EQ(good, 2);
    EXPECT_EQ(full, 1);
    EXPECT_EQ(held.store.batches.size(), 3u);  // the first, and the two good ones alone
}

TEST(WriteLane, TellsAllOfAnUnclearBatchSoAndDoesNothingOfItAgain)
{
    HeldLane held;
    std::atomic<int> told = 0;
    held.store.unclear = true;
    for (int i = 0; i < 3; ++i) {
        held.submit(Reserve{}, [&](LaneJob& done) {
            const auto* const error = std::get_if<Error>(&done.outcome);
            if (!error) return;
            EXPECT_EQ(error->code, Code::storage_failed);
            EXPECT_NE(error->message.find("unknown whether"), std::string::npos) << error->message;
            EXPECT_EQ(error->detail, "lost");
            ++told;
        });
    }
    held.let_go_and_stop();
    EXPECT_EQ(told, 3);
    EXPECT_EQ(held.store.calls, 2);
    EXPECT_EQ(held.store.batches.size(), 1u);
}

TEST(WriteLane, DoesNotLetEachActWaitForAStoreThatIsAway)
{
    HeldLane held;
    std::atomic<int> told = 0;
    held.store.unavailable = true;
    for (int i = 0; i < 3; ++i) {
        held.submit(Reserve{}, [&](LaneJob& done) {
            const auto* const error = std::get_if<Error>(&done.outcome);
            told += error && error->code == Code::storage_failed && error->detail == "gone" ? 1 : 0;
        });
    }
    held.let_go_and_stop();
    EXPECT_EQ(told, 3);
    EXPECT_EQ(held.store.calls, 2);
}

TEST(WriteLane, EndsAReplayDuringWhichTheStoreGoesAway)
{
    HeldLane held;
    std::atomic<int> told = 0;
    const auto count = [&](LaneJob& done) { told += std::holds_alternative<Error>(done.outcome) ? 1 : 0; };
    // The batch fails for its last act; alone, the first finds the store unavailable.
    held.submit(Reserve{}, count);
    held.submit(Reserve{}, count);
    held.submit(Reserve{{}, held.store.poison, {}, {}}, count);
    held.store.unavailable_alone = true;
    held.let_go_and_stop();
    EXPECT_EQ(told, 3);
    EXPECT_EQ(held.store.calls, 3);
}

TEST(WriteLane, AsksWhoeverIsLeftToTryAgainWhenAReplayTakesTooLong)
{
    HeldLane held({.replay_most = Micros(0)});
    std::atomic<int> busy = 0;
    const auto count = [&](LaneJob& done) {
        const auto* const error = std::get_if<Error>(&done.outcome);
        busy += error && error->code == Code::busy ? 1 : 0;
    };
    held.submit(Reserve{{}, held.store.poison, {}, {}}, count);
    held.submit(Reserve{}, count);
    held.let_go_and_stop();
    EXPECT_EQ(busy, 2);
    EXPECT_EQ(held.store.calls, 2);
}

TEST(WriteLane, DoesNothingOfASingleUnclearActAgain)
{
    RecordingStore store;
    store.unclear = true;
    store.gate.count_down();
    Metrics metrics;
    WriteLane lane(store, {}, metrics);
    ASSERT_TRUE(lane.submit(job(Reserve{})));
    lane.stop();
    EXPECT_EQ(store.calls, 1);
}

TEST(WorkLane, RefusesBeyondItsDepth)
{
    Metrics metrics;
    std::latch done(2);
    WorkLane lane({.name = "test", .threads = 1, .depth_max = 1, .nice = 0}, metrics);
    std::latch begun(1);
    std::latch gate(1);
    ASSERT_TRUE(lane.submit([&] {
        begun.count_down();
        gate.wait();
        done.count_down();
    }));
    begun.wait();
    EXPECT_TRUE(lane.submit([&] { done.count_down(); }));
    EXPECT_FALSE(lane.submit([] { ADD_FAILURE() << "a refused job was run"; }));
    gate.count_down();
    done.wait();
    lane.stop();
}

TEST(WorkLane, DropsWhatIsQueuedWhenItIsStoppedAndFinishesWhatRuns)
{
    Metrics metrics;
    std::atomic<int> finished = 0;
    WorkLane lane({.name = "test", .threads = 1, .depth_max = 8, .nice = 0}, metrics);
    std::latch begun(1);
    std::latch gate(1);
    ASSERT_TRUE(lane.submit([&] {
        begun.count_down();
        gate.wait();
        ++finished;
    }));
    begun.wait();
    std::latch dropped(1);
    auto queued = std::shared_ptr<void>(nullptr, [&](void*) { dropped.count_down(); });
    EXPECT_TRUE(lane.submit([held = std::move(queued)] { ADD_FAILURE() << "run after the stop"; }));
    std::thread stopper([&] { lane.stop(); });
    dropped.wait();  // the running job is still held at the gate
    gate.count_down();
    stopper.join();
    EXPECT_EQ(finished, 1);
}

class SystemClock final : public Clock
{
public:
    Instant now() const override { return std::chrono::floor<Micros>(std::chrono::system_clock::now()); }
};

/// A real store under a lane and its expiry, with one event.
class Tidying : public testing::Test
{
protected:
    void SetUp() override
    {
        expiry.start();
        user = std::get<User>(execute(AddUser{"a@b.co", "a", "!", {}, clock.now()})).id;
        const EventDraft draft = draft_of("x", 1'000'000, clock.now() + 1h);
        event = std::get<Event>(execute(AddEvent{user, draft, clock.now()})).id;
    }
    void TearDown() override
    {
        expiry.stop();
        lane.stop();
    }

    Outcome execute(Act act)
    {
        std::latch answered(1);
        Outcome outcome;
        EXPECT_TRUE(lane.submit(job(std::move(act), [&](LaneJob& done) {
            outcome = std::move(done.outcome);
            answered.count_down();
        })));
        answered.wait();
        return outcome;
    }

    /// Waits until nothing is reserved, and returns when that was seen.
    Instant wait_until_tidied()
    {
        const Instant give_up = clock.now() + 20s;
        while (store->reserved_count() > 0 && clock.now() < give_up) std::this_thread::yield();
        return clock.now();
    }

    TempFolder folder;
    FakeZones zones;
    SystemClock clock;
    Metrics metrics;
    std::unique_ptr<Store> store = open_sqlite({folder.path() / "boxoffice.db", 3}, zones);
    WriteLane lane{*store, {}, metrics};
    Expiry expiry{*store, lane, clock, metrics, {}};
    UserId user;
    EventId event;
};

TEST_F(Tidying, GivesEachSeatBackAfterItsDeadlineNeverBefore)
{
    const Instant now = clock.now();
    const Instant last = now + 300ms;
    for (int i = 0; i < 50; ++i) execute(Reserve{event, user, 300ms, now});
    while (clock.now() < last - 20ms) {
        const auto sold = store->find_event(event)->tickets_sold;
        // Judged by a clock read after the look: a slow machine must not make an honest release look early.
        if (clock.now() < last) EXPECT_EQ(sold, 50);
    }
    const Instant tidied = wait_until_tidied();
    EXPECT_GE(tidied, last);
    EXPECT_EQ(store->find_event(event)->tickets_sold, 0);
}

TEST_F(Tidying, WakesForAShorterHoldThanTheOneItSleepsFor)
{
    execute(Reserve{event, user, 1h, clock.now()});
    execute(Reserve{event, user, 50ms, clock.now()});
    const Instant give_up = clock.now() + 20s;
    while (store->reserved_count() > 1 && clock.now() < give_up) std::this_thread::yield();
    EXPECT_EQ(store->reserved_count(), 1);
}

TEST_F(Tidying, TidiesMoreThanOneBatchAtOnce)
{
    std::latch made(2000);
    const Instant now = clock.now();
    for (int i = 0; i < 2000; ++i)
        EXPECT_TRUE(lane.submit(job(Reserve{event, user, 200ms, now}, [&](LaneJob&) { made.count_down(); })));
    made.wait();
    wait_until_tidied();
    EXPECT_EQ(store->reserved_count(), 0);
    EXPECT_EQ(store->find_event(event)->tickets_sold, 0);
}

}  // namespace
}  // namespace boxoffice
