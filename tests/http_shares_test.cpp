// What one client may have of something scarce.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "net/net.hpp"

namespace boxoffice::http
{

namespace
{

using Grant = Shares::Grant;

Address at(std::string_view text) { return parse_address(text).value(); }

/// How many places of one each the clients are given, by turns, of `tries` tries.
std::size_t given(const Shares& shares, std::vector<Shares::Place>& places, const std::vector<std::string>& clients,
                  std::size_t tries)
{
    std::size_t count = 0;
    for (std::size_t i = 0; i < tries; ++i) {
        Shares::Place place;
        if (shares.take(place, at(clients.at(i % clients.size())), 1) != Grant::given) continue;
        places.push_back(std::move(place));
        ++count;
    }
    return count;
}

TEST(SharesOfClients, AreCountedByIPv4AddressHoweverItIsWritten)
{
    const Shares shares({.per_address = 3});
    std::vector<Shares::Place> places;
    EXPECT_EQ(given(shares, places, {"203.0.113.7", "::ffff:203.0.113.7"}, 10), 3U);
    EXPECT_EQ(given(shares, places, {"203.0.113.8"}, 10), 3U);
}

TEST(SharesOfClients, AreCountedByTheNetworksOfAnIPv6Address)
{
    const Shares shares({.per_64 = 2, .per_48 = 5});
    std::vector<Shares::Place> places;
    EXPECT_EQ(given(shares, places, {"2001:db8:1:1::1", "2001:db8:1:1:ffff::2"}, 10), 2U);
    EXPECT_EQ(given(shares, places, {"2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:1:4::1"}, 30), 3U) << "the /48 has five";
    EXPECT_EQ(given(shares, places, {"2001:db8:2:1::1"}, 10), 2U) << "another site has its own";
    places.clear();
    EXPECT_EQ(given(shares, places, {"2001:db8:1:9::1"}, 10), 2U);
}

TEST(SharesOfClients, ComeBackWithTheirPlace)
{
    const Shares shares({.total = 4, .per_address = 2});
    std::vector<Shares::Place> places;
    for (int round = 0; round < 5; ++round) {
        EXPECT_EQ(given(shares, places, {"10.0.0.1"}, 5), 2U);
        EXPECT_EQ(shares.taken(), 2U);
        places.clear();
        EXPECT_EQ(shares.taken(), 0U);
    }
}

TEST(SharesOfClients, SayWhetherTheClientOrEverybodyHasTooMuch)
{
    const Shares shares({.total = 10, .per_address = 6});
    Shares::Place first;
    Shares::Place second;
    EXPECT_EQ(shares.take(first, at("10.0.0.1"), 5), Grant::given);
    EXPECT_EQ(shares.take(second, at("10.0.0.1"), 2), Grant::client_full);
    EXPECT_EQ(shares.taken(), 5U);
    EXPECT_FALSE(shares.is_short());
    EXPECT_EQ(shares.take(second, at("10.0.0.2"), 6), Grant::all_full);
    EXPECT_EQ(shares.take(second, at("10.0.0.2"), 5), Grant::given);
    EXPECT_EQ(shares.taken(), 10U);
    EXPECT_TRUE(shares.is_short());
}

TEST(SharesOfClients, AreNeverTooSmallForTheFirst)
{
    const Shares shares({.total = 100, .per_address = 6});
    Shares::Place first;
    Shares::Place second;
    EXPECT_EQ(shares.take(first, at("10.0.0.1"), 20), Grant::given);
    EXPECT_EQ(shares.take(second, at("10.0.0.1"), 1), Grant::client_full);
    EXPECT_EQ(shares.take(second, at("10.0.0.2"), 81), Grant::all_full);
}

TEST(SharesOfClients, GrowAndShrinkInPlace)
{
    const Shares shares({.total = 100, .per_address = 50});
    Shares::Place place;
    Shares::Place other;
    EXPECT_EQ(shares.take(other, at("10.0.0.1"), 10), Grant::given);
    EXPECT_EQ(shares.take(place, at("10.0.0.1"), 30), Grant::given);
    EXPECT_EQ(shares.take(place, at("10.0.0.1"), 40), Grant::given);
    EXPECT_EQ(shares.take(place, at("10.0.0.1"), 41), Grant::client_full);
    EXPECT_EQ(place.amount(), 40U) << "what is refused changes nothing";
    EXPECT_EQ(shares.take(place, at("10.0.0.1"), 10), Grant::given);
    EXPECT_EQ(shares.taken(), 20U);
    EXPECT_EQ(shares.take(place, at("10.0.0.2"), 20), Grant::given) << "for another client now";
    EXPECT_EQ(shares.taken(), 30U);
    EXPECT_EQ(shares.take(other, at("10.0.0.1"), 50), Grant::given);
    place = {};
    other = {};
    EXPECT_EQ(shares.taken(), 0U);
}

TEST(SharesOfClients, AreWithoutLimitWhereThereIsNone)
{
    const Shares shares({.total = 1000});
    std::vector<Shares::Place> places;
    EXPECT_EQ(given(shares, places, {"10.0.0.1", "2001:db8::1"}, 1200), 1000U) << "but for the total";
    const Shares open({});
    EXPECT_EQ(given(open, places, {"10.0.0.1", "2001:db8::1"}, 1200), 1200U);
    EXPECT_FALSE(open.is_short());
}

TEST(SharesOfClients, AreCountedByAccountBesideTheAddress)
{
    const Shares shares({.total = 10, .per_address = 10, .per_account = 2});
    Shares::Place one;
    Shares::Place two;
    Shares::Place three;
    EXPECT_EQ(shares.take_for_account(one, 7, 1), Grant::given);
    EXPECT_EQ(shares.take_for_account(two, 7, 1), Grant::given);
    EXPECT_EQ(shares.take_for_account(three, 7, 1), Grant::client_full);
    EXPECT_EQ(shares.take_for_account(three, 8, 1), Grant::given);
    EXPECT_EQ(shares.taken(), 0U) << "the address has taken it already";
    one = {};
    EXPECT_EQ(shares.take_for_account(three, 7, 1), Grant::given);
}

TEST(SharesOfClients, MayOutliveWhatTheyWereTakenOf)
{
    Shares::Place place;
    {
        const Shares shares({.total = 1, .per_address = 1});
        EXPECT_EQ(shares.take(place, at("10.0.0.1"), 1), Grant::given);
    }
    place = {};
    EXPECT_EQ(place.amount(), 0U);
}

TEST(SharesOfClients, AreNeverMoreThanTheLimitWithManyThreads)
{
    const Shares shares({.total = 60, .per_address = 40});
    std::atomic<std::size_t> most{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&shares, &most, t] {
            const Address client = at(t % 2 == 0 ? "10.0.0.1" : "10.0.0.2");
            for (int i = 0; i < 2000; ++i) {
                std::vector<Shares::Place> mine(30);
                for (auto& place : mine) (void)shares.take(place, client, 1);
                const auto seen = shares.taken();
                auto before = most.load();
                while (before < seen && !most.compare_exchange_weak(before, seen)) {}
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_LE(most.load(), 60U + 4) << "those being refused may show for a moment";
    EXPECT_EQ(shares.taken(), 0U);
}

}  // namespace

}  // namespace boxoffice::http
