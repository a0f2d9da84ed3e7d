#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "client.hpp"
#include "machine.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr double kStartSecondsMax = 60;
constexpr double kStopSecondsMax = 15;  // the server promises 10

volatile sig_atomic_t interrupted = 0;

extern "C" void note_interrupt(int) { interrupted = 1; }

/// The caller's environment without the server's own variables, which would change what is measured.
std::vector<std::string> environment_for(const Program& program)
{
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (!text.starts_with("BOXOFFICE_") && !text.starts_with("LD_PRELOAD=")) all.emplace_back(text);
    }
    if (!program.preload.empty()) {
        all.push_back("LD_PRELOAD=" + program.preload.string());
        all.push_back("BOXOFFICE_SLOW_SYNC_US=" + std::to_string(program.slow_sync_us));
    }
    all.insert(all.end(), program.settings.begin(), program.settings.end());
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts)
{
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

int open_log(const std::filesystem::path& log)
{
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), log.string());
    return fd;
}

/// Starts the program with these descriptors as standard output and error. Between fork and exec only what is safe there.
pid_t spawn(const Program& program, const std::vector<std::string>& arguments, int output, int errors)
{
    std::vector<std::string> words{program.binary.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = environment_for(program);
    const std::vector<char*> argv = pointers_to(words);
    const std::vector<char*> envp = pointers_to(variables);
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child > 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setpgid(0, 0);  // a Ctrl-C is for the generator, which then stops its children itself
    ::dup2(output, STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    _exit(127);
}

enum class Wait : std::uint8_t { heeding_interrupts, to_the_end };

/// The exit code (128 + signal when it was killed), or -1 when it still runs after `seconds`.
int wait_for(pid_t child, double seconds, Wait wait)
{
    // By number: glibc 2.36 declares pidfd_open without extern "C".
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    if (handle < 0) throw std::system_error(errno, std::generic_category(), "pidfd_open");
    pollfd ended{handle, POLLIN, 0};
    const std::int64_t end = steady_ns() + static_cast<std::int64_t>(seconds * 1e9);
    int count = 0;
    while (count <= 0 && steady_ns() < end && (wait == Wait::to_the_end || interrupted == 0)) {
        count = ::poll(&ended, 1, static_cast<int>((end - steady_ns()) / 1'000'000) + 1);
    }
    ::close(handle);
    if (count <= 0) return -1;
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void catch_interrupts()
{
    struct sigaction action{};
    action.sa_handler = note_interrupt;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

void throw_if_interrupted()
{
    if (interrupted != 0) throw std::runtime_error("interrupted");
}

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent)
{
    std::string name = (parent / "boxoffice-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::system_error(errno, std::generic_category(), "making a folder in " + parent.string());
    path_ = name;
}

TemporaryFolder::~TemporaryFolder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

int run_to_end(const Program& program, const std::vector<std::string>& arguments, const std::filesystem::path& log,
               double seconds_max)
{
    const int output = open_log(log);
    const pid_t child = spawn(program, arguments, output, output);
    ::close(output);
    const int code = wait_for(child, seconds_max, Wait::heeding_interrupts);
    if (code >= 0) return code;
    ::kill(child, SIGKILL);
    wait_for(child, kStopSecondsMax, Wait::to_the_end);
    throw_if_interrupted();
    throw std::runtime_error("`" + arguments.front() + "` took longer than " + std::to_string(seconds_max) + " s");
}

std::string tail_of(const std::filesystem::path& log)
{
    std::ifstream in(log);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    constexpr std::size_t kShown = 1500;
    return text.size() <= kShown ? text : text.substr(text.size() - kShown);
}

ServerProcess::ServerProcess(const Program& program, const std::filesystem::path& data,
                             const std::vector<std::string>& more_arguments, Role role)
    : log_(data.string() + ".log")
{
    std::vector<std::string> arguments{role == Role::serve ? "serve" : "worker", "--listen", "127.0.0.1:0", "--log-level",
                                       "warn"};
    arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
    std::array<int, 2> pipe_ends{};
    if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    output_ = pipe_ends[0];
    const int errors = open_log(log_);
    const std::int64_t started = steady_ns();
    // Not by flag: --data would take the place of a shared store that the environment names.
    Program with_data = program;
    if (role == Role::serve) with_data.settings.push_back("BOXOFFICE_DATA=" + data.string());
    pid_ = spawn(with_data, arguments, pipe_ends[1], errors);
    ::close(pipe_ends[1]);
    ::close(errors);
    try {
        await_ready(started);
    } catch (...) {
        kill();
        ::close(output_);
        throw;
    }
}

void ServerProcess::await_ready(std::int64_t started)
{
    constexpr std::string_view kAddress = "http://127.0.0.1:";
    const std::int64_t end = started + static_cast<std::int64_t>(kStartSecondsMax * 1e9);
    std::string said;
    while (port_ == 0) {
        pollfd more{output_, POLLIN, 0};
        ::poll(&more, 1, static_cast<int>((end - steady_ns()) / 1'000'000) + 1);
        throw_if_interrupted();
        std::array<char, 1024> chunk{};
        const ssize_t got = more.revents != 0 ? ::read(output_, chunk.data(), chunk.size()) : 0;
        if (got <= 0) throw std::runtime_error("the server did not come up: " + tail_of(log_));
        said.append(chunk.data(), static_cast<std::size_t>(got));
        const std::size_t at = said.find(kAddress);
        const std::size_t digits_end = at == std::string::npos ? at : said.find_first_not_of("0123456789", at + kAddress.size());
        if (digits_end != std::string::npos) std::from_chars(said.data() + at + kAddress.size(), said.data() + digits_end, port_);
    }
    Client client(port_);
    while (client.ask("GET", "/health/ready").status != 200) {
        throw_if_interrupted();
        if (steady_ns() > end) throw std::runtime_error("the server does not become ready: " + tail_of(log_));
        ::poll(nullptr, 0, 1);
    }
    ready_ms_ = static_cast<double>(steady_ns() - started) / 1e6;
}

ServerProcess::~ServerProcess()
{
    kill();
    ::close(output_);
}

void ServerProcess::stop()
{
    ::kill(pid_, SIGTERM);
    const int code = wait_for(pid_, kStopSecondsMax, Wait::to_the_end);
    if (code < 0)
        throw std::runtime_error("the server does not stop; its threads: " + threads_of(pid_) + "; its log: " + tail_of(log_));
    pid_ = -1;
    if (code != 0) throw std::runtime_error("the server ended with " + std::to_string(code) + ": " + tail_of(log_));
}

void ServerProcess::kill()
{
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    wait_for(pid_, kStopSecondsMax, Wait::to_the_end);
    pid_ = -1;
}

}  // namespace boxoffice::bench
