#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports.hpp"

namespace boxoffice
{

/// One numbered file in dbmate's format: `-- migrate:up`, statements, `-- migrate:down`, statements.
struct Migration {
    std::string version;  // the digits before the first underscore
    std::string name;
    std::string up;
    std::string down;
    std::string checksum;  // of the whole file
    // `-- migrate:up transaction:false`, as dbmate has it: for what cannot be done in one. A single statement then.
    bool up_in_transaction = true;
    bool down_in_transaction = true;
};

/// Throws std::logic_error when a part is missing: the file is one of this binary's own.
[[nodiscard]] Migration parse_migration(std::string_view name, std::string_view text);

/// Those of `files` (ordered by name; each with a name and bytes) that are below `folder`.
template <class Files>
[[nodiscard]] std::vector<Migration> parse_migrations(const Files& files, std::string_view folder)
{
    std::vector<Migration> found;
    for (const auto& file : files) {
        if (file.name.starts_with(folder)) found.push_back(parse_migration(file.name.substr(folder.size()), file.bytes));
    }
    return found;
}

/// What of `all` is applied, by version; `applied` maps each applied version to its checksum, empty where dbmate applied it.
/// Throws StoreFailure when the store knows a migration that this binary does not (a newer schema) or one whose checksum differs
/// (an edited one).
[[nodiscard]] std::vector<MigrationState> migration_states(std::span<const Migration> all,
                                                           std::map<std::string, std::string> applied);

/// What the down part of a migration drops that nothing else can make again: tables and columns of core/archive.hpp. What is
/// derived from those, as indexes of words, is no loss, and neither is a line that says so ("loses nothing").
struct Dropped {
    std::string table;
    std::string column;  // empty: the whole table
    bool operator==(const Dropped&) const = default;
};
[[nodiscard]] std::vector<Dropped> dropped_by(std::string_view down);
/// "17 rows of mails", "due_at in 3 rows of outbox".
[[nodiscard]] std::string name_of_loss(const Dropped& dropped, std::int64_t rows);

[[nodiscard]] std::size_t count_pending(std::span<const MigrationState> states);

/// What `doctor` says of them; `states` is asked, and may throw StoreFailure.
[[nodiscard]] Finding examine_migrations(const std::function<std::vector<MigrationState>()>& states);

}  // namespace boxoffice
