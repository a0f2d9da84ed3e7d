#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "servers/postgres_server.hpp"

using namespace boxoffice;
using namespace std::chrono_literals;

namespace
{

std::string name_in(const std::string& url) { return url.substr(url.rfind('/') + 1); }

}  // namespace

TEST(PostgresForTests, IsARealOneOfTheVersionAskedForWithPostgis)
{
    PostgresServer& server = shared_postgres();
    const std::string database = name_in(server.fresh_database());
    EXPECT_GE(std::stoi(server.value(database, "SHOW server_version_num")), 150'000);
    EXPECT_EQ(server.value(database, "SHOW fsync"), "on");
    EXPECT_EQ(server.value(database, "SHOW server_encoding"), "UTF8");
    EXPECT_EQ(
        server.value(database, "SELECT round(ST_Distance('POINT(13.4 52.5)'::geography, 'POINT(2.35 48.86)'::geography) / 1000)"),
        "878");
}

TEST(PostgresForTests, GivesEachTestAnEmptyDatabaseOfItsOwnAtLittleCost)
{
    PostgresServer& server = shared_postgres();
    const std::string first = name_in(server.fresh_database());
    server.rows(first, "CREATE TABLE only_here (id int)");
    const auto begun = std::chrono::steady_clock::now();
    const std::string second = name_in(server.fresh_database());
    RecordProperty("milliseconds", std::to_string((std::chrono::steady_clock::now() - begun) / 1ms));
    EXPECT_EQ(server.value(second, "SELECT to_regclass('only_here')"), "");
    server.drop_database(first);
    EXPECT_THROW(server.rows(first, "SELECT 1"), std::runtime_error);
}

TEST(PostgresForTests, SaysWhatTheServerSaidWhenAStatementFails)
{
    try {
        shared_postgres().rows("postgres", "SELECT 1/0");
        FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& accident) {
        EXPECT_NE(std::string(accident.what()).find("division by zero"), std::string::npos) << accident.what();
    }
}

TEST(PostgresForTests, KeepsWhatWasCommittedOverEveryWayDown)
{
    PostgresServer server;
    const std::uint16_t port = server.port();
    server.create_database("kept");
    server.rows("kept", "CREATE TABLE facts (id int)");
    for (const PostgresStop how : {PostgresStop::fast, PostgresStop::immediate}) {
        server.rows("kept", "INSERT INTO facts VALUES (1)");
        server.restart(how);
    }
    server.rows("kept", "INSERT INTO facts VALUES (1)");
    server.kill();
    EXPECT_FALSE(server.running());
    EXPECT_THROW(server.rows("kept", "SELECT 1"), std::runtime_error);
    server.start();
    EXPECT_EQ(server.value("kept", "SELECT count(*) FROM facts"), "3");
    EXPECT_EQ(server.port(), port);
    server.stop();
    server.start();
    EXPECT_EQ(server.value("kept", "SELECT count(*) FROM facts"), "3");
}

TEST(PostgresForTests, DiesWithItsTestProgram)
{
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    ChildProcess program(Launch{.words = {self, "--gtest_also_run_disabled_tests", "--gtest_filter=*DISABLED_WaitsToBeKilled"},
                                .environment = environment_with({}, {"GTEST_"}),
                                .standard_output = ends[1]});
    ::close(ends[1]);
    std::string said;
    const auto postmaster_in = [](const std::string& text) {
        const auto at = text.find("postmaster=");
        const auto end = at == text.npos ? at : text.find(';', at);
        return end == text.npos ? 0 : std::stoi(text.substr(at + 11, end - at - 11));
    };
    while (postmaster_in(said) == 0) {
        char bytes[512];
        const ssize_t got = ::read(ends[0], bytes, sizeof bytes);
        ASSERT_GT(got, 0) << said;
        said.append(bytes, static_cast<std::size_t>(got));
    }
    const pid_t postmaster = postmaster_in(said);
    ASSERT_FALSE(ends_within(postmaster, 0ms));
    program.kill_hard();
    EXPECT_TRUE(ends_within(postmaster, 20s));
    ::waitpid(postmaster, nullptr, 0);
    ::close(ends[0]);
    const auto folder_at = said.find("folder=") + 7;
    std::filesystem::remove_all(said.substr(folder_at, said.find(';', folder_at) - folder_at));
}

/// The other side of the test above.
TEST(PostgresForTests, DISABLED_WaitsToBeKilled)
{
    PostgresServer server;
    const pid_t postmaster = std::stoi(server.value("postgres", "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"));
    const std::string folder = server.value("postgres", "SHOW unix_socket_directories");
    const std::string line = "postmaster=" + std::to_string(postmaster) + ";folder=" + folder + ";\n";
    ASSERT_GT(::write(STDOUT_FILENO, line.data(), line.size()), 0);
    for (;;) ::pause();
}

TEST(ChildProcesses, OutliveTheThreadThatStartedThem)
{
    std::optional<ChildProcess> child;
    std::thread starter([&] { child.emplace(Launch{.words = {"/bin/sleep", "60"}, .environment = {}}); });
    starter.join();
    EXPECT_FALSE(child->ends_within(100ms));
    child->signal(SIGTERM);
    EXPECT_EQ(child->wait(10s), -SIGTERM);
}

TEST(ChildProcesses, ThatCannotBeStartedSayWhy)
{
    EXPECT_THROW(ChildProcess(Launch{.words = {"/no/such/program"}, .environment = {}}), std::runtime_error);
}
