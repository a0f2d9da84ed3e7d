#pragma once
#include <set>

#include "sqlite/connection.hpp"

namespace boxoffice::sqlite
{

/// The words of `text` as the index `event_words` has them: without case and accents, and cut where FTS5 itself cuts, which is
/// at everything that is no letter or digit in any script. Quoted, each is one word of a MATCH.
[[nodiscard]] std::set<std::string> words_of(Connection& db, std::string_view text);

}  // namespace boxoffice::sqlite
