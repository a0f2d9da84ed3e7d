#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/effects.hpp"

namespace boxoffice
{

/// A row of the outbox as an operator sees it.
struct JobRow {
    Effect effect;
    Instant due_at;
    std::optional<Instant> dead_at;
    std::string why;  // the last try failed; empty: none has
};

struct JobList {
    OutboxCounts counts;
    std::vector<JobRow> rows;
};

/// The outbox in an operator's hands, while servers run or not (`boxoffice jobs`). Every engine has one; its messages are
/// sentences for the operator.
class JobDesk
{
public:
    virtual ~JobDesk() = default;
    /// Up to `most`: the dead, the newest death first, and then, unless `dead_only`, those that wait, as they are due.
    [[nodiscard]] virtual JobList list(bool dead_only, std::size_t most) = 0;
    [[nodiscard]] virtual std::vector<std::int64_t> dead() = 0;
    /// Has these taken at once, with all their tries before them, dead or waiting. Returns those that were there.
    virtual std::vector<std::int64_t> retry(std::span<const std::int64_t> jobs) = 0;
    /// Takes these out of the outbox for good: what they were about is never sent. Returns those that were there.
    virtual std::vector<std::int64_t> drop(std::span<const std::int64_t> jobs) = 0;
};

}  // namespace boxoffice
