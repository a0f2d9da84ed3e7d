/// `boxoffice jobs` over the embedded store, beside a server and without one.
#include <sqlite3.h>

#include <chrono>
#include <thread>

#include "cli_process.hpp"

namespace
{

using namespace boxoffice::cli_test;

class JobsCommand : public testing::Test
{
protected:
    void SetUp() override
    {
        ASSERT_EQ(run({"migrate", "up", "--data", data}).code, 0);
        sql("INSERT INTO outbox (id, kind, event_id, tickets, made_at, due_at, tries, dead_at, why) VALUES "
            "(1, 0, 7, '70', 1000000, 1000000, 11, 1790000000000000, 'the mail server answered 550 5.7.1 to RCPT'), "
            "(2, 1, 7, '71,72', 2000000, 2000000, 1, 1790000001000000, 'the mail server\nanswered 550 5.1.1 to RCPT'), "
            "(3, 0, 8, '80', 3000000, 3000000, 0, NULL, NULL), "
            "(4, 2, 8, '', 4000000, 4000000, 11, 1790000002000000, 'no')");
    }
    std::string sql(const std::string& statement) const
    {
        sqlite3* db = nullptr;
        EXPECT_EQ(sqlite3_open((data + "/boxoffice.db").c_str(), &db), SQLITE_OK);
        sqlite3_busy_timeout(db, 10'000);
        std::string text;
        const auto keep = [](void* to, int count, char** values, char**) {
            auto& all = *static_cast<std::string*>(to);
            for (int i = 0; i < count; ++i) all += (all.empty() ? "" : "|") + std::string(values[i] != nullptr ? values[i] : "");
            return 0;
        };
        EXPECT_EQ(sqlite3_exec(db, statement.c_str(), keep, &text, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
        return text;
    }
    Ran jobs(Words words) const
    {
        words.insert(words.begin(), "jobs");
        words.insert(words.end(), {"--data", data});
        return run(words);
    }

    const Folder folder;
    const std::string data = folder / "data";
};

TEST_F(JobsCommand, ListsTheDeadFirstWithTheirReasonsAndThenThoseThatWait)
{
    const Ran all = jobs({"list"});
    EXPECT_EQ(all.code, 0) << all.err;
    std::size_t at = 0;
    for (const char* const part :
         {"event_changed", "hold_expired", "2026-09-21T14:13:21Z", "the mail server answered 550 5.1.1 to RCPT\n", "ticket_paid",
          "the mail server answered 550 5.7.1 to RCPT\n", "waiting", "1970-01-01T00:00:03Z", "3 dead, 1 waiting.\n"}) {
        at = all.out.find(part, at);
        ASSERT_NE(at, std::string::npos) << part << "\n" << all.out;
    }
    const Ran dead = jobs({"list", "--dead"});
    EXPECT_FALSE(holds(dead.out, " waiting  ")) << dead.out;
    const Ran one = jobs({"list", "--limit", "1"});
    EXPECT_TRUE(holds(one.out, "and 3 more")) << one.out;
    EXPECT_FALSE(holds(one.out, "hold_expired")) << one.out;
}

TEST_F(JobsCommand, RetriesAndDropsThoseThatAreNamed)
{
    const Ran retried = jobs({"retry", "2", "1", "2"});
    EXPECT_EQ(retried.code, 0) << retried.err;
    EXPECT_TRUE(holds(retried.out, "2 jobs")) << retried.out;
    EXPECT_EQ(sql("SELECT count(*), sum(tries), sum(due_at) FROM outbox WHERE dead_at IS NULL AND id < 3"), "2|0|3000000");
    const Ran dropped = jobs({"drop", "3", "99"});
    EXPECT_EQ(dropped.code, 1);
    EXPECT_TRUE(holds(dropped.out, "Dropped 1 job.")) << dropped.out;
    EXPECT_TRUE(holds(dropped.err, "there is no job 99")) << dropped.err;
    EXPECT_EQ(sql("SELECT id FROM outbox ORDER BY id"), "1|2|4");
    EXPECT_EQ(jobs({"drop", "--all-dead"}).code, 0);
    EXPECT_EQ(sql("SELECT id FROM outbox ORDER BY id"), "1|2") << "those that wait stay";
    EXPECT_TRUE(holds(jobs({"retry", "--all-dead"}).out, "0 jobs"));
}

TEST_F(JobsCommand, WorksBesideAServerThatGoesOn)
{
    Process server({"serve", "--data", data, "--listen", "127.0.0.1:0", "--bcrypt-cost", "4", "--log-level", "warn"}, {});
    ASSERT_TRUE(server.says("/redoc\n")) << server.err;
    EXPECT_TRUE(holds(jobs({"list"}).out, "3 dead, 1 waiting.\n"));
    EXPECT_EQ(jobs({"retry", "--all-dead"}).code, 0);
    // The one that is no mail is done by the server, which looks every second.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (sql("SELECT count(*) FROM outbox WHERE id = 4") != "0" && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(sql("SELECT id FROM outbox WHERE dead_at IS NULL ORDER BY id"), "1|2|3");
    EXPECT_EQ(jobs({"drop", "1"}).code, 0);
    EXPECT_EQ(run({"doctor", "--data", data}).code, 0);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0) << server.err;
    EXPECT_EQ(sql("SELECT id FROM outbox ORDER BY id"), "2|3");
}

TEST(Jobs, ThatAreNamedWrongOrNotAtAllAreMistakes)
{
    const Folder folder;
    for (const Words& words : {Words{"jobs"}, Words{"jobs", "retry"}, Words{"jobs", "drop"}, Words{"jobs", "retry", "x"},
                               Words{"jobs", "retry", "0"}, Words{"jobs", "retry", "1", "--all-dead"}, Words{"jobs", "lst"},
                               Words{"jobs", "list", "7"}, Words{"jobs", "list", "--limit", "0"}}) {
        const Ran ran = run(words);
        EXPECT_EQ(ran.code, 2) << ran.out;
        EXPECT_FALSE(ran.err.empty());
    }
    EXPECT_TRUE(holds(run({"jobs"}).err, "Say which: boxoffice jobs list, retry or drop."));
    EXPECT_TRUE(holds(run({"jobs", "lst"}).err, "did you mean boxoffice jobs list?"));
    const Ran nowhere = run({"jobs", "list", "--data", folder / "none"});
    EXPECT_EQ(nowhere.code, 1);
    EXPECT_TRUE(holds(nowhere.err, "There is no store at ")) << nowhere.err;
    for (const Words& words : {Words{"jobs", "--help"}, Words{"help", "jobs"}, Words{"jobs", "retry", "--help"}}) {
        const Ran ran = run(words);
        EXPECT_EQ(ran.code, 0) << ran.err;
        EXPECT_TRUE(holds(ran.out, "--all-dead")) << ran.out;
    }
}

}  // namespace
