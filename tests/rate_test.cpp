// How often what may be asked: the bucket's arithmetic, and the buckets of one process.
#include "core/rate.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <thread>

#include "runtime/rate_limits.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

const Instant kNow = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};

TEST(TakeToken, LetsABurstThroughAndThenTheRate)
{
    const RatePolicy policy{.per_minute = 60, .burst = 3};
    const struct {
        Micros at;
        RateAnswer want;
    } rows[] = {
        {0s, {true, 2, 0s, 1s}},
        {0s, {true, 1, 0s, 2s}},
        {0s, {true, 0, 0s, 3s}},
        {0s, {false, 0, 1s, 3s}},
        {999'999us, {false, 0, 1us, 2'000'001us}},
        {1s, {true, 0, 0s, 3s}},
        {1500ms, {false, 0, 500ms, 2500ms}},
        {2500ms, {true, 0, 0s, 2500ms}},
        {3600s, {true, 2, 0s, 1s}},  // never more than the burst
        {3590s, {true, 1, 0s, 2s}},  // a time before the last counts as the last
        {3600s, {true, 0, 0s, 3s}},
    };
    Bucket bucket{policy.burst, kNow};
    for (const auto& row : rows) {
        const RateAnswer got = take_token(bucket, policy, kNow + row.at);
        EXPECT_EQ(got.allowed, row.want.allowed) << row.at.count();
        EXPECT_EQ(got.remaining, row.want.remaining) << row.at.count();
        // A double carries a token to about a billionth of a microsecond here; rounding up may show it as one more.
        EXPECT_NEAR(static_cast<double>(got.retry_after.count()), static_cast<double>(row.want.retry_after.count()), 1);
        EXPECT_NEAR(static_cast<double>(got.reset.count()), static_cast<double>(row.want.reset.count()), 1);
    }
}

TEST(RatePolicies, OfNothingAMinuteLimitNothing)
{
    EXPECT_FALSE(RatePolicy{}.limits());
    EXPECT_FALSE((RatePolicy{.per_minute = 0, .burst = 5}.limits()));
    EXPECT_TRUE((RatePolicy{.per_minute = 0.5, .burst = 1}.limits()));
}

RC_GTEST_PROP(TakeToken, NeverLetsMoreThroughThanTheBurstAndTheRate, (const std::vector<std::uint32_t>& gaps))
{
    const auto burst = *rc::gen::inRange(1, 50);
    const auto per_minute = *rc::gen::inRange(1, 5000);
    const RatePolicy policy{.per_minute = static_cast<double>(per_minute), .burst = static_cast<double>(burst)};
    Bucket bucket{policy.burst, kNow};
    Instant now = kNow;
    double allowed = 0;
    for (const std::uint32_t gap : gaps) {
        now += Micros(gap % 200'000);
        const RateAnswer answer = take_token(bucket, policy, now);
        allowed += answer.allowed ? 1 : 0;
        const double passed = static_cast<double>((now - kNow).count());
        RC_ASSERT(allowed <= policy.burst + passed * policy.per_minute / 60e6 + 1e-6);
        RC_ASSERT(answer.allowed == (answer.retry_after == Micros(0)));
        RC_ASSERT(answer.remaining >= 0 && answer.remaining < burst);
        RC_ASSERT(bucket.tokens >= 0);
    }
}

RC_GTEST_PROP(TakeToken, LetsThroughWhoeverWaitsAsTold, (std::uint16_t takes))
{
    const auto per_minute = *rc::gen::inRange(1, 100'000);
    const RatePolicy policy{.per_minute = static_cast<double>(per_minute), .burst = 3};
    Bucket bucket{policy.burst, kNow};
    Instant now = kNow;
    for (int i = 0; i < takes % 200; ++i) {
        const RateAnswer answer = take_token(bucket, policy, now);
        if (answer.allowed) continue;
        now += answer.retry_after + Micros(1);
        RC_ASSERT(take_token(bucket, policy, now).allowed);
    }
    RC_ASSERT(take_token(bucket, policy, now + std::chrono::hours(1)).remaining == 2);
}

RateAnswer take(RateLimits& limits, const std::string& key, const RatePolicy& policy, Instant now)
{
    std::optional<RateAnswer> got;
    limits.take(key, policy, now, [&got](RateAnswer answer) { got = answer; });
    return got.value();
}

TEST(LocalRates, KeepABucketForEachKey)
{
    LocalRates limits;
    const RatePolicy policy{.per_minute = 60, .burst = 2};
    EXPECT_TRUE(take(limits, "a", policy, kNow).allowed);
    EXPECT_TRUE(take(limits, "a", policy, kNow).allowed);
    EXPECT_FALSE(take(limits, "a", policy, kNow).allowed);
    EXPECT_TRUE(take(limits, "b", policy, kNow).allowed);
    EXPECT_TRUE(take(limits, "a", policy, kNow + 1s).allowed);
    EXPECT_EQ(limits.size(), 2U);
}

TEST(LocalRates, RememberNothingOfAPolicyWithoutALimit)
{
    LocalRates limits;
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(take(limits, "a", {}, kNow).allowed);
    EXPECT_EQ(limits.size(), 0U);
}

TEST(LocalRates, ForgetBucketsThatAreFullAgain)
{
    LocalRates limits;
    const RatePolicy policy{.per_minute = 60, .burst = 2};
    for (int i = 0; i < 2000; ++i) (void)take(limits, "old" + std::to_string(i), policy, kNow);
    EXPECT_EQ(limits.size(), 2000U);
    for (int i = 0; i < 2000; ++i) (void)take(limits, "new" + std::to_string(i), policy, kNow + 60s);
    EXPECT_LT(limits.size(), 2100U);
}

TEST(LocalRates, HoldNoMoreBucketsThanAllowedAndForgetTheEmptiestLast)
{
    LocalRates limits(1600);
    const RatePolicy policy{.per_minute = 1, .burst = 5};
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(take(limits, "greedy", policy, kNow).allowed);
    for (int i = 0; i < 20'000; ++i) {
        (void)take(limits, "one" + std::to_string(i), policy, kNow);
        ASSERT_LE(limits.size(), 1600U);
    }
    EXPECT_FALSE(take(limits, "greedy", policy, kNow).allowed);
}

TEST(LocalRates, LetExactlyTheBurstThroughWhenManyThreadsAskAtOnce)
{
    LocalRates limits;
    const RatePolicy policy{.per_minute = 1, .burst = 500};
    std::atomic<int> allowed{0};
    {
        std::vector<std::jthread> askers;
        for (int i = 0; i < 4; ++i) {
            askers.emplace_back([&] {
                for (int asked = 0; asked < 1000; ++asked) {
                    limits.take("hot", policy, kNow, [&](const RateAnswer& answer) { allowed += answer.allowed ? 1 : 0; });
                }
            });
        }
    }
    EXPECT_EQ(allowed, 500);
}

}  // namespace
}  // namespace boxoffice
