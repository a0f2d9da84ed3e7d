#pragma once
#include <string>
#include <vector>

#include "core/migrations.hpp"
#include "postgres/connection.hpp"

namespace boxoffice::postgres
{

/// Those embedded in the binary, in order.
[[nodiscard]] const std::vector<Migration>& migrations();

/// What is applied and what is not; makes no table. Throws StoreFailure when the database knows a migration that this binary does
/// not (a newer schema) or one whose checksum differs (an edited one).
[[nodiscard]] std::vector<MigrationState> migration_states(Connection& db);

}  // namespace boxoffice::postgres
