#include <fmt/format.h>

#include <algorithm>

#include "sqlite/explain.hpp"
#include "sqlite/identity.hpp"
#include "sqlite/migrations.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/sqlite.hpp"
#include "sqlite/writer_lock.hpp"

namespace boxoffice
{

namespace
{

using namespace sqlite;

void read(const Rows& rows, int column, std::int64_t& value) { value = rows.integer(column); }

template <class Tag>
void read(const Rows& rows, int column, Id<Tag>& id)
{
    id.value = rows.integer(column);
}

void read(const Rows& rows, int column, double& value) { value = rows.real(column); }

void read(const Rows& rows, int column, std::string& text) { text = rows.text(column); }

void read(const Rows& rows, int column, Bytes& bytes) { bytes.value = rows.text(column); }

void read(const Rows& rows, int column, Instant& instant) { instant = rows.instant(column); }

void read(const Rows& rows, int column, std::vector<TicketId>& tickets) { tickets = tickets_of(rows.text(column)); }

template <class Value>
void read(const Rows& rows, int column, std::optional<Value>& value)
{
    if (!rows.null(column)) read(rows, column, value.emplace());
}

template <class Row>
Row read_row(const Rows& rows)
{
    Row row;
    int position = 0;
    for_each_column<Row>([&](const auto& column) { read(rows, position++, row.*column.at); });
    return row;
}

/// "user_id, key"
template <class Row, std::size_t Count = std::tuple_size_v<decltype(Row::columns())>>
std::string names()
{
    std::string text;
    for_each_column<Row, Count>([&](const auto& column) { text.append(text.empty() ? "" : ", ").append(column.name); });
    return text;
}

/// "?1, ?2"
template <class Row>
std::string key_parameters()
{
    std::string text;
    for (std::size_t i = 1; i <= Row::kKeyColumns; ++i) text.append(text.empty() ? "?" : ", ?").append(std::to_string(i));
    return text;
}

template <class Row>
const std::string& select_all()
{
    static const std::string sql = fmt::format("SELECT {} FROM {}", names<Row>(), Row::kTable);
    return sql;
}

template <class Row>
const std::string& select_first()
{
    static const std::string sql = fmt::format("{} ORDER BY {} LIMIT ?1", select_all<Row>(), names<Row, Row::kKeyColumns>());
    return sql;
}

template <class Row>
const std::string& select_after()
{
    static const std::string sql = fmt::format("{0} WHERE ({1}) > ({2}) ORDER BY {1} LIMIT ?{3}", select_all<Row>(),
                                               names<Row, Row::kKeyColumns>(), key_parameters<Row>(), Row::kKeyColumns + 1);
    return sql;
}

template <class Row>
const std::string& select_one()
{
    static const std::string sql =
        fmt::format("{} WHERE ({}) = ({})", select_all<Row>(), names<Row, Row::kKeyColumns>(), key_parameters<Row>());
    return sql;
}

template <class Row>
std::vector<Row> read_all(Rows rows)
{
    std::vector<Row> all;
    while (rows.next()) all.push_back(read_row<Row>(rows));
    return all;
}

/// What `work` returns of the page; its failures in an operator's words.
template <class Work>
auto visit_pages(const std::filesystem::path& file, const Work& work, const ArchivePage& page)
{
    return explained(file, [&] { return std::visit(work, page); });
}

class SqliteArchive final : public ArchiveSource
{
public:
    explicit SqliteArchive(const std::filesystem::path& file) : file_(file), db_(file, Access::read_only), snapshot_(db_)
    {
        // The first read, with which the snapshot begins.
        refuse_foreign(db_, file);
        const auto states = migration_states(db_);
        const auto applied = [](const MigrationState& state) { return state.applied; };
        if (!std::all_of(states.begin(), states.end(), applied)) {
            throw StoreFailure(Code::invalid, fmt::format("{0} lacks migrations of this version; apply them first: "
                                                          "boxoffice migrate up --database-url sqlite:{0}",
                                                          file.native()));
        }
    }

    ArchivePage next(const ArchivePage& last, std::size_t most) override
    {
        return visit_pages(
            file_,
            [&]<class Row>(const std::vector<Row>& rows) -> ArchivePage {
                const auto limit = static_cast<std::int64_t>(most);
                if (rows.empty()) return read_all<Row>(db_.query(select_first<Row>(), limit));
                const auto key = key_of(rows.back());
                return std::apply(
                    [&](const auto&... values) { return read_all<Row>(db_.query(select_after<Row>(), values..., limit)); }, key);
            },
            last);
    }

    ArchivePage find(const ArchivePage& like) override
    {
        return visit_pages(
            file_,
            [&]<class Row>(const std::vector<Row>& rows) -> ArchivePage {
                std::vector<Row> found;
                for (const Row& row : rows) {
                    const auto key = key_of(row);
                    Rows one = std::apply([&](const auto&... values) { return db_.query(select_one<Row>(), values...); }, key);
                    if (one.next()) found.push_back(read_row<Row>(one));
                }
                return found;
            },
            like);
    }

    std::int64_t count(const ArchivePage& table) override
    {
        return visit_pages(
            file_,
            [&]<class Row>(const std::vector<Row>&) { return number(fmt::format("SELECT count(*) FROM {}", Row::kTable)); },
            table);
    }

    std::int64_t last_id(const ArchivePage& table) override
    {
        return visit_pages(
            file_,
            [&]<class Row>(const std::vector<Row>&) -> std::int64_t {
                if (!Row::kGivesIds) return 0;
                const std::int64_t highest = number(fmt::format("SELECT max(id) FROM {}", Row::kTable));
                // Where rows go, the highest one may be gone; there SQLite keeps the number (AUTOINCREMENT).
                return std::max({highest, read_ids_after(db_),
                                 number(fmt::format("SELECT max(seq) FROM sqlite_sequence WHERE name = '{}'", Row::kTable))});
            },
            table);
    }

private:
    std::int64_t number(const std::string& sql)
    {
        Rows rows = db_.query(sql);
        return rows.next() ? rows.integer(0) : 0;
    }

    std::filesystem::path file_;
    Connection db_;
    Snapshot snapshot_;
};

}  // namespace

std::unique_ptr<ArchiveSource> open_sqlite_archive(const std::filesystem::path& file)
{
    if (!std::filesystem::exists(file)) throw StoreFailure(Code::not_found, "There is no store at " + file.native() + ".");
    return explained(file, [&] { return std::make_unique<SqliteArchive>(file); });
}

std::optional<std::string> writer_of_sqlite(const std::filesystem::path& file) { return WriterLock::holder(file); }

}  // namespace boxoffice
