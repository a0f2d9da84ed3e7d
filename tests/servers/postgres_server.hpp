#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "servers/process.hpp"

/// A real PostgreSQL with PostGIS of a test's own, out of the packages of the system: never a mock, and never one that is
/// used for anything else.
namespace boxoffice
{

/// What a server that dies suddenly may lose. `off` only for tests that never take it down.
enum class Fsync : std::uint8_t { on, off };

/// fast: transactions are rolled back and all is written. immediate: it stops as if it had crashed and recovers at the next
/// start.
enum class PostgresStop : std::uint8_t { fast, immediate };

/// A private cluster in a temporary folder, on a free port of 127.0.0.1 that it keeps over restarts. It ends with this object,
/// and with this process if that dies. One thread at a time may call start, stop, restart and kill; the rest is for any.
class PostgresServer
{
public:
    struct Options {
        Fsync fsync = Fsync::on;
        std::vector<std::string> settings{};  // "name=value", after our own
        /// A running server that this one copies and then follows, as a hot standby; null: one of its own.
        const PostgresServer* follows = nullptr;
    };

    /// Starts it; takes about two seconds. Throws std::runtime_error with what the server said, or which package is missing.
    explicit PostgresServer(Options options);
    PostgresServer() : PostgresServer(Options{}) {}
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    /// Returns when it takes connections again, crash recovery included.
    void start();
    void stop(PostgresStop how = PostgresStop::fast);
    void restart(PostgresStop how);
    /// From now on a standby takes writes; what it had not been sent is lost.
    void promote();
    /// Has commits wait for the standby of this name (its cluster_name); an empty one for none.
    void wait_for_standby(const std::string& name);
    /// SIGKILL to the postmaster; returns when its children are gone too, so that start() may follow.
    void kill();
    [[nodiscard]] bool running() const { return postmaster_.has_value(); }

    [[nodiscard]] std::string url(const std::string& database) const;
    /// A new empty database with PostGIS in it, copied from a template.
    void create_database(const std::string& name);
    /// Cuts off all clients connected to it.
    void drop_database(const std::string& name);
    /// The same under a name that no other has; returns its URL.
    [[nodiscard]] std::string fresh_database();

    /// Runs one or more statements; the rows of the last one, with an empty text for NULL. Throws with the server's message.
    std::vector<std::vector<std::string>> rows(const std::string& database, const std::string& sql) const;
    /// The first value of the first row, or an empty text.
    std::string value(const std::string& database, const std::string& sql) const;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Where psql, pg_dump, pgbench and the others are.
    [[nodiscard]] const std::filesystem::path& programs() const { return programs_; }
    /// What the server has logged.
    [[nodiscard]] std::string log() const;

private:
    void make_cluster();
    void make_template();
    [[nodiscard]] Launch launch(std::vector<std::string> words) const;

    Options options_;
    std::filesystem::path programs_, folder_;
    std::optional<RunAs> run_as_;
    std::uint16_t port_ = 0;
    std::optional<ChildProcess> postmaster_;
};

/// A session of a test's own, as an operator's psql is: what it has locked stays locked until it says otherwise.
class PostgresSession
{
public:
    PostgresSession(const PostgresServer& server, const std::string& database);
    ~PostgresSession();
    PostgresSession(const PostgresSession&) = delete;
    PostgresSession& operator=(const PostgresSession&) = delete;
    /// Runs one or more statements. Throws with the server's message.
    void run(const std::string& sql);

private:
    class Self;
    std::unique_ptr<Self> self_;
};

/// The server of this test program: started at first use, stopped at exit.
[[nodiscard]] PostgresServer& shared_postgres();

}  // namespace boxoffice
