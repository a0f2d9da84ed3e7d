/// What an operator does after a bad night: another backup, the way back, a clock that was ahead.
#include <sqlite3.h>

#include <algorithm>

#include "cli_process.hpp"

namespace
{

using namespace boxoffice::cli_test;
namespace fs = std::filesystem;

void change(const std::string& file, const std::string& sql)
{
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
}

std::int64_t number(const std::string& file, const std::string& sql)
{
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    std::int64_t value = -1;
    EXPECT_EQ(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
    EXPECT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    if (sqlite3_step(statement) == SQLITE_ROW) value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

class Nights : public testing::Test
{
protected:
    void SetUp() override { ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "20"}).code, 0); }

    const Folder folder;
    const std::string store = folder / "data/boxoffice.db";
};

TEST_F(Nights, OfTwoBackupsToOneNameAtATimeOneWinsAndTheOtherSaysSo)
{
    for (int round = 0; round < 5; ++round) {
        const std::string copy = folder / ("copy" + std::to_string(round) + ".db");
        const Words words{"backup", copy, "--data", folder / "data"};
        std::vector<std::unique_ptr<Process>> backups;
        for (int i = 0; i < 3; ++i) backups.push_back(std::make_unique<Process>(words, Words{}));
        int won = 0;
        for (const auto& backup : backups) {
            const int code = backup->wait();
            won += code == 0 ? 1 : 0;
            if (code != 0) EXPECT_TRUE(holds(backup->err, "already exists")) << code << backup->err;
        }
        EXPECT_EQ(won, 1);
        EXPECT_EQ(run({"doctor", "--database-url", "sqlite:" + copy}).code, 0);
    }
    for (const auto& entry : fs::directory_iterator(folder / ".")) EXPECT_FALSE(holds(entry.path().string(), ".part")) << entry;
}

/// SQLite reads such names as URIs, or as a store in memory, where it is let.
TEST_F(Nights, NamesThatSqliteReadsOtherwiseAreNamesOfFiles)
{
    const fs::path here = fs::current_path();
    fs::current_path(folder / "");
    folder.write("victim.db", "another file");
    for (const std::string name : {"file:victim.db#1", "file:m.db?mode=memory", "file:victim.db?mode=ro",
                                   ":memory:", "file:///victim.db", "file:%76ictim.db"}) {
        if (name.find('/') != name.npos) fs::create_directories(fs::path(name).parent_path());
        const Ran backup = run({"backup", name, "--data", "data"});
        EXPECT_EQ(backup.code, 0) << name << backup.err;
        if (fs::exists(name)) EXPECT_EQ(number(folder / name, "SELECT count(*) FROM events"), 20) << name;
        EXPECT_TRUE(fs::exists(name)) << name;
        const Ran restored = run({"restore", name, "--data", "file:dd?mode=memory"});
        EXPECT_EQ(restored.code, 0) << name << restored.err;
    }
    EXPECT_EQ(fs::file_size("victim.db"), std::string("another file").size());
    EXPECT_FALSE(fs::exists("m.db") || fs::exists("dd"));
    EXPECT_EQ(number(folder / "file:dd?mode=memory/boxoffice.db", "SELECT count(*) FROM events"), 20);
    EXPECT_EQ(run({"doctor", "--data", "file:dd?mode=memory"}).code, 0);
    EXPECT_EQ(run({"demo", "--events", "3", "--data", "file:ee#x"}).code, 0);
    EXPECT_EQ(number(folder / "file:ee#x/boxoffice.db", "SELECT count(*) FROM events"), 3);
    EXPECT_EQ(run({"migrate", "status", "--data", "file:ee#x"}).code, 0);
    fs::current_path(here);
}

TEST_F(Nights, ARestoreKeepsTheOldStoreAndLeavesIdsOut)
{
    const std::string copy = folder / "copy.db";
    ASSERT_EQ(run({"backup", copy, "--data", folder / "data"}).code, 0);
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "5", "--add", "--seed", "2"}).code, 0);
    const std::int64_t last = number(store, "SELECT max(id) FROM tickets");
    const Ran restored = run({"restore", copy, "--data", folder / "data"});
    ASSERT_EQ(restored.code, 0) << restored.err;
    EXPECT_TRUE(holds(restored.out, "all people have to log in again")) << restored.out;
    EXPECT_TRUE(holds(restored.out, store + ".before-")) << restored.out;
    EXPECT_EQ(number(store, "SELECT count(*) FROM events"), 20);
    const Ran doctor = run({"doctor", "--data", folder / "data"});
    EXPECT_EQ(doctor.code, 0) << doctor.out;
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "5", "--add", "--seed", "2"}).code, 0);
    EXPECT_EQ(number(store, "SELECT count(*) FROM tickets WHERE id > " + std::to_string(last)),
              number(store, "SELECT count(*) FROM tickets") - number(copy, "SELECT count(*) FROM tickets"));

    int kept = 0;
    for (const auto& entry : fs::directory_iterator(folder / "data")) {
        if (!holds(entry.path().string(), ".before-")) continue;
        ++kept;
        EXPECT_EQ(number(entry.path().string(), "SELECT count(*) FROM events"), 25);
    }
    EXPECT_EQ(kept, 1);
}

TEST_F(Nights, ARestoreNamesWhatItWillNotDo)
{
    const std::string copy = folder / "copy.db";
    ASSERT_EQ(run({"backup", copy, "--data", folder / "data"}).code, 0);
    EXPECT_EQ(run({"restore", "--data", folder / "data"}).code, 1);
    EXPECT_EQ(run({"restore", folder / "none.db", "--data", folder / "data"}).code, 1);
    Process server({"serve", "--data", folder / "data", "--listen", "127.0.0.1:0", "--log-level", "warn"}, {});
    ASSERT_TRUE(server.says("/redoc\n")) << server.err;
    const Ran busy = run({"restore", copy, "--data", folder / "data"});
    EXPECT_EQ(busy.code, 1);
    EXPECT_TRUE(holds(busy.err, "in use by")) << busy.err;
    EXPECT_TRUE(holds(run({"restore", copy, "--database-url", "postgresql://nobody@127.0.0.1:1/x"}).err, "pg_restore"));
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
}

TEST_F(Nights, ARestoreNeedsNoStoreThere)
{
    const std::string copy = folder / "copy.db";
    ASSERT_EQ(run({"backup", copy, "--data", folder / "data"}).code, 0);
    const Ran restored = run({"restore", copy, "--data", folder / "elsewhere"});
    ASSERT_EQ(restored.code, 0) << restored.err;
    EXPECT_EQ(number(folder / "elsewhere/boxoffice.db", "SELECT count(*) FROM events"), 20);
}

TEST_F(Nights, NothingIsUndoneThatWouldLoseRowsUnlessToldSo)
{
    change(store, "INSERT INTO mails (key, until) VALUES ('one', 1), ('two', 2)");
    Ran down;
    for (int i = 0; i < 20; ++i) {
        down = run({"migrate", "down", "--data", folder / "data"});
        if (down.code != 0) break;
    }
    EXPECT_EQ(down.code, 1);
    EXPECT_TRUE(holds(down.err, "2 rows of mails")) << down.err;
    EXPECT_TRUE(holds(down.err, "--yes")) << down.err;
    EXPECT_EQ(number(store, "SELECT count(*) FROM mails"), 2);
    EXPECT_EQ(run({"migrate", "down", "--yes", "--data", folder / "data"}).code, 0);
}

TEST_F(Nights, AClockThatWasAheadOnceIsToldOfAndAccepted)
{
    change(
        store,
        "UPDATE tickets SET created_at = 4070908800000000, expires_at = 4070908920000000, paid_at = 4070908800000001 WHERE id = "
        "(SELECT max(id) FROM tickets)");
    const Ran sick = run({"doctor", "--data", folder / "data"});
    EXPECT_EQ(sick.code, 1);
    EXPECT_TRUE(holds(sick.out, "--accept-clock")) << sick.out;
    {
        Process server({"serve", "--data", folder / "data", "--listen", "127.0.0.1:0", "--log-level", "warn"}, {});
        ASSERT_TRUE(server.says("/redoc\n")) << server.err;
        EXPECT_EQ(run({"doctor", "--accept-clock", "--data", folder / "data"}).code, 1) << "a server uses it";
        server.signal(SIGTERM);
        EXPECT_EQ(server.wait(), 0);
        EXPECT_TRUE(holds(server.err, "--accept-clock")) << server.err;
    }
    const Ran accepted = run({"doctor", "--accept-clock", "--data", folder / "data"});
    EXPECT_EQ(accepted.code, 0) << accepted.out << accepted.err;
    EXPECT_TRUE(holds(accepted.out, "Accepted the clock")) << accepted.out;
    EXPECT_EQ(run({"doctor", "--data", folder / "data"}).code, 0);
    Process server({"serve", "--data", folder / "data", "--listen", "127.0.0.1:0", "--log-level", "warn"}, {});
    ASSERT_TRUE(server.says("/redoc\n")) << server.err;
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
    EXPECT_FALSE(holds(server.err, "--accept-clock")) << server.err;
}

}  // namespace
