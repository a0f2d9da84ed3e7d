#pragma once
#include <chrono>
#include <set>
#include <string>
#include <unordered_map>

#include "postgres/readers.hpp"

/// The questions of the Store port as SQL, one statement each, so that a count and its page see the same state.
namespace boxoffice::postgres
{

[[nodiscard]] Page<Event> list_events(Readers& readers, const EventQuery& query);
[[nodiscard]] Page<Ticket> list_tickets(Readers& readers, const TicketQuery& query);
[[nodiscard]] std::vector<Event> find_events(Readers& readers, std::span<const EventId> ids);
[[nodiscard]] Page<NearbyEvent> nearby(Readers& readers, const NearbyQuery& query);

/// How common words are in the catalogue, from the planner's own statistics; read anew every few minutes. Any thread.
class WordFrequencies
{
public:
    /// Of `words`, those rare enough to say something of taste, rarest first.
    [[nodiscard]] std::vector<std::string> rare(Readers& readers, const std::set<std::string>& words);

private:
    std::mutex mutex_;
    std::unordered_map<std::string, double> shares_;  // of the events; only of the most common words
    std::chrono::steady_clock::time_point read_at_{};
    bool read_ = false;
};

[[nodiscard]] std::vector<Candidate> candidates(Readers& readers, WordFrequencies& frequencies, const SuggestionQuery& query);

}  // namespace boxoffice::postgres
