#include "cli/copy_run.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "app/copy.hpp"
#include "cli/progress.hpp"

namespace boxoffice::cli
{

namespace
{

void print_summary(const CopyReport& report)
{
    fmt::print("{:<14}{:>12}{:>12}{:>15}{:>12}\n", "table", "rows", "copied", "there before", "removed");
    for (const CopiedTable& line : report.tables)
        fmt::print("{:<14}{:>12}{:>12}{:>15}{:>12}\n", line.table, line.rows, line.copied, line.there, line.removed);
}

int print_differences(const CopyReport& report)
{
    std::int64_t differing = 0;
    for (const CopiedTable& line : report.tables) differing += line.differing;
    if (differing > 0)
        fmt::print(stderr, "boxoffice: {} rows differ after the copy; somebody else writes to the target.\n", differing);
    for (const std::string& sentence : report.differences) fmt::print(stderr, "  {}\n", sentence);
    if (!report.counters.empty())
        fmt::print(stderr,
                   "boxoffice: counters that are not what the tickets say, in the source as well; see boxoffice doctor.\n");
    for (const WrongCounter& wrong : report.counters)
        fmt::print(stderr, "  event {}: counter {}, live tickets {}\n", wrong.event.value, wrong.sold, wrong.live);
    return 1;
}

Result<CopyReport> copy_in_sight(ArchiveSource& source, ArchiveTarget& target)
{
    Progress progress("rows");
    return copy_archive(source, target, [&progress](std::int64_t done, std::int64_t total) { progress.show(done, total); });
}

}  // namespace

int run_copy(ArchiveSource& source, ArchiveTarget& target, std::string_view from, std::string_view to)
{
    try {
        const Result<CopyReport> copied = copy_in_sight(source, target);
        if (copied.has_error()) {
            fmt::print(stderr, "boxoffice: {}\n", copied.error().message);
            return 1;
        }
        fmt::print("Copied {} to {}.\n", from, to);
        print_summary(*copied);
        if (!copied->verified()) return print_differences(*copied);
        fmt::print("Compared: every row is the same in both, and every event's counter equals its live tickets.\n");
        return 0;
    } catch (const StoreFailure& exception) {
        fmt::print(stderr, "boxoffice: {}\nWhat was copied stays; the same command goes on from there.\n", exception.what());
        return 1;
    }
}

}  // namespace boxoffice::cli
