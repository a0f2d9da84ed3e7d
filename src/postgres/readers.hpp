#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

#include "postgres/connection.hpp"

namespace boxoffice::postgres
{

/// The connections that read. Whoever asks while all of them are out waits together with others, and whoever gets the next
/// free one takes what waits along in one flight: the busier it is, the fewer round trips there are. Any thread.
class Readers
{
public:
    explicit Readers(const PostgresOptions& options);

    /// The rows of each statement of the flight. Each statement sees one state of the store; statements of one flight may see
    /// different ones. A server that has just gone away is waited for, for a second; one that has been away for longer is not.
    /// Throws StoreFailure.
    std::vector<Rows> fly(Flight flight);
    Rows ask(std::string_view sql, Params params = {});

private:
    using Steady = std::chrono::steady_clock;
    struct Waiting {
        Flight flight;
        Steady::time_point since = Steady::now();
        std::vector<Rows> rows;
        std::exception_ptr accident;
        bool done = false;
        std::condition_variable answered;
    };
    using Group = std::vector<Waiting*>;

    void carry(Connection& db, Group group);
    void carry_together(Connection& db, const Group& group);
    /// Gives up those who have waited long enough, and says who is left.
    [[nodiscard]] Group give_up(const Group& group, const std::exception_ptr& why);

    const PostgresOptions& options_;
    std::vector<std::unique_ptr<Connection>> all_;
    std::atomic<Steady::rep> away_since_{0};  // 0: the server was there when last asked
    std::mutex mutex_;                        // protects what follows
    std::vector<Connection*> free_;
    std::deque<Waiting*> waiting_;
};

}  // namespace boxoffice::postgres
