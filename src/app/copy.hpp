#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/archive.hpp"

namespace boxoffice
{

/// What became of one table.
struct CopiedTable {
    std::string_view table;
    std::int64_t rows = 0;       // in the source
    std::int64_t copied = 0;     // put into the target, new or changed
    std::int64_t there = 0;      // in the target before, and equal
    std::int64_t removed = 0;    // from the target: the source has dropped them since an earlier copy
    std::int64_t differing = 0;  // in the verifying pass; in one store only counts too
};

struct CopyReport {
    std::vector<CopiedTable> tables;
    std::vector<std::string> differences;  // the first few, as sentences without any value
    std::vector<WrongCounter> counters;    // the first few
    [[nodiscard]] bool verified() const { return differences.empty() && counters.empty(); }
};

/// Called after each page with how many of the steps are done, and of how many.
using CopyProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Makes the target hold what the source holds, with every id and every value as it is, and then compares both row by row.
///
/// It may be broken off at any moment and called again: rows that are equal already are passed by, changed ones are replaced, and
/// so it may run first while the source still sells and again after that has ended. Refused, before anything is written, with
/// Error invalid when the target holds what no earlier copy can have put there: it has sold by itself, and its rows would be
/// lost. Whatever was done stays when the target or the source throws a StoreFailure.
[[nodiscard]] Result<CopyReport> copy_archive(ArchiveSource& source, ArchiveTarget& target, const CopyProgress& progress);

}  // namespace boxoffice
