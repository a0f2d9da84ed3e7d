#pragma once
#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// Real programs that tests start for themselves, told to stop by their process id and by nothing else.
namespace boxoffice
{

using Patience = std::chrono::milliseconds;

/// Whom a child runs as.
struct RunAs {
    uid_t user = 0;
    gid_t group = 0;
};

/// How a child is started.
struct Launch {
    std::vector<std::string> words;        // the program's path, then its arguments
    std::vector<std::string> environment;  // NAME=value, all of it
    std::filesystem::path folder{};        // to start in; this process's own when empty
    std::filesystem::path log{};           // stderr is appended to it, and stdout unless that goes elsewhere
    int standard_output = -1;              // a descriptor for stdout
    std::optional<RunAs> run_as{};         // only root may ask for it
    int death_signal = SIGKILL;            // sent to the child when this process dies, whatever it dies of
};

/// A child, killed hard at the latest when this object goes. May be started from any thread: the child's life hangs on the
/// process, not on the thread.
class ChildProcess
{
public:
    /// Throws std::runtime_error when the program cannot be started.
    explicit ChildProcess(const Launch& launch);
    ~ChildProcess();
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    void signal(int number) const;
    /// True when it has ended within `patience`.
    [[nodiscard]] bool ends_within(Patience patience) const;
    /// Its exit code, or minus the signal that ended it. Throws when it is still there after `patience`, and kills it.
    int wait(Patience patience);
    void kill_hard();

private:
    pid_t pid_ = -1;
};

/// The rest of this process's environment under the given settings ("NAME=value"); variables that begin with one of
/// `dropped` are left out.
[[nodiscard]] std::vector<std::string> environment_with(const std::vector<std::string>& settings,
                                                        const std::vector<std::string>& dropped);
/// The children of `parent` at this moment.
[[nodiscard]] std::vector<pid_t> children_of(pid_t parent);
/// True when `pid` has ended within `patience`; it need not be a child of ours.
[[nodiscard]] bool ends_within(pid_t pid, Patience patience);
/// A port of 127.0.0.1 on which nothing listened a moment ago.
[[nodiscard]] std::uint16_t free_port();
[[nodiscard]] std::string read_text(const std::filesystem::path& file);

}  // namespace boxoffice
