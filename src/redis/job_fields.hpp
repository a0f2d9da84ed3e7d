#pragma once
#include <optional>

#include "redis/link.hpp"

namespace boxoffice::redis
{

inline constexpr std::string_view kJobs = "boxoffice:jobs";
inline constexpr std::string_view kDeadJobs = "boxoffice:jobs:dead";
inline constexpr std::string_view kWorkers = "workers";

/// An effect as the fields and values of a stream's entry, appended to a command: id, kind, event, tickets ("1,2,3"), made_at
/// (microseconds since 1970), tries.
void append_fields(Command& command, const Effect& effect);

/// Beside them: which store, in which life, an entry is of, as "ID.GENERATION".
inline constexpr std::string_view kStoreField = "store";
[[nodiscard]] std::string_view store_in(std::span<redisReply* const> fields);  // empty: it names none

/// The effect in the fields and values of an entry; nothing unless it is whole. Fields that are not known are passed over.
[[nodiscard]] std::optional<Effect> read_fields(std::span<redisReply* const> fields);

/// Puts an entry into the dead-letter stream; the fields and values are still to be appended.
[[nodiscard]] Command burial(std::string_view why);

}  // namespace boxoffice::redis
