#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cluster/cluster.hpp"

namespace cluster
{

/// Buyers who reserve and pay through all nodes in turn, every act under an Idempotency-Key, and repeat whatever has no clear
/// answer with the same key, elsewhere, until it has one. They remember every answer.
class Buyers
{
public:
    Buyers(Cluster& cluster, int count);
    ~Buyers();
    Buyers(const Buyers&) = delete;
    Buyers& operator=(const Buyers&) = delete;

    void start();
    /// Returns after so many more clear answers; fails the test when that takes over half a minute.
    void wait_for_answers(int count);
    /// Lets every buyer come to a clear answer, then joins them.
    void finish();

    /// Every acknowledged ticket is there with its last status and no other is, no two are the same, every key has the same
    /// answer byte for byte at every node, and the event's counter is exact.
    void check() const;

    [[nodiscard]] int repeats() const { return repeats_; }

private:
    struct Act {
        std::string path, body, key;
        Answer answer;
    };
    struct Known {
        Buyer who;
        std::vector<Act> acts;
        std::vector<std::pair<std::int64_t, std::string>> tickets;  // id, last status acknowledged
    };

    void buy(std::size_t buyer);
    /// Until it has the answer with `status`. False: something came that should not have, and the buying ends.
    bool execute(const Buyer& who, Act& act, int status, std::size_t& node);
    void check_one(const Known& known, std::size_t turn) const;
    [[nodiscard]] bool goes_on();
    void pause(Millis time);
    void surprise(const std::string& what);

    Cluster& cluster_;
    std::vector<Address> nodes_;
    Json event_;
    std::vector<Known> known_;
    std::vector<std::thread> threads_;
    std::mutex guard_;
    std::condition_variable changed_;
    int answers_ = 0, repeats_ = 0;
    bool finishing_ = false;
    std::vector<std::string> surprises_;
};

}  // namespace cluster
