#pragma once
#include <string_view>

#include "core/archive.hpp"

namespace boxoffice::cli
{

/// Carries out `boxoffice copy`: a progress line on standard error, then what was copied on standard output. `from` and `to` are
/// for the reader, without a password. 0 when both hold the same in the end; 1, with a sentence on standard error, when the copy
/// is refused, breaks off, or differs.
[[nodiscard]] int run_copy(ArchiveSource& source, ArchiveTarget& target, std::string_view from, std::string_view to);

}  // namespace boxoffice::cli
