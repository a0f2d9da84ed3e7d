// Whose turn it is in a lane, and who makes way when it is full.
#include "runtime/fair_queue.hpp"

#include <gtest/gtest.h>

#include <latch>

#include "core/still_wanted.hpp"
#include "runtime/lanes.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using Steady = FairQueue::Steady;
using Dropped = std::vector<std::pair<LaneWork, LaneDrop>>;

constexpr Steady::time_point kStart{};

class Fairly : public testing::Test
{
protected:
    bool put(std::string client, std::string account = {}, Steady::time_point deadline = Steady::time_point::max(),
             std::shared_ptr<const std::atomic<bool>> gone = nullptr)
    {
        LaneWork work{[] {}, {}, std::move(client), std::move(account), std::move(gone)};
        return queue.put(work, deadline, dropped);
    }
    std::string take()
    {
        const auto taken = queue.take();
        if (!taken) return "none";
        return taken->first.client + taken->first.account;
    }
    std::string take_all()
    {
        std::string order;
        while (!queue.empty()) order += take() + " ";
        return order;
    }

    FairQueue queue{8};
    Dropped dropped;
};

TEST_F(Fairly, ClientsTakeTurnsHoweverMuchOneOfThemWants)
{
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(put("flood"));
    EXPECT_EQ(take(), "flood");
    EXPECT_TRUE(put("a"));
    EXPECT_TRUE(put("b"));
    EXPECT_EQ(take_all(), "flood a b flood flood flood ");
    EXPECT_EQ(take(), "none");
}

TEST_F(Fairly, AccountsOfAClientTakeTurnsWithinIts)
{
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(put("x", "1"));
    EXPECT_TRUE(put("x", "2"));
    EXPECT_TRUE(put("y", "1"));
    EXPECT_EQ(take_all(), "x1 y1 x2 x1 x1 ");
}

TEST_F(Fairly, OneClientMayFillItUntilAnotherComes)
{
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(put("flood", std::to_string(i % 2)));
    EXPECT_FALSE(put("flood"));
    EXPECT_TRUE(dropped.empty());
    EXPECT_TRUE(put("a"));
    ASSERT_EQ(dropped.size(), 1U);
    EXPECT_EQ(dropped[0].first.client, "flood");
    EXPECT_EQ(dropped[0].second, LaneDrop::crowded_out);
    EXPECT_EQ(queue.size(), 8U);
    EXPECT_EQ(take() + " " + take(), "flood0 a");
}

TEST_F(Fairly, ThoseWithAsLittleDoNotPushEachOtherOut)
{
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(put("c" + std::to_string(i)));
    EXPECT_FALSE(put("late"));
    EXPECT_FALSE(put("c0"));
    EXPECT_TRUE(dropped.empty());
}

TEST_F(Fairly, WorkOfThoseWhoAreGoneMakesWayFirst)
{
    const auto gone = std::make_shared<std::atomic<bool>>(false);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(put("left", "", Steady::time_point::max(), gone));
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(put("flood"));
    *gone = true;
    EXPECT_TRUE(put("flood"));
    EXPECT_EQ(dropped.size(), 4U);
    for (const auto& [work, why] : dropped) EXPECT_EQ(why, LaneDrop::gone);
    EXPECT_EQ(queue.size(), 5U);
}

TEST_F(Fairly, WhatIsOverdueLeavesInTheOrderInWhichItCame)
{
    EXPECT_TRUE(put("a", "", kStart + 1s));
    EXPECT_TRUE(put("b", "", kStart + 2s));
    EXPECT_TRUE(put("a", "", kStart + 3s));
    queue.drop_overdue(kStart + 2s, dropped);
    ASSERT_EQ(dropped.size(), 2U);
    EXPECT_EQ(dropped[0].first.client + dropped[1].first.client, "ab");
    EXPECT_EQ(take_all(), "a ");
}

/// A lane with one thread that is held until the test lets it go.
class HeldWorkLane : public testing::Test
{
protected:
    HeldWorkLane()
    {
        EXPECT_TRUE(lane.submit([this] {
            begun.count_down();
            gate.wait();
        }));
        begun.wait();
    }
    ~HeldWorkLane() override
    {
        if (!let_go_) gate.count_down();
        lane.stop();
    }
    void let_go()
    {
        let_go_ = true;
        gate.count_down();
    }
    LaneWork work(std::string client, std::shared_ptr<const std::atomic<bool>> gone = nullptr)
    {
        const auto note = [this](const std::string& what) {
            const std::lock_guard lock(mutex);
            heard += what + " ";
        };
        return {.run = [note, client] { note(client); },
                .dropped = [note, client](LaneDrop why) { note(client + "!" + std::to_string(static_cast<int>(why))); },
                .client = client,
                .gone = std::move(gone)};
    }
    std::string heard_after_all()
    {
        std::latch done(1);
        EXPECT_TRUE(lane.submit({.run = [&] { done.count_down(); }, .client = "zz"}));
        let_go();
        done.wait();
        const std::lock_guard lock(mutex);
        return heard;
    }

    Metrics metrics;
    std::latch begun{1};
    std::latch gate{1};
    std::mutex mutex;
    std::string heard;
    WorkLane lane{{.name = "test", .threads = 1, .depth_max = 4}, metrics};

private:
    bool let_go_ = false;
};

// LaneDrop: 0 overdue, 1 gone, 2 crowded out.
TEST_F(HeldWorkLane, ServesOneOfEachClientInTurnAndTellsWhoMadeWay)
{
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(lane.submit(work("flood")));
    EXPECT_FALSE(lane.submit(work("flood")));
    EXPECT_TRUE(lane.submit(work("honest")));
    {
        const std::lock_guard lock(mutex);
        EXPECT_EQ(heard, "flood!2 ");
    }
    std::latch done(1);
    EXPECT_TRUE(lane.submit({.run = [&] { done.count_down(); }, .client = "last"}));
    let_go();
    done.wait();
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(heard.starts_with("flood!2 flood!2 flood honest ")) << heard;
}

TEST_F(HeldWorkLane, CarriesOutNothingForAClientThatHasGone)
{
    const auto gone = std::make_shared<std::atomic<bool>>(false);
    EXPECT_TRUE(lane.submit(work("a", gone)));
    EXPECT_TRUE(lane.submit(work("b")));
    *gone = true;
    EXPECT_EQ(heard_after_all(), "a!1 b ");
}

TEST(WorkLanePatience, TellsWhatIsOverdueAndThatWhatRunsIsWantedNoMore)
{
    Metrics metrics;
    std::latch told(1);
    std::atomic<bool> ran = false;
    std::atomic<bool> wanted_at_first = false;
    WorkLane lane({.name = "test", .threads = 1, .depth_max = 4, .patience = 20ms}, metrics);
    std::latch begun(1);
    std::latch second_is_in(1);
    EXPECT_TRUE(lane.submit([&] {
        wanted_at_first = StillWanted::here();
        begun.count_down();
        second_is_in.wait();
        while (StillWanted::here()) std::this_thread::yield();
        std::this_thread::sleep_for(40ms);  // twice the second one's patience: by then it is overdue, however late it came
    }));
    begun.wait();
    EXPECT_TRUE(lane.submit({.run = [&] { ran = true; },
                             .dropped =
                                 [&](LaneDrop why) {
                                     EXPECT_EQ(why, LaneDrop::overdue);
                                     told.count_down();
                                 }}));
    second_is_in.count_down();
    told.wait();
    lane.stop();
    EXPECT_FALSE(ran);
    EXPECT_TRUE(wanted_at_first);
}

TEST(StillWantedScopes, NestAndEndWithTheirObject)
{
    EXPECT_TRUE(StillWanted::here());
    const std::function<bool()> no = [] { return false; };
    const std::function<bool()> yes = [] { return true; };
    {
        const StillWanted outer(no);
        EXPECT_FALSE(StillWanted::here());
        {
            const StillWanted inner(yes);
            EXPECT_TRUE(StillWanted::here());
        }
        EXPECT_FALSE(StillWanted::here());
        std::thread other([] { EXPECT_TRUE(StillWanted::here()); });
        other.join();
    }
    EXPECT_TRUE(StillWanted::here());
}

}  // namespace
}  // namespace boxoffice
