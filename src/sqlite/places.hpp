#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/core.hpp"

/// Where everything is, in memory. A search by radius has to look at every event in the circle to count it, and most
/// of that cost would be rows read for nothing; so the few facts that decide are held here, in an R*-tree over
/// Earth-centred coordinates, in which neither the poles nor the antimeridian are special. The store file stays the truth:
/// this is loaded from it beside the start and follows each commit. Measured in docs/decisions/0003-places-in-memory.md.
namespace boxoffice::sqlite
{

/// The facts of one event that searches decide on.
struct Place {
    EventId event;
    GeoPoint point;
    Instant start_time;
    Instant end_time;
    UserId organizer;
    std::int64_t total = 0;
    std::int64_t sold = 0;
    SalesRate pace;
};

struct Found {
    EventId event;
    double distance_m = 0;  // WGS 84 geodesic, rounded to the millimetre
};

class Places
{
public:
    /// Reads all that is there from the store, of now; any thread.
    using Load = std::function<std::vector<Place>()>;

    /// Begins to load on a thread of its own; a search that comes meanwhile waits for it, and tries again what has failed.
    explicit Places(Load load);
    ~Places();
    Places(const Places&) = delete;
    Places& operator=(const Places&) = delete;

    // Changes: called after a commit. They only leave a note for the next reader, so that the write lane never waits
    // for a search that is under way. Any thread.
    void put(const Place& place);  // new or changed
    void count(EventId event, std::int64_t sold, SalesRate pace);
    void remove(EventId event);
    /// A change could not be noted: the next search loads everything again.
    void distrust() noexcept;

    // Searches: any thread; each sees every change noted before it began.
    [[nodiscard]] Page<Found> near(const NearbyQuery& query);
    /// `weights`: of the words of taste that events have; `organizers`: those of past events.
    [[nodiscard]] std::vector<Candidate> candidates(const SuggestionQuery& query,
                                                    const std::unordered_map<EventId, std::int64_t>& weights,
                                                    const std::unordered_set<UserId>& organizers,
                                                    const std::unordered_set<EventId>& held);

private:
    class Self;
    std::unique_ptr<Self> self_;
};

}  // namespace boxoffice::sqlite
