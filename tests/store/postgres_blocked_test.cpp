// A row that another session keeps locked: an operator's psql, a node that was frozen in the midst of a transaction. Whatever is
// not about that row goes on.
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "drafts.hpp"
#include "fake_zones.hpp"
#include "postgres/postgres.hpp"
#include "servers/postgres_server.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

class BlockedRows : public testing::Test
{
protected:
    void SetUp() override
    {
        options.url = shared_postgres().fresh_database();
        options.lanes = 1;
        options.readers = 1;
        database = options.url.substr(options.url.rfind('/') + 1);
        store = open_postgres(options, zones);
        user = std::get<User>(act(AddUser{"a@b.co", "a", "!", {}, now})).id;
        kept = event();
        free = event();
        holder.emplace(shared_postgres(), database);
    }

    EventId event() { return std::get<Event>(act(AddEvent{user, draft_of("Jazz night", 1000, now + 24h), now})).id; }
    Outcome act(Act what)
    {
        WriteJob job{std::move(what), {}, {}};
        WriteJob* const jobs[] = {&job};
        store->execute(jobs);
        return std::move(job.outcome);
    }
    /// As a lane does: what is deferred may be brought again. Returns how long it took.
    Steady::duration bring(std::vector<WriteJob>& jobs)
    {
        std::vector<WriteJob*> batch;
        for (WriteJob& job : jobs) {
            job.deferrable = true;
            job.again = job.deferred != Deferred::no;
            job.deferred = Deferred::no;
            batch.push_back(&job);
        }
        const auto begun = Steady::now();
        store->execute(batch);
        return Steady::now() - begun;
    }
    static std::vector<WriteJob> batch_of(std::vector<Act> acts)
    {
        std::vector<WriteJob> jobs;
        for (Act& one : acts) jobs.push_back({std::move(one), {}, {}});
        return jobs;
    }
    /// Until it is done or has been tried for long.
    Outcome retry(Act what)
    {
        auto jobs = batch_of({std::move(what)});
        const auto give_up = Steady::now() + 20s;
        do (void)bring(jobs);
        while (jobs[0].deferred != Deferred::no && Steady::now() < give_up);
        return std::move(jobs[0].outcome);
    }
    Ticket reserve(EventId of, Micros hold = 2min) { return std::get<Ticket>(act(Reserve{of, user, hold, now})); }
    void hold(EventId of, int count, Micros span)
    {
        std::vector<WriteJob> jobs;
        for (int i = 0; i < count; ++i) jobs.push_back({Reserve{of, user, span, now}, {}, {}});
        std::vector<WriteJob*> batch;
        for (WriteJob& job : jobs) batch.push_back(&job);
        store->execute(batch);
    }
    std::string value(const std::string& sql) const { return shared_postgres().value(database, sql); }
    std::string reserved(EventId of) const
    {
        return value("SELECT count(*) FROM tickets WHERE status = 0 AND event_id = " + std::to_string(of.value));
    }
    void lock(const std::string& rows) { holder->run("BEGIN; SELECT 1 FROM " + rows + " FOR UPDATE"); }
    static std::string id(auto of) { return std::to_string(of.value); }

    /// The first is about what is locked; the others go on now, and it when the lock is gone.
    void expect_only_the_first_waits(std::vector<WriteJob> jobs)
    {
        for (int round = 0; round < 2; ++round) {
            EXPECT_LT(bring(jobs), 3s);
            EXPECT_EQ(jobs[0].deferred, Deferred::blocked);
            EXPECT_TRUE(std::holds_alternative<std::monostate>(jobs[0].outcome));
            for (std::size_t i = 1; i < jobs.size(); ++i) {
                EXPECT_EQ(jobs[i].deferred, Deferred::no);
                EXPECT_TRUE(std::holds_alternative<Ticket>(jobs[i].outcome)) << jobs[i].outcome.index();
            }
        }
        const auto give_up = Steady::now() + 20s;
        while (store->blocked_rows() == 0 && Steady::now() < give_up) (void)bring(jobs);
        EXPECT_EQ(store->blocked_rows(), 1u);
        holder->run("ROLLBACK");
        while (jobs[0].deferred != Deferred::no && Steady::now() < give_up) (void)bring(jobs);
        EXPECT_EQ(jobs[0].deferred, Deferred::no);
        EXPECT_FALSE(std::holds_alternative<std::monostate>(jobs[0].outcome));
        EXPECT_EQ(store->blocked_rows(), 0u);
    }

    PostgresOptions options;
    std::string database;
    FakeZones zones;
    std::unique_ptr<Store> store;
    std::optional<PostgresSession> holder;
    UserId user;
    EventId kept, free;
    const Instant now{500'000h};
};

TEST_F(BlockedRows, OfAnEventKeepNoOtherEventWaiting)
{
    lock("inventory WHERE event_id = " + id(kept));
    expect_only_the_first_waits(
        batch_of({Reserve{kept, user, 2min, now}, Reserve{free, user, 2min, now}, Reserve{free, user, 2min, now}}));
}

TEST_F(BlockedRows, OfATicketKeepNoOtherTicketWaiting)
{
    const Ticket mine = reserve(kept);
    lock("tickets WHERE id = " + id(mine.id));
    expect_only_the_first_waits(batch_of({Pay{mine.id, user, "r", now}, Reserve{kept, user, 2min, now}}));
    EXPECT_EQ(value("SELECT status FROM tickets WHERE id = " + id(mine.id)), "1");
}

TEST_F(BlockedRows, OfACancelledTicketsEventAreFoundByItsTicket)
{
    const Ticket mine = reserve(kept);
    lock("inventory WHERE event_id = " + id(kept));
    expect_only_the_first_waits(batch_of({Cancel{mine.id, user, now}, Reserve{free, user, 2min, now}}));
}

TEST_F(BlockedRows, OfAnAccountKeepOnlyItsChangesWaiting)
{
    ChangeUser change{user, {}, {}, {}, now};
    change.name = "b";
    lock("users WHERE id = " + id(user));
    expect_only_the_first_waits(batch_of({change, Reserve{free, user, 2min, now}}));
}

TEST_F(BlockedRows, WhereItCannotBeSeenWhatIsWaitedForTheRestGoesOnAllTheSame)
{
    // Another session is about to take the address; what waits for whom shows only when it is written.
    holder->run(
        "BEGIN; INSERT INTO users (email, email_folded, name, password_hash, created_at, updated_at) "
        "VALUES ('c@d.co', 'c@d.co', 'c', '!', now(), now())");
    auto jobs = batch_of({AddUser{"c@d.co", "c", "!", {}, now}, Reserve{free, user, 2min, now}, Reserve{kept, user, 2min, now}});
    const auto give_up = Steady::now() + 20s;
    std::size_t done = 0;
    while (done < 2 && Steady::now() < give_up) {
        (void)bring(jobs);
        done += std::erase_if(jobs, [](const WriteJob& job) { return std::holds_alternative<Ticket>(job.outcome); });
    }
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_NE(jobs[0].deferred, Deferred::no);
    holder->run("COMMIT");
    const Outcome outcome = retry(jobs[0].act);
    ASSERT_TRUE(std::holds_alternative<Error>(outcome));
    EXPECT_EQ(std::get<Error>(outcome).code, Code::email_taken);
}

TEST_F(BlockedRows, OfAnEventKeepTheHoldsOfNoOtherFromLapsing)
{
    hold(kept, 600, 1min);  // more than one batch of the expiry worker, and all due before the other's
    hold(free, 5, 2min);
    lock("inventory WHERE event_id = " + id(kept));
    const auto begun = Steady::now();
    for (int i = 0; i < 10 && reserved(free) != "0"; ++i) {
        auto jobs = batch_of({ExpireHolds{now + 3min, 500}});
        (void)bring(jobs);
    }
    EXPECT_EQ(reserved(free), "0");
    EXPECT_LT(Steady::now() - begun, 10s);
    EXPECT_EQ(reserved(kept), "600");
    holder->run("ROLLBACK");
    for (int i = 0; i < 10 && reserved(kept) != "0"; ++i) (void)retry(ExpireHolds{now + 3min, 500});
    EXPECT_EQ(reserved(kept), "0");
}

TEST_F(BlockedRows, OfADueTicketKeepTheOthersOfItsEventNeitherFromLapsingNorFromBeingSold)
{
    const Ticket first = reserve(kept, 1min);
    hold(kept, 999, 1min);
    lock("tickets WHERE id = " + id(first.id));
    // The event is sold out but for what is due.
    EXPECT_TRUE(std::holds_alternative<Ticket>(retry(Reserve{kept, user, 1h, now + 2min})));
    const auto begun = Steady::now();
    for (int i = 0; i < 10 && reserved(kept) != "2"; ++i) (void)retry(ExpireHolds{now + 3min, 500});
    EXPECT_EQ(reserved(kept), "2");  // the one that is locked, and the one just made
    EXPECT_LT(Steady::now() - begun, 10s);
    holder->run("ROLLBACK");
    (void)retry(ExpireHolds{now + 3min, 500});
    EXPECT_EQ(reserved(kept), "1");
}

TEST_F(BlockedRows, ARowThatChangesHandsIsWaitedFor)
{
    // Kept long enough to be noticed, then by another: it is contended, and no reason to put anything off for long.
    lock("inventory WHERE event_id = " + id(kept));
    auto jobs = batch_of({Reserve{kept, user, 2min, now}});
    (void)bring(jobs);
    EXPECT_EQ(jobs[0].deferred, Deferred::blocked);
    holder->run("ROLLBACK");
    lock("inventory WHERE event_id = " + id(kept));
    const auto give_up = Steady::now() + 10s;
    std::thread letting_go([&] {
        while (value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") ==
                   "0" &&
               Steady::now() < give_up) {}
        holder->run("ROLLBACK");
    });
    (void)bring(jobs);
    letting_go.join();
    EXPECT_TRUE(std::holds_alternative<Ticket>(jobs[0].outcome));
}

TEST_F(BlockedRows, AnEventWithManyDueHoldsIsRemovedInSteps)
{
    for (int i = 0; i < 5; ++i) hold(kept, 900 / 5, 1min);
    (void)value("INSERT INTO tickets (event_id, user_id, created_at, expires_at) SELECT " + id(kept) + ", " + id(user) +
                ", timestamptz '2020-01-01', timestamptz '2020-01-02' FROM generate_series(1, 5000)");
    (void)value("UPDATE inventory SET total = 10000, sold = 5900 WHERE event_id = " + id(kept));
    auto jobs = batch_of({RemoveEvent{kept, user, now + 2min}, Reserve{free, user, 2min, now}});
    (void)bring(jobs);
    EXPECT_EQ(jobs[0].deferred, Deferred::unfinished);
    EXPECT_TRUE(std::holds_alternative<Ticket>(jobs[1].outcome));
    EXPECT_EQ(reserved(kept), "3900");
    EXPECT_EQ(value("SELECT sold FROM inventory WHERE event_id = " + id(kept)), "3900");
    EXPECT_TRUE(std::holds_alternative<Done>(retry(RemoveEvent{kept, user, now + 2min})));
    EXPECT_EQ(reserved(kept), "0");
}

TEST_F(BlockedRows, OfAnEventWithoutWordsKeepNeitherAStartNorTheWordsOfOthersWaiting)
{
    store.reset();
    (void)value("UPDATE events SET words_version = NULL, words_of = NULL, tokens = NULL");
    lock("events WHERE id = " + id(kept));
    options.lock_timeout = 500ms;
    ASSERT_NO_THROW(store = open_postgres(options, zones));
    const auto without_words = [&] { return value("SELECT string_agg(id::text, ',') FROM events WHERE words_of IS NULL"); };
    EXPECT_EQ(without_words(), id(kept));
    auto jobs = batch_of({Reindex{10}, Reserve{free, user, 2min, now}});
    (void)bring(jobs);
    EXPECT_TRUE(std::holds_alternative<Done>(jobs[0].outcome));
    EXPECT_TRUE(std::holds_alternative<Ticket>(jobs[1].outcome));
    holder->run("ROLLBACK");
    EXPECT_FALSE(std::get<Done>(retry(Reindex{10})).more);
    EXPECT_EQ(without_words(), "");
}

TEST_F(BlockedRows, OneWhoIsNotItsOrganizerRemovesNothing)
{
    hold(kept, 3, 1min);
    const Outcome outcome = retry(RemoveEvent{kept, UserId{user.value + 1}, now + 2min});
    ASSERT_TRUE(std::holds_alternative<Error>(outcome));
    EXPECT_EQ(std::get<Error>(outcome).code, Code::not_organizer);
    EXPECT_EQ(reserved(kept), "3");
}

}  // namespace
}  // namespace boxoffice
