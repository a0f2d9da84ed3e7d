#pragma once
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "scene.hpp"

/// Buyers who reserve and pay as fast as they are answered, and remember what they were promised: the load of the tests that
/// take the server down.
namespace blackbox
{

/// What a server has acknowledged to one buyer.
struct Promises {
    std::map<std::int64_t, std::string> tickets;  // id -> the last status acknowledged
    std::int64_t last_reserved = 0;
    std::string last_key;   // of the last reservation acknowledged
    std::string last_body;  // and its answer
};

class Crowd
{
public:
    /// `count` buyers and an event with seats for all, at that server.
    Crowd(const Address& at, int count);
    ~Crowd();
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    /// Starts buying. A buyer goes on through refusals (503, counted) and ends when the server no longer answers or finish()
    /// is called.
    void start();
    /// Returns once so many answers in all were good; fails the test when that takes over a minute.
    void wait_for_promises(int count);
    void wait_for_refusals(int count);
    /// Lets every buyer finish the request at hand, then joins them.
    void finish();
    /// Joins the buyers of a server that was taken down: each ends by itself.
    void join();

    /// Asks the server at `to` for every promise, for exact counts and for the replay of each buyer's last reservation.
    void check_promises(const Address& to) const;

    [[nodiscard]] int cut_answers() const { return cut_; }
    [[nodiscard]] const std::vector<std::string>& surprises() const { return surprises_; }
    [[nodiscard]] const Json& event() const { return event_; }

private:
    void buy(std::size_t buyer);
    void count(int& counter);
    void wait_for(const int& counter, int wanted);
    /// Counts what came. An answer that is neither good nor a proper refusal is a surprise and ends the buying.
    bool is_good(const Answer& answer, int status);

    Address at_;
    std::vector<Person> people_;
    Json event_;
    std::vector<Promises> promises_;
    std::vector<std::thread> threads_;
    std::mutex guard_;
    std::condition_variable changed_;
    int good_ = 0, refused_ = 0, cut_ = 0, ended_ = 0;
    bool finishing_ = false;
    std::vector<std::string> surprises_;
};

}  // namespace blackbox
