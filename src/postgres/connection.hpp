#pragma once
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postgres/params.hpp"
#include "postgres/postgres.hpp"

/// libpq with owners: a connection, pipelines of statements (one round trip, however many), and their rows.
namespace boxoffice::postgres
{

/// The server refused a statement; told by its SQLSTATE. The transaction is over.
class Refused : public StoreFailure
{
public:
    Refused(std::string_view state, const std::string& message);
    [[nodiscard]] std::string_view state() const noexcept { return {state_.data(), kStateChars}; }
    /// The facts changed underneath, or two transactions stood in each other's way: to do it again may well work.
    [[nodiscard]] bool transient() const noexcept;

private:
    static constexpr std::size_t kStateChars = 5;
    std::array<char, kStateChars> state_{};
};

/// There is no connection any more, or none could be made. What was sent may have happened.
class Gone : public StoreFailure
{
public:
    explicit Gone(const std::string& why) : StoreFailure(Code::storage_failed, why) {}
};

/// The rows that a statement gave, in binary. Columns and rows count from 0.
class Rows
{
public:
    explicit Rows(PGresult* result) : result_(result) {}

    [[nodiscard]] PGresult* raw() const { return result_.get(); }
    [[nodiscard]] int count() const { return PQntuples(result_.get()); }
    [[nodiscard]] bool null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
    [[nodiscard]] std::int64_t integer(int row, int column) const;  // int2, int4, int8
    [[nodiscard]] double real(int row, int column) const;
    [[nodiscard]] bool boolean(int row, int column) const { return *PQgetvalue(result_.get(), row, column) != 0; }
    [[nodiscard]] std::string_view text(int row, int column) const;  // text, bytea; valid as long as the rows
    [[nodiscard]] Instant instant(int row, int column) const { return Instant(Micros(integer(row, column) + kEpochShift)); }
    [[nodiscard]] std::vector<std::int64_t> integers(int row, int column) const;  // int8[] without nulls
    template <class IdType>
    [[nodiscard]] IdType id(int row, int column) const
    {
        return IdType{integer(row, column)};
    }

private:
    struct Clear {
        void operator()(PGresult* result) const { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result_;
};

/// Statements sent in one round trip. Their SQL must outlive the pipeline.
class Pipeline
{
public:
    /// Returns the place of its rows in what execute() gives.
    std::size_t add(std::string_view sql, Params params = {});
    [[nodiscard]] bool empty() const { return statements_.empty(); }
    [[nodiscard]] std::size_t size() const { return statements_.size(); }
    void append(const Pipeline& other);

private:
    friend class Connection;
    struct Statement {
        std::string_view sql;
        Params params;
    };
    std::vector<Statement> statements_;
};

/// One session. One thread at a time. Connects when it is first used, and again when it is used after it was lost.
class Connection
{
public:
    /// Who writes shares the use of the database, and has no session without.
    enum class Purpose : std::uint8_t { write, read, search };

    Connection(const PostgresOptions& options, Purpose purpose) : options_(options), purpose_(purpose) {}

    /// Makes sure that there is a session. Throws Gone.
    void connect();
    [[nodiscard]] bool connected() const { return session_ != nullptr; }
    void drop();
    /// Whether the server has warned of something during the last pipeline.
    [[nodiscard]] bool warned() const { return warned_; }

    /// As long as it lives, no answer is waited for longer.
    class Patience
    {
    public:
        Patience(Connection& connection, Micros most) : connection_(connection) { connection_.patience_ = most; }
        ~Patience() { connection_.patience_.reset(); }
        Patience(const Patience&) = delete;
        Patience& operator=(const Patience&) = delete;

    private:
        Connection& connection_;
    };

    /// Sends all and waits for all; each statement is prepared once a session. Throws Refused for the first that the server
    /// refused, after which the rest were not executed (a transaction left open is rolled back); Gone.
    std::vector<Rows> execute(const Pipeline& pipeline);
    /// A pipeline of one statement.
    Rows ask(std::string_view sql, Params params = {});
    /// Several statements without parameters, one after the other.
    void script(const std::string& sql);

    /// Waits until the server has sent something or `wake` is readable, and takes up notifications; true: there was one.
    [[nodiscard]] bool wait_for_notification(int wake, std::string& payload);

private:
    [[nodiscard]] Micros statement_timeout() const
    {
        return purpose_ == Purpose::search ? std::min(options_.search_timeout, options_.statement_timeout)
                                           : options_.statement_timeout;
    }
    struct Finish {
        void operator()(PGconn* session) const { PQfinish(session); }
    };
    struct Sent {
        enum class What : std::uint8_t { upkeep, preparation, statement } what;
        std::size_t statement;
    };
    const std::string& name_of(std::string_view sql, const Params& params, std::vector<Sent>& sent, std::size_t index);
    void send(const Pipeline& pipeline, std::vector<Sent>& sent);
    void discard_old_plans(std::vector<Sent>& sent);
    /// What became of one statement: its rows to `rows`, or the first refusal of the pipeline.
    void take(PGresult* result, const Sent& was, const Pipeline& pipeline, std::vector<Rows>& rows,
              std::optional<Refused>& refused);
    [[noreturn]] void lost(const std::string& doing);
    void share_use();
    void pump();  // until something has come
    PGresult* next_result();
    void roll_back_if_open();

    const PostgresOptions& options_;
    Purpose purpose_;
    std::unique_ptr<PGconn, Finish> session_;
    struct Prepared {
        std::string name;
        bool ready = false;
    };
    std::unordered_map<std::string, Prepared> prepared_;
    bool warned_ = false;
    std::optional<Micros> patience_;
    std::chrono::steady_clock::time_point planned_at_;  // none of the session's plans is older
};

}  // namespace boxoffice::postgres
