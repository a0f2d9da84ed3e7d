#pragma once
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "client.hpp"

/// The real binary as a process: started on a free port, stopped or killed by its pid, its last words kept.
namespace blackbox
{

/// A folder of its own that is gone afterwards.
class TempDir
{
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

struct ServeOptions {
    std::string hold_seconds = "120";
    std::map<std::string, std::string> environment{};  // beside this process's own
    std::vector<std::string> more_arguments{};
    std::string bcrypt_cost = "4";
};

class ServerProcess
{
public:
    /// Starts `boxoffice serve` on the data folder `home`/data and returns when it has said where it listens. Throws
    /// std::runtime_error with what it wrote to stderr when it does not.
    ServerProcess(const std::filesystem::path& home, const ServeOptions& options = {});
    /// Kills it hard if it still runs.
    ~ServerProcess();
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    [[nodiscard]] const Address& address() const { return address_; }
    /// SIGTERM without waiting.
    void ask_to_stop() const;
    /// Its exit code, or minus the signal that ended it. Throws when it is still there after `patience` (and kills it).
    int wait(Millis patience = Millis(10'000));
    int stop()
    {
        ask_to_stop();
        return wait();
    }
    void kill_hard();
    /// What it wrote to stderr up to now.
    [[nodiscard]] std::string last_words() const;

private:
    std::filesystem::path stderr_file_;
    pid_t pid_ = -1;
    int stdout_ = -1;
    Address address_;
};

/// What became of a command run to its end.
struct Ran {
    int exit_code = 0;
    std::string output;  // stdout and stderr
};
/// Runs `boxoffice ARGUMENTS…` to its end, at most 60 s.
[[nodiscard]] Ran run_boxoffice(const std::vector<std::string>& arguments);

/// True when BOXOFFICE_TEST_ENGINE says postgres: then every server sells from a database of its own, in a private cluster.
[[nodiscard]] bool on_postgres();
/// The URL of the database that belongs to a server's home.
[[nodiscard]] std::string database_of(const std::filesystem::path& home);
/// What has the doctor look at the store of a server's home.
[[nodiscard]] std::vector<std::string> doctor_of(const std::filesystem::path& home);

/// The server of most tests, started at first use with holds of 120 s, or the one that APIURL names.
[[nodiscard]] const Address& box_office();
/// A second one with holds of half a second, or the one that APIURL names.
[[nodiscard]] const Address& hasty_box_office();
/// True when APIURL names the server: then nothing may be assumed of its options, its data or its process.
[[nodiscard]] bool is_foreign();
/// The secret that box_office() signs tokens with; only when it is our own.
[[nodiscard]] const std::string& known_secret();

}  // namespace blackbox
