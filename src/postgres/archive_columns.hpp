#pragma once
#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/archive.hpp"
#include "postgres/connection.hpp"

/// The rows of an archive as statements and parameters: a page travels as one array a column.
namespace boxoffice::postgres
{

/// The earliest time that PostgreSQL has (its MIN_TIMESTAMP, 4714-11-24 BC); of the latest, microseconds in 64 bits fall short.
inline constexpr Instant kEarliest{Micros(-210'866'803'200'000'000)};

/// What of a value PostgreSQL cannot keep; empty when nothing.
template <class Value>
std::string_view why_not_kept(const Value&)
{
    return {};
}
inline std::string_view why_not_kept(const std::string& text) { return text.find('\0') == text.npos ? "" : "a zero byte"; }
inline std::string_view why_not_kept(Instant instant) { return instant < kEarliest ? "a time too early" : ""; }
template <class Value>
std::string_view why_not_kept(const std::optional<Value>& value)
{
    return value ? why_not_kept(*value) : std::string_view();
}

// --- Reading -------------------------------------------------------------------------------------------------------

inline void read(const Rows& rows, int row, int column, std::int64_t& value) { value = rows.integer(row, column); }
template <class Tag>
void read(const Rows& rows, int row, int column, Id<Tag>& id)
{
    id.value = rows.integer(row, column);
}
inline void read(const Rows& rows, int row, int column, double& value) { value = rows.real(row, column); }
inline void read(const Rows& rows, int row, int column, std::string& text) { text = rows.text(row, column); }
inline void read(const Rows& rows, int row, int column, Bytes& bytes) { bytes.value = rows.text(row, column); }
inline void read(const Rows& rows, int row, int column, Instant& instant) { instant = rows.instant(row, column); }
inline void read(const Rows& rows, int row, int column, std::vector<TicketId>& tickets)
{
    for (const std::int64_t id : rows.integers(row, column)) tickets.push_back(TicketId{id});
}
template <class Value>
void read(const Rows& rows, int row, int column, std::optional<Value>& value)
{
    if (!rows.null(row, column)) read(rows, row, column, value.emplace());
}

template <class Row>
std::vector<Row> read_rows(const Rows& rows)
{
    std::vector<Row> all(static_cast<std::size_t>(rows.count()));
    for (int row = 0; row < rows.count(); ++row) {
        int position = 0;
        for_each_column<Row>(
            [&](const auto& column) { read(rows, row, position++, all[static_cast<std::size_t>(row)].*column.at); });
    }
    return all;
}

// --- Writing -------------------------------------------------------------------------------------------------------

inline void add_one(Params& params, std::int64_t value) { params.integer(value); }
inline void add_one(Params& params, const std::string& text) { params.text(std::string_view(text)); }
template <class Tag>
void add_one(Params& params, Id<Tag> id)
{
    params.id(id);
}

inline void add_all(Params& params, const std::vector<std::int64_t>& values) { params.integers(values); }
template <class Tag>
void add_all(Params& params, const std::vector<Id<Tag>>& ids)
{
    params.ids(ids);
}
inline void add_all(Params& params, const std::vector<double>& values) { params.reals(values); }
inline void add_all(Params& params, const std::vector<std::string>& texts) { params.texts(texts); }
inline void add_all(Params& params, const std::vector<Instant>& instants) { params.instants(instants); }
inline void add_all(Params& params, const std::vector<Bytes>& all)
{
    std::vector<std::string> bytes;
    bytes.reserve(all.size());
    for (const Bytes& one : all) bytes.push_back(one.value);
    params.byteas(bytes);
}
/// Each as PostgreSQL writes an array, because its arrays have no arrays in them.
inline void add_all(Params& params, const std::vector<std::vector<TicketId>>& lists)
{
    std::vector<std::string> texts;
    for (const auto& tickets : lists) {
        std::string text = "{";
        for (const TicketId ticket : tickets) text.append(text.size() == 1 ? "" : ",").append(std::to_string(ticket.value));
        texts.push_back(text + "}");
    }
    params.texts(texts);
}
/// The values, and beside them which there are.
template <class Value>
void add_all(Params& params, const std::vector<std::optional<Value>>& values)
{
    std::vector<Value> some;
    std::vector<std::int16_t> there;
    for (const auto& value : values) {
        some.push_back(value.value_or(Value{}));
        there.push_back(value ? 1 : 0);
    }
    add_all(params, some);
    params.smalls(there);
}

// The type of a column's array, and how its values come out of it.
template <class Value>
struct Kind;
template <>
struct Kind<std::int64_t> {
    static constexpr std::string_view kArray = "bigint[]", kCast{};
};
template <class Tag>
struct Kind<Id<Tag>> : Kind<std::int64_t> {
};
template <>
struct Kind<double> {
    static constexpr std::string_view kArray = "float8[]", kCast{};
};
template <>
struct Kind<std::string> {
    static constexpr std::string_view kArray = "text[]", kCast{};
};
template <>
struct Kind<Instant> {
    static constexpr std::string_view kArray = "timestamptz[]", kCast{};
};
template <>
struct Kind<Bytes> {
    static constexpr std::string_view kArray = "bytea[]", kCast{};
};
template <>
struct Kind<std::vector<TicketId>> {
    static constexpr std::string_view kArray = "text[]", kCast = "::bigint[]";
};

/// A page as a table r in a FROM, and the expressions that are its columns.
struct Unnested {
    std::string from;         // unnest($1::bigint[], …) AS r(id, …)
    std::string expressions;  // r.id, …
    std::string names;        // id, …

    template <class Value>
    void add(std::string_view name, const Value*)
    {
        expressions += fmt::format("{}r.{}{}", comma(), name, Kind<Value>::kCast);
        column(name, Kind<Value>::kArray);
    }
    template <class Value>
    void add(std::string_view name, const std::optional<Value>*)
    {
        expressions += fmt::format("{0}CASE WHEN r.has_{1} = 1 THEN r.{1}{2} END", comma(), name, Kind<Value>::kCast);
        column(name, Kind<Value>::kArray);
        arrays_ += fmt::format(", ${}::smallint[]", ++parameters_);
        columns_ += fmt::format(", has_{}", name);
    }
    void finish() { from = fmt::format("unnest({}) AS r({})", arrays_, columns_); }

private:
    [[nodiscard]] std::string_view comma() const { return names.empty() ? "" : ", "; }
    void column(std::string_view name, std::string_view array)
    {
        arrays_ += fmt::format("{}${}::{}", comma(), ++parameters_, array);
        columns_ += fmt::format("{}{}", comma(), name);
        names += fmt::format("{}{}", comma(), name);
    }

    std::string arrays_, columns_;
    int parameters_ = 0;
};

template <class Row, std::size_t Count = std::tuple_size_v<decltype(Row::columns())>>
Unnested unnested()
{
    Unnested page;
    for_each_column<Row, Count>(
        [&]<class Value>(const Column<Row, Value>& column) { page.add(column.name, static_cast<const Value*>(nullptr)); });
    page.finish();
    return page;
}

template <class Row, std::size_t Count = std::tuple_size_v<decltype(Row::columns())>>
Params values_of(const std::vector<Row>& rows)
{
    Params params;
    for_each_column<Row, Count>([&]<class Value>(const Column<Row, Value>& column) {
        std::vector<Value> values;
        values.reserve(rows.size());
        for (const Row& row : rows) values.push_back(row.*column.at);
        add_all(params, values);
    });
    return params;
}

template <class Row>
Params keys_of(const std::vector<Row>& rows)
{
    return values_of<Row, Row::kKeyColumns>(rows);
}

// --- Statements ----------------------------------------------------------------------------------------------------

template <class Row>
std::string key_names()
{
    return unnested<Row, Row::kKeyColumns>().names;
}

template <class Row>
const std::string& select_first()
{
    static const std::string sql =
        fmt::format("SELECT {} FROM {} ORDER BY {} LIMIT $1", unnested<Row>().names, Row::kTable, key_names<Row>());
    return sql;
}

template <class Row>
const std::string& select_after()
{
    static const std::string sql =
        fmt::format("SELECT {0} FROM {1} WHERE ({2}) > ({3}) ORDER BY {2} LIMIT ${4}", unnested<Row>().names, Row::kTable,
                    key_names<Row>(), Row::kKeyColumns == 1 ? "$1" : "$1, $2", Row::kKeyColumns + 1);
    return sql;
}

template <class Row>
const std::string& select_these()
{
    static const std::string sql = fmt::format("SELECT {} FROM {} JOIN {} USING ({})", unnested<Row>().names, Row::kTable,
                                               unnested<Row, Row::kKeyColumns>().from, key_names<Row>());
    return sql;
}

template <class Row>
const std::string& delete_these()
{
    static const std::string sql = fmt::format("DELETE FROM {0} WHERE ({1}) IN (SELECT {1} FROM {2})", Row::kTable,
                                               key_names<Row>(), unnested<Row, Row::kKeyColumns>().from);
    return sql;
}

/// Popularity is made of the pace: see the schema, and core/sales_rate.hpp for the half-life.
template <class Row>
std::string derived_of()
{
    if constexpr (std::is_same_v<Row, InventoryRow>) {
        return fmt::format(
            "CASE WHEN r.pace > 0 THEN ln(r.pace) / ln(2::float8) + extract(epoch FROM r.paced_at)::float8 / {} "
            "ELSE '-Infinity' END",
            kSalesRateHalfLife / std::chrono::seconds(1));
    }
    return {};
}

template <class Row>
const std::string& upsert()
{
    static const std::string sql = [] {
        const Unnested page = unnested<Row>();
        const std::string derived = derived_of<Row>();
        std::string changes = derived.empty() ? "" : "popularity = excluded.popularity";
        std::size_t position = 0;
        for_each_column<Row>([&](const auto& column) {
            if (position++ >= Row::kKeyColumns)
                changes += fmt::format("{0}{1} = excluded.{1}", changes.empty() ? "" : ", ", column.name);
        });
        return fmt::format("INSERT INTO {} ({}{}) {}SELECT {}{}{} FROM {} ON CONFLICT ({}) DO UPDATE SET {}", Row::kTable,
                           page.names, derived.empty() ? "" : ", popularity", Row::kGivesIds ? "OVERRIDING SYSTEM VALUE " : "",
                           page.expressions, derived.empty() ? "" : ", ", derived, page.from, key_names<Row>(), changes);
    }();
    return sql;
}

}  // namespace boxoffice::postgres
