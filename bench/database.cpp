#include "database.hpp"

#include <libpq-fe.h>

#include <stdexcept>

namespace boxoffice::bench
{

void Database::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Database::Database(const std::string& url) : connection_(PQconnectdb(url.c_str()))
{
    if (PQstatus(connection_.get()) != CONNECTION_OK)
        throw std::runtime_error(std::string("PostgreSQL: ") + PQerrorMessage(connection_.get()));
}

std::vector<Database::Row> Database::run(const std::string& sql, std::initializer_list<std::string> parameters)
{
    std::vector<const char*> values;
    for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr,
                     0),
        &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        throw std::runtime_error(std::string("PostgreSQL: ") + PQerrorMessage(connection_.get()));
    std::vector<Row> rows(static_cast<std::size_t>(PQntuples(result.get())));
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        for (int column = 0; column < PQnfields(result.get()); ++column)
            rows[static_cast<std::size_t>(row)].emplace_back(PQgetvalue(result.get(), row, column));
    }
    return rows;
}

std::string Database::one(const std::string& sql, std::initializer_list<std::string> parameters)
{
    const std::vector<Row> rows = run(sql, parameters);
    if (rows.empty() || rows.front().empty()) throw std::runtime_error("PostgreSQL: no row from " + sql);
    return rows.front().front();
}

std::string array_of(const std::vector<std::int64_t>& values)
{
    std::string text = "{";
    for (const std::int64_t value : values) text += (text.size() == 1 ? "" : ",") + std::to_string(value);
    return text + "}";
}

}  // namespace boxoffice::bench
