#include "app/for_you.hpp"

#include <algorithm>
#include <unordered_map>

namespace boxoffice
{

Page<Suggestion> ForYou::recommended(const SuggestionQuery& query, std::int64_t skip, std::int64_t limit)
{
    struct Ranked {
        const Candidate* candidate;
        Suitability fit;
    };
    const std::vector<Candidate> candidates = store_.candidates(query);
    const bool has_past = std::any_of(candidates.begin(), candidates.end(), [](const Candidate& c) { return c.likeness > 0; });

    std::vector<Ranked> ranked;
    ranked.reserve(candidates.size());
    for (const Candidate& candidate : candidates) ranked.push_back({&candidate, suitability(candidate, has_past, query.now)});
    std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
        if (a.fit.score != b.fit.score) return a.fit.score > b.fit.score;
        return a.candidate->event < b.candidate->event;
    });

    Page<Suggestion> page;
    page.total = static_cast<std::int64_t>(ranked.size());
    const auto first = static_cast<std::size_t>(std::min(skip, page.total));
    const auto last = first + static_cast<std::size_t>(std::min(limit, page.total - static_cast<std::int64_t>(first)));
    std::vector<EventId> ids;
    for (std::size_t i = first; i < last; ++i) ids.push_back(ranked[i].candidate->event);
    std::unordered_map<EventId, Event> events;
    for (Event& event : store_.find_events(ids)) events.emplace(event.id, std::move(event));
    for (std::size_t i = first; i < last; ++i) {
        const auto found = events.find(ranked[i].candidate->event);
        if (found == events.end()) {  // removed since the candidates were gathered
            --page.total;
            continue;
        }
        page.items.push_back(
            {std::move(found->second), ranked[i].fit.score, std::move(ranked[i].fit.reasons), ranked[i].candidate->distance_m});
    }
    return page;
}

}  // namespace boxoffice
