/// The commands as an operator meets them: the real binary, its answers, its exit codes.
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>

#include "cli_process.hpp"

namespace
{

using namespace boxoffice::cli_test;
namespace fs = std::filesystem;

/// Every row of every table that a user's data stands in, as text.
std::string dump(const std::string& file)
{
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
    std::string text;
    for (const char* const table : {"users", "events", "inventory", "tickets"}) {
        sqlite3_stmt* statement = nullptr;
        const std::string sql = std::string("SELECT * FROM ") + table + " ORDER BY 1";
        EXPECT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            text += table;
            for (int i = 0; i < sqlite3_column_count(statement); ++i) {
                const void* const value = sqlite3_column_text(statement, i);
                text += '|';
                if (value != nullptr) text += static_cast<const char*>(value);
            }
            text += '\n';
        }
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
    return text;
}

Words serving(const Folder& folder, const std::string& listen = "127.0.0.1:0")
{
    return {"serve", "--data", folder / "data", "--listen", listen, "--bcrypt-cost", "4", "--log-level", "warn"};
}

// --- Serving -------------------------------------------------------------------------------------------------------

TEST(Serve, AnnouncesItsAddressesAndEndsWithCode0OnSigterm)
{
    const Folder folder;
    Process server(serving(folder), {});
    ASSERT_TRUE(server.says("/redoc\n")) << server.err;
    EXPECT_TRUE(server.out.starts_with("boxoffice is open\n")) << server.out;
    EXPECT_TRUE(holds(server.out, "http://127.0.0.1:")) << server.out;
    EXPECT_TRUE(holds(server.out, "/docs\n")) << server.out;
    EXPECT_FALSE(holds(server.out, ":0/")) << server.out;
    struct stat secret{};
    ASSERT_EQ(::stat((folder / "data/jwt-secret").c_str(), &secret), 0);
    EXPECT_EQ(secret.st_mode & 0777U, 0600U);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0) << server.err;
    EXPECT_FALSE(fs::exists(folder / "data/boxoffice.db-wal")) << "the store was not checkpointed and closed";
}

TEST(Serve, SaysWhatToDoWithAnEmptyStoreAndNothingOnceItHasAccounts)
{
    const Folder folder;
    {
        Process server(serving(folder), {});
        ASSERT_TRUE(server.says("people and events.\n")) << server.out << server.err;
        EXPECT_TRUE(holds(server.out, "The store is empty")) << server.out;
        EXPECT_TRUE(holds(server.out, "boxoffice demo")) << server.out;
        server.signal(SIGTERM);
        EXPECT_EQ(server.wait(), 0) << server.err;
    }
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "3"}).code, 0);
    Process server(serving(folder), {});
    ASSERT_TRUE(server.says("/redoc\n")) << server.err;
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0) << server.err;
    EXPECT_FALSE(holds(server.out, "empty")) << server.out;
}

TEST(Serve, RefusesAStoreOrAPortThatIsInUseInOneSentence)
{
    const Folder folder;
    Process server(serving(folder), {});
    ASSERT_TRUE(server.says("/redoc\n")) << server.err;
    const Ran second = run(serving(folder));
    EXPECT_EQ(second.code, 1);
    EXPECT_TRUE(second.err.starts_with("boxoffice: ")) << second.err;
    EXPECT_EQ(std::count(second.err.begin(), second.err.end(), '\n'), 1) << second.err;

    const Folder other;
    const std::string origin = "http://";
    const std::size_t at = server.out.find(origin) + origin.size();
    const std::string address = server.out.substr(at, server.out.find('/', at) - at);
    const Ran taken = run(serving(other, address));
    EXPECT_EQ(taken.code, 1);
    EXPECT_TRUE(holds(taken.err, address)) << taken.err;
    EXPECT_EQ(std::count(taken.err.begin(), taken.err.end(), '\n'), 1) << taken.err;

    EXPECT_EQ(run({"demo", "--data", folder / "data", "--events", "1"}).code, 1);
    EXPECT_EQ(run({"doctor", "--data", folder / "data"}).code, 0) << "the doctor does not mind an open box office";
    server.signal(SIGINT);
    EXPECT_EQ(server.wait(), 0) << server.err;
}

TEST(Serve, SaysWhyItCannotUseTheDataFolder)
{
    const Folder folder;
    folder.write("data", "a file where the folder should be");
    const Ran ran = run(serving(folder));
    EXPECT_EQ(ran.code, 1);
    EXPECT_TRUE(holds(ran.err, "The data folder ")) << ran.err;
}

// --- The store's commands ------------------------------------------------------------------------------------------

TEST(Demo, WritesTheSameRowsForTheSameSeedAndOthersForAnother)
{
    const Folder folder;
    const auto play = [&folder](const std::string& name, const std::string& seed) {
        return run({"demo", "--data", folder / name, "--events", "60", "--seed", seed, "--from", "2026-05-01"});
    };
    const Ran first = play("a", "7");
    ASSERT_EQ(first.code, 0) << first.err;
    EXPECT_TRUE(holds(first.out, "60 events")) << first.out;
    ASSERT_EQ(play("b", "7").code, 0);
    ASSERT_EQ(play("c", "8").code, 0);
    const std::string rows = dump(folder / "a/boxoffice.db");
    EXPECT_TRUE(holds(rows, "tickets|"));
    EXPECT_EQ(rows, dump(folder / "b/boxoffice.db"));
    EXPECT_NE(rows, dump(folder / "c/boxoffice.db"));

    const Ran again = play("a", "7");
    EXPECT_EQ(again.code, 1);
    EXPECT_TRUE(holds(again.err, "--add")) << again.err;
    EXPECT_EQ(run({"demo", "--data", folder / "a", "--events", "60", "--seed", "7", "--from", "2026-05-01", "--add"}).code, 0);
    EXPECT_EQ(run({"doctor", "--data", folder / "a"}).code, 0);
}

TEST(Backup, IsAStoreThatTheDoctorFindsWellAndOverwritesNothing)
{
    const Folder folder;
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "20"}).code, 0);
    const std::string copy = folder / "copy.db";
    const Ran backup = run({"backup", copy, "--data", folder / "data"});
    ASSERT_EQ(backup.code, 0) << backup.err;
    EXPECT_EQ(dump(copy), dump(folder / "data/boxoffice.db"));
    const Ran doctor = run({"doctor", "--database-url", "sqlite:" + copy});
    EXPECT_EQ(doctor.code, 0) << doctor.out;
    EXPECT_TRUE(holds(doctor.out, "✓")) << doctor.out;
    EXPECT_FALSE(holds(doctor.out, "✗")) << doctor.out;
    EXPECT_EQ(run({"backup", copy, "--data", folder / "data"}).code, 1);
}

TEST(Doctor, FindsACounterThatDoesNotEqualItsTickets)
{
    const Folder folder;
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "20"}).code, 0);
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((folder / "data/boxoffice.db").c_str(), &db), SQLITE_OK);
    EXPECT_EQ(
        sqlite3_exec(
            db, "UPDATE inventory SET sold = sold + 1 WHERE event_id = (SELECT min(event_id) FROM inventory WHERE sold < total)",
            nullptr, nullptr, nullptr),
        SQLITE_OK);
    sqlite3_close(db);
    const Ran doctor = run({"doctor", "--data", folder / "data"});
    EXPECT_EQ(doctor.code, 1);
    EXPECT_TRUE(holds(doctor.out, "✗")) << doctor.out;
}

TEST(Migrate, GoesUpAndDownAndSaysWhatItDid)
{
    const Folder folder;
    const auto migrate = [&folder](const std::string& way) { return run({"migrate", way, "--data", folder / "data"}); };
    EXPECT_EQ(migrate("status").code, 1) << "there is no store yet";
    EXPECT_FALSE(fs::exists(folder / "data"));
    const Ran up = migrate("up");
    ASSERT_EQ(up.code, 0) << up.err;
    EXPECT_TRUE(holds(up.out, "applied 0001_")) << up.out;
    EXPECT_TRUE(holds(migrate("up").out, "Nothing to apply"));
    EXPECT_TRUE(holds(migrate("status").out, "[x] 0001_"));
    Ran down = migrate("down");
    for (; holds(down.out, "undid "); down = migrate("down")) EXPECT_EQ(down.code, 0);
    EXPECT_TRUE(holds(down.out, "Nothing to undo")) << down.out << down.err;
    EXPECT_TRUE(holds(migrate("status").out, "[ ] 0001_"));
    EXPECT_EQ(migrate("up").code, 0);
    EXPECT_EQ(run({"doctor", "--data", folder / "data"}).code, 0);
}

TEST(StoreCommands, NeverMakeAStoreWhereNoneWas)
{
    const Folder folder;
    for (const Words& command : {Words{"doctor"}, Words{"backup", folder / "copy.db"}, Words{"migrate", "down"}}) {
        Words whole = command;
        whole.insert(whole.end(), {"--data", folder / "none"});
        const Ran ran = run(whole);
        EXPECT_EQ(ran.code, 1);
        EXPECT_TRUE(holds(ran.err, "There is no store at ")) << ran.err;
    }
    EXPECT_FALSE(fs::exists(folder / "none"));
}

// --- A shared store ------------------------------------------------------------------------------------------------

/// Nothing listens on port 1.
constexpr const char* kNobody = "postgresql://ada:hunter2hunter2@127.0.0.1:1/tickets";

TEST(SharedStore, ThatIsAwayIsSaidWithoutItsPassword)
{
    for (const Words& command : {Words{"serve", "--listen", "127.0.0.1:0"}, Words{"worker", "--listen", "127.0.0.1:0"},
                                 Words{"migrate", "status"}, Words{"doctor"}, Words{"demo", "--events", "1"}}) {
        const Folder folder;
        const Ran ran = run(command, {std::string("BOXOFFICE_DATABASE_URL=") + kNobody, "BOXOFFICE_DATA=" + folder / "data",
                                      "BOXOFFICE_JWT_SECRET=kD93mXq0vLz7TbWn5RcY2hJf8GsPa6Ue"});
        EXPECT_EQ(ran.code, 1) << command.front();
        EXPECT_FALSE((ran.out + ran.err).empty()) << command.front();
        EXPECT_FALSE(holds(ran.out + ran.err, "hunter2")) << ran.out << ran.err;
        EXPECT_FALSE(fs::exists(folder / "data/boxoffice.db")) << command.front() << " made an embedded store instead";
    }
}

TEST(Copy, NeverMakesTheStoreThatItIsToCopy)
{
    const Folder folder;
    const Ran ran = run({"copy", "--from", "sqlite:" + folder / "none.db", "--to", kNobody});
    EXPECT_EQ(ran.code, 1);
    EXPECT_TRUE(holds(ran.err, "There is no store at ")) << ran.err;
    EXPECT_FALSE(fs::exists(folder / "none.db"));
}

}  // namespace
