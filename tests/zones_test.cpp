#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "security/security.hpp"
#include "temp_folder.hpp"

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

TEST(ZonesOfTheSystem, KnowTheRulesThatChangeBeforeMidnight)
{
    const auto zones = make_zones();
    // <-02>2<-01>,M3.5.0/-1,M10.5.0/0: an hour before midnight of the last Sunday in March.
    for (const char* name : {"America/Nuuk", "America/Scoresbysund"}) {
        EXPECT_EQ(zones->to_instant(local(2060, 7, 1, 20h), name), utc(2060, 7, 1, 21h)) << name;
        EXPECT_EQ(zones->to_instant(local(2060, 1, 1, 20h), name), utc(2060, 1, 1, 22h)) << name;
        EXPECT_EQ(zones->to_instant(local(2060, 3, 27, 23h + 30min), name), std::nullopt) << name;
    }
    EXPECT_EQ(zones->to_instant(local(2060, 7, 1, 20h), "Europe/Dublin"), utc(2060, 7, 1, 19h)) << "its winter is the exception";
    EXPECT_EQ(zones->to_instant(local(2060, 10, 29, 1h), "Asia/Gaza"), utc(2060, 10, 28, 22h)) << "a rule past midnight";
}

class ZonesOfAFolder : public testing::Test
{
protected:
    /// Copies the table of a zone of the system.
    void put(const std::string& name) const
    {
        std::filesystem::copy_file("/usr/share/zoneinfo/" + name, folder / name,
                                   std::filesystem::copy_options::overwrite_existing);
    }
    void put(const std::string& name, const std::string& bytes) const { std::ofstream(folder / name, std::ios::binary) << bytes; }

    TempFolder temp;
    const std::filesystem::path& folder = temp.path();
};

TEST_F(ZonesOfAFolder, AreReadAgainAfterTheyCouldNotBeReadOnce)
{
    put("UTC");
    put("CET", "");
    put("EET", "TZif, but cut short");
    std::filesystem::create_symlink(folder / "nowhere", folder / "MST");
    const auto zones = make_zones(folder);
    for (int tries = 0; tries < 3; ++tries) {
        for (const char* name : {"CET", "EET", "MST"}) {
            EXPECT_TRUE(zones->exists(name)) << name;
            EXPECT_THROW((void)zones->to_instant(local(2060, 7, 1, 20h), name), StoreFailure) << name;
            EXPECT_THROW((void)zones->to_local(utc(2060, 7, 1, 20h), name), StoreFailure) << name;
        }
    }
    std::filesystem::remove(folder / "MST");
    for (const char* name : {"CET", "EET", "MST"}) put(name);
    EXPECT_EQ(zones->to_instant(local(2060, 7, 1, 20h), "CET"), utc(2060, 7, 1, 18h));
    EXPECT_EQ(zones->to_instant(local(2060, 7, 1, 20h), "EET"), utc(2060, 7, 1, 17h));
    EXPECT_EQ(zones->to_local(utc(2060, 7, 2, 3h), "MST"), local(2060, 7, 1, 20h));
}

TEST_F(ZonesOfAFolder, AreNoneWithoutATable)
{
    EXPECT_THROW((void)make_zones(folder / "nowhere"), std::runtime_error);
    EXPECT_THROW((void)make_zones(folder), std::runtime_error);
}

/// Compares a folder of zones with Python's zoneinfo: what clocks show every few days from 2000 to 2099, and on both sides of
/// every change that either of the two sees.
class ZonesOfTzdata : public testing::Test
{
protected:
    static void compare(const std::filesystem::path& folder)
    {
        const auto zones = make_zones(folder);
        const TempFolder temp;
        const auto said = temp.path() / "said";
        {
            std::ofstream out(said);
            std::set<std::string> told;
            for (std::filesystem::recursive_directory_iterator at(folder), end; at != end; ++at) {
                const std::string name = at->path().lexically_relative(folder).generic_string();
                if (!at->is_regular_file() || !zones->exists(name)) continue;
                std::ostringstream bytes;
                bytes << std::ifstream(at->path(), std::ios::binary).rdbuf();
                if (told.insert(bytes.str()).second) print_zone(*zones, name, out);  // many have two names
            }
        }
        const char* const source = std::getenv("BOXOFFICE_SOURCE");
        ASSERT_NE(source, nullptr);
        const std::string command = "python3 " + std::string(source) + "/tests/zones_oracle.py " + folder.string() + ' ' +
                                    said.string() + " >" + said.string() + ".diff 2>&1";
        const int code = std::system(command.c_str());
        std::ostringstream differences;
        differences << std::ifstream(said.string() + ".diff").rdbuf();
        EXPECT_EQ(code, 0) << differences.str();
    }

private:
    static std::int64_t offset_at(const Zones& zones, const std::string& name, std::int64_t second)
    {
        const Instant instant{std::chrono::seconds(second)};
        return std::chrono::floor<std::chrono::seconds>(zones.to_local(instant, name)->time_since_epoch()).count() - second;
    }

    /// The name, then every change as its second and the offset from then on, and what becomes of wall times around it.
    static void print_zone(const Zones& zones, const std::string& name, std::ostream& out)
    {
        const std::int64_t first = utc(2000, 1, 1, 0h).time_since_epoch() / 1s;
        const std::int64_t last = utc(2100, 1, 1, 0h).time_since_epoch() / 1s;
        constexpr std::int64_t kStep = 3 * 86'400;  // no two changes are nearer to each other
        std::int64_t offset = offset_at(zones, name, first);
        out << "zone " << name << ' ' << offset << '\n';
        for (std::int64_t from = first; from < last; from += kStep) {
            std::int64_t below = from;
            std::int64_t above = std::min(from + kStep, last);
            const std::int64_t next = offset_at(zones, name, above);
            if (next == offset) continue;
            while (above - below > 1) {
                const std::int64_t middle = (below + above) / 2;
                (offset_at(zones, name, middle) == offset ? below : above) = middle;
            }
            out << "change " << above << ' ' << next << '\n';
            for (const std::int64_t wall : {above + offset - 1, above + offset, above + (offset + next) / 2, above + next - 1,
                                            above + next, above + next + 7200}) {
                const auto instant = zones.to_instant(LocalTime(std::chrono::seconds(wall)), name);
                out << "wall " << wall << ' ' << (instant ? std::to_string(instant->time_since_epoch() / 1s) : "skipped") << '\n';
            }
            offset = next;
        }
    }
};

TEST_F(ZonesOfTzdata, AgreeWithPythonOnTheSystemsOwn) { compare("/usr/share/zoneinfo"); }

TEST_F(ZonesOfTzdata, AgreeWithPythonFatAndSlim)
{
    const std::string zic = std::filesystem::exists("/usr/sbin/zic") ? "/usr/sbin/zic" : "/usr/bin/zic";
    if (!std::filesystem::exists(zic) || !std::filesystem::exists("/usr/share/zoneinfo/tzdata.zi")) {
        GTEST_SKIP() << "without zic and tzdata.zi nothing can be compiled";
    }
    for (const std::string form : {"fat", "slim"}) {
        SCOPED_TRACE(form);
        const TempFolder temp;
        const std::string command = zic + " -b " + form + " -d " + temp.path().string() + " /usr/share/zoneinfo/tzdata.zi";
        ASSERT_EQ(std::system(command.c_str()), 0);
        compare(temp.path());
    }
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
