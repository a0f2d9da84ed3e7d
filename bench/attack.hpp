#pragma once
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// What one hostile client does to a server, played by a process of its own, so that its sockets and its memory are its own and
/// its end is certain. Bounded in connections, in requests a second and, by its owner, in time; loopback only.
namespace boxoffice::bench
{

struct Attack {
    /// What a connection does once its request is out.
    enum class Then : std::uint8_t {
        hold,       // nothing: stays open and neither reads nor writes
        ask_again,  // reads the answer and sends the next request
        hang_up,    // closes at once and connects anew
    };

    std::string name;
    unsigned connections = 0;
    double per_second = 0;  // connections opened, and requests sent, at most
    Then then = Then::hold;
    std::vector<std::string> requests;  // sent in turn; none: connections that say nothing
};

/// What came of it; shared with the process that plays the attack.
struct AttackTally {
    std::atomic<std::uint64_t> opened{0};    // connections
    std::atomic<std::uint64_t> closed{0};    // by the server
    std::atomic<std::uint64_t> answered{0};  // with any status below 400
    std::atomic<std::uint64_t> refused{0};   // with another
};

/// A process that ends with its owner, and dies with the generator.
class Child
{
public:
    template <class Play>
    explicit Child(Play play) : pid_(begin())
    {
        if (pid_ == 0) end(play());
    }
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

private:
    static pid_t begin();
    [[noreturn]] static void end(int code);

    pid_t pid_;
};

/// An attack under way from `source`, an address of 127.0.0.0/8, until this goes out of scope.
class RunningAttack
{
public:
    RunningAttack(const Attack& attack, std::uint16_t port, const char* source);
    ~RunningAttack();
    RunningAttack(const RunningAttack&) = delete;
    RunningAttack& operator=(const RunningAttack&) = delete;

    [[nodiscard]] const AttackTally& tally() const { return *tally_; }

private:
    AttackTally* tally_;
    std::unique_ptr<Child> child_;
};

/// Accepts every connection and answers whatever comes with one small refusal: what an attack costs when nothing is behind it.
class InertListener
{
public:
    InertListener();
    ~InertListener();
    InertListener(const InertListener&) = delete;
    InertListener& operator=(const InertListener&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    int socket_;
    std::uint16_t port_ = 0;
    std::unique_ptr<Child> child_;
};

}  // namespace boxoffice::bench
