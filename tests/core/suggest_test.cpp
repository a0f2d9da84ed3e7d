#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/core.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

constexpr Instant kNow = Instant(1000h);

Candidate candidate()
{
    Candidate made;
    made.event = EventId{1};
    made.start_time = kNow + 24h * 30;
    return made;
}

TEST(Suitability, RanksTheNearerAboveTheFartherElseEqual)
{
    Candidate near = candidate();
    Candidate far = candidate();
    near.distance_m = 1'000;
    far.distance_m = 500'000;
    EXPECT_GT(suitability(near, false, kNow).score, suitability(far, false, kNow).score);
    EXPECT_EQ(suitability(near, false, kNow).reasons.front(), "near_you");
}

TEST(Suitability, RanksTheAlikeTheFullerAndTheSoonerAboveTheRest)
{
    Candidate alike = candidate();
    alike.likeness = 1;
    Candidate fuller = candidate();
    fuller.share_sold = 0.9;
    fuller.pace = 500;
    Candidate sooner = candidate();
    sooner.start_time = kNow + 1h;
    const double plain = suitability(candidate(), true, kNow).score;
    EXPECT_GT(suitability(alike, true, kNow).score, plain);
    EXPECT_GT(suitability(fuller, true, kNow).score, plain);
    EXPECT_GT(suitability(sooner, true, kNow).score, plain);
    EXPECT_EQ(suitability(alike, true, kNow).reasons.front(), "similar_to_past");
    EXPECT_EQ(suitability(fuller, true, kNow).reasons.front(), "popular");
    EXPECT_EQ(suitability(sooner, true, kNow).reasons.front(), "soon");
}

TEST(Suitability, LeavesNoColdStartHole)
{
    // With neither a place nor a past, the best conceivable event still reaches a full score.
    Candidate best = candidate();
    best.start_time = kNow;
    best.share_sold = 1;
    best.pace = 1e12;
    EXPECT_NEAR(suitability(best, false, kNow).score, 1, 1e-6);
    EXPECT_FALSE(suitability(candidate(), false, kNow).reasons.empty());
}

TEST(Suitability, IsTheSameAllThroughAMinute)
{
    static_assert(scored_at(kNow) == kNow && scored_at(kNow + 1min - Micros(1)) == kNow && scored_at(kNow + 1min) == kNow + 1min);
    static_assert(scored_at(Instant(Micros(-1))) == Instant(-1min), "before 1970 too");
    const Candidate soon = candidate();
    const double score = suitability(soon, false, kNow).score;
    EXPECT_EQ(suitability(soon, false, kNow + 1min - Micros(1)).score, score);
    EXPECT_GT(suitability(soon, false, kNow + 1min).score, score);
}

RC_GTEST_PROP(Suitability, IsBetweenNoughtAndOneAndAlwaysHasAReason, ())
{
    Candidate any;
    any.start_time = kNow + Micros(*rc::gen::inRange<std::int64_t>(-1'000'000'000'000, 100'000'000'000'000));
    if (*rc::gen::arbitrary<bool>()) any.distance_m = *rc::gen::inRange<std::int64_t>(0, 20'100'000);
    any.likeness = *rc::gen::inRange(0, 101) / 100.0;
    any.share_sold = *rc::gen::inRange(0, 101) / 100.0;
    any.pace = *rc::gen::inRange(0, 1'000'000);
    const Suitability fit = suitability(any, *rc::gen::arbitrary<bool>(), kNow);
    RC_ASSERT(fit.score >= 0 && fit.score <= 1);
    RC_ASSERT(!fit.reasons.empty());
}

TEST(SalesRate, HalvesInADayWithoutSales)
{
    const SalesRate pace = advance({100, kNow}, kNow + 24h, 0);
    EXPECT_NEAR(pace.tickets_a_day, 50, 1e-9);
    EXPECT_EQ(pace.as_of, kNow + 24h);
}

TEST(SalesRate, SettlesAtTheRateOfASteadySale)
{
    SalesRate pace{0, kNow};
    for (int hour = 1; hour <= 24 * 20; ++hour) pace = advance(pace, kNow + std::chrono::hours(hour), 2);
    EXPECT_NEAR(pace.tickets_a_day, 48, 1.5);
}

TEST(SalesRate, NeverRunsBackwards)
{
    EXPECT_EQ(advance({10, kNow}, kNow - 5h, 0).as_of, kNow);
    EXPECT_NEAR(advance({10, kNow}, kNow - 5h, 0).tickets_a_day, 10, 1e-9);
}

}  // namespace
}  // namespace boxoffice
