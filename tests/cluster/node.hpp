#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "api/client.hpp"
#include "servers/process.hpp"

namespace cluster
{

using blackbox::Address;
using blackbox::Millis;

/// One process of the binary under test, a server or a worker, on a port that it keeps over restarts.
class Node
{
public:
    /// `words`: the command and its flags but for --listen. `environment`: settings as NAME=value. Starts nothing yet.
    Node(const std::filesystem::path& home, std::string name, std::vector<std::string> words,
         std::vector<std::string> environment);

    /// Starts it and does not wait.
    void launch();
    /// Returns when /health/ready says 200. Throws with its last words when it ends or takes too long.
    void await_ready();
    void start()
    {
        launch();
        await_ready();
    }
    void kill_hard() { process_.reset(); }
    /// SIGTERM; its exit code.
    int stop();

    [[nodiscard]] const Address& address() const { return address_; }
    /// The status of /health/ready and the `status` in its body; 0 when there is no answer.
    struct Health {
        int status = 0;
        std::string word;
        bool operator==(const Health&) const = default;
    };
    [[nodiscard]] Health health() const;
    /// Returns once health() is this, and fails the test when that takes longer. An empty word stands for any.
    void expect_health(const Health& wanted, Millis within) const;
    [[nodiscard]] std::string last_words() const;

private:
    std::filesystem::path home_, log_;
    std::vector<std::string> words_, environment_;
    Address address_;
    std::optional<boxoffice::ChildProcess> process_;
    bool was_ready_ = false;
};

/// The binary that BOXOFFICE_BINARY names.
[[nodiscard]] std::string binary();

}  // namespace cluster
