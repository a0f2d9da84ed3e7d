// What keeps a shared store quick and right over the years: searches that old snapshots do not slow, one key at two nodes,
// clocks, migrations beside sales.
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>

#include "core/migrations.hpp"
#include "drafts.hpp"
#include "fake_zones.hpp"
#include "postgres/due_floor.hpp"
#include "postgres/postgres.hpp"
#include "servers/postgres_server.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using postgres::DueFloor;
using Steady = std::chrono::steady_clock;

const Instant kNow{500'000h};

TEST(DueFloors, RiseToTheEarliestLiveHoldAndNoFurtherThanTheTimeOfActs)
{
    DueFloor floor;
    EXPECT_EQ(floor.from(), Instant{});
    floor.end(floor.begin(), kNow + 1min);
    EXPECT_EQ(floor.from(), Instant{}) << "without an act nothing is known of the time";
    floor.seen(kNow);
    floor.end(floor.begin(), kNow + 1min);
    EXPECT_EQ(floor.from(), kNow - DueFloor::kMargin);
    floor.end(floor.begin(), std::nullopt);
    EXPECT_EQ(floor.from(), kNow - DueFloor::kMargin);
    floor.end(floor.begin(), kNow - 1min);
    EXPECT_EQ(floor.from(), kNow - 1min) << "a session keeps a hold from lapsing";
}

TEST(DueFloors, AreLoweredByAHoldThatIsMadeDuringTheLook)
{
    DueFloor floor;
    floor.seen(kNow);
    const auto look = floor.begin();
    floor.made(kNow - 1h);
    floor.end(look, std::nullopt);
    EXPECT_LE(floor.from(), kNow - 1h);
    floor.end(floor.begin(), kNow - 1h);
    EXPECT_EQ(floor.from(), kNow - 1h);
}

TEST(DueFloors, AreLeftOutOfAFullLookNowAndThen)
{
    DueFloor floor;
    floor.seen(kNow);
    EXPECT_EQ(floor.begin().from, Instant{});
    floor.end(floor.begin(), std::nullopt);
    EXPECT_EQ(floor.begin().from, kNow - DueFloor::kMargin);
}

class Upkeep : public testing::Test
{
protected:
    void SetUp() override
    {
        options.url = shared_postgres().fresh_database();
        options.lanes = 1;
        options.readers = 1;
        database = options.url.substr(options.url.rfind('/') + 1);
        store = open_postgres(options, zones);
        user = std::get<User>(act(*store, AddUser{"a@b.co", "a", "!", {}, kNow})).id;
        event = std::get<Event>(act(*store, AddEvent{user, draft_of("Jazz night", 1000, kNow + 24h), kNow})).id;
    }

    static Outcome act(Store& on, Act what) { return claim(on, std::move(what), {}); }
    static Outcome claim(Store& on, Act what, std::optional<IdempotencyClaim> key)
    {
        WriteJob job{std::move(what), std::move(key), {}};
        WriteJob* const jobs[] = {&job};
        on.execute(jobs);
        return std::move(job.outcome);
    }
    /// What a session has done is counted when it ends at the latest.
    void close()
    {
        store.reset();
        const auto give_up = Steady::now() + 20s;
        while (
            value(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'boxoffice'") !=
                "0" &&
            Steady::now() < give_up) {}
    }
    std::string value(const std::string& sql) const { return shared_postgres().value(database, sql); }
    std::int64_t number(const std::string& sql) const { return std::stoll(value(sql)); }

    PostgresOptions options;
    std::string database;
    FakeZones zones;
    std::unique_ptr<Store> store;
    UserId user;
    EventId event;
};

TEST_F(Upkeep, AnOldSnapshotMakesNoSearchForDueHoldsWalkOverWhatHasLapsed)
{
    constexpr std::int64_t kLapsed = 3000;
    const std::string holds = "INSERT INTO tickets (event_id, user_id, created_at, expires_at) SELECT " +
                              std::to_string(event.value) +
                              ", 1, timestamptz '2020-01-01', timestamptz '2020-01-02' FROM generate_series(1, 3000)";
    PostgresSession dump(shared_postgres(), database);
    dump.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM tickets");
    (void)value(holds);
    (void)value("UPDATE tickets SET status = 2 WHERE status = 0");
    close();
    const std::string read =
        "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE indexrelname IN ('tickets_due', 'tickets_due_by_event')";
    const std::int64_t before = number(read);
    store = open_postgres(options, zones);
    for (int i = 0; i < 20; ++i) {
        (void)act(*store, ExpireHolds{kNow + 1h, 500});
        EXPECT_EQ(store->next_deadline(), std::nullopt);
        EXPECT_EQ(store->reserved_count(), 0);
    }
    EXPECT_TRUE(std::holds_alternative<Ticket>(act(*store, Reserve{event, user, 2min, kNow + 1h})));
    EXPECT_EQ(store->next_deadline(), kNow + 1h + 2min);
    close();
    // The first round has walked over them; the other nineteen would have, too.
    EXPECT_LT(number(read) - before, 6 * kLapsed);
}

TEST_F(Upkeep, OneKeyAtTwoNodesUndoesNoTransaction)
{
    auto other = open_postgres(options, zones);
    const auto key = [&](int round) {
        return IdempotencyClaim{user, "k" + std::to_string(round), "f", kNow, [](const Outcome& outcome) {
                                    const auto* const made = std::get_if<Event>(&outcome);
                                    const auto* const ticket = std::get_if<Ticket>(&outcome);
                                    return KeptAnswer{made ? std::to_string(made->id.value) : std::to_string(ticket->id.value)};
                                }};
    };
    constexpr int kRounds = 40;
    for (int round = 0; round < kRounds; ++round) {
        const Act what =
            round % 2 == 0 ? Act(AddEvent{user, draft_of("Twice", 10, kNow + 1h), kNow}) : Act(Reserve{event, user, 2min, kNow});
        auto first = std::async(std::launch::async, [&] { return claim(*store, what, key(round)); });
        const Outcome second = claim(*other, what, key(round));
        const Outcome one = first.get();
        EXPECT_NE(std::holds_alternative<KeptAnswer>(one), std::holds_alternative<KeptAnswer>(second)) << round;
    }
    EXPECT_EQ(number("SELECT count(*) FROM events"), 1 + kRounds / 2);
    EXPECT_EQ(number("SELECT count(*) FROM tickets"), kRounds / 2);
    other.reset();
    close();
    EXPECT_EQ(number("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"), 0);
}

TEST_F(Upkeep, ATicketThatCameToBeAfterItsEventWouldHaveBeenLockedHurtsNobody)
{
    const EventId other = std::get<Event>(act(*store, AddEvent{user, draft_of("Other", 10, kNow + 24h), kNow})).id;
    // Guessed: the next ticket, which another node is making.
    PostgresSession node(shared_postgres(), database), holder(shared_postgres(), database);
    node.run("BEGIN; UPDATE inventory SET sold = sold + 1 WHERE event_id = " + std::to_string(other.value) +
             "; INSERT INTO tickets (id, event_id, user_id, created_at, expires_at) OVERRIDING SYSTEM VALUE VALUES (77, " +
             std::to_string(other.value) + ", " + std::to_string(user.value) + ", '2027-01-01', '2028-01-01')");
    holder.run("BEGIN; SELECT 1 FROM inventory WHERE event_id = " + std::to_string(event.value) + " FOR UPDATE");
    WriteJob cancel{Cancel{TicketId{77}, user, kNow}, {}, {}}, reserve{Reserve{event, user, 2min, kNow}, {}, {}};
    const auto give_up = Steady::now() + 20s;
    std::thread letting_go([&] {
        while (value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") ==
                   "0" &&
               Steady::now() < give_up - 10s) {}
        node.run("COMMIT");
        holder.run("ROLLBACK");
    });
    const auto is_open = [](const WriteJob& job) { return std::holds_alternative<std::monostate>(job.outcome); };
    while ((is_open(cancel) || is_open(reserve)) && Steady::now() < give_up) {
        std::vector<WriteJob*> batch;
        for (WriteJob* job : {&cancel, &reserve}) {
            if (!is_open(*job)) continue;
            job->deferrable = true;
            job->deferred = Deferred::no;
            batch.push_back(job);
        }
        EXPECT_NO_THROW(store->execute(batch));
    }
    letting_go.join();
    EXPECT_TRUE(std::holds_alternative<Ticket>(reserve.outcome));
    // Looked for too early it is not found; else it is given back.
    const auto* const error = std::get_if<Error>(&cancel.outcome);
    EXPECT_TRUE(std::holds_alternative<Ticket>(cancel.outcome) || (error && error->code == Code::not_found));
}

TEST_F(Upkeep, NodesTellEachOtherTheLatestTimeThatTheyHaveJudgedBy)
{
    const auto other = open_postgres(options, zones);
    EXPECT_EQ(store->latest_time(kNow), kNow);
    EXPECT_EQ(other->latest_time(kNow - 1h), kNow);
    EXPECT_EQ(other->latest_time(kNow + 1h), kNow + 1h);
    EXPECT_EQ(store->latest_time(kNow), kNow + 1h);
}

TEST_F(Upkeep, ATimeThatWasWronglyAheadIsForgottenWithTheClockThatIsAccepted)
{
    const Instant here = std::chrono::floor<Micros>(std::chrono::system_clock::now());
    EXPECT_EQ(store->latest_time(here + 10'000h), here + 10'000h);
    store.reset();
    EXPECT_TRUE(accept_clock_postgres(options).done);
    store = open_postgres(options, zones);
    EXPECT_LT(store->latest_time(here), here + 1h);
    store.reset();
    EXPECT_FALSE(accept_clock_postgres(options).done);
}

TEST_F(Upkeep, AMigrationThatWaitsForATableLetsOthersPassNowAndThen)
{
    store.reset();
    while (true) {  // down to before the one that changes the tables
        const auto undone = migrate_postgres(options)->down();
        ASSERT_TRUE(undone.has_value());
        if (undone->starts_with("0006")) break;
    }
    PostgresSession holder(shared_postgres(), database);
    holder.run("BEGIN; LOCK TABLE tickets IN SHARE UPDATE EXCLUSIVE MODE");
    auto up = std::async(std::launch::async, [&] { return migrate_postgres(options)->up(); });
    const std::string waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'";
    const auto give_up = Steady::now() + 30s;
    while (value(waiting) == "0" && Steady::now() < give_up) {}
    while (value(waiting) != "0" && Steady::now() < give_up) {}
    EXPECT_EQ(value(waiting), "0");
    EXPECT_NE(up.wait_for(0s), std::future_status::ready);
    holder.run("ROLLBACK");
    EXPECT_FALSE(up.get().empty());
}

TEST(MigrationFiles, SayAsDbmateHasItThatTheyAreNoTransaction)
{
    const Migration plain = parse_migration("0009_x.sql", "-- migrate:up\nA;\n-- migrate:down\nB;\n");
    EXPECT_TRUE(plain.up_in_transaction && plain.down_in_transaction);
    EXPECT_EQ(plain.up, "\nA;\n");
    const Migration free = parse_migration("0009_x.sql", "-- migrate:up transaction:false\nA;\n-- migrate:down\nB;\n");
    EXPECT_FALSE(free.up_in_transaction);
    EXPECT_TRUE(free.down_in_transaction);
    EXPECT_EQ(free.up, "\nA;\n");
    EXPECT_FALSE(parse_migration("0009_x.sql", "-- migrate:up\nA;\n-- migrate:down transaction:false\nB;\n").down_in_transaction);
}

}  // namespace
}  // namespace boxoffice
