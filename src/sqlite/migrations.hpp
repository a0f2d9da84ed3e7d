#pragma once
#include <string_view>
#include <vector>

#include "core/migrations.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice::sqlite
{

/// Those embedded in the binary, in order.
[[nodiscard]] const std::vector<Migration>& migrations();

/// What is applied and what is not; makes no table. Throws StoreFailure when the file knows a migration that this binary does not
/// (a newer schema) or one whose checksum differs (an edited one).
[[nodiscard]] std::vector<MigrationState> migration_states(Connection& db);

}  // namespace boxoffice::sqlite
