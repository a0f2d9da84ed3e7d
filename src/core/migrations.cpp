#include "core/migrations.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <regex>

#include "core/archive.hpp"

namespace boxoffice
{

namespace
{

/// FNV-1a: against accidental changes, not against attackers, who could edit the stored sum as well.
std::string checksum_of(std::string_view text)
{
    std::uint64_t sum = 0xcbf29ce484222325;
    for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return fmt::format("{:016x}", sum);
}

bool is_kept(const Dropped& dropped)
{
    bool kept = false;
    for_each_table([&]<class Row>() {
        if (Row::kTable != dropped.table) return;
        kept = kept || dropped.column.empty();
        for_each_column<Row>([&](const auto& column) { kept = kept || column.name == dropped.column; });
    });
    return kept;
}

/// Whether the rest of the line that names a part does not say otherwise.
bool in_transaction(std::string_view part) { return part.substr(0, part.find('\n')).find("transaction:false") == part.npos; }

}  // namespace

std::vector<Dropped> dropped_by(std::string_view down)
{
    // One statement to a line, or an ALTER TABLE whose parts have lines of their own.
    static const std::regex alter(R"(\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(\w+))", std::regex::icase);
    static const std::regex drop(R"(\bDROP\s+(TABLE|COLUMN)\s+(?:IF\s+EXISTS\s+)?(\w+))", std::regex::icase);
    std::vector<Dropped> all;
    std::string altered;
    for (std::size_t at = 0; at < down.size();) {
        const std::size_t end = std::min(down.find('\n', at), down.size());
        const std::string line(down.substr(at, end - at));
        at = end + 1;
        const std::string words = line.substr(0, line.find("--"));
        std::smatch found;
        if (std::regex_search(words, found, alter)) altered = found[1];
        if (line.find("loses nothing") != line.npos) continue;
        for (std::sregex_iterator next(words.begin(), words.end(), drop), none; next != none; ++next) {
            const bool table = (*next)[1].str().size() == std::string_view("TABLE").size();
            Dropped dropped = table ? Dropped{(*next)[2], ""} : Dropped{altered, (*next)[2]};
            if (is_kept(dropped)) all.push_back(std::move(dropped));
        }
    }
    return all;
}

std::string name_of_loss(const Dropped& dropped, std::int64_t rows)
{
    const std::string what = fmt::format("{} {} of {}", rows, rows == 1 ? "row" : "rows", dropped.table);
    return dropped.column.empty() ? what : fmt::format("{} in {}", dropped.column, what);
}

Migration parse_migration(std::string_view name, std::string_view text)
{
    constexpr std::string_view kUp = "-- migrate:up";
    constexpr std::string_view kDown = "-- migrate:down";
    const auto up = text.find(kUp);
    const auto down = text.find(kDown);
    if (up == text.npos || down == text.npos || down < up)
        throw std::logic_error("a migration without its two parts: " + std::string(name));
    Migration migration;
    migration.name = name;
    migration.version = name.substr(0, name.find('_'));
    migration.up = text.substr(up + kUp.size(), down - up - kUp.size());
    migration.down = text.substr(down + kDown.size());
    migration.up_in_transaction = in_transaction(migration.up);
    migration.down_in_transaction = in_transaction(migration.down);
    // What the line says beside its name is no SQL.
    const auto without_first_line = [](std::string& part) { part.erase(0, std::min(part.find('\n'), part.size())); };
    without_first_line(migration.up);
    without_first_line(migration.down);
    migration.checksum = checksum_of(text);
    return migration;
}

std::vector<MigrationState> migration_states(std::span<const Migration> all, std::map<std::string, std::string> applied)
{
    std::vector<MigrationState> states;
    for (const Migration& migration : all) {
        const auto found = applied.find(migration.version);
        if (found != applied.end() && !found->second.empty() && found->second != migration.checksum) {
            throw StoreFailure(Code::storage_failed, "migration " + migration.name +
                                                         " was applied to this store in another form than this binary "
                                                         "holds; use the binary that applied it");
        }
        states.push_back({migration.version, migration.name, found != applied.end()});
        if (found != applied.end()) applied.erase(found);
    }
    if (!applied.empty()) {
        throw StoreFailure(Code::storage_failed,
                           "the store has migration " + applied.begin()->first +
                               ", which this binary does not know: it was made by a newer boxoffice; use that one");
    }
    return states;
}

std::size_t count_pending(std::span<const MigrationState> states)
{
    return static_cast<std::size_t>(
        std::count_if(states.begin(), states.end(), [](const auto& state) { return !state.applied; }));
}

Finding examine_migrations(const std::function<std::vector<MigrationState>()>& states)
{
    try {
        const auto all = states();
        const std::size_t pending = count_pending(all);
        return {
            pending == 0, "migrations",
            pending == 0 ? fmt::format("all {} applied", all.size()) : fmt::format("{} pending: boxoffice migrate up", pending)};
    } catch (const StoreFailure& failure) {
        return {false, "migrations", failure.what()};
    }
}

}  // namespace boxoffice
