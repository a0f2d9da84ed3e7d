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

/// Whether no other server or worker of ours has a session in this database; asks for up to three seconds, because that of a
/// killed process is there until PostgreSQL notices. Those of other roles count as well: what a session calls itself is shown to
/// every role, unlike what it does. Blind to those whose URL gives another name, whom their lock
/// shows (use.hpp): this is for servers of the version before, which have none.
[[nodiscard]] bool is_alone(Connection& db);

}  // namespace boxoffice::postgres
