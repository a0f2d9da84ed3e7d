#pragma once
#include "core/archive.hpp"
#include "core/identity.hpp"

namespace boxoffice
{

/// What revive() has done.
struct Revived {
    std::int64_t ids_after = 0;  // ids given from now on are higher
    std::int64_t generation = 0;
};

/// Begins another life of a store into which a backup was put by its engine's own tools: ids go on beyond any that the life that
/// was lost may have given, and tokens and jobs of it are refused. May be done again. Throws StoreFailure.
Revived revive(ArchiveTarget& store, Instant now);

}  // namespace boxoffice
