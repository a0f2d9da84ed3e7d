#include "server_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>

#include "servers/postgres_server.hpp"

namespace blackbox
{

namespace
{

std::string binary()
{
    if (const char* given = std::getenv("BOXOFFICE_BINARY")) return given;
#ifdef BOXOFFICE_BINARY
    return BOXOFFICE_BINARY;
#else
    throw std::runtime_error("set BOXOFFICE_BINARY to the server to be tested");
#endif
}

std::string slurp(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

/// `output` becomes the child's stdout, `errors` its stderr. The child dies with this process, so that a crashed test leaves
/// nothing behind.
pid_t spawn(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment, int output,
            int errors)
{
    std::vector<std::string> words{binary()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> settings;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view name = std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
        const bool ours = name.starts_with("BOXOFFICE_") || environment.contains(std::string(name));
        if (!ours) settings.emplace_back(*entry);
    }
    for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
    std::vector<char*> argv, envp;
    for (auto& word : words) argv.push_back(word.data());
    for (auto& setting : settings) envp.push_back(setting.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);

    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(output, STDOUT_FILENO);
        ::dup2(errors, STDERR_FILENO);
        ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    return pid;
}

/// True when `pid` ended within `patience`.
bool ended(pid_t pid, Millis patience)
{
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (handle < 0) return true;
    pollfd waiting{handle, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
    ::close(handle);
    return ready == 1;
}

int reap(pid_t pid)
{
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string random_hex(std::size_t digits)
{
    std::random_device entropy;
    std::string text;
    while (text.size() < digits) text += "0123456789abcdef"[entropy() % 16];
    return text;
}

/// The port in the first whole `http://127.0.0.1:PORT` of what a server printed, or 0.
std::uint16_t find_port(const std::string& printed)
{
    constexpr std::string_view kOrigin = "http://127.0.0.1:";
    const auto at = printed.find(kOrigin);
    if (at == std::string::npos) return 0;
    const auto end = printed.find_first_not_of("0123456789", at + kOrigin.size());
    if (end == std::string::npos) return 0;
    return static_cast<std::uint16_t>(std::stoul(printed.substr(at + kOrigin.size(), end - at - kOrigin.size())));
}

}  // namespace

TempDir::TempDir()
{
    std::string shape = (std::filesystem::temp_directory_path() / "boxoffice-api-XXXXXX").string();
    if (::mkdtemp(shape.data()) == nullptr) throw std::runtime_error(std::string("mkdtemp: ") + std::strerror(errno));
    path_ = shape;
}

TempDir::~TempDir()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

bool on_postgres()
{
    const char* const engine = std::getenv("BOXOFFICE_TEST_ENGINE");
    return engine != nullptr && std::string_view(engine) == "postgres";
}

std::string database_of(const std::filesystem::path& home)
{
    static std::map<std::filesystem::path, std::string> databases;  // a server started again finds what it left
    const auto [at, added] = databases.try_emplace(home);
    if (added) at->second = boxoffice::shared_postgres().fresh_database();
    return at->second;
}

std::vector<std::string> doctor_of(const std::filesystem::path& home)
{
    if (on_postgres()) return {"doctor", "--database-url", database_of(home)};
    return {"doctor", "--data", (home / "data").string()};
}

ServerProcess::ServerProcess(const std::filesystem::path& home, const ServeOptions& options) : stderr_file_(home / "stderr.txt")
{
    std::vector<std::string> arguments{"serve",       "--data",         (home / "data").string(), "--listen",
                                       "127.0.0.1:0", "--bcrypt-cost",  options.bcrypt_cost,      "--log-level",
                                       "warn",        "--hold-seconds", options.hold_seconds};
    arguments.insert(arguments.end(), options.more_arguments.begin(), options.more_arguments.end());
    auto environment = options.environment;
    environment.emplace("BOXOFFICE_RATE_LIMIT", "off");
    if (on_postgres()) {
        arguments.insert(arguments.end(), {"--database-url", database_of(home)});
        environment.emplace("BOXOFFICE_JWT_SECRET", known_secret());
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
    const int errors = ::open(stderr_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_ = spawn(arguments, environment, ends[1], errors);
    ::close(ends[1]);
    ::close(errors);
    stdout_ = ends[0];

    std::string printed;
    while (find_port(printed) == 0) {
        pollfd waiting{stdout_, POLLIN, 0};
        const bool spoke = ::poll(&waiting, 1, static_cast<int>(kPatience.count())) == 1;
        char bytes[4096];
        const ssize_t got = spoke ? ::read(stdout_, bytes, sizeof bytes) : 0;
        if (got <= 0) {
            kill_hard();
            throw std::runtime_error("the server did not say where it listens; stdout: " + printed + "\nstderr: " + last_words());
        }
        printed.append(bytes, static_cast<std::size_t>(got));
    }
    address_.port = find_port(printed);
}

ServerProcess::~ServerProcess()
{
    kill_hard();
    if (stdout_ >= 0) ::close(stdout_);
}

void ServerProcess::ask_to_stop() const
{
    if (pid_ > 0) ::kill(pid_, SIGTERM);
}

int ServerProcess::wait(Millis patience)
{
    if (!ended(pid_, patience)) {
        kill_hard();
        throw std::runtime_error("the server was still there after " + std::to_string(patience.count()) +
                                 " ms; stderr: " + last_words());
    }
    return reap(std::exchange(pid_, -1));
}

void ServerProcess::kill_hard()
{
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    reap(std::exchange(pid_, -1));
}

std::string ServerProcess::last_words() const { return slurp(stderr_file_); }

Ran run_boxoffice(const std::vector<std::string>& arguments)
{
    const TempDir home;
    const auto file = home.path() / "output.txt";
    const int output = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const pid_t pid = spawn(arguments, {}, output, output);
    ::close(output);
    if (!ended(pid, Millis(60'000))) ::kill(pid, SIGKILL);
    const int exit_code = reap(pid);
    return {exit_code, slurp(file)};
}

namespace
{

/// The servers that tests share; stopped after the last of them, when each must have ended well.
class SharedServers : public testing::Environment
{
public:
    const Address& patient() { return started(patient_, {"120", {{"BOXOFFICE_JWT_SECRET", known_secret()}}, {}}); }
    const Address& hasty() { return started(hasty_, {"0.5", {}, {}}); }

    void TearDown() override
    {
        for (auto* one : {&patient_, &hasty_}) {
            if (!one->server) continue;
            EXPECT_EQ(one->server->stop(), 0) << one->server->last_words();
            const std::string words = one->server->last_words();
            for (const char* sign : {"AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:"}) {
                EXPECT_EQ(words.find(sign), std::string::npos) << words;
            }
            one->server.reset();
            one->home.reset();
        }
    }

private:
    struct Shared {
        std::unique_ptr<TempDir> home;
        std::unique_ptr<ServerProcess> server;
    };

    const Address& started(Shared& shared, const ServeOptions& options)
    {
        if (is_foreign()) {
            static const Address given = parse_origin(std::getenv("APIURL"));
            return given;
        }
        if (!shared.server) {
            shared.home = std::make_unique<TempDir>();
            shared.server = std::make_unique<ServerProcess>(shared.home->path(), options);
        }
        return shared.server->address();
    }

    Shared patient_, hasty_;
};

auto& shared_servers()
{
    static auto* servers = dynamic_cast<SharedServers*>(testing::AddGlobalTestEnvironment(new SharedServers));
    return *servers;
}
const bool kRegistered = (shared_servers(), true);

}  // namespace

const Address& box_office() { return shared_servers().patient(); }
const Address& hasty_box_office() { return shared_servers().hasty(); }

bool is_foreign()
{
    const char* url = std::getenv("APIURL");
    return url != nullptr && *url != '\0';
}

const std::string& known_secret()
{
    static const std::string secret = random_hex(64);
    return secret;
}

}  // namespace blackbox
