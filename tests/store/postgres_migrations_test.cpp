#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <mutex>
#include <thread>

#include "core/ports.hpp"
#include "postgres/migrations.hpp"
#include "postgres/postgres.hpp"
#include "security/security.hpp"
#include "servers/postgres_server.hpp"

namespace boxoffice
{
namespace
{

class PostgresMigrations : public testing::Test
{
protected:
    PostgresMigrations() { options.url = shared_postgres().fresh_database(); }
    void TearDown() override { shared_postgres().drop_database(database()); }

    [[nodiscard]] std::string database() const { return options.url.substr(options.url.rfind('/') + 1); }
    void sql(const std::string& text) const { shared_postgres().rows(database(), text); }
    /// What the operator reads.
    template <class Call>
    static std::string accident(Call call)
    {
        try {
            (void)call();
            return "";
        } catch (const StoreFailure& failure) {
            return failure.what();
        }
    }

    PostgresOptions options;
};

TEST_F(PostgresMigrations, AreAppliedOnceHoweverManyStartAtTheSameTime)
{
    constexpr int kNodes = 10;
    std::latch together(kNodes);
    std::mutex mutex;
    std::vector<std::string> applied;
    std::vector<std::thread> nodes;
    nodes.reserve(kNodes);
    for (int i = 0; i < kNodes; ++i) {
        nodes.emplace_back([&] {
            const auto migrator = migrate_postgres(options);
            together.arrive_and_wait();
            const auto mine = migrator->up();
            const std::lock_guard lock(mutex);
            applied.insert(applied.end(), mine.begin(), mine.end());
        });
    }
    for (auto& node : nodes) node.join();
    const auto states = migrate_postgres(options)->status();
    EXPECT_EQ(applied.size(), states.size());
    for (const MigrationState& state : states) {
        EXPECT_TRUE(state.applied) << state.name;
        EXPECT_EQ(std::count(applied.begin(), applied.end(), state.name), 1) << state.name;
    }
}

TEST_F(PostgresMigrations, GoDownOneByOneAndUpAgain)
{
    const auto up = migrate_postgres(options)->up();
    ASSERT_GE(up.size(), 2U);
    std::vector<std::string> down;
    while (const auto undone = migrate_postgres(options)->down()) down.push_back(*undone);
    EXPECT_TRUE(std::equal(up.begin(), up.end(), down.rbegin(), down.rend()));
    EXPECT_EQ(migrate_postgres(options)->up(), up);
}

TEST_F(PostgresMigrations, DoNotGoDownUnderAServer)
{
    const auto zones = make_zones();
    auto store = open_postgres(options, *zones);
    store->check_ready();
    const auto down = [&] { return migrate_postgres(options)->down(); };
    EXPECT_EQ(accident(down), "A boxoffice server or worker uses this database; stop all of them first.");
    store->check_ready();
    store.reset();
    EXPECT_TRUE(down().has_value());
}

TEST_F(PostgresMigrations, DoNotGoDownUnderAServerThatGivesAnotherName)
{
    const auto zones = make_zones();
    PostgresOptions named = options;
    named.url += "?application_name=shop";
    auto store = open_postgres(named, *zones);
    const auto down = [&] { return migrate_postgres(options)->down(); };
    EXPECT_EQ(accident(down), "A boxoffice server or worker uses this database; stop all of them first.");
    store.reset();
    EXPECT_TRUE(down().has_value());
}

TEST_F(PostgresMigrations, SeeTheServersOfOtherRolesEvenAsARoleWithoutRights)
{
    const auto zones = make_zones();
    sql("CREATE ROLE nobody_in_particular LOGIN");
    {
        PostgresOptions unprivileged = options;
        unprivileged.url.replace(unprivileged.url.find("postgres@"), 8, "nobody_in_particular");
        postgres::Connection db(unprivileged, postgres::Connection::Purpose::read);
        ASSERT_EQ(db.ask("SELECT current_user::text").text(0, 0), "nobody_in_particular");
        EXPECT_TRUE(postgres::is_alone(db));
        const auto store = open_postgres(options, *zones);
        store->check_ready();
        // It is a role that does not see what others do.
        EXPECT_EQ(db.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                         "AND query <> '<insufficient privilege>'")
                      .integer(0, 0),
                  0);
        EXPECT_FALSE(postgres::is_alone(db));
    }
    sql("DROP ROLE nobody_in_particular");
}

// A node of the version before, which names no version, changes an event beside us while nodes are replaced.
TEST_F(PostgresMigrations, LetTheVersionOfAnEventGrowUnderAnOlderNode)
{
    const auto zones = make_zones();
    const auto store = open_postgres(options, *zones);
    sql("INSERT INTO users (email, email_folded, name, password_hash, created_at, updated_at) VALUES ('a', 'a', 'a', 'a', now(), "
        "now())");
    sql("INSERT INTO events (organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, timezone, title, "
        "venue_address, description) SELECT id, now(), now() + interval '1 hour', 0, 0, now(), now(), 'UTC', 'a', 'a', '' FROM "
        "users");
    sql("INSERT INTO inventory (event_id, total, paced_at) SELECT id, 5, now() FROM events");
    const auto version = [&] { return store->find_event(EventId{1})->version; };
    EXPECT_EQ(version(), 1);
    sql("UPDATE events SET title = 'b', updated_at = updated_at + interval '1 second'");
    EXPECT_EQ(version(), 2);
    sql("UPDATE events SET removed_at = NULL, title = title, updated_at = updated_at");
    EXPECT_EQ(version(), 2);
    sql("UPDATE events SET version = 7, updated_at = updated_at + interval '1 second'");
    EXPECT_EQ(version(), 7) << "ours say it themselves";
}

TEST_F(PostgresMigrations, OfANewerBinaryOrEditedOnesAreRefused)
{
    (void)migrate_postgres(options)->up();
    const auto up = [&] { return migrate_postgres(options)->up(); };
    sql("INSERT INTO schema_migrations (version) VALUES ('9999')");
    EXPECT_NE(accident(up).find("it was made by a newer boxoffice"), std::string::npos) << accident(up);
    sql("DELETE FROM schema_migrations WHERE version = '9999'");
    EXPECT_EQ(accident(up), "");
    sql("UPDATE schema_checksums SET checksum = 'x' WHERE version = (SELECT min(version) FROM schema_checksums)");
    EXPECT_NE(accident(up), "");
}

}  // namespace
}  // namespace boxoffice
