#include "core/identity.hpp"

#include <gtest/gtest.h>

#include "core/migrations.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

constexpr Instant day(int year, unsigned month = 1, unsigned of_month = 1)
{
    return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(of_month));
}

TEST(IdsAfterRestore, AreBeyondAnyThatAStoreCanHaveGivenInTheTimeThereWas)
{
    // From whichever backup, and as often as one likes: what began at `first` and gave ids as fast as none can has not come as far
    // by `second`.
    for (const auto& [first, second] : {std::pair{day(2026), day(2026) + 1s}, {day(2026), day(2027)}, {day(2026), day(2090)}}) {
        const std::int64_t begun = ids_after_restore(17, first);
        const auto seconds = std::chrono::floor<std::chrono::seconds>(second - first).count();
        EXPECT_GE(ids_after_restore(17, second), begun + seconds * 100'000);
    }
}

TEST(IdsAfterRestore, AreBeyondThoseThatAreThereWhateverTheClockSays)
{
    EXPECT_GT(ids_after_restore(5'000'000'000'000'000, day(2026)), 5'000'000'000'000'000);
    EXPECT_GT(ids_after_restore(17, day(1970)), 17);
    EXPECT_GT(ids_after_restore(0, day(1970)), 0);
}

TEST(IdsAfterRestore, AreKeptExactlyByReadersOfJson)
{
    EXPECT_LT(ids_after_restore(0, day(2999)), std::int64_t{1} << 53);
    EXPECT_LT(ids_after_restore(0, Instant(Micros(INT64_MAX / 2))), std::int64_t{1} << 53);
}

TEST(GenerationAfter, DiffersFromEveryOneBeforeAlsoWhereOneBackupIsRestoredTwice)
{
    EXPECT_NE(generation_after(1, day(2026)), generation_after(1, day(2026) + 1s));
    EXPECT_GT(generation_after(1, day(1970)), 1);
    EXPECT_GT(generation_after(1'800'000'000, day(2026)), 1'800'000'000);
}

TEST(DroppedBy, NamesTablesAndColumnsThatNothingElseCanMakeAgain)
{
    const std::vector<Dropped> wanted{{"mails", ""}, {"outbox", ""}, {"events", "title"}, {"users", "name"}, {"users", "email"}};
    EXPECT_EQ(dropped_by("\nDROP TABLE mails;\ndrop table if exists outbox;\n"
                         "DROP TABLE event_words;  DROP INDEX events_by_start;\n"
                         "ALTER TABLE events DROP COLUMN title;\n"
                         "ALTER TABLE users\n    DROP COLUMN IF EXISTS name,\n    DROP COLUMN email,\n    DROP COLUMN words;\n"
                         "-- DROP TABLE tickets;\nDROP TABLE store_identity;  -- loses nothing\n"),
              wanted);
}

}  // namespace
}  // namespace boxoffice
