// Reads while the server is unavailable: one at a time probes whether it is back, the others fail at once. Without a database:
// what is asked is a constant.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include "postgres/readers.hpp"
#include "servers/postgres_server.hpp"
#include "store/cutting_proxy.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using postgres::Readers;
using postgres::Refused;

/// A machine that takes connections and says nothing: what the kernel has completed is never accepted.
class SilentServer
{
public:
    SilentServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
    {
        port_ = listen_anywhere(listener_, 1024);
    }
    ~SilentServer() { ::close(listener_); }
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;

    [[nodiscard]] std::string url() const
    {
        return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/x?sslmode=disable&gssencmode=disable";
    }
    /// How many have tried to connect since the last call.
    int attempts() const
    {
        int seen = 0;
        for (int one = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); one >= 0; ++seen) {
            ::close(one);
            one = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        }
        return seen;
    }

private:
    const int listener_;
    std::uint16_t port_ = 0;
};

/// The shortest that libpq takes.
constexpr std::chrono::seconds kTimeout{2};

bool answers(Readers& readers)
{
    try {
        return readers.ask("SELECT 1::bigint").integer(0, 0) == 1;
    } catch (const StoreFailure& failure) {
        EXPECT_EQ(failure.code(), Code::storage_failed) << failure.what();
        return false;
    }
}

struct Wave {
    int answered = 0;
    int late = 0;  // waited for longer than half of what it takes an attempt to fail
};

/// So many at once, one question each.
Wave read_at_once(Readers& readers, int askers)
{
    std::latch together(askers);
    std::atomic<int> answered = 0, late = 0;
    std::vector<std::thread> threads;
    threads.reserve(static_cast<std::size_t>(askers));
    for (int i = 0; i < askers; ++i) {
        threads.emplace_back([&] {
            together.arrive_and_wait();
            const auto asked = std::chrono::steady_clock::now();
            if (answers(readers)) ++answered;
            if (std::chrono::steady_clock::now() - asked > kTimeout / 2) ++late;
        });
    }
    for (std::thread& thread : threads) thread.join();
    return {answered, late};
}

class SilentPostgres : public testing::TestWithParam<unsigned>
{
protected:
    SilentPostgres()
    {
        options.url = server.url();
        options.readers = GetParam();
        options.connect_timeout = kTimeout;
    }

    SilentServer server;
    PostgresOptions options;
};
INSTANTIATE_TEST_SUITE_P(Connections, SilentPostgres, testing::Values(1U, 4U), testing::PrintToStringParamName());

TEST_P(SilentPostgres, CostsItsTimeoutOnceAndNotEveryReader)
{
    constexpr int kCallers = 200;
    Readers readers(options, postgres::Connection::Purpose::read, {options.readers, 16});
    // Nothing is known yet: each connection finds out for itself, with the questions that it has taken along, and what waits
    // behind them is told when the first has. Each wave may have a straggler that comes when the probe has just ended.
    const int connections = static_cast<int>(options.readers);
    EXPECT_EQ(read_at_once(readers, kCallers).answered, 0);
    EXPECT_LE(server.attempts(), connections + 3);
    // Now it is known. At 16 questions to an attempt these would be 13 attempts of two seconds, and all of them late; so only
    // threads that need seconds to be started could fail this for nothing.
    const Wave known = read_at_once(readers, kCallers);
    EXPECT_EQ(known.answered, 0);
    const int attempts = server.attempts();
    EXPECT_GE(attempts, 1) << "it is not probed any more";
    EXPECT_LE(attempts, 6);
    EXPECT_LE(known.late, kCallers / 4) << "as many as went to see, whatever the number that asked";
}

class AwayPostgres : public testing::Test
{
protected:
    AwayPostgres()
    {
        options.url = proxy.url("postgres");
        options.readers = 2;
    }
    /// Returns when it is known to be unavailable.
    void go_away(Readers& readers)
    {
        proxy.close_off();
        // Waited for, for a second, by the first; those who come later are told at once.
        EXPECT_EQ(read_at_once(readers, 20).answered, 0);
    }

    CuttingProxy proxy{shared_postgres().port()};
    PostgresOptions options;
};

TEST_F(AwayPostgres, IsReadByAllAsSoonAsOneHasSeenThatItIsBack)
{
    Readers readers(options, postgres::Connection::Purpose::read, {options.readers, 16});
    EXPECT_EQ(read_at_once(readers, 20).answered, 20);
    for (int i = 0; i < 2; ++i) {
        go_away(readers);
        EXPECT_FALSE(answers(readers));
        proxy.reopen();
        EXPECT_TRUE(answers(readers));
        EXPECT_EQ(read_at_once(readers, 50).answered, 50);
    }
}

TEST_F(AwayPostgres, IsBackWhenItRefusesAQuestion)
{
    Readers readers(options, postgres::Connection::Purpose::read, {options.readers, 16});
    go_away(readers);
    proxy.reopen();
    EXPECT_THROW((void)readers.ask("SELECT 1 / 0"), Refused);
    EXPECT_EQ(read_at_once(readers, 50).answered, 50);
}

TEST_F(AwayPostgres, IsWaitedForForAMoment)
{
    Readers readers(options, postgres::Connection::Purpose::read, {options.readers, 16});
    EXPECT_EQ(read_at_once(readers, 20).answered, 20);
    // Every session is lost; the server is there.
    proxy.close_off();
    proxy.reopen();
    EXPECT_EQ(read_at_once(readers, 20).answered, 20);
}

TEST_F(AwayPostgres, IsNotWhatAKilledSlowQuestionSays)
{
    Readers readers(options, postgres::Connection::Purpose::read, {options.readers, 16});
    EXPECT_EQ(read_at_once(readers, 20).answered, 20);
    std::thread slow([&] {
        // Longer than an unavailable server is waited for, and then its session ends: it was there all the time.
        EXPECT_THROW((void)readers.ask("SELECT pg_sleep(1.2)::text, pg_terminate_backend(pg_backend_pid())"), postgres::Gone);
    });
    slow.join();
    EXPECT_EQ(read_at_once(readers, 50).answered, 50);
}

}  // namespace
}  // namespace boxoffice
