// Who hears of an event's availability, when, and how often.
#include "runtime/live.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <limits>
#include <thread>

#include "api_fakes.hpp"

namespace boxoffice
{

namespace
{

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr EventId kEvent{5};
constexpr EventId kOther{6};

/// A store of which only the availability matters.
class Shop final : public fakes::MemoryStore
{
public:
    std::vector<Availability> availability(std::span<const EventId> events, Instant) override
    {
        const std::lock_guard lock(mutex_);
        ++reads_;
        read_.notify_all();
        if (failures_ > 0 && failures_-- > 0) throw StoreFailure(Code::busy, "for a moment");
        std::vector<Availability> found;
        for (const EventId event : events) {
            if (const auto at = left_.find(event); at != left_.end()) found.push_back({event, at->second, {}});
        }
        return found;
    }

    void set(EventId event, std::int64_t left)
    {
        const std::lock_guard lock(mutex_);
        left_[event] = left;
    }
    void remove(EventId event)
    {
        const std::lock_guard lock(mutex_);
        left_.erase(event);
    }
    void fail(int times)
    {
        const std::lock_guard lock(mutex_);
        failures_ = times;
    }
    [[nodiscard]] int reads()
    {
        const std::lock_guard lock(mutex_);
        return reads_;
    }
    void wait_for_reads(int count)
    {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(read_.wait_for(lock, 10s, [&] { return reads_ >= count; }));
    }

private:
    std::mutex mutex_;
    std::condition_variable read_;
    std::map<EventId, std::int64_t> left_{{kEvent, 100}, {kOther, 7}};
    int reads_ = 0;
    int failures_ = 0;
};

/// A bus between nodes, of which this is the only one.
class FakeBus final : public ChangeBus
{
public:
    void publish(std::span<const EventId> events) noexcept override
    {
        if (up) listener_(events);
    }
    void listen(std::function<void(std::span<const EventId>)> listener) override { listener_ = std::move(listener); }
    [[nodiscard]] bool connected() const noexcept override { return up; }

    std::atomic<bool> up{true};

private:
    std::function<void(std::span<const EventId>)> listener_;
};

/// What a watcher has heard; outlives it.
struct Heard {
    std::mutex mutex;
    std::condition_variable more;
    std::deque<LiveHub::Frame> frames;
    int wordings = 0;
    int heartbeats = 0;
    std::uint64_t number = 0;  // of the news worded last
    bool is_there = true;
    bool forgotten = false;

    /// The next thing heard, or "nothing".
    std::string next()
    {
        const auto frame = next_frame();
        return frame ? *frame : "nothing";
    }
    LiveHub::Frame next_frame()
    {
        std::unique_lock lock(mutex);
        if (!more.wait_for(lock, 10s, [this] { return !frames.empty(); })) return nullptr;
        auto frame = std::move(frames.front());
        frames.pop_front();
        return frame;
    }
    [[nodiscard]] std::uint64_t last_number()
    {
        const std::lock_guard lock(mutex);
        return number;
    }
    [[nodiscard]] bool is_forgotten()
    {
        std::unique_lock lock(mutex);
        return more.wait_for(lock, 10s, [this] { return forgotten; });
    }
    void leave()
    {
        const std::lock_guard lock(mutex);
        is_there = false;
    }
};

class Listener final : public LiveHub::Watcher
{
public:
    explicit Listener(Heard& heard) : heard_(heard) {}
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() override
    {
        const std::lock_guard lock(heard_.mutex);
        heard_.forgotten = true;
        heard_.more.notify_all();
    }
    std::string word(const LiveNews& news) const override
    {
        const std::lock_guard lock(heard_.mutex);
        ++heard_.wordings;
        heard_.number = news.number;
        return news.there ? std::to_string(news.there->available_tickets) : "gone";
    }
    bool send(const LiveHub::Frame& frame) override
    {
        const std::lock_guard lock(heard_.mutex);
        heard_.frames.push_back(frame);
        heard_.more.notify_all();
        return heard_.is_there;
    }
    bool still_here() override
    {
        const std::lock_guard lock(heard_.mutex);
        ++heard_.heartbeats;
        heard_.more.notify_all();
        return heard_.is_there;
    }

private:
    Heard& heard_;
};

class Live : public testing::Test
{
protected:
    void open(LiveHub::Options options, ChangeBus* told = nullptr)
    {
        hub = std::make_unique<LiveHub>(shop, clock, told, metrics, options);
        lane = std::make_unique<WriteLane>(shop, WriteLane::Options{}, metrics);
        hub->start(*lane);
    }
    void open_with_bus(LiveHub::Options options = {}) { open(options, &bus); }
    void TearDown() override
    {
        if (lane) lane->stop();
    }

    void watch(Heard& heard, EventId event = kEvent, std::optional<std::uint64_t> last_seen = {})
    {
        hub->watch(event, std::make_shared<Listener>(heard), last_seen);
    }
    void change(std::int64_t left, EventId event = kEvent)
    {
        shop.set(event, left);
        say_changed(event);
    }
    void say_changed(EventId event = kEvent) { bus.publish(std::span(&event, 1)); }
    template <class Condition>
    [[nodiscard]] static bool comes_true(Condition true_now)
    {
        const auto patience = Steady::now() + 10s;
        while (!true_now()) {
            if (Steady::now() > patience) return false;
            std::this_thread::yield();
        }
        return true;
    }
    [[nodiscard]] bool comes_to(std::size_t watchers) const
    {
        return comes_true([&] { return hub->watchers() == watchers; });
    }

    Heard first;
    Heard second;
    Shop shop;
    fakes::SetClock clock;
    Metrics metrics;
    FakeBus bus;
    std::unique_ptr<WriteLane> lane;
    std::unique_ptr<LiveHub> hub;  // goes first: it knows the others
};

TEST_F(Live, TellsWhoComesThePresentState)
{
    open_with_bus();
    watch(first);
    EXPECT_EQ(first.next(), "100");
    shop.set(kEvent, 55);  // which was not published, so that the second is told what the first was
    watch(second);
    EXPECT_EQ(second.next(), "100");
    EXPECT_EQ(hub->watchers(), 2U);
}

TEST_F(Live, TellsAChangeToAllWhoWatchWithOneReadAndOneFrame)
{
    open_with_bus();
    watch(first);
    watch(second);
    EXPECT_EQ(first.next(), "100");
    EXPECT_EQ(second.next(), "100");
    const int reads = shop.reads();
    const auto begin = Steady::now();
    change(99);
    const auto frame = first.next_frame();
    EXPECT_LT(Steady::now() - begin, 5s);
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(*frame, "99");
    EXPECT_EQ(second.next_frame(), frame);
    EXPECT_EQ(shop.reads(), reads + 1);
    EXPECT_EQ(first.wordings + second.wordings, 2);
}

TEST_F(Live, TellsOfOneEventOnlyWhoWatchesIt)
{
    open_with_bus({.every = 1ms});
    watch(first);
    watch(second, kOther);
    EXPECT_EQ(first.next(), "100");
    EXPECT_EQ(second.next(), "7");
    change(6, kOther);
    EXPECT_EQ(second.next(), "6");
    change(99);
    EXPECT_EQ(first.next(), "99");
}

TEST_F(Live, TellsAtMostOnceInTheIntervalAndAlwaysTheLastState)
{
    constexpr auto kEvery = 50ms;
    open_with_bus({.every = kEvery});
    watch(first);
    EXPECT_EQ(first.next(), "100");
    const auto begin = Steady::now();
    for (int i = 1; i <= 1000; ++i) {
        change(10'000 + i);
        while (Steady::now() < begin + i * 500us) std::this_thread::yield();
    }
    int told = 1;
    for (std::string heard = first.next(); heard != "11000"; heard = first.next()) {
        ASSERT_NE(heard, "nothing");
        ++told;
    }
    EXPECT_LE(told, (Steady::now() - begin) / kEvery + 2);
    EXPECT_GE(told, 3);
}

TEST_F(Live, SaysNothingWhenNothingIsDifferent)
{
    open_with_bus({.every = 1ms});
    watch(first);
    EXPECT_EQ(first.next(), "100");
    const int reads = shop.reads();
    say_changed();
    shop.wait_for_reads(reads + 1);
    change(99);
    EXPECT_EQ(first.next(), "99");
}

TEST_F(Live, DoesNotRepeatTheStateThatWasSeenLast)
{
    open_with_bus({.every = 1ms});
    watch(first);
    EXPECT_EQ(first.next(), "100");
    const auto number = first.last_number();
    watch(second, kEvent, number);
    change(99);
    EXPECT_EQ(second.next(), "99");
    EXPECT_GT(first.last_number(), number);
}

TEST_F(Live, KnowsWhatTheLastToLeaveHadSeen)
{
    open_with_bus({.every = 1ms});
    watch(first);
    EXPECT_EQ(first.next(), "100");
    const auto number = first.last_number();
    first.leave();
    change(99);
    EXPECT_TRUE(comes_to(0));
    const int reads = shop.reads();
    say_changed();
    watch(second, kEvent, first.last_number());
    shop.wait_for_reads(reads + 1);
    EXPECT_EQ(shop.reads(), reads + 1);
    change(98);
    EXPECT_EQ(second.next(), "98");
    Heard third;
    watch(third, kEvent, number);
    EXPECT_EQ(third.next(), "98");
    hub->stop();
}

TEST_F(Live, ForgetsWhoHasGoneAndThenReadsNoMore)
{
    open_with_bus({.every = 1ms});
    watch(first);
    watch(second, kOther);
    EXPECT_EQ(first.next(), "100");
    EXPECT_EQ(second.next(), "7");
    first.leave();
    change(99);
    EXPECT_TRUE(first.is_forgotten());
    EXPECT_TRUE(comes_to(1));
    const int reads = shop.reads();
    for (int i = 0; i < 10; ++i) change(i);
    change(5, kOther);
    EXPECT_EQ(second.next(), "5");
    EXPECT_EQ(shop.reads(), reads + 1);
}

TEST_F(Live, SaysThatAnEventIsGoneAndForgetsItsWatchers)
{
    open_with_bus({.every = 1ms});
    watch(first);
    EXPECT_EQ(first.next(), "100");
    shop.remove(kEvent);
    say_changed();
    EXPECT_EQ(first.next(), "gone");
    EXPECT_TRUE(first.is_forgotten());
    watch(second);
    EXPECT_EQ(second.next(), "gone");
    EXPECT_TRUE(comes_to(0));
}

TEST_F(Live, SaysThatItIsStillHereWhenThereIsNoNews)
{
    open({.heartbeat = 20ms});
    watch(first);
    EXPECT_EQ(first.next(), "100");
    {
        std::unique_lock lock(first.mutex);
        EXPECT_TRUE(first.more.wait_for(lock, 10s, [&] { return first.heartbeats >= 3; }));
        first.is_there = false;
    }
    EXPECT_TRUE(first.is_forgotten());
}

TEST_F(Live, LooksForItselfWhileTheWireIsDownAndWhenItIsUpAgain)
{
    open_with_bus({.every = 1ms, .look_anyway = 10ms});
    watch(first);
    EXPECT_EQ(first.next(), "100");
    bus.up = false;
    change(99);
    EXPECT_EQ(first.next(), "99");
    change(98);
    bus.up = true;
    EXPECT_EQ(first.next(), "98");
}

TEST_F(Live, TriesAgainWhenTheStoreCannotBeRead)
{
    open({.every = 1ms, .look_anyway = 10ms});
    shop.fail(2);
    watch(first);
    EXPECT_EQ(first.next(), "100");
}

TEST_F(Live, KeepsInTouchWithWhoWaitsForTheFirstLookAndForgetsWhoHasGone)
{
    open({.every = 1ms, .heartbeat = 20ms, .look_anyway = 10ms});
    shop.fail(std::numeric_limits<int>::max());
    watch(first);
    watch(second);
    first.leave();
    EXPECT_TRUE(first.is_forgotten());
    EXPECT_TRUE(comes_to(1));
    {
        std::unique_lock lock(second.mutex);
        EXPECT_TRUE(second.more.wait_for(lock, 10s, [&] { return second.heartbeats >= 3; }));
    }
    second.leave();
    EXPECT_TRUE(second.is_forgotten());
    EXPECT_TRUE(comes_to(0));
    EXPECT_TRUE(comes_true([&] { return !hub->watched(kEvent); })) << "read for nobody";
    shop.fail(0);
    Heard third;
    watch(third);
    EXPECT_EQ(third.next(), "100");
    hub->stop();
}

TEST_F(Live, LetsGoOfEverybodyWhenItStops)
{
    open({});
    watch(first);
    EXPECT_EQ(first.next(), "100");
    hub->stop();
    hub->stop();
    EXPECT_TRUE(first.is_forgotten());
    EXPECT_EQ(hub->watchers(), 0U);
    watch(second);
    EXPECT_TRUE(second.is_forgotten());
    EXPECT_EQ(hub->watchers(), 0U);
}

class LiveOverALane : public Live, public testing::WithParamInterface<const char*>
{
};

TEST_P(LiveOverALane, HearsOfWhatItsBatchesHaveChanged)
{
    const std::string kind = GetParam();
    bus.up = kind != "bus that is down";
    open({.every = 1ms, .look_anyway = 1h}, kind == "no bus" ? nullptr : &bus);
    watch(first);
    EXPECT_EQ(first.next(), "100");
    shop.set(kEvent, 99);
    auto job = std::make_unique<LaneJob>();
    job->act = Reserve{kEvent, UserId{1}, 120s, clock.now()};
    job->done = [](LaneJob&) {};
    ASSERT_TRUE(lane->submit(std::move(job)));
    EXPECT_EQ(first.next(), "99");
}

INSTANTIATE_TEST_SUITE_P(Wired, LiveOverALane, testing::Values("no bus", "bus", "bus that is down"));

}  // namespace

}  // namespace boxoffice
