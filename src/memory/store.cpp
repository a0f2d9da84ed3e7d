#include <GeographicLib/Geodesic.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "core/decide.hpp"
#include "core/slices.hpp"
#include "memory/memory.hpp"
#include "memory/tables.hpp"
#include "text/text.hpp"

namespace boxoffice
{

namespace
{

using memory::Tables;
using EventRow = Tables::EventRow;

/// To the millimetre, so that engines with other last bits agree on ties.
double distance_m(const GeoPoint& a, const GeoPoint& b)
{
    double distance = 0;
    GeographicLib::Geodesic::WGS84().Inverse(a.latitude, a.longitude, b.latitude, b.longitude, distance);
    return std::round(distance * 1000) / 1000;
}

bool has_words(const EventRow& row, const text::WordQuery& asked)
{
    if (!std::includes(row.words.begin(), row.words.end(), asked.words.begin(), asked.words.end())) return false;
    if (asked.prefix.empty()) return true;
    const auto first = row.words.lower_bound(asked.prefix);
    return first != row.words.end() && first->starts_with(asked.prefix);
}

bool suits(const EventRow& row, const EventQuery& query, const text::WordQuery& asked)
{
    const Event& event = row.event;
    return !row.removed && (!query.starts_after || event.start_time > *query.starts_after) &&
           (!query.starts_before || event.start_time < *query.starts_before) &&
           (!query.available_only || event.available_tickets() > 0) &&
           (!query.organizer || event.organizer_id == *query.organizer) &&
           (!query.ends_after || event.end_time > *query.ends_after) && has_words(row, asked);
}

/// The page of `all`, which is in the order of the list.
template <class Item, class Key, class Less>
Page<Item> page_of(std::vector<std::pair<Key, Item>> all, const std::optional<Cursor<Key>>& from, std::int64_t skip,
                   std::int64_t limit, const Less& less)
{
    Page<Item> page;
    page.total = static_cast<std::int64_t>(all.size());
    if (goes_back(from)) std::reverse(all.begin(), all.end());
    for (auto& [key, item] : all) {
        if (from && !(goes_back(from) ? less(key, from->key) : less(from->key, key))) continue;
        if (skip-- > 0) continue;
        page.items.push_back(std::move(item));
        if (static_cast<std::int64_t>(page.items.size()) > limit) break;
    }
    finish_page(page, limit, from);
    return page;
}

class InMemory final : public Store
{
public:
    InMemory(std::shared_ptr<Tables> tables, const MemoryOptions& options, const Zones& zones)
        : tables_(std::move(tables)), decide_{zones, options.arrivals, options.mails}
    {
    }

    void execute(std::span<WriteJob* const> jobs) override
    {
        const std::lock_guard lock(tables_->mutex);
        memory::TableFacts facts(*tables_);
        tables_->write(decide(jobs, facts, decide_));
        answer_by_engine(jobs, [this](WriteJob& job, const auto& what) { job.outcome = memory::OwnActs(*tables_).act(what); });
    }

    std::optional<User> find_user(UserId id) override
    {
        const std::lock_guard lock(tables_->mutex);
        const Account* const row = tables_->user(id);
        return row == nullptr ? std::nullopt : std::optional(row->user);
    }

    std::optional<Login> find_login(std::string_view email) override
    {
        const std::lock_guard lock(tables_->mutex);
        // The exact address first: it is all that an account has whose mailbox is an older one's.
        const std::string key = text::address_key(email);
        for (const auto& [index, name] : {std::pair(&tables_->by_folded, fold_email(email)), std::pair(&tables_->by_key, key),
                                          std::pair(&tables_->by_folded, key)}) {
            if (const auto found = index->find(name); found != index->end())
                return Login{found->second, tables_->user(found->second)->password_hash};
        }
        return std::nullopt;
    }

    std::optional<Event> find_event(EventId id) override
    {
        const std::lock_guard lock(tables_->mutex);
        return event_at(id);
    }

    std::vector<Event> find_events(std::span<const EventId> ids) override
    {
        const std::lock_guard lock(tables_->mutex);
        std::vector<Event> events;
        for (const EventId id : ids) {
            if (auto event = event_at(id)) events.push_back(*std::move(event));
        }
        return events;
    }

    Page<Event> list_events(const EventQuery& query) override
    {
        const text::WordQuery asked = text::query_of(query.q);
        if (!query.q.empty() && asked.empty()) return {};
        const std::lock_guard lock(tables_->mutex);
        std::vector<std::pair<EventKey, Event>> all;
        for (const EventRow& row : tables_->events) {
            if (suits(row, query, asked)) all.push_back({{row.event.start_time, row.event.id}, row.event});
        }
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        return page_of(std::move(all), query.from, query.skip, query.limit, std::less<>());
    }

    std::optional<TicketView> find_ticket(TicketId id) override
    {
        const std::lock_guard lock(tables_->mutex);
        const Ticket* const row = tables_->ticket(id);
        if (row == nullptr) return std::nullopt;
        return TicketView{*row, tables_->events[static_cast<std::size_t>(row->event_id.value - 1)].event.organizer_id};
    }

    Page<Ticket> list_tickets(const TicketQuery& query) override
    {
        const std::lock_guard lock(tables_->mutex);
        std::vector<std::pair<TicketId, Ticket>> all;
        const std::vector<TicketId>& theirs = tables_->tickets_of[query.user];
        std::for_each(theirs.rbegin(), theirs.rend(), [&](TicketId id) {
            const Ticket& ticket = *tables_->ticket(id);
            if (query.event && ticket.event_id != *query.event) return;
            if (!query.status || visible_at(ticket, query.now).status == *query.status) all.emplace_back(id, ticket);
        });
        return page_of(std::move(all), query.from, query.skip, query.limit, std::greater<>());
    }

    Page<NearbyEvent> nearby(const NearbyQuery& query) override
    {
        const std::lock_guard lock(tables_->mutex);
        std::vector<std::pair<DistanceKey, NearbyEvent>> all;
        for (const EventRow& row : tables_->events) {
            const Event& event = row.event;
            if (row.removed || (!query.include_past && event.end_time <= query.now) ||
                (!query.include_sold_out && event.available_tickets() <= 0))
                continue;
            const double distance = distance_m(query.center, event.venue.point);
            if (distance <= query.radius_m) all.push_back({{distance, event.id}, {event, distance}});
        }
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        return page_of(std::move(all), query.from, query.skip, query.limit, std::less<>());
    }

    std::vector<Candidate> candidates(const SuggestionQuery& query) override
    {
        const std::lock_guard lock(tables_->mutex);
        const Taste taste = taste_of(query);
        std::vector<CandidateFacts> facts;
        for (const EventRow& row : tables_->events) {
            const Event& event = row.event;
            const bool upcoming = !row.removed && event.start_time > query.now && event.available_tickets() > 0;
            if (!upcoming || taste.held.contains(event.id)) continue;
            CandidateFacts& one = facts.emplace_back();
            one.event = event.id;
            one.start_time = event.start_time;
            if (query.location) one.distance_m = distance_m(*query.location, event.venue.point);
            for (const WeighedWord& word : taste.words) one.weight += row.words.contains(word.word) ? word.weight : 0;
            one.same_organizer = taste.organizers.contains(event.organizer_id);
            one.share_sold = static_cast<double>(event.tickets_sold) / static_cast<double>(event.total_tickets);
            one.pace = advance(row.pace, scored_at(query.now), 0).tickets_a_day;
        }
        return choose_candidates(facts);
    }

    std::vector<Availability> availability(std::span<const EventId> events, Instant now) override
    {
        const std::lock_guard lock(tables_->mutex);
        std::vector<Availability> found;
        for (const EventId event : events) {
            const EventRow* const row = tables_->event(event);
            if (row == nullptr) continue;
            Availability& one = found.emplace_back(Availability{event, row->event.available_tickets(), std::nullopt});
            const auto next = row->holds.upper_bound({now, TicketId{std::numeric_limits<std::int64_t>::max()}});
            if (next != row->holds.end()) one.next_release_at = next->first;
        }
        return found;
    }

    std::optional<Instant> next_deadline() override
    {
        const std::lock_guard lock(tables_->mutex);
        return tables_->holds.empty() ? std::nullopt : std::optional(tables_->holds.begin()->first);
    }

    std::int64_t reserved_count() override
    {
        const std::lock_guard lock(tables_->mutex);
        return static_cast<std::int64_t>(tables_->holds.size());
    }

    std::optional<Instant> latest_instant() override
    {
        const std::lock_guard lock(tables_->mutex);
        if (tables_->tickets.empty()) return std::nullopt;
        const Ticket& newest = tables_->tickets.back();
        return std::max(newest.created_at, newest.paid_at.value_or(newest.created_at));
    }

    void check_ready() override {}

    OutboxCounts outbox_counts() override
    {
        const std::lock_guard lock(tables_->mutex);
        OutboxCounts counts;
        const Tables::EffectRow* told = nullptr;
        for (const auto& [id, row] : tables_->outbox) {
            ++(row.dead_at ? counts.dead : counts.waiting);
            const auto is_newer = [&row](const Tables::EffectRow& than) {
                return row.dead_at && than.dead_at ? *row.dead_at >= *than.dead_at : row.dead_at || row.due_at >= than.due_at;
            };
            const bool failed = row.dead_at || !row.why.empty();
            if (failed && (told == nullptr || (is_newer(*told) && (row.dead_at || !told->dead_at)))) told = &row;
        }
        if (told != nullptr) counts.last_why = told->why;
        return counts;
    }

    bool has_effect(const Effect& effect) override
    {
        const std::lock_guard lock(tables_->mutex);
        const auto found = tables_->outbox.find(effect.id);
        if (found == tables_->outbox.end()) return false;
        const Effect& row = found->second.effect;
        return row.kind == effect.kind && row.event == effect.event && row.tickets == effect.tickets &&
               row.made_at == effect.made_at;
    }

private:
    struct Taste {
        std::vector<WeighedWord> words;
        std::unordered_set<UserId> organizers;
        std::unordered_set<EventId> held;
    };

    std::optional<Event> event_at(EventId id)
    {
        const EventRow* const row = tables_->event(id);
        return row == nullptr ? std::nullopt : std::optional(row->event);
    }

    Taste taste_of(const SuggestionQuery& query)
    {
        Taste taste;
        std::vector<EventId> past;
        std::int64_t read = 0;
        const std::vector<TicketId>& theirs = tables_->tickets_of[query.user];
        std::for_each(theirs.rbegin(), theirs.rend(), [&](TicketId id) {
            const Ticket seen = visible_at(*tables_->ticket(id), query.now);
            if (seen.status == TicketStatus::paid || seen.status == TicketStatus::reserved) taste.held.insert(seen.event_id);
            const bool counts = ++read <= kTasteTickets && past.size() < kTasteEvents;
            if (counts && std::find(past.begin(), past.end(), seen.event_id) == past.end()) past.push_back(seen.event_id);
        });
        std::set<std::string> words;
        for (const EventId event : past) {
            const Event& seen = tables_->events[static_cast<std::size_t>(event.value - 1)].event;
            taste.organizers.insert(seen.organizer_id);
            words.merge(text::words_of(seen.title));
        }
        std::vector<TasteWord> counted;
        for (const std::string& word : words) {
            const auto has = [&](const EventRow& row) { return !row.removed && row.words.contains(word); };
            const auto count = std::count_if(tables_->events.begin(), tables_->events.end(), has);
            if (word.size() >= kTasteWordBytesMin && count > 0) counted.push_back({word, count});
        }
        taste.words = taste_of_words(std::move(counted));
        return taste;
    }

    const std::shared_ptr<Tables> tables_;
    const DecideOptions decide_;
};

}  // namespace

std::shared_ptr<memory::Tables> make_memory_tables() { return std::make_shared<memory::Tables>(); }

std::unique_ptr<Store> open_memory(std::shared_ptr<memory::Tables> tables, const MemoryOptions& options, const Zones& zones)
{
    return std::make_unique<InMemory>(std::move(tables), options, zones);
}

}  // namespace boxoffice
