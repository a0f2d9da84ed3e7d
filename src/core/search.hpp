#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/acts.hpp"
#include "core/ports.hpp"

/// Words as both engines keep and ask for them. What a word is: text/text.hpp.
namespace boxoffice
{

/// The words of an event, each once, with spaces between: no word has one. Both engines index exactly these.
[[nodiscard]] std::string words_of_event(std::string_view title, std::string_view description, std::string_view address);

/// What doctor says of accounts whose mailbox is an older account's: one sentence each, and the finding made of them all.
[[nodiscard]] std::string name_shared_mailbox(std::int64_t user, std::string_view email, std::int64_t owner);
[[nodiscard]] Finding shared_mailboxes(const std::string& named);

/// How many rows a store makes the words and address keys of before it answers its first question; the rest follows in the
/// background. A second's work, so that a start does not take longer for it.
inline constexpr std::size_t kReindexedAtStart = 2000;
/// Rows to one Reindex, and about so many bytes of text, which are what costs: some ten milliseconds of the write lane.
inline constexpr std::size_t kReindexedAtOnce = 200;
inline constexpr std::size_t kReindexedBytesAtOnce = std::size_t{64} * 1024;

/// Carries out Reindex until nothing is left or kReindexedAtStart is reached; what an engine does when it is opened.
template <class ExecuteAct>
void reindex_at_start(const ExecuteAct& execute)
{
    for (std::size_t done = 0; done < kReindexedAtStart; done += kReindexedAtOnce) {
        WriteJob job{Reindex{kReindexedAtOnce}, {}, {}};
        execute(job);
        const auto* const outcome = std::get_if<Done>(&job.outcome);
        if (!outcome || !outcome->more) return;
    }
}

}  // namespace boxoffice
