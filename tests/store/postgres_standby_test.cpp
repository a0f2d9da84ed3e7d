// Where commits wait for a standby, what is told as done outlives a failover: also when the wait for it was cut short, and the
// transaction is visible to every session.
#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "drafts.hpp"
#include "fake_zones.hpp"
#include "postgres/postgres.hpp"
#include "servers/postgres_server.hpp"
#include "store/cutting_proxy.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

/// A server and its synchronous standby, which is down when a test begins, and a store that reaches the server through a proxy.
class SynchronousStandby : public testing::Test
{
protected:
    void SetUp() override
    {
        const std::string direct = primary.fresh_database();
        database = direct.substr(direct.rfind('/') + 1);
        proxy.emplace(primary.port());
        open(20s);
        user = std::get<User>(act(AddUser{"a@b.co", "a", "!", {}, now})).id;
        event = std::get<Event>(act(AddEvent{user, draft_of("Jazz night", 10, now + 1h), now})).id;
        standby.emplace(PostgresServer::Options{.settings = {"cluster_name=second"}, .follows = &primary});
        primary.wait_for_standby("second");
        standby->stop(PostgresStop::immediate);
    }
    void TearDown() override
    {
        store.reset();
        proxy.reset();
    }

    void open(Micros unavailable_max)
    {
        store.reset();
        PostgresOptions options;
        options.url = proxy->url(database);
        options.lanes = 1;
        options.readers = 1;
        options.unavailable_max = unavailable_max;
        store = open_postgres(options, zones);
    }
    Outcome act(Act what)
    {
        WriteJob job{std::move(what), {}, {}};
        WriteJob* const jobs[] = {&job};
        store->execute(jobs);
        return std::move(job.outcome);
    }
    Reserve reserve() const { return Reserve{event, user, 2min, now}; }

    /// Until the reservation's transaction waits for the standby; then cuts that wait short, after which every session sees the
    /// ticket.
    void cut_the_wait_short(const std::string& by)
    {
        const auto give_up = std::chrono::steady_clock::now() + 30s;
        while (primary.value(database, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "0" &&
               std::chrono::steady_clock::now() < give_up) {}
        (void)primary.value(database, "SELECT " + by + "(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        while (primary.value(database, "SELECT count(*) FROM tickets") == "0" && std::chrono::steady_clock::now() < give_up) {}
        EXPECT_EQ(primary.value(database, "SELECT count(*) FROM tickets"), "1");
    }
    /// The machine of the server burns down.
    void fail_over()
    {
        primary.kill();
        standby->promote();
    }
    void expect_told_and_kept(const Outcome& outcome)
    {
        ASSERT_TRUE(std::holds_alternative<Ticket>(outcome)) << outcome.index();
        fail_over();
        EXPECT_EQ(standby->value(database, "SELECT coalesce(string_agg(id::text, ','), '') FROM tickets"),
                  std::to_string(std::get<Ticket>(outcome).id.value));
    }

    PostgresServer primary;
    std::optional<PostgresServer> standby;
    std::string database;
    std::optional<CuttingProxy> proxy;
    FakeZones zones;
    std::unique_ptr<Store> store;
    UserId user;
    EventId event;
    const Instant now{500'000h};
};

TEST_F(SynchronousStandby, AMarkThatNoStandbyHasIsNotBelieved)
{
    open(2s);
    proxy->cut_next_commit(Cut::after);
    auto outcome = std::async(std::launch::async, [&] { return act(reserve()); });
    cut_the_wait_short("pg_terminate_backend");
    try {
        (void)outcome.get();
        FAIL() << "told what a failover would undo";
    } catch (const StoreFailure& failure) {
        EXPECT_TRUE(failure.unclear()) << failure.what();
    }
    standby->start();
}

TEST_F(SynchronousStandby, IsNotWaitedForAsLongByEachWhoComesWhileItIsAway)
{
    open(2s);
    proxy->cut_next_commit(Cut::after);
    auto first = std::async(std::launch::async, [&] { return act(reserve()); });
    cut_the_wait_short("pg_terminate_backend");
    EXPECT_THROW((void)first.get(), StoreFailure);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_THROW((void)act(reserve()), StoreFailure);
    // The server's own patience with a statement alone is 15 s.
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 15s);
    standby->start();
}

TEST_F(SynchronousStandby, IsWaitedForByWhoeverAsksWhatBecameOfACommit)
{
    proxy->cut_next_commit(Cut::after);
    auto outcome = std::async(std::launch::async, [&] { return act(reserve()); });
    cut_the_wait_short("pg_terminate_backend");
    EXPECT_EQ(outcome.wait_for(500ms), std::future_status::timeout);
    standby->start();
    expect_told_and_kept(outcome.get());
}

TEST_F(SynchronousStandby, ACommitWhoseWaitWasCancelledIsNotToldAsDoneBeforeTheStandbyHasIt)
{
    auto outcome = std::async(std::launch::async, [&] { return act(reserve()); });
    cut_the_wait_short("pg_cancel_backend");
    EXPECT_EQ(outcome.wait_for(500ms), std::future_status::timeout);
    standby->start();
    expect_told_and_kept(outcome.get());
}

}  // namespace
}  // namespace boxoffice
