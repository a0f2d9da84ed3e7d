#pragma once
#include "sqlite/connection.hpp"

namespace boxoffice::sqlite
{

[[nodiscard]] StoreIdentity read_identity(Connection& db);

/// Ids given from now on are higher; 0 in a store that was never restored.
[[nodiscard]] std::int64_t read_ids_after(Connection& db);

/// The latest time that the store has written: of its newest ticket, but for those whose times an operator took for wrong.
[[nodiscard]] std::optional<Instant> latest_instant(Connection& db);

}  // namespace boxoffice::sqlite
