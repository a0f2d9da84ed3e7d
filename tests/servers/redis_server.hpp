#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "temp_folder.hpp"

namespace boxoffice
{

/// A real redis-server of a test's own, on a free loopback port, its files in a temporary folder. It ends with this object, and
/// with the thread that started it, should that end first. Every method returns once what it says is so.
class RedisServer
{
public:
    enum class Memory { none, append_only };  // across a restart

    explicit RedisServer(Memory memory = Memory::none) : RedisServer(memory, {}) {}  // started
    /// `settings`: more words for its command line. With Tls: on its port it speaks nothing else, with a certificate for
    /// localhost and 127.0.0.1 by an authority that is made for it.
    enum class Tls { no, yes };
    RedisServer(Memory memory, std::vector<std::string> settings, Tls tls = Tls::no);
    ~RedisServer();
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;

    void start();  // again, on the same port
    void stop();   // as an operator would
    void kill();   // kill -9
    void freeze() const;
    void thaw() const;

    [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::string socket_url() const { return "unix://" + socket(); }
    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] std::string file(const std::string& name) const
    {
        return (folder_.path() / name).string();
    }  // "ca.crt", "client.key"

private:
    [[nodiscard]] std::string socket() const { return (folder_.path() / "redis.sock").string(); }
    [[nodiscard]] bool try_start();
    [[nodiscard]] bool has_ended();
    void end(int signal);

    TempFolder folder_;
    Memory memory_;
    std::vector<std::string> settings_;
    Tls tls_;
    int port_;
    pid_t pid_ = -1;
};

}  // namespace boxoffice
