#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/connection.hpp"

namespace boxoffice::postgres
{

/// The connections that read. A caller that asks while all of them are in use waits together with others, and the one that gets
/// the next free one takes what waits along in one round trip: the busier it is, the fewer round trips there are. Any thread.
///
/// A server that does not answer costs each caller a timeout of several seconds. Once it is known to be unavailable, one query at
/// a time goes to see whether it is back, and the others are refused at once: else the threads that read would all stand there,
/// and what waits behind them for minutes.
class Readers
{
public:
    /// How many connections, and how many questions may travel together over one: a slow one makes those behind it wait.
    struct Size {
        unsigned connections;
        std::size_t together_max;
    };
    Readers(const PostgresOptions& options, Connection::Purpose purpose, Size size);

    /// The rows of each statement of the pipeline. Each statement sees one state of the store; statements of one pipeline may see
    /// different ones. A server that has just become unavailable is waited for, for a second; one that has been so for longer is
    /// not. Throws StoreFailure.
    std::vector<Rows> execute(Pipeline pipeline);
    Rows ask(std::string_view sql, Params params = {});

private:
    using Steady = std::chrono::steady_clock;
    struct Waiting {
        Pipeline pipeline;
        Steady::time_point since = Steady::now();
        std::vector<Rows> rows;
        std::exception_ptr exception;
        std::shared_ptr<const std::string> unavailable;  // why, when it was given up for that
        bool done = false;
        std::condition_variable answered;
        /// With the mutex held: the waiting thread may destroy this as soon as it can see the answer.
        void answer()
        {
            done = true;
            answered.notify_one();
        }
    };
    using Group = std::vector<Waiting*>;
    /// ordinary: refused once the server is known to be unavailable. probe: tests whether it is, over a new session.
    enum class Attempt : std::uint8_t { ordinary, probe };

    void carry(Connection& db, Group group, Attempt attempt);
    void carry_together(Connection& db, const Group& group);
    /// The server has answered, be it with a refusal.
    void mark_alive();
    /// An attempt has failed in which the server was silent since `silent`: gives up those who have waited long enough, and says
    /// who is left.
    [[nodiscard]] Group give_up(const Group& group, Steady::time_point silent, const Gone& why);
    /// Gives up all of them if the server is known to be unavailable.
    [[nodiscard]] bool give_up_if_known(const Group& group);
    /// With the mutex held, when the server is known to be unavailable: not every caller has to find that out.
    void refuse_those_waiting();

    const PostgresOptions& options_;
    const std::size_t together_max_;
    std::vector<std::unique_ptr<Connection>> all_;
    std::mutex mutex_;  // protects what follows
    std::vector<Connection*> free_;
    std::deque<Waiting*> waiting_;
    Steady::time_point last_alive_at_ = Steady::now();     // when the server last answered
    std::optional<Steady::time_point> unavailable_since_;  // none: the server was there when last asked
    /// It has been unavailable for long, as an attempt has shown, and none has reached it since. A text, of which each caller
    /// makes an exception of its own: threads that share one contend when it is destroyed.
    std::shared_ptr<const std::string> why_unavailable_;
    bool probing_ = false;  // a caller is finding out whether that is still so
};

}  // namespace boxoffice::postgres
