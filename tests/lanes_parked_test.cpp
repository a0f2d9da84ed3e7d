// Acts that the store puts off wait beside their lane, and failures after a commit repeat nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>

#include "lanes_fakes.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

/// Puts reservations of one event off until it is let go, and executes everything else.
class KeptStore final : public EmptyStore
{
public:
    void execute(std::span<WriteJob* const> jobs) override
    {
        for (WriteJob* job : jobs) {
            const auto* reserve = std::get_if<Reserve>(&job->act);
            EXPECT_TRUE(job->deferrable);
            if (reserve && reserve->event == kept && !free) {
                job->deferred = Deferred::blocked;
                ++put_off;
                continue;
            }
            if (const auto* remove = std::get_if<RemoveEvent>(&job->act); remove && steps-- > 0) {
                job->deferred = Deferred::unfinished;
                continue;
            }
            again = again || job->again;
            job->outcome = Done{};
            ++carried_out;
        }
    }
    const EventId kept{7};
    std::atomic<bool> free = false;
    std::atomic<bool> again = false;
    std::atomic<int> put_off = 0, carried_out = 0, steps = 0;
};

class ParkedActs : public testing::Test
{
protected:
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

    KeptStore store;
    Metrics metrics;
    WriteLane lane{store, {.depth_max = 8}, metrics};
};

TEST_F(ParkedActs, LetTheOthersOfTheirLaneGoOnAndAreBroughtAgain)
{
    std::latch answered(1);
    Outcome outcome;
    ASSERT_TRUE(lane.submit(job(Reserve{store.kept, {}, {}, {}}, [&](LaneJob& done) {
        outcome = std::move(done.outcome);
        answered.count_down();
    })));
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(std::holds_alternative<Done>(execute(Reserve{})));
    while (store.put_off < 3) {}
    EXPECT_EQ(lane.parked(), 1u);
    EXPECT_FALSE(answered.try_wait());
    store.free = true;
    answered.wait();
    EXPECT_TRUE(std::holds_alternative<Done>(outcome));
    EXPECT_TRUE(store.again);
    EXPECT_EQ(lane.depth(), 0u);
    lane.stop();
    EXPECT_EQ(lane.parked(), 0u);
}

TEST_F(ParkedActs, BeyondAShareOfTheQueueAreToldThatTheStoreIsBusy)
{
    std::atomic<int> busy = 0;
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(lane.submit(job(Reserve{store.kept, {}, {}, {}}, [&](LaneJob& done) {
            const auto* const error = std::get_if<Error>(&done.outcome);
            busy += error && error->code == Code::busy ? 1 : 0;
        })));
    }
    while (busy < 1) {}
    EXPECT_TRUE(std::holds_alternative<Done>(execute(Reserve{})));
    EXPECT_EQ(lane.parked(), 2u);
    lane.stop();  // they would not be submitted again
    EXPECT_EQ(busy, 3);
}

TEST_F(ParkedActs, ThatGoOnInStepsTakeTurnsWithTheRest)
{
    store.steps = 50;
    EXPECT_TRUE(std::holds_alternative<Done>(execute(RemoveEvent{})));
    EXPECT_EQ(store.carried_out, 1);
}

TEST_F(ParkedActs, AnAccidentInWhatFollowsACommitRepeatsNothingAndLosesNoAnswer)
{
    lane.on_batch([](const BatchNews&) { throw std::runtime_error("no memory"); });
    EXPECT_TRUE(std::holds_alternative<Done>(execute(Reserve{})));
    EXPECT_EQ(store.carried_out, 1);
    std::latch thrown(1);
    ASSERT_TRUE(lane.submit(job(Reserve{}, [&](LaneJob&) {
        thrown.count_down();
        throw std::runtime_error("no memory");
    })));
    thrown.wait();
    EXPECT_TRUE(std::holds_alternative<Done>(execute(Reserve{})));
    EXPECT_EQ(store.carried_out, 3);
}

}  // namespace
}  // namespace boxoffice
