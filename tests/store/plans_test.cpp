// Every statement that the store runs has an index to run on. SQLite itself reports the statements, as they are run by the
// contract's own calls, so a new one cannot be forgotten here.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "drafts.hpp"
#include "fake_zones.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/sqlite.hpp"
#include "temp_folder.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

std::set<std::string>* seen = nullptr;

int note(unsigned, void*, void* statement, void*)
{
    if (seen) seen->insert(sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
    return 0;
}

int trace(sqlite3* db, const char**, const sqlite3_api_routines*)
{
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, note, nullptr);
}

/// The steps of the plan that read a whole table, or sort.
std::vector<std::string> bad_steps(sqlite::Connection& db, const std::string& sql)
{
    std::vector<std::string> bad;
    sqlite::Rows rows = db.query("EXPLAIN QUERY PLAN " + sql);
    while (rows.next()) {
        const std::string step(rows.text(3));
        // A virtual table is searched by its own index; a constant row or a materialised subquery is no table.
        const bool scans = step.starts_with("SCAN") && step.find("VIRTUAL TABLE") == step.npos &&
                           step.find("CONSTANT") == step.npos && !step.starts_with("SCAN (");
        if (scans || step.find("TEMP B-TREE") != step.npos) bad.push_back(step);
    }
    return bad;
}

/// Reports the statements of all connections that are made in its life, while `seen` is set.
struct Tracing {
    Tracing() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(trace)); }
    ~Tracing()
    {
        seen = nullptr;
        sqlite3_reset_auto_extension();
    }
    Tracing(const Tracing&) = delete;
    Tracing& operator=(const Tracing&) = delete;
};

TEST(QueryPlans, NoStatementReadsAWholeTableOrSortsMoreThanAPage)
{
    TempFolder folder;
    const auto file = folder.path() / "boxoffice.db";
    FakeZones zones;
    std::set<std::string> statements;
    const Tracing tracing;
    const Instant now(500'000h);
    {
        const auto store = open_sqlite({file, 2}, zones);
        // Places are read whole, once, beside the start: a search waits for that.
        store->nearby({.center = {0, 0}, .now = now});
        seen = &statements;
        int keys = 0;
        const auto act = [&](Act what) {
            WriteJob job{
                std::move(what),
                IdempotencyClaim{UserId{1}, std::to_string(++keys), "f", now, [](const Outcome&) { return KeptAnswer{"x"}; }},
                {}};
            WriteJob* const jobs[] = {&job};
            store->execute(jobs);
            return job.outcome;
        };
        const UserId user = std::get<User>(act(AddUser{"a@b.co", "a", "!", {}, now})).id;
        act(ChangeUser{user, "b", true, GeoPoint{1, 1}, now});
        act(RenewHash{user, "!", "?", now});
        act(Reindex{10});
        EventDraft draft = draft_of("Flamenco evening", 1, now + 1h);
        EventId event;
        for (int i = 0; i < 3; ++i) event = std::get<Event>(act(AddEvent{user, draft, now, 100})).id;
        // Enough of one word that a search for it walks along the start times, while "more" stays rare and is sorted.
        std::vector<WriteJob> many(2100);
        std::vector<WriteJob*> batch;
        for (WriteJob& job : many) {
            job.act = AddEvent{user, draft, now};
            batch.push_back(&job);
        }
        store->execute(batch);
        EventPatch patch;
        patch.title = "More flamenco";
        act(ChangeEvent{event, user, patch, now});
        const auto ticket = std::get<Ticket>(act(Reserve{event, user, 1min, now}));
        act(Reserve{event, user, 1min, now});  // sold out
        act(Pay{ticket.id, user, "r", now});
        act(Cancel{std::get<Ticket>(act(Reserve{EventId{1}, user, 1min, now})).id, user, now});
        const auto lapsed = std::get<Ticket>(act(Reserve{EventId{1}, user, 1min, now}));
        const auto late = std::get<Ticket>(act(Reserve{EventId{1}, user, 1min, now + 2min}));  // lapses the one before
        const auto also_late = std::get<Ticket>(act(Reserve{EventId{1}, user, 1min, now + 4min}));
        act(Cancel{lapsed.id, user, now});  // in time, though lapsed; and so is the payment
        act(Cancel{also_late.id, user, now + 4min});
        (void)std::get<Ticket>(act(Pay{late.id, user, "late", now + 2min}));
        act(ExpireHolds{now + 9min, 10});
        act(RemoveEvent{EventId{2}, user, now});
        act(ForgetAnswers{now - 24h, 10});
        const auto effects = std::get<Effects>(act(TakeEffects{now + 9min, 10, now + 1h})).taken;
        act(TakeEffects{now + 9min, 10, now + 1h, false});
        act(PostponeEffect{effects.at(0).id, now + 1h, "why", now});
        (void)store->outbox_counts();
        act(PostponeEffect{effects.at(0).id, {}, "why", now});
        act(SettleEffects{{effects.at(1).id}});
        act(TakeMailTurn{"key", now, now + 1min});
        act(TakeMailTurn{"key", now, now + 1min});
        act(MarkMailSent{"key", now});
        act(TakeMailTurn{"of few", now, now + 1min, "a@b.co", false});
        store->find_user(user);
        store->find_login("a@b.co");
        store->dearest_hash();
        store->find_event(event);
        store->find_ticket(ticket.id);
        for (const char* q : {"", "flamenco", "more"}) {
            for (const bool available : {false, true}) {
                for (const auto organizer : {std::optional<UserId>(), std::optional(user)}) {
                    store->list_events({.skip = 0, .limit = 10, .q = q, .available_only = available, .organizer = organizer});
                }
            }
        }
        for (const auto of : {std::optional<EventId>(), std::optional(event)}) {
            for (int status = -1; status < 4; ++status) {
                TicketQuery query{user, 0, 10, {}, of, now};
                if (status >= 0) query.status = static_cast<TicketStatus>(status);
                store->list_tickets(query);
            }
        }
        store->nearby({.center = {0, 0}, .now = now});
        store->candidates({user, GeoPoint{0, 0}, now});
        store->availability(std::span(&event, 1), now);
        (void)store->outbox_counts();
        store->next_deadline();
        store->latest_instant();
        store->check_ready();
        seen = nullptr;
    }
    ASSERT_GT(statements.size(), 30u);
    sqlite::Connection db(file, sqlite::Access::read_only);
    int explained = 0;
    for (const std::string& sql : statements) {
        const bool has_plan =
            sql.starts_with("SELECT") || sql.starts_with("UPDATE") || sql.starts_with("DELETE") || sql.starts_with("INSERT");
        // Statements of SQLite's own (the word index, triggers) are reported with a comment mark.
        if (!has_plan || sql.find("main'.") != sql.npos || sql.find("_content") != sql.npos || sql.find("_docsize") != sql.npos ||
            sql.find("_data'") != sql.npos || sql.find("_idx'") != sql.npos || sql.find("_config'") != sql.npos) {
            continue;
        }
        ++explained;
        const bool sorts_few_matches =
            sql.find("CROSS JOIN events") != sql.npos;  // a word search with at most kMatchesSorted matches
        for (const std::string& step : bad_steps(db, sql)) {
            if (sorts_few_matches && step == "USE TEMP B-TREE FOR ORDER BY") continue;
            if (sql.ends_with(" LIMIT 1") && step.starts_with("SCAN")) continue;  // the first row of an index, or of the table
            // Planned but never run: SQLite looks for waiting children of a new parent only when a foreign key is deferred.
            if (sql.starts_with("INSERT INTO events") && step == "SCAN tickets") continue;
            ADD_FAILURE() << step << "\n  in " << sql;
        }
    }
    EXPECT_GT(explained, 25);
    const auto was_run = [&](std::string_view part) {
        return std::any_of(statements.begin(), statements.end(), [part](const std::string& sql) {
            return sql.find(part) != sql.npos && sql.find("LIMIT") != sql.npos;
        });
    };
    EXPECT_TRUE(was_run("+e.id IN (SELECT rowid")) << "the walk";
    EXPECT_TRUE(was_run("CROSS JOIN events")) << "the sort";
}

TEST(Counts, OfTheListAreNotForgottenForThoseOfOrganizers)
{
    TempFolder folder;
    FakeZones zones;
    std::set<std::string> statements;
    const Tracing tracing;
    const auto store = open_sqlite({folder.path() / "boxoffice.db", 2}, zones);
    WriteJob person{AddUser{"a@b.co", "a", "!", {}, Instant(500'000h)}, {}, {}};
    WriteJob event{AddEvent{UserId{1}, draft_of("Jazz night", 1, Instant(500'001h)), Instant(500'000h)}, {}, {}};
    WriteJob* const jobs[] = {&person, &event};
    store->execute(jobs);
    EXPECT_EQ(store->list_events({.limit = 10}).total, 1);
    for (int id = 1; id <= 300; ++id) (void)store->list_events({.limit = 10, .organizer = UserId{id}});
    seen = &statements;
    EXPECT_EQ(store->list_events({.limit = 10}).total, 1);
    for (const std::string& sql : statements) EXPECT_EQ(sql.find("count(*)"), sql.npos) << sql;
    EXPECT_EQ(store->list_events({.limit = 10, .organizer = UserId{1}}).total, 1);
    EXPECT_TRUE(std::any_of(statements.begin(), statements.end(), [](const auto& sql) {
        return sql.find("count(*)") != sql.npos;
    })) << "nothing was looked at";
}

TEST(QueryPlans, TheTestSeesAScan)
{
    TempFolder folder;
    FakeZones zones;
    (void)open_sqlite({folder.path() / "boxoffice.db", 1}, zones);
    sqlite::Connection db(folder.path() / "boxoffice.db", sqlite::Access::read_only);
    EXPECT_FALSE(bad_steps(db, "SELECT * FROM tickets WHERE created_at = 1").empty());
    EXPECT_FALSE(bad_steps(db, "SELECT * FROM users WHERE id = 1 ORDER BY name").size() > 1);
    EXPECT_TRUE(bad_steps(db, "SELECT * FROM tickets WHERE id = 1").empty());
}

TEST(Guards, TheSchemaItselfRefusesWhatTheRulesWouldNotDo)
{
    TempFolder folder;
    FakeZones zones;
    {
        (void)open_sqlite({folder.path() / "boxoffice.db", 1}, zones);
    }
    sqlite::Connection db(folder.path() / "boxoffice.db", sqlite::Access::read_write);
    db.script(
        "INSERT INTO users (id, email, email_folded, name, password_hash, created_at, updated_at) VALUES (1, 'a@b.co', 'a@b.co', "
        "'a', '!', 0, 0);"
        "INSERT INTO events (id, organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, timezone, "
        "title, "
        "venue_address, description) VALUES (1, 1, 10, 20, 0, 0, 0, 0, 'UTC', 't', 'a', '');"
        "INSERT INTO inventory (event_id, total, sold) VALUES (1, 2, 1);"
        "INSERT INTO tickets VALUES (1, 1, 1, 1, 5, 6, 5, 'ref')");
    const char* const refused[] = {
        "UPDATE inventory SET sold = 3",
        "UPDATE inventory SET sold = -1",
        "UPDATE inventory SET total = 0",
        "INSERT INTO tickets (event_id, user_id, created_at, expires_at) VALUES (9, 1, 1, 2)",
        "INSERT INTO tickets (event_id, user_id, created_at, expires_at) VALUES (1, 9, 1, 2)",
        "INSERT INTO tickets (event_id, user_id, created_at, expires_at) VALUES (1, 1, 2, 2)",
        "INSERT INTO tickets (event_id, user_id, created_at, expires_at, status) VALUES (1, 1, 1, 2, 4)",
        "INSERT INTO tickets VALUES (2, 1, 1, 1, 5, 6, 5, 'ref')",
        "UPDATE tickets SET payment_reference = NULL",
        "UPDATE tickets SET status = 0",
        "UPDATE events SET start_time = 20",
        "UPDATE events SET latitude = 91",
        "INSERT INTO users SELECT 2, 'A@B.co', 'a@b.co', name, password_hash, latitude, longitude, 0, 0, NULL, NULL FROM users",
        "UPDATE users SET latitude = 1",
    };
    for (const char* sql : refused) {
        try {
            db.script(sql);
            ADD_FAILURE() << "allowed: " << sql;
        } catch (const sqlite::SqliteError& error) {
            EXPECT_EQ(error.extended_code() & 0xff, SQLITE_CONSTRAINT) << sql;
        }
    }
}

}  // namespace
}  // namespace boxoffice
