#include "sqlite/places.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <boost/geometry.hpp>
#include <boost/geometry/geometries/box.hpp>
#include <boost/geometry/index/rtree.hpp>
#include <boost/iterator/function_output_iterator.hpp>
#include <cmath>
#include <mutex>
#include <optional>
#include <queue>
#include <shared_mutex>
#include <thread>

#include "core/slices.hpp"
#include "sqlite/geodesy.hpp"
#include "sqlite/walk.hpp"

namespace boxoffice::sqlite
{

namespace
{

namespace bg = boost::geometry;
namespace bgi = boost::geometry::index;
using Box = bg::model::box<Point>;
using Entry = std::pair<Point, std::uint32_t>;
using Tree = bgi::rtree<Entry, bgi::rstar<16>>;

}  // namespace

/// Of all that was seen, what the `count` nearest are away at most: what is farther away for certain is not among the first.
class FirstBounds
{
public:
    explicit FirstBounds(std::size_t count) : count_(count) {}

    /// Whether one that is so far away at least and at most may be among the first, as far as is known by now.
    bool may_have(double least, double most)
    {
        if (bounds_.size() < count_) {
            bounds_.push(most);
            return true;
        }
        if (least > bounds_.top()) return false;
        if (most < bounds_.top()) {
            bounds_.pop();
            bounds_.push(most);
        }
        return true;
    }
    [[nodiscard]] double enough() const { return bounds_.top(); }

private:
    std::size_t count_;
    std::priority_queue<double> bounds_;
};

class Places::Self
{
public:
    struct Row {
        Place place;
        Point point;
        bool live = true;
    };
    struct Change {
        std::optional<Place> place;  // put
        bool removed = false;
        std::int64_t sold = 0;  // count
        SalesRate pace;
    };
    struct Contender {
        Bounds bounds;
        std::uint32_t row;
        double exact = -1;  // unknown while negative
    };

    explicit Self(Load load) : load_(std::move(load)), loader_([this] { warm(); }) {}
    ~Self() { loader_.join(); }
    Self(const Self&) = delete;
    Self& operator=(const Self&) = delete;

    Change& note(EventId event) { return changes_[event]; }

    void warm() noexcept
    {
        pthread_setname_np(pthread_self(), "places");
        try {
            (void)reading();
        } catch (...) {
            // Nothing is lost: the first search tries again, and has a caller to tell.
        }
    }

    /// Takes in what was noted, then returns the lock under which to search. Throws what loading throws.
    std::shared_lock<std::shared_mutex> reading()
    {
        for (;;) {
            if (distrusted_.load(std::memory_order_acquire) || noted_.load(std::memory_order_acquire)) take_in();
            std::shared_lock reading(rows_mutex_);
            if (!distrusted_.load(std::memory_order_acquire)) return reading;
        }
    }

    void take_in()
    {
        std::unique_lock writing(rows_mutex_);
        if (distrusted_.load(std::memory_order_acquire)) load_all();
        std::unordered_map<EventId, Change> changes;
        {
            std::lock_guard lock(changes_mutex_);
            changes.swap(changes_);
            noted_.store(false, std::memory_order_release);
        }
        try {
            for (auto& [event, change] : changes) apply(event, change);
        } catch (...) {
            distrusted_.store(true, std::memory_order_release);
            throw;
        }
    }

    void load_all()
    {
        {
            // What is noted so far will be in the rows; what is noted from here on may be, and then changes nothing.
            std::lock_guard lock(changes_mutex_);
            changes_.clear();
            distrusted_.store(false, std::memory_order_release);
        }
        try {
            const std::vector<Place> all = load_();
            rows_.clear();
            free_.clear();
            index_.clear();
            std::vector<Entry> entries;
            rows_.reserve(all.size());
            entries.reserve(all.size());
            index_.reserve(all.size());
            for (const Place& place : all) {
                const auto row = static_cast<std::uint32_t>(rows_.size());
                rows_.push_back({place, to_point(place.point)});
                entries.emplace_back(rows_.back().point, row);
                index_.emplace(place.event, row);
            }
            tree_ = Tree(entries.begin(), entries.end());
        } catch (...) {
            distrusted_.store(true, std::memory_order_release);
            throw;
        }
    }

    void apply(EventId event, const Change& change)
    {
        const auto found = index_.find(event);
        if (change.removed || change.place) {
            if (found != index_.end()) drop(found->second);
            if (change.place && !change.removed) add(*change.place);
        } else if (found != index_.end()) {
            rows_[found->second].place.sold = change.sold;
            rows_[found->second].place.pace = change.pace;
        }
    }

    void drop(std::uint32_t row)
    {
        tree_.remove({rows_[row].point, row});
        index_.erase(rows_[row].place.event);
        rows_[row].live = false;
        free_.push_back(row);
    }

    void add(const Place& place)
    {
        std::uint32_t row = 0;
        if (free_.empty()) {
            row = static_cast<std::uint32_t>(rows_.size());
            rows_.emplace_back();
        } else {
            row = free_.back();
            free_.pop_back();
        }
        rows_[row] = {place, to_point(place.point)};
        tree_.insert({rows_[row].point, row});
        index_.emplace(place.event, row);
    }

    /// Whether it comes after the place in the order that the page begins at, or before it, when a page goes back.
    bool is_beyond_cursor(Contender& c, const NearbyQuery& query) const
    {
        if (!query.from) return true;
        const bool back = goes_back(query.from);
        const DistanceKey& key = query.from->key;
        if (c.bounds.most < key.distance_m) return back;
        if (c.bounds.least > key.distance_m) return !back;
        const DistanceKey own{exact(c, query.center), rows_[c.row].place.event};
        return back ? own < key : key < own;
    }

    double exact(Contender& contender, const GeoPoint& center) const
    {
        if (contender.exact < 0) contender.exact = geodesic_m(center, rows_[contender.row].place.point);
        return contender.exact;
    }

    std::vector<Row> rows_;
    std::vector<std::uint32_t> free_;
    std::unordered_map<EventId, std::uint32_t> index_;
    Tree tree_;
    std::shared_mutex rows_mutex_;  // protects all above

    std::unordered_map<EventId, Change> changes_;
    std::mutex changes_mutex_;  // protects changes_; held for moments only
    std::atomic<bool> noted_ = false;
    std::atomic<bool> distrusted_ = true;

    const Load load_;
    std::thread loader_;  // last: it uses all of the above
};

Places::Places(Load load) : self_(std::make_unique<Self>(std::move(load))) {}
Places::~Places() = default;

void Places::put(const Place& place)
{
    std::lock_guard lock(self_->changes_mutex_);
    Self::Change& change = self_->note(place.event);
    change.place = place;
    change.removed = false;
    self_->noted_.store(true, std::memory_order_release);
}

void Places::count(EventId event, std::int64_t sold, SalesRate pace)
{
    std::lock_guard lock(self_->changes_mutex_);
    Self::Change& change = self_->note(event);
    change.sold = sold;
    change.pace = pace;
    if (change.place) {
        change.place->sold = sold;
        change.place->pace = pace;
    }
    self_->noted_.store(true, std::memory_order_release);
}

void Places::remove(EventId event)
{
    std::lock_guard lock(self_->changes_mutex_);
    self_->note(event).removed = true;
    self_->noted_.store(true, std::memory_order_release);
}

void Places::distrust() noexcept { self_->distrusted_.store(true, std::memory_order_release); }

Page<Found> Places::near(const NearbyQuery& query)
{
    const Point center = to_point(query.center);
    const double reach = std::min(query.radius_m, kFarthestM) + 1;
    const Box box({center.get<0>() - reach, center.get<1>() - reach, center.get<2>() - reach},
                  {center.get<0>() + reach, center.get<1>() + reach, center.get<2>() + reach});
    const auto lock = self_->reading();
    const auto asked = static_cast<std::size_t>(query.skip + query.limit + 1);
    const bool back = goes_back(query.from);
    // How far a contender is from the end that is counted from, at least and at most: the far end when a page goes back.
    const auto least_of = [back](const Self::Contender& c) { return back ? -c.bounds.most : c.bounds.least; };
    const auto most_of = [back](const Self::Contender& c) { return back ? -c.bounds.least : c.bounds.most; };
    std::int64_t total = 0;
    std::int64_t left = 0;                // of them, beyond the cursor
    std::vector<Self::Contender> inside;  // those of them that may be among the first `asked`
    FirstBounds first(asked);
    Walk walk;
    const auto look = [&](const Entry& entry) {
        walk.step();
        const Place& place = self_->rows_[entry.second].place;
        if (!query.include_past && place.end_time <= query.now) return;
        if (!query.include_sold_out && place.sold >= place.total) return;
        Self::Contender contender{bounds_of(center, entry.first), entry.second};
        if (contender.bounds.least > query.radius_m) return;
        if (contender.bounds.most > query.radius_m && self_->exact(contender, query.center) > query.radius_m) return;
        ++total;
        if (!self_->is_beyond_cursor(contender, query)) return;
        ++left;
        if (first.may_have(least_of(contender), most_of(contender))) inside.push_back(contender);
    };
    self_->tree_.query(bgi::intersects(box), boost::make_function_output_iterator(look));

    Page<Found> page;
    page.total = total;
    if (query.skip >= left) return page;
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(static_cast<std::int64_t>(asked), left));
    // One that cannot be among the first `wanted` by its bounds needs no exact distance.
    std::erase_if(inside, [&](const Self::Contender& c) { return least_of(c) > first.enough(); });
    page.items.reserve(inside.size());
    for (Self::Contender& c : inside) page.items.push_back({self_->rows_[c.row].place.event, self_->exact(c, query.center)});
    std::partial_sort(page.items.begin(), page.items.begin() + static_cast<std::ptrdiff_t>(wanted), page.items.end(),
                      [back](const Found& a, const Found& b) {
                          const DistanceKey of_a{a.distance_m, a.event};
                          const DistanceKey of_b{b.distance_m, b.event};
                          return back ? of_b < of_a : of_a < of_b;
                      });
    page.items.resize(wanted);
    page.items.erase(page.items.begin(), page.items.begin() + static_cast<std::ptrdiff_t>(query.skip));
    finish_page(page, query.limit, query.from);
    return page;
}

std::vector<Candidate> Places::candidates(const SuggestionQuery& query, const std::unordered_map<EventId, std::int64_t>& weights,
                                          const std::unordered_set<UserId>& organizers, const std::unordered_set<EventId>& held)
{
    const auto lock = self_->reading();
    const std::optional<Point> home = query.location ? std::optional(to_point(*query.location)) : std::nullopt;
    struct Seen {
        const Place* place;
        double chord = 0;
        double pace = 0;
        std::int64_t weight = 0;
        bool same_organizer = false;
        bool wanted = false;
    };
    std::vector<Seen> all;
    all.reserve(self_->rows_.size());
    Walk walk;
    for (const Self::Row& row : self_->rows_) {
        walk.step();
        const Place& place = row.place;
        if (!row.live || place.start_time <= query.now || place.sold >= place.total || held.contains(place.event)) continue;
        Seen& seen = all.emplace_back(Seen{&place});
        if (home) seen.chord = bg::distance(*home, row.point);
        seen.pace = advance(place.pace, scored_at(query.now), 0).tickets_a_day;
        seen.same_organizer = organizers.contains(place.organizer);
        if (const auto found = weights.find(place.event); found != weights.end()) seen.weight = found->second;
    }
    // Enough of each kind for choose_candidates(), which has the last word.
    const auto want_first = [&](const auto& counts, const auto& value) {
        const auto end = std::partition(all.begin(), all.end(), counts);
        const auto some = all.begin() + std::min(static_cast<std::ptrdiff_t>(kCandidatesOfAKind), end - all.begin());
        if (some != end) {
            std::nth_element(all.begin(), some, end, [&](const Seen& a, const Seen& b) {
                return std::pair(value(a), a.place->event) < std::pair(value(b), b.place->event);
            });
        }
        std::for_each(all.begin(), some, [](Seen& seen) { seen.wanted = true; });
    };
    const auto any = [](const Seen&) { return true; };
    const auto start = [](const Seen& seen) { return seen.place->start_time; };
    want_first(any, start);
    want_first(any, [](const Seen& seen) { return -seen.pace; });
    want_first([](const Seen& seen) { return seen.weight > 0; }, [](const Seen& seen) { return -seen.weight; });
    want_first([](const Seen& seen) { return seen.same_organizer; }, start);
    if (home && !all.empty()) {
        // The nearest by chord, and all that may be as near as the farthest of these: an arc is no shorter than its chord.
        const auto last = all.begin() + static_cast<std::ptrdiff_t>(std::min(kCandidatesOfAKind, all.size())) - 1;
        std::nth_element(all.begin(), last, all.end(), [](const Seen& a, const Seen& b) { return a.chord < b.chord; });
        const double enough = bounds_of_chord(last->chord).most;
        for (Seen& seen : all) seen.wanted = seen.wanted || seen.chord <= enough;
    }
    std::vector<CandidateFacts> facts;
    for (const Seen& seen : all) {
        if (!seen.wanted) continue;
        const Place& place = *seen.place;
        CandidateFacts& one = facts.emplace_back();
        one.event = place.event;
        one.start_time = place.start_time;
        if (query.location) one.distance_m = geodesic_m(*query.location, place.point);
        one.weight = seen.weight;
        one.same_organizer = seen.same_organizer;
        one.share_sold = static_cast<double>(place.sold) / static_cast<double>(place.total);
        one.pace = seen.pace;
    }
    return choose_candidates(facts);
}

}  // namespace boxoffice::sqlite
