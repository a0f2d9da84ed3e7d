// Reads that are wanted no more are broken off, and those beside them are not.
#include <gtest/gtest.h>

#include <atomic>

#include "core/still_wanted.hpp"
#include "drafts.hpp"
#include "fake_zones.hpp"
#include "postgres/postgres.hpp"
#include "servers/postgres_server.hpp"
#include "sqlite/sqlite.hpp"
#include "temp_folder.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

constexpr Instant kNow{std::chrono::hours(500'000)};

/// Enough events that a count of them takes many looks at whether it is wanted.
UserId fill(Store& store)
{
    WriteJob person{AddUser{"a@b.co", "a", "!", {}, kNow}, {}, {}};
    WriteJob* const one[] = {&person};
    store.execute(one);
    const UserId user = std::get<User>(person.outcome).id;
    std::vector<WriteJob> jobs(6000);
    std::vector<WriteJob*> batch;
    int n = 0;
    for (WriteJob& job : jobs) {
        EventDraft draft = draft_of("Flamenco evening", 5, kNow + 1h);
        draft.venue.point = {static_cast<double>(n % 170 - 85), static_cast<double>(n % 357 - 178)};
        ++n;
        job.act = AddEvent{user, std::move(draft), kNow};
        batch.push_back(&job);
    }
    store.execute(batch);
    return user;
}

std::string told(const std::function<void()>& read)
{
    try {
        read();
        return "answered";
    } catch (const StoreFailure& failure) {
        return std::string(code_word(failure.code()));
    }
}

const NearbyQuery kEverywhere{.center = {1, 1}, .radius_m = 20'040'000, .now = kNow};

TEST(AReadThatIsWantedNoMore, IsBrokenOffByTheEmbeddedStore)
{
    TempFolder folder;
    FakeZones zones;
    const auto store = open_sqlite({folder.path() / "boxoffice.db", 2}, zones);
    const UserId user = fill(*store);
    const EventQuery search{.q = "flamenco", .available_only = true};
    int asked = 0;
    const std::function<bool()> not_for_long = [&asked] { return ++asked < 3; };
    {
        const StillWanted scope(not_for_long);
        EXPECT_EQ(told([&] { (void)store->list_events(search); }), "busy");
        asked = 0;
        EXPECT_EQ(told([&] { (void)store->list_events({.skip = 5900, .available_only = true}); }), "busy");
        const std::function<bool()> never = [] { return false; };
        const StillWanted inner(never);
        EXPECT_EQ(told([&] { (void)store->nearby(kEverywhere); }), "busy");
        EXPECT_EQ(told([&] { (void)store->candidates({user, {}, kNow}); }), "busy");
        EXPECT_EQ(told([&] { (void)store->find_event(EventId{1}); }), "answered")
            << "what is quick is over before the first check";
    }
    // The connections are as good as before.
    EXPECT_EQ(store->list_events(search).total, 6000);
    EXPECT_EQ(store->nearby(kEverywhere).total, 6000);
}

TEST(AReadThatTakesTooLong, IsBrokenOffByPostgresqlAndCheapOnesAreNot)
{
    PostgresServer server;
    FakeZones zones;
    const std::string url = server.fresh_database();
    {
        PostgresOptions options;
        options.url = url;
        fill(*open_postgres(options, zones));
    }
    PostgresOptions impatient;
    impatient.url = url;
    impatient.search_timeout = 1ms;
    const auto store = open_postgres(impatient, zones);
    EXPECT_EQ(told([&] { (void)store->nearby(kEverywhere); }), "busy");
    EXPECT_EQ(store->list_events({.limit = 10}).total, 6000) << "the first page has the ordinary patience";
    EXPECT_TRUE(store->find_event(EventId{1}));
    EXPECT_EQ(told([&] { (void)store->nearby(kEverywhere); }), "busy") << "the session is as good as before";
}

}  // namespace
}  // namespace boxoffice
