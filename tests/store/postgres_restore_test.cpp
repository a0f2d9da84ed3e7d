/// Another life of the shared store, after its own tools have put a backup back.
#include <gtest/gtest.h>

#include "app/revive.hpp"
#include "postgres/postgres.hpp"
#include "security/security.hpp"
#include "servers/postgres_server.hpp"

namespace boxoffice
{
namespace
{

class PostgresRestoring : public testing::Test
{
protected:
    PostgresRestoring() { options.url = shared_postgres().fresh_database(); }
    void TearDown() override
    {
        store.reset();
        shared_postgres().drop_database(options.url.substr(options.url.rfind('/') + 1));
    }
    void sql(const std::string& text) const { shared_postgres().rows(options.url.substr(options.url.rfind('/') + 1), text); }
    void open() { store = open_postgres(options, *zones); }
    UserId add_user(const std::string& name)
    {
        WriteJob job{AddUser{name + "@example.org", name, "!", {}, now}, {}, {}};
        WriteJob* const jobs[] = {&job};
        store->execute(jobs);
        return std::get<User>(job.outcome).id;
    }

    PostgresOptions options;
    std::unique_ptr<Zones> zones = make_zones();
    std::unique_ptr<Store> store;
    Instant now = std::chrono::sys_days(std::chrono::year(2027) / 1 / 31);
};

TEST_F(PostgresRestoring, GivesNoIdAgainAndIsAnotherLife)
{
    open();
    const UserId before = add_user("before");
    const StoreIdentity was = *store->identity();
    EXPECT_EQ(was.id.size(), 32U);
    store.reset();
    const Revived revived = revive(*open_postgres_archive(options), now);
    open();
    EXPECT_EQ(store->identity()->id, was.id);
    EXPECT_NE(store->identity()->generation, was.generation);
    EXPECT_EQ(store->identity()->plain_until, Instant{});
    EXPECT_GT(revived.ids_after, before.value + 1'000'000);
    EXPECT_GT(add_user("after").value, revived.ids_after);
    store.reset();
    const Revived again = revive(*open_postgres_archive(options), now);
    EXPECT_GT(again.generation, revived.generation);
    EXPECT_GT(again.ids_after, revived.ids_after);
}

TEST_F(PostgresRestoring, IsNoticedByANodeThatRuns)
{
    open();
    const std::int64_t was = store->identity()->generation;
    sql("UPDATE store_identity SET generation = 77");
    (void)store->time();  // as the clock asks every other second
    EXPECT_NE(was, 77);
    EXPECT_EQ(store->identity()->generation, 77);
}

TEST_F(PostgresRestoring, HasAClockThatWasAheadOnceMeanNothing)
{
    open();
    const UserId buyer = add_user("buyer");
    sql("INSERT INTO events (organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, timezone, title, "
        "venue_address, description) SELECT id, '2200-01-01Z', '2200-01-02Z', 1, 1, now(), now(), 'UTC', 'Jazz', 'Quay', '' FROM "
        "users; INSERT INTO inventory (event_id, total, sold, pace, paced_at) SELECT id, 10, 2, 1, '2099-01-01Z' FROM events; "
        "INSERT INTO tickets (event_id, user_id, status, created_at, expires_at) SELECT id, organizer_id, 0, '2020-01-01Z', "
        "'2020-01-01 00:02Z' FROM events; INSERT INTO tickets (event_id, user_id, status, created_at, expires_at) SELECT id, "
        "organizer_id, 0, '2099-01-01Z', '2099-01-01 00:02Z' FROM events");
    EXPECT_GT(*store->latest_instant(), *store->time());
    TicketQuery mine;
    mine.user = buyer;
    mine.limit = 1;
    mine.now = now;
    const TicketId wrong = store->list_tickets(mine).items.at(0).id;
    store.reset();
    {
        const auto alone = open_postgres_archive(options);
        const AcceptedClock accepted = accept_clock_postgres(options);
        EXPECT_TRUE(accepted.done);
        EXPECT_EQ(accepted.holds, 1);
        EXPECT_FALSE(accept_clock_postgres(options).done);
    }
    open();
    EXPECT_LE(*store->latest_instant(), *store->time());
    const Ticket cut = store->find_ticket(wrong)->ticket;
    EXPECT_EQ(cut.expires_at - cut.created_at, std::chrono::minutes(2));
    EXPECT_LT(cut.expires_at, *store->time() + std::chrono::minutes(3));
}

}  // namespace
}  // namespace boxoffice
