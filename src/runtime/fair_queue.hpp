#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace boxoffice
{

/// Why work left a queue without being executed.
enum class LaneDrop : std::uint8_t {
    overdue,      // it has waited for as long as the lane lets anything wait
    gone,         // the client has closed the connection
    crowded_out,  // the queue was full, and this was the newest work of the client with the most in it
};

/// A piece of work, and whose it is. Exactly one of `run` and `dropped` is called, unless the lane stops before; neither may
/// throw.
struct LaneWork {
    std::function<void()> run;
    std::function<void(LaneDrop)> dropped{};          // quick; empty: no caller has to hear of it
    std::string client{};                             // clients take turns
    std::string account{};                            // and so do the accounts within a client
    std::shared_ptr<const std::atomic<bool>> gone{};  // true: no client waits for the outcome any more; none: one always does
};

/// What waits for a lane. The clients take turns, and within a client its accounts, so that a client with one piece of work
/// waiting waits for one of each other client's and not for all of it. A client may fill the whole queue while no other wants it;
/// when it is full, the newest work of the client with the most makes way for one with less. Not thread-safe.
class FairQueue
{
public:
    using Steady = std::chrono::steady_clock;

    explicit FairQueue(std::size_t depth_max) : depth_max_(depth_max) {}

    /// Deadlines must not fall from one call to the next. False: the queue is full, and `work` was not taken from the caller.
    /// What had to make way is added to `dropped`.
    [[nodiscard]] bool put(LaneWork& work, Steady::time_point deadline, std::vector<std::pair<LaneWork, LaneDrop>>& dropped);

    /// The work whose turn it is, with its deadline; nothing when none waits.
    [[nodiscard]] std::optional<std::pair<LaneWork, Steady::time_point>> take();

    /// Takes out all whose deadline is not after `now`.
    void drop_overdue(Steady::time_point now, std::vector<std::pair<LaneWork, LaneDrop>>& dropped);

    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] bool empty() const { return entries_.empty(); }

private:
    using Number = std::uint64_t;  // in the order of arrival
    using Names = std::list<std::string>;
    struct Account {
        std::list<Number> waiting;
        Names::iterator turn;
    };
    struct Client {
        std::unordered_map<std::string, Account> accounts;
        Names turns;  // of the accounts
        std::size_t size = 0;
        Names::iterator turn;
    };
    struct Entry {
        LaneWork work;
        Steady::time_point deadline;
        std::list<Number>::iterator at;
    };
    using Entries = std::map<Number, Entry>;

    void drop_gone(std::vector<std::pair<LaneWork, LaneDrop>>& dropped);
    [[nodiscard]] bool make_way_for(const std::string& client, std::vector<std::pair<LaneWork, LaneDrop>>& dropped);
    LaneWork remove(Entries::iterator entry);

    std::size_t depth_max_;
    Number next_ = 0;
    Entries entries_;
    std::unordered_map<std::string, Client> clients_;
    Names turns_;  // of the clients
};

}  // namespace boxoffice
