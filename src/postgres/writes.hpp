#pragma once
#include "core/changes.hpp"
#include "postgres/connection.hpp"

namespace boxoffice::postgres
{

/// Adds all writes of a batch, without COMMIT.
void add_writes(Pipeline& pipeline, const Changes& changes);

}  // namespace boxoffice::postgres
