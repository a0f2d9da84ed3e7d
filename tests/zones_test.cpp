#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "security/security.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using namespace std::string_literals;
using std::chrono::sys_days;

LocalTime local(int year, unsigned month, unsigned day, Micros time)
{
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    return LocalTime(std::chrono::local_days(date).time_since_epoch() + time);
}

Instant utc(int year, unsigned month, unsigned day, Micros time)
{
    return Instant(sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day))) + time;
}

TEST(ZonesOfTheSystem, KnowNamesAsTheyAreSpelled)
{
    const auto zones = make_zones();
    for (const char* name :
         {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "Etc/GMT+5", "US/Eastern"}) {
        EXPECT_TRUE(zones->exists(name)) << name;
    }
    for (const std::string& name : {""s,
                                    "utc"s,
                                    "europe/berlin"s,
                                    "Europe/Berlin "s,
                                    "Europe/Atlantis"s,
                                    "Europe"s,
                                    "Europe/"s,
                                    "../x"s,
                                    "../../etc/passwd"s,
                                    "/usr/share/zoneinfo/UTC"s,
                                    "posix/UTC"s,
                                    "right/UTC"s,
                                    "./UTC"s,
                                    "Europe//Berlin"s,
                                    "localtime"s,
                                    "posixrules"s,
                                    "zone.tab"s,
                                    "tzdata.zi"s,
                                    "UTC\0"s,
                                    "CET-1CEST"s,
                                    std::string(100'000, 'A')}) {
        EXPECT_FALSE(zones->exists(name)) << name;
        EXPECT_EQ(zones->to_instant(local(2026, 7, 1, 20h), name), std::nullopt) << name;
    }
}

TEST(ZonesOfTheSystem, TurnWallTimeIntoInstants)
{
    const auto zones = make_zones();
    EXPECT_EQ(zones->to_instant(local(2026, 7, 1, 20h + 1us), "UTC"), utc(2026, 7, 1, 20h + 1us));
    EXPECT_EQ(zones->to_instant(local(2026, 7, 1, 20h), "Europe/Berlin"), utc(2026, 7, 1, 18h));
    EXPECT_EQ(zones->to_instant(local(2026, 12, 1, 20h), "Europe/Berlin"), utc(2026, 12, 1, 19h));
    EXPECT_EQ(zones->to_instant(local(2026, 7, 1, 20h), "Asia/Kolkata"), utc(2026, 7, 1, 14h + 30min));
    EXPECT_EQ(zones->to_instant(local(2026, 7, 1, 20h), "Etc/GMT+5"), utc(2026, 7, 2, 1h));
    EXPECT_EQ(zones->to_instant(local(1960, 1, 1, 12h - 1us), "America/New_York"), utc(1960, 1, 1, 17h - 1us));
}

TEST(ZonesOfTheSystem, FindNothingWhereAClockChangeSkips)
{
    const auto zones = make_zones();
    EXPECT_EQ(zones->to_instant(local(2026, 3, 29, 2h - 1us), "Europe/Berlin"), utc(2026, 3, 29, 1h - 1us));
    EXPECT_EQ(zones->to_instant(local(2026, 3, 29, 2h), "Europe/Berlin"), std::nullopt);
    EXPECT_EQ(zones->to_instant(local(2026, 3, 29, 3h - 1us), "Europe/Berlin"), std::nullopt);
    EXPECT_EQ(zones->to_instant(local(2026, 3, 29, 3h), "Europe/Berlin"), utc(2026, 3, 29, 1h));
    EXPECT_EQ(zones->to_instant(local(2026, 3, 8, 2h + 30min), "America/New_York"), std::nullopt);
    EXPECT_EQ(zones->to_instant(local(2011, 12, 30, 12h), "Pacific/Apia"), std::nullopt) << "Samoa left that day out";
}

TEST(ZonesOfTheSystem, TakeTheEarlierWhereAClockChangeRepeats)
{
    const auto zones = make_zones();
    EXPECT_EQ(zones->to_instant(local(2026, 10, 25, 2h), "Europe/Berlin"), utc(2026, 10, 25, 0h));
    EXPECT_EQ(zones->to_instant(local(2026, 10, 25, 3h - 1us), "Europe/Berlin"), utc(2026, 10, 25, 1h - 1us));
    EXPECT_EQ(zones->to_instant(local(2026, 10, 25, 3h), "Europe/Berlin"), utc(2026, 10, 25, 2h));
    EXPECT_EQ(zones->to_instant(local(2026, 11, 1, 1h + 30min), "America/New_York"), utc(2026, 11, 1, 5h + 30min));
    EXPECT_EQ(zones->to_instant(local(2026, 4, 5, 1h + 45min), "Australia/Lord_Howe"), utc(2026, 4, 4, 14h + 45min))
        << "half an hour";
}

TEST(ZonesOfTheSystem, KnowTheRuleBehindTheLastYearOfTheirTables)
{
    const auto zones = make_zones();
    EXPECT_EQ(zones->to_instant(local(2040, 7, 1, 20h), "Europe/Berlin"), utc(2040, 7, 1, 18h));
    EXPECT_EQ(zones->to_instant(local(2040, 1, 15, 20h), "Australia/Sydney"), utc(2040, 1, 15, 9h));
    EXPECT_EQ(zones->to_instant(local(2040, 3, 25, 2h + 30min), "Europe/Berlin"), std::nullopt);
    EXPECT_EQ(zones->to_instant(local(2040, 10, 28, 2h + 30min), "Europe/Berlin"), utc(2040, 10, 28, 30min));
    EXPECT_EQ(zones->to_instant(local(2040, 7, 1, 20h), "Asia/Tokyo"), utc(2040, 7, 1, 11h));
    EXPECT_EQ(zones->to_instant(local(9999, 7, 1, 20h), "Europe/Berlin"), utc(9999, 7, 1, 18h));
}

TEST(ZonesOfTheSystem, TurnInstantsIntoWallTime)
{
    const auto zones = make_zones();
    EXPECT_EQ(zones->to_local(utc(2026, 7, 1, 20h + 1us), "UTC"), local(2026, 7, 1, 20h + 1us));
    EXPECT_EQ(zones->to_local(utc(2026, 7, 1, 18h), "Europe/Berlin"), local(2026, 7, 1, 20h));
    EXPECT_EQ(zones->to_local(utc(2026, 12, 1, 19h), "Europe/Berlin"), local(2026, 12, 1, 20h));
    EXPECT_EQ(zones->to_local(utc(2026, 7, 1, 14h + 30min), "Asia/Kolkata"), local(2026, 7, 1, 20h));
    EXPECT_EQ(zones->to_local(utc(1960, 1, 1, 17h - 1us), "America/New_York"), local(1960, 1, 1, 12h - 1us));
    EXPECT_EQ(zones->to_local(utc(2026, 7, 1, 20h), "Europe/Atlantis"), std::nullopt);
}

TEST(ZonesOfTheSystem, ShowTheSameWallTimeTwiceWhereAClockChangeRepeatsIt)
{
    const auto zones = make_zones();
    EXPECT_EQ(zones->to_local(utc(2026, 10, 25, 30min), "Europe/Berlin"), local(2026, 10, 25, 2h + 30min));
    EXPECT_EQ(zones->to_local(utc(2026, 10, 25, 1h + 30min), "Europe/Berlin"), local(2026, 10, 25, 2h + 30min));
    EXPECT_EQ(zones->to_local(utc(2026, 3, 29, 1h - 1us), "Europe/Berlin"), local(2026, 3, 29, 2h - 1us));
    EXPECT_EQ(zones->to_local(utc(2026, 3, 29, 1h), "Europe/Berlin"), local(2026, 3, 29, 3h));
}

TEST(ZonesOfTheSystem, ShowWallTimeByTheRuleBehindTheLastYearOfTheirTables)
{
    const auto zones = make_zones();
    EXPECT_EQ(zones->to_local(utc(2040, 7, 1, 18h), "Europe/Berlin"), local(2040, 7, 1, 20h));
    EXPECT_EQ(zones->to_local(utc(2040, 1, 15, 9h), "Australia/Sydney"), local(2040, 1, 15, 20h));
    EXPECT_EQ(zones->to_local(utc(2040, 3, 25, 1h), "Europe/Berlin"), local(2040, 3, 25, 3h));
    EXPECT_EQ(zones->to_local(utc(2040, 7, 1, 11h), "Asia/Tokyo"), local(2040, 7, 1, 20h));
    EXPECT_EQ(zones->to_local(utc(9999, 7, 1, 18h), "Europe/Berlin"), local(9999, 7, 1, 20h));
}

TEST(ZonesOfTheSystem, ServeManyThreads)
{
    const auto zones = make_zones();
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (const char* name : {"Europe/Paris", "Europe/London", "Asia/Tokyo", "America/Chicago", "Pacific/Auckland"}) {
                for (const int year : {2026, 2045}) {
                    if (zones->to_instant(local(year, 7, 1, 20h), name)) ++good;
                }
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(good, 40);
}

}  // namespace
}  // namespace boxoffice
