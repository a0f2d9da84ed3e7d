#include "servers/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace boxoffice
{

namespace
{

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

std::vector<char*> pointers(const std::vector<std::string>& words)
{
    std::vector<char*> result;
    for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
    result.push_back(nullptr);
    return result;
}

/// In the child, between fork and exec: nothing here may allocate.
[[noreturn]] void become(const Launch& launch, char* const* argv, char* const* envp, int log, int trouble, pid_t parent)
{
    const auto give_up = [trouble] {
        const int why = errno;
        const ssize_t ignored = ::write(trouble, &why, sizeof why);
        ::_exit(ignored == 0 ? 126 : 127);
    };
    ::setpgid(0, 0);  // an interrupt from the keyboard is for the test; the child follows it
    ::umask(077);
    if (launch.run_as) {
        const bool became =
            ::setgroups(0, nullptr) == 0 && ::setgid(launch.run_as->group) == 0 && ::setuid(launch.run_as->user) == 0;
        if (!became) give_up();
    }
    if (!launch.folder.empty() && ::chdir(launch.folder.c_str()) != 0) give_up();
    // After the change of user, which would take it away again.
    ::prctl(PR_SET_PDEATHSIG, launch.death_signal);
    if (::getppid() != parent) ::_exit(127);
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(launch.standard_output >= 0 ? launch.standard_output : (log >= 0 ? log : nothing), STDOUT_FILENO);
    ::dup2(log >= 0 ? log : nothing, STDERR_FILENO);
    ::execve(argv[0], argv, envp);
    give_up();
    ::_exit(127);
}

pid_t start(const Launch& launch)
{
    const std::vector<char*> argv = pointers(launch.words);
    const std::vector<char*> envp = pointers(launch.environment);
    const int log = launch.log.empty() ? -1 : ::open(launch.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (!launch.log.empty() && log < 0) fail("cannot write " + launch.log.string());
    int trouble[2];
    if (::pipe2(trouble, O_CLOEXEC) != 0) fail("pipe");
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become(launch, argv.data(), envp.data(), log, trouble[1], parent);
    ::close(trouble[1]);
    if (log >= 0) ::close(log);
    int why = pid < 0 ? errno : 0;
    const ssize_t got = pid < 0 ? 0 : ::read(trouble[0], &why, sizeof why);
    ::close(trouble[0]);
    if (pid > 0 && got <= 0) return pid;
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    errno = why;
    fail("cannot start " + launch.words.at(0));
}

/// The kernel counts a parent as dead when the thread that forked has ended. So one thread, which lives as long as the
/// program, forks for all.
class Forker
{
public:
    static Forker& only()
    {
        static Forker forker;
        return forker;
    }

    pid_t run(const Launch& launch)
    {
        const std::lock_guard turn(turn_);
        std::unique_lock lock(guard_);
        wanted_ = &launch;
        changed_.notify_all();
        changed_.wait(lock, [this] { return wanted_ == nullptr; });
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
        return started_;
    }

    Forker(const Forker&) = delete;
    Forker& operator=(const Forker&) = delete;

private:
    Forker() : thread_([this] { serve(); }) {}
    ~Forker()
    {
        {
            const std::lock_guard lock(guard_);
            ending_ = true;
            changed_.notify_all();
        }
        thread_.join();
    }

    void serve()
    {
        std::unique_lock lock(guard_);
        for (;;) {
            changed_.wait(lock, [this] { return ending_ || wanted_ != nullptr; });
            if (ending_) return;
            try {
                started_ = start(*wanted_);
            } catch (...) {
                failure_ = std::current_exception();
            }
            wanted_ = nullptr;
            changed_.notify_all();
        }
    }

    std::mutex turn_;
    std::mutex guard_;
    std::condition_variable changed_;
    const Launch* wanted_ = nullptr;
    pid_t started_ = -1;
    std::exception_ptr failure_;
    bool ending_ = false;
    std::thread thread_;
};

bool is_free(std::uint16_t port)
{
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) fail("socket");
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    here.sin_port = htons(port);
    sockaddr generic{};
    std::memcpy(&generic, &here, sizeof here);
    const bool bound = ::bind(listener, &generic, sizeof here) == 0;
    ::close(listener);
    return bound;
}

int reap(pid_t pid)
{
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

ChildProcess::ChildProcess(const Launch& launch) : pid_(Forker::only().run(launch)) {}
ChildProcess::~ChildProcess() { kill_hard(); }
ChildProcess::ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

void ChildProcess::signal(int number) const
{
    if (pid_ > 0) ::kill(pid_, number);
}

bool ChildProcess::ends_within(Patience patience) const { return pid_ <= 0 || boxoffice::ends_within(pid_, patience); }

int ChildProcess::wait(Patience patience)
{
    if (pid_ <= 0) throw std::logic_error("there is no such process any more");
    if (!ends_within(patience)) {
        kill_hard();
        throw std::runtime_error("a process was still there after " + std::to_string(patience.count()) + " ms");
    }
    return reap(std::exchange(pid_, -1));
}

void ChildProcess::kill_hard()
{
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    reap(std::exchange(pid_, -1));
}

std::vector<std::string> environment_with(const std::vector<std::string>& settings, const std::vector<std::string>& dropped)
{
    const auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
    std::vector<std::string> result = settings;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view name = name_of(*entry);
        const bool is_dropped = std::ranges::any_of(dropped, [&](const auto& start) { return name.starts_with(start); });
        const bool is_given = std::ranges::any_of(settings, [&](const auto& setting) { return name_of(setting) == name; });
        if (!is_dropped && !is_given) result.emplace_back(*entry);
    }
    return result;
}

std::vector<pid_t> children_of(pid_t parent)
{
    const std::string process = std::to_string(parent);
    std::istringstream list(read_text("/proc/" + process + "/task/" + process + "/children"));
    std::vector<pid_t> children;
    for (pid_t child = 0; list >> child;) children.push_back(child);
    return children;
}

bool ends_within(pid_t pid, Patience patience)
{
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (handle < 0) return errno == ESRCH;
    pollfd waiting{handle, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
    ::close(handle);
    return ready == 1;
}

std::uint16_t free_port()
{
    // Below the ports that the kernel gives to outgoing connections: otherwise a client might take the port of a server that is
    // down for a moment, or even be connected to itself there.
    constexpr std::uint16_t kLowest = 10'240;
    unsigned first_given = 32'768;
    std::istringstream(read_text("/proc/sys/net/ipv4/ip_local_port_range")) >> first_given;
    const auto highest = static_cast<std::uint16_t>(std::clamp<unsigned>(first_given, kLowest + 1'000, 65'535) - 1);
    std::random_device random;
    std::uniform_int_distribution<std::uint16_t> any(kLowest, highest);
    for (int tries = 0; tries < 1'000; ++tries) {
        const std::uint16_t port = any(random);
        if (is_free(port)) return port;
    }
    throw std::runtime_error("no free port was found");
}

std::string read_text(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

}  // namespace boxoffice
