#include "runtime/clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "clock_race.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

// A machine whose two clocks are set by hand.
struct Machine {
    std::atomic<std::int64_t> system{1'800'000'000'000'000};
    std::atomic<std::int64_t> steady{5'000'000};

    void pass(Micros time)
    {
        system += time.count();
        steady += time.count();
    }
    void set_system(Micros by) { system += by.count(); }

    RealClock clock()
    {
        return RealClock([this] { return Micros(system.load()); }, [this] { return Micros(steady.load()); });
    }
    Instant shown() const { return Instant(Micros(system.load())); }
};

TEST(RealClock, ShowsTheSystemTime)
{
    Machine machine;
    const RealClock clock = machine.clock();
    EXPECT_EQ(clock.now(), machine.shown());
    machine.pass(90s);
    EXPECT_EQ(clock.now(), machine.shown());
}

TEST(RealClock, GoesOnAtItsOwnPaceWhenTheSystemClockIsSetBack)
{
    Machine machine;
    const RealClock clock = machine.clock();
    const Instant before = clock.now();
    machine.set_system(-1h);
    EXPECT_EQ(clock.now(), before);
    machine.pass(7s);
    EXPECT_EQ(clock.now(), before + 7s) << "it stood still";
}

TEST(RealClock, BelievesASystemClockThatIsSetForwardAtOnce)
{
    Machine machine;
    const RealClock clock = machine.clock();
    machine.set_system(24h);
    EXPECT_EQ(clock.now(), machine.shown());
    machine.pass(1s);
    EXPECT_EQ(clock.now(), machine.shown());
}

TEST(RealClock, RejoinsTheSystemClockOnceThatHasCaughtUp)
{
    Machine machine;
    const RealClock clock = machine.clock();
    machine.set_system(-10s);
    machine.pass(1s);
    EXPECT_EQ(clock.now(), machine.shown() + 10s);
    machine.set_system(10s);
    EXPECT_EQ(clock.now(), machine.shown());
    machine.set_system(1us);
    EXPECT_EQ(clock.now(), machine.shown());
}

TEST(RealClock, KeepsALeapForwardThatIsTakenBack)
{
    Machine machine;
    const RealClock clock = machine.clock();
    machine.set_system(1h);
    const Instant believed = clock.now();
    machine.set_system(-1h);
    machine.pass(3s);
    EXPECT_EQ(clock.now(), believed + 3s);
}

TEST(RealClock, KnowsNothingOfALeapThatWasOverBeforeAnybodyAsked)
{
    Machine machine;
    const RealClock clock = machine.clock();
    machine.set_system(1h);
    machine.set_system(-1h);
    EXPECT_EQ(clock.now(), machine.shown());
}

TEST(RealClock, IsNeverBeforeItsFloor)
{
    Machine machine;
    RealClock clock = machine.clock();
    const Instant floor = machine.shown() + 30min;
    clock.not_before(floor);
    EXPECT_EQ(clock.now(), floor);
    machine.pass(5s);
    EXPECT_EQ(clock.now(), floor + 5s);
}

TEST(RealClock, IsNotHeldBackByAFloorInThePast)
{
    Machine machine;
    RealClock clock = machine.clock();
    clock.not_before(machine.shown() - 1h);
    EXPECT_EQ(clock.now(), machine.shown());
    clock.not_before(Instant{});
    EXPECT_EQ(clock.now(), machine.shown());
}

TEST(RealClock, ResurrectsNothingAfterARestartWithTheClockSetBack)
{
    Machine before;
    const Instant expired_at = before.clock().now();
    Machine after;
    after.steady = 100;
    after.set_system(-48h);
    RealClock clock = after.clock();
    clock.not_before(expired_at);
    EXPECT_GE(clock.now(), expired_at);
}

TEST(RealClock, WorksBefore1970)
{
    Machine machine;
    machine.system = -1'000'000;
    const RealClock clock = machine.clock();
    EXPECT_EQ(clock.now(), Instant(-1s));
    machine.pass(2s);
    EXPECT_EQ(clock.now(), Instant(1s));
}

TEST(RealClock, NeverRunsBackwardsInOrBetweenThreadsWhileTheSystemClockJumps)
{
    const auto begin = std::chrono::steady_clock::now();
    std::atomic<std::int64_t> jump{0};
    const RealClock clock(
        [&] { return std::chrono::floor<Micros>(std::chrono::system_clock::now().time_since_epoch()) + Micros(jump.load()); },
        [&] { return std::chrono::floor<Micros>(std::chrono::steady_clock::now() - begin); });
    EXPECT_EQ(times_backwards(clock, [&](std::int64_t by) { jump = by; }), 0);
}

TEST(RealClock, AgreesWithTheMachine)
{
    const RealClock clock;
    const auto before = std::chrono::floor<Micros>(std::chrono::system_clock::now());
    const Instant shown = clock.now();
    const auto after = std::chrono::floor<Micros>(std::chrono::system_clock::now());
    EXPECT_GE(shown, before - 1ms);
    EXPECT_LE(shown, after + 1ms);
}

}  // namespace
}  // namespace boxoffice
