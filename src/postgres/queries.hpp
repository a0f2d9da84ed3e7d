#pragma once
#include <chrono>
#include <set>
#include <string>
#include <unordered_map>

#include "postgres/readers.hpp"
#include "postgres/words.hpp"

/// The questions of the Store port as SQL, one statement each, so that a count and its page see the same state.
namespace boxoffice::postgres
{

[[nodiscard]] Page<Event> list_events(Readers& readers, LackingWords& lacking, const EventQuery& query);
[[nodiscard]] Page<Ticket> list_tickets(Readers& readers, const TicketQuery& query);
[[nodiscard]] std::vector<Event> find_events(Readers& readers, std::span<const EventId> ids);
[[nodiscard]] Page<NearbyEvent> nearby(Readers& readers, const NearbyQuery& query);

/// How many events have a word. Those that very many have are counted anew every few minutes only, since so large a count costs
/// and hardly changes. Any thread.
class WordCounts
{
public:
    [[nodiscard]] std::vector<TasteWord> count(Readers& readers, const std::set<std::string>& words);

private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::int64_t> common_;
    std::chrono::steady_clock::time_point since_{};
};

[[nodiscard]] std::vector<Candidate> candidates(Readers& readers, WordCounts& counts, const SuggestionQuery& query);

}  // namespace boxoffice::postgres
