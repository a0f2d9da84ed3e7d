#include "runtime/shared_clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <optional>
#include <stdexcept>

#include "clock_race.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

/// A store's clock and this machine's steady one, both set by hand, and a way between them that takes its time.
struct Cluster {
    std::atomic<std::int64_t> store{1'800'000'000'000'000};
    std::atomic<std::int64_t> steady{5'000'000};
    std::atomic<std::int64_t> way{0};  // how long an answer takes, in microseconds
    std::atomic<int> asked{0};
    std::atomic<bool> unavailable{false};

    void pass(Micros time)
    {
        store += time.count();
        steady += time.count();
    }
    void set_store(Micros by) { store += by.count(); }
    Instant shown() const { return Instant(Micros(store.load())); }

    Instant ask()
    {
        ++asked;
        if (unavailable) throw std::runtime_error("away");
        const Instant told = shown();
        pass(Micros(way.load()));
        return told;
    }
    SharedClock clock()
    {
        return SharedClock([this] { return ask(); }, [this] { return Micros(steady.load()); });
    }
};

/// As many readings as one minute has, so that nothing older counts.
void read_for_a_minute(SharedClock& clock)
{
    for (int i = 0; i < 32; ++i) clock.read();
}

TEST(SharedClock, ShowsTheStoresTimeAndCarriesItForwardWithoutAsking)
{
    Cluster cluster;
    const SharedClock clock = cluster.clock();
    const int asked = cluster.asked;
    EXPECT_EQ(clock.now(), cluster.shown());
    cluster.pass(90s);
    EXPECT_EQ(clock.now(), cluster.shown());
    EXPECT_EQ(cluster.asked, asked);
}

TEST(SharedClock, GoesByTheReadingWhoseAnswerWasQuickest)
{
    Cluster cluster;
    cluster.way = 40'000;
    SharedClock clock = cluster.clock();
    EXPECT_EQ(clock.now(), cluster.shown() - 40ms);
    cluster.way = 300;
    clock.read();
    EXPECT_EQ(clock.now(), cluster.shown() - 300us);
    cluster.way = 700'000;
    clock.read();
    EXPECT_EQ(clock.now(), cluster.shown() - 300us) << "a slow answer is worse, not newer";
}

TEST(SharedClock, IsNeverAheadOfTheStoreHoweverLongTheAnswersTake)
{
    Cluster cluster;
    SharedClock clock = cluster.clock();
    for (int i = 0; i < 200; ++i) {
        cluster.way = i * 7'919 % 90'000;
        cluster.pass(Micros(i * 104'729 % 3'000'000));
        clock.read();
        EXPECT_LE(clock.now(), cluster.shown());
    }
}

TEST(SharedClock, FollowsAStoreThatIsAheadAtOnce)
{
    Cluster cluster;
    SharedClock clock = cluster.clock();
    cluster.set_store(1h);
    clock.read();
    EXPECT_EQ(clock.now(), cluster.shown());
}

TEST(SharedClock, StandsStillWhenTheStoreIsSetBackUntilThatHasCaughtUp)
{
    Cluster cluster;
    SharedClock clock = cluster.clock();
    const Instant before = clock.now();
    cluster.set_store(-10s);
    read_for_a_minute(clock);
    EXPECT_EQ(clock.now(), before);
    cluster.pass(9s);
    EXPECT_EQ(clock.now(), before);
    cluster.pass(2s);
    EXPECT_EQ(clock.now(), cluster.shown());
    EXPECT_EQ(clock.now(), before + 1s);
}

TEST(SharedClock, ForgetsReadingsOfAMinuteAgo)
{
    Cluster cluster;
    SharedClock clock = cluster.clock();
    cluster.set_store(-10s);
    for (int i = 0; i < 31; ++i) clock.read();
    cluster.pass(20s);
    EXPECT_EQ(clock.now(), cluster.shown() + 10s) << "the best of the last minute still counts";
    clock.read();
    cluster.pass(20s);
    EXPECT_EQ(clock.now(), cluster.shown());
}

TEST(SharedClock, GoesOnByItsLastReadingsWhileTheStoreIsAway)
{
    Cluster cluster;
    SharedClock clock = cluster.clock();
    cluster.unavailable = true;
    for (int i = 0; i < 100; ++i) EXPECT_THROW(clock.read(), std::runtime_error);
    cluster.pass(5min);
    EXPECT_EQ(clock.now(), cluster.shown());
    cluster.unavailable = false;
    clock.read();
    EXPECT_EQ(clock.now(), cluster.shown());
}

TEST(SharedClock, IsNotMadeWithoutASingleReading)
{
    Cluster cluster;
    cluster.unavailable = true;
    EXPECT_THROW((void)cluster.clock(), std::runtime_error);
}

TEST(SharedClock, IsNeverBeforeItsFloorAndStandsOnItUntilTheStoreIsThere)
{
    Cluster cluster;
    SharedClock clock = cluster.clock();
    const Instant floor = cluster.shown() + 30min;
    clock.not_before(floor);
    EXPECT_EQ(clock.now(), floor);
    cluster.pass(29min);
    EXPECT_EQ(clock.now(), floor);
    cluster.pass(2min);
    EXPECT_EQ(clock.now(), floor + 1min);
    clock.not_before(floor);
    EXPECT_EQ(clock.now(), floor + 1min) << "a floor in the past holds nothing back";
}

TEST(SharedClock, NeverRunsBackwardsInOrBetweenThreadsWhileTheStoreJumps)
{
    std::atomic<std::int64_t> jump{0};
    const auto steady = [] { return std::chrono::floor<Micros>(std::chrono::steady_clock::now().time_since_epoch()); };
    SharedClock clock([&] { return Instant(steady() + Micros(jump.load())); }, steady);
    const auto set = [&](std::int64_t by) {
        jump = by;
        clock.read();
    };
    EXPECT_EQ(times_backwards(clock, set), 0);
}

TEST(SharedClock, ReadsByItselfOnceStartedAndSurvivesReadingsThatThrow)
{
    const auto steady = [] { return std::chrono::floor<Micros>(std::chrono::steady_clock::now().time_since_epoch()); };
    std::atomic<int> asked{0};
    std::latch threw{1}, read{1};
    std::optional<SharedClock> clock;
    clock.emplace(
        [&] {
            const int number = ++asked;
            if (number == 5) {
                threw.count_down();
                throw std::runtime_error("away");
            }
            if (number == 6) read.count_down();
            return Instant(steady());
        },
        steady);
    clock->start();
    threw.wait();
    read.wait();
    clock.reset();  // joins the reading thread, which waits for nothing any more
    EXPECT_EQ(asked, 6);
}

TEST(SharedClock, OfANodeThatComesToAServerWhoseClockIsBehindIsNotBehindTheOthers)
{
    Cluster cluster;
    std::atomic<std::int64_t> latest{0};
    const auto make = [&] {
        auto clock = std::make_unique<SharedClock>([&] { return cluster.ask(); }, [&] { return Micros(cluster.steady.load()); });
        clock->share([&](Instant given) {
            latest = std::max(latest.load(), static_cast<std::int64_t>(given.time_since_epoch().count()));
            return Instant(Micros(latest.load()));
        });
        clock->read();
        return clock;
    };
    const auto first = make();
    cluster.pass(10min);
    first->read();
    const Instant before = first->now();
    EXPECT_LT(first->behind(), 1s);
    cluster.set_store(-1h);
    const auto second = make();
    EXPECT_GE(second->now(), before);
    EXPECT_GE(second->behind(), 59min);
    first->read();
    EXPECT_GE(first->behind(), 59min);
    cluster.set_store(2h);
    second->read();
    EXPECT_EQ(second->behind(), 0s);
    EXPECT_GE(second->now(), before + 1h);
}

}  // namespace
}  // namespace boxoffice
