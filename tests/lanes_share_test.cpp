// What each class of acts finds in a lane: places of its own, and the more urgent first.
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <utility>

#include "lanes_fakes.hpp"
#include "runtime/lanes.hpp"

namespace boxoffice
{
namespace
{

/// A store that remembers the batches, and holds the first at its gate.
class HoldingStore final : public EmptyStore
{
public:
    void execute(std::span<WriteJob* const> jobs) override
    {
        if (batches.empty()) begun.count_down();
        gate.wait();
        std::vector<std::string_view> batch;
        for (WriteJob* const job : jobs) {
            batch.push_back(write_class(job->act));
            job->outcome = Done{};
        }
        batches.push_back(std::move(batch));
    }
    std::latch begun{1};
    std::latch gate{1};
    std::vector<std::vector<std::string_view>> batches;  // read it when the lane has stopped
};

class LaneShares : public testing::Test
{
protected:
    void open(WriteLane::Options options)
    {
        lane = std::make_unique<WriteLane>(store, options, metrics);
        ASSERT_EQ(offer(ForgetAnswers{}), "");
        store.begun.wait();
    }
    std::string_view offer(Act act, bool unlimited = false)
    {
        auto made = job(std::move(act));
        made->unlimited = unlimited;
        return lane->offer(std::move(made));
    }
    static Act publish(std::int64_t organizer, std::size_t text = 0)
    {
        AddEvent add;
        add.organizer = UserId{organizer};
        add.draft.description = std::string(text, 'x');
        return add;
    }
    /// Once: a latch that is counted down below nothing is never open again.
    void let_go()
    {
        if (!std::exchange(let_go_, true)) store.gate.count_down();
    }
    void let_go_and_stop()
    {
        let_go();
        lane->stop();
    }
    void TearDown() override { let_go_and_stop(); }

    HoldingStore store;
    Metrics metrics;
    std::unique_ptr<WriteLane> lane;

private:
    bool let_go_ = false;
};

TEST_F(LaneShares, ReservationsKeepNobodyFromPayingNorHoldsFromLapsing)
{
    open({.depth_max = 4});
    for (int i = 0; i < 4; ++i) EXPECT_EQ(offer(Reserve{}), "");
    EXPECT_EQ(offer(Reserve{}), "queue_full");
    EXPECT_TRUE(lane->full());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(offer(Pay{}), "");
    EXPECT_EQ(offer(Cancel{}), "");
    EXPECT_EQ(offer(Pay{}), "queue_full");
    EXPECT_EQ(offer(ExpireHolds{}), "");
    EXPECT_EQ(offer(AddUser{}), "");
    EXPECT_EQ(offer(publish(1)), "");
    let_go_and_stop();
    using Batch = std::vector<std::string_view>;
    EXPECT_EQ(store.batches.at(1), (Batch{"payment", "payment", "payment", "payment", "lapse", "reservation", "reservation",
                                          "reservation", "reservation", "people", "catalogue"}));
    EXPECT_EQ(lane->offer(job(Pay{})), "stopping");
}

TEST_F(LaneShares, TheCatalogueHasASmallShareAndNobodyAllOfIt)
{
    open({.depth_max = 1024});  // 64 for the catalogue, 8 of them for one account
    for (int i = 0; i < 8; ++i) EXPECT_EQ(offer(publish(1)), "");
    EXPECT_EQ(offer(publish(1)), "account_share");
    EXPECT_EQ(offer(ChangeEvent{EventId{5}, UserId{1}, {}, {}}), "account_share");
    for (int i = 0; i < 8; ++i) EXPECT_EQ(offer(publish(2)), "");
    for (int i = 0; i < 48; ++i) EXPECT_EQ(offer(publish(1), true), "");
    EXPECT_EQ(offer(publish(3)), "queue_full");
    EXPECT_EQ(offer(publish(1), true), "queue_full");
    EXPECT_FALSE(lane->full());
    EXPECT_EQ(offer(Reserve{}), "");
    let_go_and_stop();
    std::size_t published = 0;
    for (const auto& batch : store.batches)
        published += static_cast<std::size_t>(std::count(batch.begin(), batch.end(), "catalogue"));
    EXPECT_EQ(published, 64u);
}

TEST_F(LaneShares, AnAccountFindsItsPlacesAgainOnceItsActsAreTaken)
{
    open({.depth_max = 16});  // one place
    EXPECT_EQ(offer(publish(1)), "");
    EXPECT_EQ(offer(publish(1)), "queue_full");
    std::latch done(1);
    auto last = job(Reserve{}, [&](LaneJob&) { done.count_down(); });
    EXPECT_TRUE(lane->submit(std::move(last)));
    let_go();
    done.wait();
    EXPECT_EQ(offer(publish(1)), "");
}

TEST_F(LaneShares, ABatchTakesOnlySoMuchTextBesideBuyers)
{
    constexpr std::size_t kLong = 5000;
    constexpr std::size_t kEvents = 12;
    open({});
    for (std::size_t i = 0; i < kEvents; ++i) ASSERT_EQ(offer(publish(static_cast<std::int64_t>(i), kLong)), "");
    ASSERT_EQ(offer(Reserve{}), "");
    let_go_and_stop();
    const auto& beside = store.batches.at(1);
    EXPECT_EQ(beside.front(), "reservation");
    EXPECT_GE(beside.size(), 2u);  // and it does not starve
    EXPECT_LE(beside.size(), 4u);
    std::size_t published = 0;
    for (const auto& batch : store.batches)
        published += static_cast<std::size_t>(std::count(batch.begin(), batch.end(), "catalogue"));
    EXPECT_EQ(published, kEvents);
}

TEST_F(LaneShares, AnEventThatIsHeavierThanABatchMayTakeIsTakenAlone)
{
    open({});
    ASSERT_EQ(offer(publish(1, 60'000)), "");
    ASSERT_EQ(offer(publish(2, 60'000)), "");
    ASSERT_EQ(offer(Reserve{}), "");
    let_go_and_stop();
    using Batch = std::vector<std::string_view>;
    EXPECT_EQ(store.batches.at(1), (Batch{"reservation", "catalogue"}));
    EXPECT_EQ(store.batches.at(2), (Batch{"catalogue"}));
}

}  // namespace
}  // namespace boxoffice
