#include "app/copy.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <thread>

#include "cli/copy_run.hpp"
#include "postgres/postgres.hpp"
#include "security/security.hpp"
#include "servers/postgres_server.hpp"
#include "sqlite/sqlite.hpp"
#include "temp_folder.hpp"

using namespace boxoffice;

namespace
{

/// 3 000 rows of each kind and 12 000 tickets: removed events, every status, texts of many scripts, numbers at the ends of their
/// ranges; the last effects are done already, so that the next number is not the highest row's.
constexpr const char* kFill = R"(
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) SELECT i FROM n;
INSERT INTO users (id, email, email_folded, name, password_hash, latitude, longitude, created_at, updated_at)
    SELECT i, 'Žofie.' || i || '@Example.org', 'žofie.' || i || '@example.org', 'Ηρώ 🎟 ''"\ ' || i,
    '$2b$12$' || printf('%053d', i),
    CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN -90 WHEN 2 THEN 5e-324 WHEN 3 THEN 0.1 + 0.2 ELSE 89.99999999999999 END,
    CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 180 WHEN 2 THEN -1.7976931348623157e-308 WHEN 3 THEN -179.99999999999997 ELSE i / 7.0 / 3 END,
    1700000000000001 + i, 1700000000000003 + i FROM n WHERE i <= 3000;
INSERT INTO events (id, organizer_id, start_time, end_time, latitude, longitude, created_at, updated_at, removed_at, timezone, title,
    venue_address, description, version) SELECT i, i, 1800000000000007 + i, 253402300799999999, 90.0 / i, -180.0 / i, 1700000000000011, 1700000000000012,
    CASE WHEN i % 50 = 0 THEN 1700000000000012 END, 'Europe/Paris', 'Ночь ' || i, 'Straße ' || i, CASE i % 3 WHEN 0 THEN '' ELSE
    'línea' || char(10) || '日本' || char(9) || i END, i % 7 + 1 FROM n WHERE i <= 3000;
INSERT INTO tickets SELECT i, i % 3000 + 1, i % 2999 + 1, i % 4, 1750000000000000 + i, 1750000120000000 + i,
    CASE WHEN i % 4 = 1 THEN 1750000000000000 + i * 7 END, CASE WHEN i % 4 = 1 THEN 'réf ' || i END FROM n;
INSERT INTO inventory SELECT e.id, CASE e.id WHEN 1 THEN 1000000000 ELSE 50 END,
    (SELECT count(*) FROM tickets t WHERE t.event_id = e.id AND t.status IN (0, 1)),
    CASE e.id % 4 WHEN 0 THEN 0 WHEN 1 THEN 5e-324 WHEN 2 THEN 1.7976931348623157e308 ELSE 1 / 3.0 END, e.id % 2 * 1750000000000001
    FROM events e;
INSERT INTO kept_answers SELECT i, 'Key ' || i, 'f' || i, 1750000000000000 + i, CAST(randomblob(i % 90) AS BLOB) FROM n WHERE i <= 3000;
INSERT INTO outbox (id, kind, event_id, tickets, made_at, due_at, tries, dead_at, why) SELECT i, i % 3, i % 3000 + 1,
    CASE i % 3 WHEN 0 THEN '' WHEN 1 THEN CAST(i AS TEXT) ELSE i || ',' || (i + 1) END, 1750000000000000 + i, 1750000000000001, i % 5,
    CASE WHEN i % 7 = 0 THEN 1750000000000009 END, CASE WHEN i % 7 = 0 THEN '' WHEN i % 5 = 0 THEN 'nö' END FROM n WHERE i <= 3100;
DELETE FROM outbox WHERE id > 3000;
INSERT INTO mails (key, until, sent_at, recipient) SELECT 'ticket-Ä' || i, 1750000000000000 + i,
    CASE WHEN i % 2 THEN 1750000000000001 + i END, CASE WHEN i % 3 THEN 'user' || i || '@example.org' END FROM n WHERE i <= 3000;
)";

std::string name_in(const std::string& url) { return url.substr(url.rfind('/') + 1); }

class Copying : public testing::Test
{
protected:
    void SetUp() override
    {
        SqliteMigrator(file).up();
        sql(kFill);
        options.url = shared_postgres().fresh_database();
    }
    void TearDown() override { shared_postgres().drop_database(name_in(options.url)); }

    void sql(const std::string& statements)
    {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
        char* why = nullptr;
        sqlite3_exec(db, statements.c_str(), nullptr, nullptr, &why);
        EXPECT_EQ(why, nullptr) << why;
        sqlite3_free(why);
        sqlite3_close(db);
    }
    std::string pg(const std::string& statement) { return shared_postgres().value(name_in(options.url), statement); }

    Result<CopyReport> copy(const CopyProgress& progress = [](std::int64_t, std::int64_t) {})
    {
        const auto source = open_sqlite_archive(file);
        const auto target = open_postgres_archive(options);
        return copy_archive(*source, *target, progress);
    }
    /// The sentence with which a copy was refused.
    std::string refusal()
    {
        const auto copied = copy();
        return copied.has_error() ? copied.error().message : "not refused";
    }
    std::string accident()
    {
        try {
            (void)copy();
        } catch (const StoreFailure& failure) {
            return failure.what();
        }
        return "no accident";
    }

    TempFolder folder;
    std::filesystem::path file = folder.path() / "boxoffice.db";
    PostgresOptions options;
};

std::int64_t sum(const CopyReport& report, std::int64_t CopiedTable::* what)
{
    std::int64_t all = 0;
    for (const CopiedTable& line : report.tables) all += line.*what;
    return all;
}

constexpr std::int64_t kRows = 6 * 3000 + 12'000 + 1;  // the last is the store's identity, of which the target has one too

}  // namespace

TEST_F(Copying, BringsEveryRowAsItIsAndSaysSo)
{
    std::int64_t last = 0, all = 0;
    const auto report = copy([&](std::int64_t done, std::int64_t total) {
        EXPECT_LE(last, done);
        last = done;
        all = total;
    });
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(report->verified()) << (report->differences.empty() ? "counters" : report->differences.front());
    EXPECT_EQ(sum(*report, &CopiedTable::rows), kRows);
    EXPECT_EQ(sum(*report, &CopiedTable::copied), kRows);
    EXPECT_EQ(last, all);
    // By the server's own words, not through our reader.
    EXPECT_EQ(pg("SELECT count(*) FROM events WHERE removed_at IS NOT NULL"), "60");
    std::vector<UserRow> wanted(1);
    wanted[0].id = UserId{2};
    const auto user = std::get<std::vector<UserRow>>(open_sqlite_archive(file)->find(wanted)).at(0);
    EXPECT_EQ(pg("SELECT latitude::text || ' ' || longitude FROM users WHERE id = 2"),
              fmt::format("{} {}", user.latitude.value(), user.longitude.value()));
    EXPECT_EQ(pg("SELECT latitude FROM users WHERE id = 3"), "0.30000000000000004");
    EXPECT_EQ(pg("SELECT name FROM users WHERE id = 7"), "Ηρώ 🎟 '\"\\ 7");
    EXPECT_EQ(pg("SELECT extract(epoch FROM created_at) FROM users WHERE id = 9"), "1700000000.000010");
    EXPECT_EQ(pg("SELECT extract(epoch FROM end_time) FROM events WHERE id = 9"), "253402300799.999999");
    EXPECT_EQ(pg("SELECT tickets FROM outbox WHERE id = 5"), "{5,6}");
    EXPECT_EQ(pg("SELECT why IS NULL FROM outbox WHERE id = 7"), "f");
    EXPECT_EQ(pg("SELECT recipient FROM mails WHERE key = 'ticket-Ä7'"), "user7@example.org");
    EXPECT_EQ(pg("SELECT count(*) FROM tickets WHERE status = 1 AND payment_reference = 'réf ' || id"), "3000");
    EXPECT_EQ(pg("SELECT round(popularity::numeric, 3) FROM inventory WHERE event_id = 3"), "20253.045");
    // People who are logged in stay so.
    const auto identity =
        std::get<std::vector<IdentityRow>>(open_sqlite_archive(file)->next(std::vector<IdentityRow>{}, 1)).at(0);
    EXPECT_EQ(pg("SELECT id || ' ' || generation FROM store_identity"), identity.id + " 1");
}

TEST_F(Copying, GoesOnWhereAKilledOneWasAndPassesByWhatIsThere)
{
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        (void)copy([](std::int64_t done, std::int64_t) {
            if (done >= 13'000) ::raise(SIGKILL);
        });
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(pg("SELECT count(*) FROM tickets"), "4000");

    const auto report = copy();
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_TRUE(report->verified());
    EXPECT_EQ(sum(*report, &CopiedTable::there), 13'000);
    EXPECT_EQ(sum(*report, &CopiedTable::copied), kRows - 13'000);
    const auto again = copy();
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(sum(*again, &CopiedTable::copied), 0);
}

TEST_F(Copying, BringsTheSecondTimeWhatTheSourceHasChangedSinceAndDropsWhatItHasDropped)
{
    ASSERT_TRUE(copy().has_value());
    sql("UPDATE tickets SET status = 1, paid_at = 1750000000000099, payment_reference = 'late' WHERE id = 4;"
        "UPDATE tickets SET status = 2 WHERE id = 8;"
        "INSERT INTO tickets VALUES (12001, 8, 1, 0, 1760000000000000, 1760000000000001, NULL, NULL);"
        "UPDATE inventory SET sold = sold + 1, paced_at = 1760000000000000 WHERE event_id = 8;"
        "UPDATE inventory SET sold = sold - 1 WHERE event_id = 9;"
        "UPDATE users SET name = 'Anders', updated_at = updated_at + 1 WHERE id = 3000;"
        "UPDATE events SET removed_at = updated_at WHERE id = 2999;"
        "DELETE FROM outbox WHERE id <= 10; DELETE FROM kept_answers WHERE user_id % 2; DELETE FROM mails WHERE sent_at IS "
        "NULL;");
    const auto report = copy();
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_TRUE(report->verified());
    EXPECT_EQ(sum(*report, &CopiedTable::copied), 7);
    EXPECT_EQ(sum(*report, &CopiedTable::removed), 10 + 1500 + 1500);
    EXPECT_EQ(pg("SELECT payment_reference FROM tickets WHERE id = 4"), "late");
    EXPECT_EQ(pg("SELECT count(*) FROM mails"), "1500");
}

TEST_F(Copying, SeesOneStateOfASourceThatGoesOnSelling)
{
    std::int64_t calls = 0;
    const auto report = copy([&](std::int64_t, std::int64_t) {
        if (++calls == 2)
            sql("UPDATE tickets SET status = 3 WHERE id = 4; UPDATE inventory SET sold = sold - 1 WHERE event_id = 5;"
                "DELETE FROM outbox");
    });
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(report->verified());
    EXPECT_EQ(pg("SELECT count(*) FROM outbox"), "3000");
    EXPECT_TRUE(copy()->verified());
    EXPECT_EQ(pg("SELECT count(*) FROM outbox"), "0");
}

TEST_F(Copying, KnowsWhetherSomebodyStillSellsFromTheSource)
{
    EXPECT_EQ(writer_of_sqlite(file), std::nullopt);
    {
        const SqliteMigrator server(file);  // has the lock that a server has
        EXPECT_EQ(writer_of_sqlite(file), "another boxoffice process (pid " + std::to_string(::getpid()) + ")");
        EXPECT_TRUE(copy()->verified());
        const auto link = folder.path() / "link.db";
        std::filesystem::create_symlink(file, link);
        EXPECT_EQ(writer_of_sqlite(link), writer_of_sqlite(file));
        EXPECT_THROW(SqliteMigrator{link}, StoreFailure) << "two would write to one file";
    }
    EXPECT_EQ(writer_of_sqlite(file), std::nullopt);
    EXPECT_EQ(writer_of_sqlite(folder.path() / "none.db"), std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "none.db.lock"));
}

TEST_F(Copying, LeavesATargetAloneThatHasSoldByItself)
{
    ASSERT_TRUE(copy().has_value());
    const auto zones = make_zones();
    TicketId sold;
    {
        const auto store = open_postgres(options, *zones);
        WriteJob job{Reserve{EventId{7}, UserId{1}, std::chrono::minutes(2), Instant(Micros(1'760'000'000'000'000))}, {}, {}};
        WriteJob* const jobs[] = {&job};
        store->execute(jobs);
        ASSERT_TRUE(std::holds_alternative<Ticket>(job.outcome));
        sold = std::get<Ticket>(job.outcome).id;
    }
    EXPECT_EQ(sold.value, 12'001);
    EXPECT_TRUE(refusal().starts_with("The target's inventory 7 is not what the source's has been."));
    // The source has sold its own ticket of that number by now.
    sql("INSERT INTO tickets VALUES (12001, 7, 2, 0, 1770000000000000, 1770000000000001, NULL, NULL);"
        "UPDATE inventory SET sold = sold + 1, paced_at = 1770000000000000 WHERE event_id = 7;"
        "UPDATE users SET name = 'Anders', updated_at = updated_at + 1 WHERE id = 1");
    EXPECT_TRUE(refusal().starts_with("The target's tickets 12001 is not what the source's has been."));
    EXPECT_EQ(pg("SELECT user_id FROM tickets WHERE id = 12001"), "1");
    EXPECT_NE(pg("SELECT name FROM users WHERE id = 1"), "Anders") << "something was written";
}

TEST_F(Copying, RefusesATargetThatHasWhatTheSourceLacks)
{
    ASSERT_TRUE(copy().has_value());
    sql("DELETE FROM tickets WHERE id = 12000");
    EXPECT_TRUE(refusal().starts_with("The target has tickets 12000, which the source does not have."));
    sql("UPDATE sqlite_sequence SET seq = 2990; DELETE FROM outbox WHERE id > 2990");
    pg("DELETE FROM tickets WHERE id = 12000; SELECT 1");
    EXPECT_TRUE(refusal().starts_with("The target has outbox 2991, which the source does not have."));
}

TEST_F(Copying, RefusesATargetThatHasPaidWhatTheSourceHolds)
{
    ASSERT_TRUE(copy().has_value());
    pg("UPDATE tickets SET status = 1, paid_at = now(), payment_reference = 'x' WHERE id = 4; SELECT 1");
    EXPECT_TRUE(refusal().starts_with("The target's tickets 4 is not what the source's has been."));
}

TEST_F(Copying, LetsTheTargetCountOnFromTheHighestNumberThatTheSourceHasGiven)
{
    ASSERT_TRUE(copy().has_value());
    EXPECT_EQ(pg("SELECT nextval('users_id_seq')"), "3001");
    EXPECT_EQ(pg("SELECT nextval('events_id_seq')"), "3001");
    EXPECT_EQ(pg("SELECT nextval('tickets_id_seq')"), "12001");
    EXPECT_EQ(pg("SELECT nextval('outbox_id_seq')"), "3101");
    ASSERT_TRUE(copy().has_value());
    EXPECT_EQ(pg("SELECT nextval('tickets_id_seq')"), "12002") << "no number is given twice";
}

TEST_F(Copying, SaysWhichRowPostgresCannotKeep)
{
    sql("UPDATE users SET name = 'a' || char(0) || 'b' WHERE id = 1234");
    EXPECT_EQ(accident(), "users 1234 holds a zero byte in name, which PostgreSQL cannot keep; change it in the source.");
    sql("UPDATE users SET name = CAST(x'61ff62' AS TEXT) WHERE id = 1234");
    EXPECT_TRUE(accident().starts_with("PostgreSQL refuses users 1234: invalid byte sequence")) << accident();
    sql("UPDATE users SET name = 'ab', created_at = -9223372036854775807 WHERE id = 1234");
    EXPECT_EQ(accident(),
              "users 1234 holds a time too early in created_at, which PostgreSQL cannot keep; change it in the source.");
    sql("UPDATE users SET created_at = updated_at WHERE id = 1234");
    EXPECT_TRUE(copy()->verified());
}

TEST_F(Copying, TellsOfACounterThatIsNotWhatTheTicketsSay)
{
    sql("UPDATE inventory SET sold = sold + 1 WHERE event_id = 17");
    const auto report = copy();
    ASSERT_TRUE(report.has_value());
    ASSERT_EQ(report->counters.size(), 1u);
    EXPECT_EQ(report->counters[0].event, EventId{17});
    EXPECT_TRUE(report->differences.empty());
}

TEST_F(Copying, ComparesAfterwardsAndNamesColumnsButNoValue)
{
    std::int64_t calls = 0;
    const auto report = copy([&](std::int64_t, std::int64_t) {
        if (++calls == 1 + 6 * 3 + 12 + 1 + 1)  // the target is looked at, all is copied, a page compared
            pg("UPDATE users SET password_hash = 'secret' WHERE id = 2009; DELETE FROM mails WHERE key = 'ticket-Ä2';"
               "INSERT INTO mails (key, until) VALUES ('more', now()), ('and more', now()); SELECT 1");
    });
    ASSERT_TRUE(report.has_value());
    const std::vector<std::string> wanted = {"users 2009 differs in password_hash", "mails ticket-Ä2 is missing in the target",
                                             "mails and more is in the target only", "mails more is in the target only"};
    EXPECT_EQ(report->differences, wanted);
}

TEST_F(Copying, LetsNobodyElseUseTheTarget)
{
    const auto first = open_postgres_archive(options);
    options.lock_timeout = std::chrono::milliseconds(50);
    EXPECT_EQ(accident(), "Another copy into this database is under way.");
}

TEST_F(Copying, IsNotTurnedOutByAnotherThatWaitsForItsEnd)
{
    const auto first = open_postgres_archive(options);
    options.lock_timeout = std::chrono::seconds(5);  // longer than a look for other users lasts
    std::string second;
    std::thread waiting([&] { second = accident(); });
    while (pg("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == "0")
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_NO_THROW(first->still_alone());
    waiting.join();
    EXPECT_EQ(second, "Another copy into this database is under way.");
}

TEST_F(Copying, RefusesATargetThatAServerUses)
{
    const auto zones = make_zones();
    const auto store = open_postgres(options, *zones);
    store->check_ready();
    EXPECT_EQ(accident(), "A boxoffice server or worker uses the target; stop it, then run the copy again.");
}

TEST_F(Copying, RefusesATargetThatAServerUsesUnderAnotherName)
{
    const auto zones = make_zones();
    PostgresOptions named = options;
    named.url += "?application_name=shop";
    const auto store = open_postgres(named, *zones);
    EXPECT_EQ(accident(), "A boxoffice server or worker uses the target; stop it, then run the copy again.");
}

TEST_F(Copying, LetsNobodyServeTheTargetMeanwhile)
{
    const auto zones = make_zones();
    PostgresOptions named = options;
    named.url += "?application_name=shop";
    int refused = 0;
    const auto report = copy([&](std::int64_t, std::int64_t) {
        try {
            (void)open_postgres(refused % 2 == 0 ? options : named, *zones);
        } catch (const StoreFailure& failure) {
            EXPECT_EQ(failure.code(), Code::busy);
            ++refused;
        }
    });
    ASSERT_TRUE(report.has_value());
    EXPECT_GT(refused, 3);
    EXPECT_NO_THROW((void)open_postgres(options, *zones));
}

/// A server of the version before shares no lock; its sessions show by their name.
TEST_F(Copying, IsNoSuccessWhenAnOlderServerWasStartedMeanwhileAndOverwritesNothingThatItSold)
{
    std::optional<PostgresSession> server;
    try {
        (void)copy([&](std::int64_t, std::int64_t) {
            // Users, events and counters are there, no ticket is.
            if (server || pg("SELECT count(*) FROM inventory") != "3000") return;
            const std::string database = options.url.substr(options.url.rfind('/') + 1);
            server.emplace(shared_postgres(), database + "?application_name=boxoffice");
            server->run(
                "BEGIN; UPDATE inventory SET sold = sold + 1 WHERE event_id = 7; INSERT INTO tickets (event_id, user_id, "
                "created_at, expires_at) VALUES (7, 1, now(), now() + interval '2 min'); COMMIT");
        });
        FAIL() << "called a success";
    } catch (const StoreFailure& failure) {
        EXPECT_EQ(failure.code(), Code::busy);
        EXPECT_STREQ(failure.what(),
                     "A boxoffice server or worker has used the target during the copy; stop it, then run the copy again.");
    }
    EXPECT_EQ(pg("SELECT count(*) || ' ' || max(id) FROM tickets"), "12001 12001");
    EXPECT_EQ(pg("SELECT user_id FROM tickets WHERE id = 12001"), "1");
    // What it has sold is seen the next time too.
    server.reset();
    const std::string why = refusal();
    EXPECT_TRUE(why.starts_with("The target's inventory 7 is not what the source's has been.") ||
                why.starts_with("The target has tickets 12001, which the source does not have."))
        << why;
}

TEST_F(Copying, GivesNoNumberOfTheSourceWhileItsRowsAreUnderWay)
{
    std::vector<std::string> next;
    ASSERT_TRUE(copy([&](std::int64_t done, std::int64_t) {
                    if (done == 1 || !next.empty()) return;  // the target's one row has been looked at, or it is done
                    for (const char* table : {"users", "events", "tickets", "outbox"})
                        next.push_back(pg(std::string("SELECT nextval('") + table + "_id_seq')"));
                }).has_value());
    EXPECT_EQ(next, (std::vector<std::string>{"3001", "3001", "12001", "3101"}));
}

TEST_F(Copying, RefusesASourceWithoutAllMigrations)
{
    (void)SqliteMigrator(file).down();
    EXPECT_NE(accident().find("lacks migrations of this version"), std::string::npos);
    file = folder.path() / "none.db";
    EXPECT_TRUE(accident().starts_with("There is no store at "));
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(Copying, EndsWithASentenceAndOneWhenTheTargetGoesAndWithNoughtWhenAllIsWell)
{
    const auto run = [&] {
        const auto source = open_sqlite_archive(file);
        const auto target = open_postgres_archive(options);
        return cli::run_copy(*source, *target, "here", "there");
    };
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(run(), 0);
    const std::string out = testing::internal::GetCapturedStdout();
    const std::string err = testing::internal::GetCapturedStderr();
    EXPECT_NE(out.find("Copied here to there."), std::string::npos) << out;
    EXPECT_NE(out.find("Compared: every row is the same"), std::string::npos) << out;
    EXPECT_EQ((out + err).find("$2b$"), std::string::npos);

    sql("INSERT INTO users (id, email, email_folded, name, password_hash, latitude, longitude, created_at, updated_at) "
        "SELECT 4000, 'a@b.co', 'a@b.co', 'a' || char(0), 'h', NULL, NULL, 1, 1");
    testing::internal::CaptureStderr();
    EXPECT_EQ(run(), 1);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("What was copied stays; the same command goes on from there."),
              std::string::npos);

    const auto source = open_sqlite_archive(file);
    const auto target = open_postgres_archive(options);
    pg("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
    testing::internal::CaptureStderr();
    EXPECT_EQ(cli::run_copy(*source, *target, "here", "there"), 1);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("PostgreSQL"), std::string::npos);
}
