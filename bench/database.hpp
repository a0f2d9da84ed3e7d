#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

struct pg_conn;

namespace boxoffice::bench
{

/// One blocking connection to the shared store, for what a scenario does behind the server's back. Every failure throws
/// std::runtime_error with the server's own words.
class Database
{
public:
    explicit Database(const std::string& url);

    using Row = std::vector<std::string>;
    /// Runs one statement; parameters and columns are text, a null comes out empty.
    std::vector<Row> run(const std::string& sql, std::initializer_list<std::string> parameters = {});
    /// The first column of the first row.
    std::string one(const std::string& sql, std::initializer_list<std::string> parameters = {});

private:
    struct Close {
        void operator()(pg_conn* connection) const;
    };
    std::unique_ptr<pg_conn, Close> connection_;
};

/// {1,2,3}: a bigint[] as PostgreSQL reads it.
[[nodiscard]] std::string array_of(const std::vector<std::int64_t>& values);

}  // namespace boxoffice::bench
