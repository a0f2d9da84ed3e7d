#pragma once
#include <string_view>
#include <vector>

#include "sqlite/connection.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice::sqlite
{

/// One numbered file in dbmate's format: `-- migrate:up`, statements, `-- migrate:down`, statements.
struct Migration {
    std::string version;  // the digits before the first underscore
    std::string name;
    std::string up;
    std::string down;
    std::string checksum;  // of the whole file
};

/// Those embedded in the binary, in order.
[[nodiscard]] const std::vector<Migration>& migrations();

/// What is applied and what is not; makes no table. Throws StoreFailure when the file knows a migration that this binary does not
/// (a newer schema) or one whose checksum differs (an edited one).
[[nodiscard]] std::vector<MigrationState> migration_states(Connection& db);

}  // namespace boxoffice::sqlite
