// Every statement that the store runs on PostgreSQL has an index to run on. The server itself reports the plans (auto_explain),
// as they are run by the contract's own calls over filled tables, so a new statement cannot be forgotten here.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "drafts.hpp"
#include "fake_zones.hpp"
#include "postgres/postgres.hpp"
#include "servers/postgres_server.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

constexpr const char* kPrefix = "~";  // begins every entry of the log; what continues it begins with a tab

/// Of each: enough that reading it whole would not be the cheapest way.
constexpr const char* kFill = R"sql(
SET synchronous_commit = off;
ALTER TABLE inventory SET (fillfactor = 10); -- as many pages as of some 100 000 events
INSERT INTO users (email, email_folded, name, password_hash, latitude, longitude, created_at, updated_at)
    SELECT 'u' || n, 'u' || n, 'u' || n, '!', n % 90, n % 180, t, t FROM generate_series(1, 5001) n, to_timestamp(1.79e9) t;
INSERT INTO events (organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, timezone, title, venue_address,
                    description, tokens, words_version, words_of)
    SELECT 1 + n % 2000, t + n * interval '7 minutes', t + n * interval '7 minutes' + interval '2 hours', n % 170 - 85 + n / 1e5,
           n % 357 - 178 + n / 1e5, t, t, 'UTC', title, address, words,
           array_to_tsvector(string_to_array(lower(title) || ' words about it main street ' || n, ' ')), 999999,
           hashtextextended(title || E'\n' || words || E'\n' || address, 0)
    FROM generate_series(1, 20000) n, to_timestamp(1.8e9) t, LATERAL (SELECT CASE n % 3 WHEN 0 THEN 'Flamenco evening' ELSE 'Night' END
         || ' rare' || n / 20, n || ' Main Street', repeat('Words about it. ', 20)) texts(title, address, words);
INSERT INTO tickets (event_id, user_id, status, created_at, expires_at, paid_at, payment_reference)
    SELECT 1 + n % 20000, 1 + n % 4999, s, t, t + n * interval '1 second', CASE s WHEN 1 THEN t END, CASE s WHEN 1 THEN 'r' || n END
    FROM generate_series(1, 50000) n, to_timestamp(1.79e9) t, LATERAL (SELECT CASE WHEN n % 10 = 0 THEN 0 ELSE 1 + n % 3 END) k(s);
INSERT INTO tickets (event_id, user_id, status, created_at, expires_at, paid_at, payment_reference) -- a shop's
    SELECT 1 + n % 2000, 5001, 1, t, t + n * interval '1 second', t, 'shop' || n
    FROM generate_series(1, 20000) n, to_timestamp(1.79e9) t;
INSERT INTO inventory (event_id, total, sold, pace, paced_at, popularity)
    SELECT e.id, greatest(live + CASE WHEN e.id % 50 = 0 THEN 0 ELSE 5 END, 1), live, 1, e.created_at, e.id % 1000
    FROM (SELECT event_id, count(*) FILTER (WHERE status < 2) AS live FROM tickets GROUP BY event_id) t JOIN events e ON e.id = event_id
    ON CONFLICT DO NOTHING;
INSERT INTO sold_out SELECT event_id FROM inventory WHERE sold >= total ON CONFLICT DO NOTHING;
INSERT INTO kept_answers SELECT n % 5000, n::text, 'f', to_timestamp(1.79e9) + n * interval '1 second', decode(repeat('78', 300), 'hex')
    FROM generate_series(1, 20000) n;
INSERT INTO batches SELECT gen_random_uuid(), now() - n * interval '1 second' FROM generate_series(1, 20000) n;
INSERT INTO outbox (kind, event_id, tickets, made_at, due_at, dead_at, why)
    SELECT n % 3, n, ARRAY[n], t, t + n * interval '1 second', CASE WHEN n % 50 = 0 THEN t END, CASE WHEN n % 50 = 0 THEN 'why' END
    FROM generate_series(1, 10000) n, to_timestamp(1.79e9) t;
INSERT INTO mails SELECT 'mail' || n, to_timestamp(1.79e9) + n * interval '1 second', to_timestamp(1.79e9)
    FROM generate_series(1, 20000) n;
)sql";

/// A step that reads a whole table, and in which statement.
struct Scan {
    std::string step, sql;
};

/// The plans that the server reports.
class Plans
{
public:
    /// Of every entry of the log that has one.
    void read(const std::string& log)
    {
        std::istringstream lines(log);
        std::string plan;
        bool inside = false;
        const auto finish = [&] {
            if (inside) take(nlohmann::json::parse(plan));
            inside = false;
            plan.clear();
        };
        for (std::string line; std::getline(lines, line);) {
            if (!line.starts_with('\t')) {
                finish();
                inside = line.starts_with(kPrefix) && line.ends_with("plan:");
            } else if (inside) {
                plan += line.substr(1) + "\n";
            }
        }
        finish();
    }
    std::vector<Scan> scans;
    std::set<std::string> statements;
    std::map<std::string, std::set<std::string>> reads;  // of each statement: the indexes it goes by, and tables it reads whole

private:
    /// Whether only the first rows of a step are asked for.
    enum class Asked : std::uint8_t { all, first };

    void take(const nlohmann::json& plan)
    {
        const std::string sql = plan.at("Query Text");
        if (statements.insert(sql).second) walk(plan.at("Plan"), Asked::all, sql);
    }
    void walk(const nlohmann::json& step, Asked asked, const std::string& sql)
    {
        const std::string type = step.at("Node Type");
        const std::string table = step.value("Relation Name", "");
        if (step.contains("Index Name")) reads[sql].insert(std::string(step.at("Index Name")));
        if (type == "Seq Scan") reads[sql].insert(table);
        const bool a_few = asked == Asked::first && !step.contains("Filter");
        if (type == "Seq Scan" && is_ours(table) && !a_few) scans.push_back({type + " on " + table, sql});
        const bool walks = (type == "Index Scan" || type == "Index Only Scan" || type == "Bitmap Index Scan") &&
                           !step.contains("Index Cond") && !step.contains("Order By");
        if (walks && asked == Asked::all) scans.push_back({"whole " + step.value("Index Name", ""), sql});
        if (type == "Limit") asked = Asked::first;
        if (type == "Sort" || type == "Hash" || type == "Aggregate" || type == "WindowAgg" || type == "SetOp") asked = Asked::all;
        for (const auto& below : step.value("Plans", nlohmann::json::array())) walk(below, asked, sql);
    }
    static bool is_ours(const std::string& table)
    {
        static const std::set<std::string> all{"users",        "events", "tickets", "inventory", "sold_out",
                                               "kept_answers", "outbox", "mails",   "batches"};
        return all.contains(table);
    }
};

/// A filled database on a server that reports every plan.
class PostgresPlans : public testing::Test
{
protected:
    static void SetUpTestSuite()
    {
        server = std::make_unique<PostgresServer>(
            PostgresServer::Options{.fsync = Fsync::off,
                                    .settings = {"session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0",
                                                 "auto_explain.log_format=json", std::string("log_line_prefix=") + kPrefix,
                                                 "autovacuum=off", "random_page_cost=1.1"}});
    }
    static void TearDownTestSuite() { server.reset(); }

    void SetUp() override
    {
        options.url = server->fresh_database();
        options.lanes = 1;
        options.readers = 1;
        database = options.url.substr(options.url.rfind('/') + 1);
        (void)migrate_postgres(options)->up();
    }
    void fill_and_count() const
    {
        server->rows(database, kFill);
        server->rows(database, "VACUUM ANALYZE");
    }

    Outcome act(Act what)
    {
        std::vector<Act> acts{std::move(what)};
        return act_together(std::move(acts)).front();
    }
    std::vector<Outcome> act_together(std::vector<Act> acts)
    {
        std::vector<WriteJob> jobs;
        for (Act& one : acts) {
            jobs.push_back({std::move(one),
                            IdempotencyClaim{UserId{1}, "key" + std::to_string(++keys), "f", now,
                                             [](const Outcome&) { return KeptAnswer{"x"}; }},
                            {}});
        }
        std::vector<WriteJob*> batch;
        for (WriteJob& job : jobs) batch.push_back(&job);
        store->execute(batch);
        std::vector<Outcome> outcomes;
        for (WriteJob& job : jobs) outcomes.push_back(std::move(job.outcome));
        return outcomes;
    }

    void open(const std::string& plan_cache_mode)
    {
        server->rows("postgres", "ALTER DATABASE \"" + database + "\" SET plan_cache_mode = " + plan_cache_mode);
        store = open_postgres(options, zones);
    }
    /// Plays the contract, and returns what the server has reported of it.
    Plans play()
    {
        const std::size_t before = server->log().size();
        write();
        ask();
        Plans plans;
        plans.read(server->log().substr(before));
        return plans;
    }
    /// What is reported of full tables, after the same sessions have seen empty ones. The tables are not analyzed.
    Plans play_empty_then_full()
    {
        open("force_generic_plan");
        (void)play();
        server->rows(database, kFill);
        return play();
    }
    void write();
    void ask();

    inline static std::unique_ptr<PostgresServer> server;
    PostgresOptions options;
    std::string database;
    FakeZones zones;
    std::unique_ptr<Store> store;
    const Instant now{500'000h};  // 1.8e9 seconds: the tickets' deadlines lie before, the events after
    UserId user;
    EventId event;
    TicketId ticket;
    int keys = 0;
};

void PostgresPlans::write()
{
    user = std::get<User>(act(AddUser{"a" + std::to_string(keys) + "@b.co", "a", "!", {}, now})).id;
    act(ChangeUser{user, "b", true, GeoPoint{1, 1}, now});
    act(RenewHash{user, "!", "?", now});
    act(Reindex{10});
    EventDraft draft = draft_of("Flamenco evening", 1, now + 1h);
    const auto add = [&] { return std::get<Event>(act(AddEvent{user, draft, now, 100})).id; };
    event = add();
    EventPatch patch;
    patch.title = "More flamenco";
    act(ChangeEvent{event, user, patch, now});
    ticket = std::get<Ticket>(act(Reserve{event, user, 1min, now})).id;
    act(Reserve{event, user, 1min, now});  // sold out
    act(Pay{ticket, user, "reference" + std::to_string(keys), now});
    const EventId other = add();
    act(Cancel{std::get<Ticket>(act(Reserve{other, user, 1min, now})).id, user, now});
    const auto lapsed = std::get<Ticket>(act(Reserve{other, user, 1min, now}));
    const auto late = std::get<Ticket>(act(Reserve{other, user, 1min, now + 2min}));  // lapses the one before
    const auto also_late = std::get<Ticket>(act(Reserve{other, user, 1min, now + 4min}));
    act(Cancel{lapsed.id, user, now});  // in time, though lapsed; and so is the payment
    act(Cancel{also_late.id, user, now + 4min});
    (void)std::get<Ticket>(act(Pay{late.id, user, "late" + std::to_string(keys), now + 2min}));
    act(RemoveEvent{add(), user, now});
    act_together({ExpireHolds{now, 10}, Reserve{event, user, 1min, now}});
    act(ExpireHolds{now, 10});
    act(ExpireHolds{Instant(1h), 10});  // nothing is due
    act(ForgetAnswers{now - 24h, 10});
    const auto effects = std::get<Effects>(act(TakeEffects{now + 9min, 10, now + 1h})).taken;
    act(TakeEffects{now + 9min, 10, now + 1h, false});
    act(PostponeEffect{effects.at(0).id, now + 1h, "why", now});
    act(PostponeEffect{effects.at(0).id, {}, "why", now});
    act(SettleEffects{{effects.at(1).id}});
    const std::string mail = "key" + std::to_string(keys);
    act(TakeMailTurn{mail, now, now + 1min});
    act(TakeMailTurn{mail, now, now + 1min});
    act(MarkMailSent{mail, now});
    act(TakeMailTurn{"of few", now, now + 1min, "a@b.co", false});
}

void PostgresPlans::ask()
{
    (void)store->find_user(user);
    (void)store->find_login("a@b.co");
    (void)store->find_event(event);
    (void)store->find_ticket(ticket);
    const EventId some[] = {event, EventId{5}, EventId{50}};
    (void)store->find_events(some);
    (void)store->availability(some, now);
    for (const char* q : {"", "flamenco", "rare77"}) {
        for (const bool available : {false, true}) {
            for (const auto organizer : {std::optional<UserId>(), std::optional(UserId{7})})
                (void)store->list_events({.skip = 0, .limit = 10, .q = q, .available_only = available, .organizer = organizer});
        }
    }
    (void)store->list_events({.starts_after = now, .starts_before = now + 48h});
    for (const auto of : {std::optional<EventId>(), std::optional(event)}) {
        for (int status = -1; status < 4; ++status) {
            TicketQuery query{UserId{9}, 0, 10, {}, of, now};
            if (status >= 0) query.status = static_cast<TicketStatus>(status);
            (void)store->list_tickets(query);
        }
    }
    for (const bool past : {false, true}) {
        for (const bool sold_out : {false, true})
            (void)store->nearby({.center = {10, 10}, .include_past = past, .include_sold_out = sold_out, .now = now});
    }
    for (const auto& place : {std::optional<GeoPoint>(), std::optional(GeoPoint{10, 10})}) {
        for (const UserId whom : {UserId{9}, UserId{5000}, UserId{5001}})
            (void)store->candidates({whom, place, now});  // with a past, without, and with a very long one
    }
    (void)store->outbox_counts();
    (void)store->next_deadline();
    (void)store->reserved_count();
    (void)store->latest_instant();
    (void)store->time();
    store->check_ready();
}

/// What is read whole because it is asked about as a whole.
struct Meant {
    const char* statement;  // a part of it
    const char* step;
    const char* why;
};
constexpr Meant kMeant[] = {
    {"SELECT count(*) FROM tickets WHERE status = 0", "whole tickets_due",
     "all holds are counted: a gauge, asked for now and then"},
    {"SELECT (SELECT count(*) FROM outbox", "outbox", "all effects are counted: a gauge, asked for now and then"},
    {"SELECT c.n, p.* FROM (SELECT count(*) AS n FROM events", "Seq Scan on inventory",
     "a listing counts all that it has pages of"},
    {"", "Seq Scan on sold_out", "a few bytes for each event without a seat, and nothing else, are in it"},
};

void expect_no_scans(const Plans& plans)
{
    EXPECT_GT(plans.statements.size(), 60u);
    for (const Scan& scan : plans.scans) {
        const bool meant = std::any_of(std::begin(kMeant), std::end(kMeant), [&](const Meant& one) {
            return scan.sql.find(one.statement) != scan.sql.npos && scan.step.find(one.step) != scan.step.npos;
        });
        if (!meant) ADD_FAILURE() << scan.step << "\n  in " << scan.sql;
    }
}

/// What is asked again and again, of rows that a version before has written, goes by an index in which nothing else is. (By any
/// other it would come to its LIMIT at the end of the table only, as there are none of them.)
void expect_what_lacks_words_has_its_index(const Plans& plans)
{
    int asked = 0;
    for (const auto& [sql, indexes] : plans.reads) {
        std::set<std::string> own;
        if (sql.find("FROM events WHERE removed_at IS NULL AND words_of IS DISTINCT FROM") != sql.npos)
            own = {"events_without_words"};
        if (sql.find("FROM users WHERE email_key IS NULL AND mailbox_of IS NULL") != sql.npos) own = {"users_without_key"};
        if (own.empty()) continue;
        ++asked;
        EXPECT_EQ(indexes, own) << sql;
    }
    EXPECT_GE(asked, 2);
}

TEST_F(PostgresPlans, NoStatementReadsAWholeTableWhateverItsValues)
{
    fill_and_count();
    open("force_generic_plan");
    const Plans plans = play();
    expect_no_scans(plans);
    expect_what_lacks_words_has_its_index(plans);
}

TEST_F(PostgresPlans, NoQuestionReadsAWholeTableWhenItIsPlannedForItsValues)
{
    fill_and_count();
    open("force_custom_plan");
    const Plans plans = play();
    expect_no_scans(plans);
    expect_what_lacks_words_has_its_index(plans);
}

// The server keeps a plan until the table was analyzed again. An on-sale fills tables faster than autovacuum comes round,
// and the outbox is empty whenever it is counted.
TEST_F(PostgresPlans, WhatWasPlannedForEmptyTablesIsNotDoneToFullOnes)
{
    options.plans_for = Micros(0);
    const Plans plans = play_empty_then_full();
    expect_no_scans(plans);
    expect_what_lacks_words_has_its_index(plans);
}

TEST_F(PostgresPlans, TheTestSeesThatPlansAreKept)
{
    options.plans_for = 1h;
    EXPECT_FALSE(play_empty_then_full().scans.empty());
}

TEST_F(PostgresPlans, TheTestSeesAScan)
{
    fill_and_count();
    const auto scans = [&](const std::string& sql) {
        const std::size_t before = server->log().size();
        server->rows(database, sql);
        Plans plans;
        plans.read(server->log().substr(before));
        EXPECT_EQ(plans.statements.size(), 1u);
        return plans.scans.size();
    };
    EXPECT_EQ(scans("SELECT * FROM tickets WHERE created_at = now()"), 1u);
    EXPECT_EQ(scans("SELECT count(*) FROM tickets WHERE status = 0"), 1u) << "a whole index";
    EXPECT_EQ(scans("SELECT id FROM tickets ORDER BY id LIMIT 1"), 0u);
    EXPECT_EQ(scans("SELECT * FROM tickets WHERE id = 1"), 0u);
}

}  // namespace
}  // namespace boxoffice
