#pragma once
#include <string_view>

#include "postgres/connection.hpp"

/// Who uses a database: every session that may sell holds an advisory lock that many can have, and a process that must be alone
/// (a copy, a migration undone) takes it for itself. With the session goes the lock, so nothing sells without it.
namespace boxoffice::postgres
{

/// "boxinuse" in ASCII, so that no other program uses it.
inline constexpr std::string_view kShareUse = "SELECT pg_try_advisory_lock_shared(7093020332351910757)";
inline constexpr std::string_view kUseAlone = "SELECT pg_try_advisory_lock(7093020332351910757)";
inline constexpr std::string_view kEndUseAlone = "SELECT pg_advisory_unlock(7093020332351910757)";

/// Of the advisory lock that a copy holds, and for which the next one waits: "boxcopy" in ASCII.
#define BOXOFFICE_PG_COPY_LOCK "27707321178812537"

/// Asks for up to three seconds, because the session of a killed process is there until PostgreSQL notices; between two questions
/// it holds no snapshot. False: another process uses the database.
[[nodiscard]] bool use_alone(Connection& db);
void end_use_alone(Connection& db) noexcept;

}  // namespace boxoffice::postgres
