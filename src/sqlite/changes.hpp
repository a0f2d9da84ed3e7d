#pragma once
#include "core/changes.hpp"
#include "sqlite/connection.hpp"

namespace boxoffice::sqlite
{

/// Writes what a batch has decided, in the open transaction. Throws StoreFailure when a change does not find its row as it must.
void write(Connection& db, const Changes& changes);
void index_words(Connection& db, EventId event, const std::string& words);

}  // namespace boxoffice::sqlite
