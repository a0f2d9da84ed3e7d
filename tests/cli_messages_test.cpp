/// What goes wrong in the first hour: each message names the path or option, the cause and what to do, and no SQL.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

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
