/// What goes wrong in the first hour: each message names the path or option, the cause and what to do, and no SQL.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <functional>

#include "cli_process.hpp"

namespace
{

using namespace boxoffice::cli_test;
namespace fs = std::filesystem;

/// None of these belongs in a sentence for an operator.
void expect_no_sql(const std::string& text)
{
    for (const char* const word : {"SELECT", "PRAGMA", "CREATE", "INSERT", "COMMIT", "BEGIN", "schema_", "sqlite_schema"})
        EXPECT_FALSE(holds(text, word)) << text;
}

Words with_data(Words command, const std::string& data)
{
    command.insert(command.end(), {"--data", data});
    if (command.front() == "serve") command.insert(command.end(), {"--listen", "127.0.0.1:0"});
    return command;
}

/// Every command that opens the embedded store.
const Words kOpening[] = {{"serve"}, {"doctor"}, {"demo", "--events", "1"}, {"migrate", "up"}, {"migrate", "status"}};

TEST(Messages, OfADamagedStoreNameTheFileAndTheWayOut)
{
    const Folder folder;
    fs::create_directories(folder / "data");
    std::string noise(100'000, '\0');
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>(i * 2654435761u >> 13);
    folder.write("data/boxoffice.db", noise);
    for (const Words& command : kOpening) {
        const Ran ran = run(with_data(command, folder / "data"));
        EXPECT_EQ(ran.code, 1) << command.front();
        EXPECT_TRUE(holds(ran.out + ran.err, (folder / "data/boxoffice.db") + " is no boxoffice store")) << ran.out << ran.err;
        EXPECT_TRUE(holds(ran.out + ran.err, "backup")) << ran.out << ran.err;
        expect_no_sql(ran.out + ran.err);
    }
}

TEST(Messages, OfAStoreWithADamagedPageNameTheFile)
{
    const Folder folder;
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "20"}).code, 0);
    const std::string file = folder / "data/boxoffice.db";
    {
        std::fstream db(file, std::ios::in | std::ios::out | std::ios::binary);
        db.seekp(8192);
        db.write(std::string(40'000, '\0').data(), 40'000);
    }
    for (const Words& command : {Words{"serve"}, Words{"doctor"}, Words{"migrate", "status"}}) {
        const Ran ran = run(with_data(command, folder / "data"));
        EXPECT_EQ(ran.code, 1) << command.front();
        EXPECT_TRUE(holds(ran.out + ran.err, file + " is damaged")) << ran.out << ran.err;
        expect_no_sql(ran.out + ran.err);
    }
}

TEST(Messages, OfAnotherProgramsDatabaseSayThatItIsLeftAlone)
{
    const Folder folder;
    fs::create_directories(folder / "data");
    const std::string file = folder / "data/boxoffice.db";
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, "CREATE TABLE events (x); CREATE TABLE recipes (y); INSERT INTO recipes VALUES (1)", nullptr,
                           nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(db);
    std::ifstream before(file, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(before)), {});
    for (const Words& command : kOpening) {
        const Ran ran = run(with_data(command, folder / "data"));
        EXPECT_EQ(ran.code, 1) << command.front();
        EXPECT_TRUE(holds(ran.out + ran.err, "another program's database")) << command.front() << ran.out << ran.err;
        EXPECT_TRUE(holds(ran.out + ran.err, "recipes")) << ran.out << ran.err;
        EXPECT_TRUE(holds(ran.out + ran.err, "--data")) << ran.out << ran.err;
        expect_no_sql(ran.out + ran.err);
    }
    std::ifstream after(file, std::ios::binary);
    EXPECT_EQ(bytes, std::string((std::istreambuf_iterator<char>(after)), {}));
}

TEST(Messages, OfAStoreThatTheUserMayNotReachNameTheUser)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can try it as another user";
    constexpr uid_t kNobody = 65534;
    constexpr int kCannotTry = 77;
    const Folder folder;
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "2"}).code, 0);
    ASSERT_EQ(::chmod((folder / "").c_str(), 0755), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0 || ::access(binary().c_str(), X_OK) != 0) ::_exit(kCannotTry);
        for (const Words& command : {Words{"doctor"}, Words{"migrate", "status"}, Words{"backup", folder / "copy.db"}}) {
            const Ran ran = run(with_data(command, folder / "data"));
            const bool good = ran.code == 1 && holds(ran.err, "cannot be reached") && holds(ran.err, "uid 65534");
            if (!good) std::fprintf(stderr, "%s: %s\n", command.front().c_str(), ran.err.c_str());
            if (!good) ::_exit(1);
        }
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == kCannotTry) GTEST_SKIP() << "the binary lies where no other user can run it";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// Runs commands as another user; the child says what it has to say on standard error.
void as_nobody(const std::function<bool()>& good)
{
    constexpr uid_t kNobody = 65534;
    constexpr int kCannotTry = 77;
    const pid_t child = ::fork();
    if (child == 0) {
        if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0 || ::access(binary().c_str(), X_OK) != 0) ::_exit(kCannotTry);
        ::_exit(good() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == kCannotTry) GTEST_SKIP() << "the binary lies where no other user can run it";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Messages, OfAStoreThatTheUserMayReadOnlyComeBeforeTheFirstSale)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can try it as another user";
    constexpr uid_t kNobody = 65534;
    const Folder folder;
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "2"}).code, 0);
    const std::string file = folder / "data/boxoffice.db";
    ASSERT_EQ(::chmod((folder / "").c_str(), 0755), 0);
    for (const fs::path& path : {fs::path(folder / "data"), fs::path(file), fs::path(file + ".lock")})
        ASSERT_EQ(::chown(path.c_str(), kNobody, kNobody), 0);
    const auto refuses = [&](const std::string& named) {
        as_nobody([&] {
            bool all_good = true;
            for (const Words& command : {Words{"serve"}, Words{"migrate", "up"}, Words{"demo", "--events", "1", "--add"}}) {
                const Ran ran = run(with_data(command, folder / "data"));
                const bool good = ran.code == 1 && holds(ran.err, named + " cannot be written by this user (uid 65534)") &&
                                  holds(ran.err, "owner");
                if (!good) std::fprintf(stderr, "%s: %s\n", command.front().c_str(), ran.err.c_str());
                all_good = all_good && good;
            }
            return all_good;
        });
    };
    ASSERT_EQ(::chmod(file.c_str(), 0400), 0);
    refuses(file);
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    folder.write("data/boxoffice.db-wal", "");  // as root has left it
    ASSERT_EQ(::chmod((file + "-wal").c_str(), 0444), 0);
    refuses(file + "-wal");
}

#ifdef FULL_DISK_LIBRARY
TEST(Messages, OfAFullDiskNameTheFileAndNoSql)
{
    const Folder folder;
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "2"}).code, 0);
    folder.write("full", "");
    const auto on_full = [&](const Words& command, const std::string& files) {
        const Words disk{"LD_PRELOAD=" FULL_DISK_LIBRARY, "FULL_DISK_FLAG=" + (folder / "full"), "FULL_DISK_DIR=" + files};
        const Ran ran = run(command, disk);
        EXPECT_EQ(ran.code, 1) << command.front();
        expect_no_sql(ran.err);
        EXPECT_FALSE(holds(ran.err, "SQLite code")) << ran.err;
        EXPECT_TRUE(holds(ran.err, "is full. Make room")) << ran.err;
        return ran.err;
    };
    const std::string file = folder / "data/boxoffice.db";
    const std::string copy = folder / "copy.db";
    EXPECT_TRUE(
        holds(on_full({"demo", "--data", folder / "data", "--events", "2", "--add", "--seed", "2"}, file + "-wal"), file));
    EXPECT_TRUE(holds(on_full({"backup", copy, "--data", folder / "data"}, copy), copy));
    EXPECT_FALSE(fs::exists(copy));
    ASSERT_EQ(run({"backup", copy, "--data", folder / "data"}).code, 0);
    EXPECT_TRUE(holds(on_full({"restore", copy, "--data", folder / "data"}, file + ".restoring"), file));
}
#endif

TEST(Messages, OfARefusedRestoreNameTheFileAndLeaveNothing)
{
    const Folder folder;
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "20"}).code, 0);
    const std::string damaged = folder / "damaged.db";
    ASSERT_EQ(run({"backup", damaged, "--data", folder / "data"}).code, 0);
    {
        std::fstream db(damaged, std::ios::in | std::ios::out | std::ios::binary);
        db.seekp(8192);
        db.write(std::string(40'000, '\0').data(), 40'000);
    }
    folder.write("text.db", std::string(10'000, 'x'));
    fs::create_directories(folder / "there");
    const std::pair<std::string, std::string> refused[] = {{damaged, "it is damaged; name an older backup"},
                                                           {folder / "text.db", "not an SQLite database"},
                                                           {folder / "there", "is a folder; name the backup in it"},
                                                           {"/dev/null", "is not a regular file"}};
    for (const auto& [backup, why] : refused) {
        for (const std::string& data : {folder / "new/deeper", folder / "there"}) {
            const Ran ran = run({"restore", backup, "--data", data});
            EXPECT_EQ(ran.code, 1) << backup;
            EXPECT_TRUE(holds(ran.err, backup) && holds(ran.err, why) && holds(ran.err, "Nothing was changed.")) << ran.err;
            expect_no_sql(ran.err);
        }
        EXPECT_FALSE(fs::exists(folder / "new")) << backup;
        EXPECT_TRUE(fs::is_empty(folder / "there")) << backup;
    }
    EXPECT_TRUE(holds(run({"restore", ".", "--data", folder / "data"}).err, "is a folder"));
}

TEST(Messages, OfACopyOfAnotherProgramsDatabaseAdviseNoMigration)
{
    const Folder folder;
    const std::string file = folder / "other.db";
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, "CREATE TABLE recipes (y)", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
    const Ran ran = run({"copy", "--from", "sqlite:" + file, "--to", "postgresql://nobody@127.0.0.1:1/x"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_TRUE(holds(ran.err, file + " is another program's database") && holds(ran.err, "--from sqlite:PATH")) << ran.err;
    EXPECT_FALSE(holds(ran.err, "migrate up")) << ran.err;
}

TEST(Messages, OfAnEmptyNameOfAFileNameNoOptionThatThereIsNot)
{
    const std::pair<Words, std::string> empty[] = {{{"backup", ""}, "boxoffice backup FILE"},
                                                   {{"restore", ""}, "boxoffice restore FILE"}};
    for (const auto& [command, advice] : empty) {
        const Ran ran = run(command);
        EXPECT_EQ(ran.code, 2);
        EXPECT_TRUE(holds(ran.err, advice)) << ran.err;
        EXPECT_EQ(ran.err.find(advice), ran.err.rfind(advice)) << "told once: " << ran.err;
        EXPECT_FALSE(holds(ran.err, "--backup-to") || holds(ran.err, "--restore-from")) << ran.err;
    }
}

TEST(Messages, OfABackupIntoNowhereSayHowToMakeTheFolder)
{
    const Folder folder;
    ASSERT_EQ(run({"demo", "--data", folder / "data", "--events", "2"}).code, 0);
    const Ran ran = run({"backup", folder / "none/copy.db", "--data", folder / "data"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_TRUE(holds(ran.err, "mkdir -p " + (folder / "none"))) << ran.err;
    expect_no_sql(ran.err);
}

TEST(Messages, OfABusyPortSayWhatToDo)
{
    const int taken = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(taken, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(taken, 1), 0);
    ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size), 0);
    const Folder folder;
    const std::string where = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    const Ran ran = run({"serve", "--data", folder / "data", "--listen", where});
    EXPECT_EQ(ran.code, 1);
    EXPECT_TRUE(holds(ran.err, where)) << ran.err;
    EXPECT_TRUE(holds(ran.err, "another program has the port")) << ran.err;
    EXPECT_TRUE(holds(ran.err, "--listen HOST:PORT")) << ran.err;
    ::close(taken);
}

TEST(Messages, OfSlipsSayWhatWasMeant)
{
    const std::pair<Words, std::string> slips[] = {
        {{"sreve"}, "did you mean boxoffice serve?"},
        {{"srve"}, "did you mean boxoffice serve?"},
        {{"dotcor"}, "did you mean boxoffice doctor?"},
        {{"migrate", "sttaus"}, "did you mean boxoffice migrate status?"},
        {{"serve", "--lisetn", "127.0.0.1:0"}, "did you mean --listen?"},
        {{"serve", "--port", "80"}, "write --listen HOST:PORT."},
        {{"serve", "--db=x"}, "write --database-url URL."},
        {{"--port", "80"}, "options follow it"},
    };
    for (const auto& [command, advice] : slips) {
        const Ran ran = run(command);
        EXPECT_EQ(ran.code, 2) << command.front();
        EXPECT_TRUE(holds(ran.err, advice)) << ran.err;
    }
}

TEST(Messages, OfATomlValueWithoutQuotesShowItWithThem)
{
    const Folder folder;
    fs::create_directories(folder / "data");
    folder.write("data/boxoffice.toml", "rate-limit = off\n");
    const Ran ran = run({"serve", "--data", folder / "data", "--listen", "127.0.0.1:0"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_TRUE(holds(ran.err, (folder / "data/boxoffice.toml") + ":1: ")) << ran.err;
    EXPECT_TRUE(holds(ran.err, "write rate-limit = \"off\"")) << ran.err;
}

TEST(MigrateStatus, WorksBesideAServer)
{
    const Folder folder;
    Process server({"serve", "--data", folder / "data", "--listen", "127.0.0.1:0", "--bcrypt-cost", "4"}, {});
    ASSERT_TRUE(server.says("/redoc\n")) << server.err;
    const Ran status = run({"migrate", "status", "--data", folder / "data"});
    EXPECT_EQ(status.code, 0) << status.err;
    EXPECT_TRUE(holds(status.out, "[x] 0001_")) << status.out;
    EXPECT_EQ(run({"migrate", "up", "--data", folder / "data"}).code, 1);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
}

TEST(Options, AFlagForTheDataFolderBeatsTheEnvironmentsStore)
{
    const Folder folder;
    for (const std::string& leftover : {std::string("postgresql://127.0.0.1:1/elsewhere"), "sqlite:" + (folder / "other.db")}) {
        const Ran demo =
            run({"demo", "--data", folder / "data", "--events", "1", "--add"}, {"BOXOFFICE_DATABASE_URL=" + leftover});
        EXPECT_EQ(demo.code, 0) << demo.err;
        EXPECT_TRUE(holds(demo.out, folder / "data/boxoffice.db")) << demo.out;
        const Ran shown = run({"serve", "--print-config", "--data", folder / "data"}, {"BOXOFFICE_DATABASE_URL=" + leftover});
        EXPECT_FALSE(holds(shown.out, "elsewhere") || holds(shown.out, "other.db")) << shown.out;
    }
    EXPECT_FALSE(fs::exists(folder / "other.db"));
    const Ran by_flag = run({"migrate", "up", "--data", folder / "data", "--database-url", "sqlite:" + (folder / "named.db")});
    EXPECT_EQ(by_flag.code, 0) << by_flag.err;
    EXPECT_TRUE(fs::exists(folder / "named.db")) << "of two flags the one that names the store itself";
}

}  // namespace
