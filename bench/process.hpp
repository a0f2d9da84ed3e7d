#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The server under test as a child process, and the folder it lives in. Children die with the generator, and
/// are ended by their process id alone.
namespace boxoffice::bench
{

/// From now on SIGINT and SIGTERM make throw_if_interrupted() throw, so that servers are stopped and folders removed on the way out.
void catch_interrupts();
void throw_if_interrupted();

/// Removed with everything in it when it goes out of scope.
class TemporaryFolder
{
public:
    explicit TemporaryFolder(const std::filesystem::path& parent);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// The program under test and how to start it.
struct Program {
    std::filesystem::path binary;
    std::filesystem::path preload;  // of the slow_sync library, or empty
    unsigned slow_sync_us = 0;
    std::vector<std::string> settings;  // more of its environment, NAME=VALUE
};

enum class Role : std::uint8_t { serve, worker };

/// Runs a sub-command to its end, its output going to `log`. Returns the exit code; throws when it takes longer than `seconds_max`.
[[nodiscard]] int run_to_end(const Program& program, const std::vector<std::string>& arguments, const std::filesystem::path& log,
                             double seconds_max);

/// The last lines of a log, for an error message.
[[nodiscard]] std::string tail_of(const std::filesystem::path& log);

/// `serve` or `worker` on a free port of 127.0.0.1; its log lies beside `data`. Constructed: it has answered /health/ready with 200.
class ServerProcess
{
public:
    ServerProcess(const Program& program, const std::filesystem::path& data, const std::vector<std::string>& more_arguments,
                  Role role = Role::serve);
    ~ServerProcess();  // SIGKILL when it still runs
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    /// SIGTERM; throws std::runtime_error unless it exits with 0 in time.
    void stop();
    /// SIGKILL, as a power cut would.
    void kill();

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] double ready_ms() const { return ready_ms_; }  // from exec to the 200 of /health/ready

private:
    void await_ready(std::int64_t started);

    std::filesystem::path log_;
    pid_t pid_ = -1;
    int output_ = -1;
    std::uint16_t port_ = 0;
    double ready_ms_ = 0;
};

}  // namespace boxoffice::bench
