#include "servers/redis_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace boxoffice
{

namespace
{

constexpr auto kPatience = std::chrono::seconds(30);  // for a start, on a busy machine
constexpr int kLookEveryMs = 5;
constexpr int kPortsTried = 5;

class Descriptor
{
public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor()
    {
        if (value_ >= 0) ::close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    operator int() const { return value_; }

private:
    int value_;
};

int free_port()
{
    const Descriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(probe, generic, size) != 0 || ::getsockname(probe, generic, &size) != 0)
        throw std::runtime_error("no free loopback port");
    return ntohs(address.sin_port);
}

/// Asked on the socket in our own folder: on the port another server might answer.
bool answers_ping(const std::string& path)
{
    const Descriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return false;
    constexpr std::string_view kPing = "PING\r\n";
    if (::send(client, kPing.data(), kPing.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kPing.size())) return false;
    pollfd answer{client, POLLIN, 0};
    if (::poll(&answer, 1, 1000) <= 0) return false;
    std::array<char, 64> buffer{};
    const ssize_t count = ::recv(client, buffer.data(), buffer.size(), 0);
    const std::string_view said(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return said.starts_with("+PONG") || said.starts_with("-NOAUTH");
}

/// "ca", and by it "server", for localhost and 127.0.0.1, and "client".
void make_certificates(const std::filesystem::path& folder)
{
    const auto make = [&](const std::string& script) {
        const std::string command = "cd '" + folder.string() + "' && " + script + " >openssl.log 2>&1";
        if (std::system(command.c_str()) != 0) throw std::runtime_error("no certificates: " + script);
    };
    constexpr const char* kKey = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 ";
    make(std::string(kKey) + "-keyout ca.key -out ca.crt -subj /CN=ca");
    const std::string by_ca = std::string(kKey) + "-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE ";
    make(by_ca + "-keyout server.key -out server.crt -subj /CN=server -addext subjectAltName=DNS:localhost,IP:127.0.0.1");
    make(by_ca + "-keyout client.key -out client.crt -subj /CN=client");
    make(std::string(kKey) + "-keyout other.key -out other.crt -subj /CN=ca");
}

std::string whole(const std::string& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

RedisServer::RedisServer(Memory memory, std::vector<std::string> settings, Tls tls)
    : memory_(memory), settings_(std::move(settings)), tls_(tls), port_(free_port())
{
    if (tls_ == Tls::yes) make_certificates(folder_.path());
    // Between the finding of a port and its use another process may have taken it.
    for (int tried = 1; !try_start(); ++tried) {
        if (tried == kPortsTried) throw std::runtime_error("redis-server does not start: " + whole(folder_.path() / "log"));
        port_ = free_port();
    }
}

RedisServer::~RedisServer() { kill(); }

void RedisServer::start()
{
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!try_start()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("redis-server does not start again: " + whole(folder_.path() / "log"));
    }
}

void RedisServer::stop() { end(SIGTERM); }

void RedisServer::kill() { end(SIGKILL); }

void RedisServer::freeze() const
{
    ::kill(pid_, SIGSTOP);
    int status = 0;
    ::waitpid(pid_, &status, WUNTRACED);
}

void RedisServer::thaw() const { ::kill(pid_, SIGCONT); }

bool RedisServer::try_start()
{
    const std::string log = folder_.path() / "log";
    const std::string port = std::to_string(port_);
    std::vector<std::string> words = {"redis-server",
                                      "--port",
                                      tls_ == Tls::yes ? "0" : port,
                                      "--bind",
                                      "127.0.0.1",
                                      "--unixsocket",
                                      socket(),
                                      "--dir",
                                      folder_.path(),
                                      "--daemonize",
                                      "no",
                                      "--save",
                                      "",
                                      "--appendonly",
                                      memory_ == Memory::append_only ? "yes" : "no",
                                      "--appendfsync",
                                      "always"};
    if (tls_ == Tls::yes) {
        words.insert(words.end(), {"--tls-port", port, "--tls-cert-file", file("server.crt"), "--tls-key-file",
                                   file("server.key"), "--tls-ca-cert-file", file("ca.crt")});
    }
    words.insert(words.end(), settings_.begin(), settings_.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Descriptor output(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("redis-server cannot be started: no process");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(nothing, STDIN_FILENO);
        ::dup2(output, STDOUT_FILENO);
        ::dup2(output, STDERR_FILENO);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!answers_ping(socket())) {
        if (has_ended()) return false;
        if (std::chrono::steady_clock::now() > deadline) {
            kill();
            return false;
        }
        ::poll(nullptr, 0, kLookEveryMs);
    }
    return true;
}

bool RedisServer::has_ended()
{
    if (::waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
    pid_ = -1;
    return true;
}

void RedisServer::end(int signal)
{
    if (pid_ < 0) return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

}  // namespace boxoffice
