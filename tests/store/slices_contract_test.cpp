#include <gtest/gtest.h>

#include <algorithm>

#include "store/engines.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using Ids = std::vector<std::int64_t>;

/// Pages by cursor, in both directions, of lists with as many ties as there can be.
class Slices : public StoreTest
{
protected:
    static EventKey key_of(const Event& event) { return {event.start_time, event.id}; }
    static TicketId key_of(const Ticket& ticket) { return ticket.id; }
    static DistanceKey key_of(const NearbyEvent& found) { return {found.distance_m, found.event.id}; }
    static std::int64_t id_of(const Event& event) { return event.id.value; }
    static std::int64_t id_of(const Ticket& ticket) { return ticket.id.value; }
    static std::int64_t id_of(const NearbyEvent& found) { return found.event.id.value; }

    template <class Item>
    static Ids ids_of(const std::vector<Item>& items)
    {
        Ids ids;
        for (const Item& item : items) ids.push_back(id_of(item));
        return ids;
    }

    /// Walks to the end and back, `limit` items at a time, and expects everything once, in the order of `all`, each way.
    template <class Query, class Ask>
    static void walk(Query query, std::int64_t limit, const Ids& all, Ask ask)
    {
        query.limit = limit;
        Ids there;
        auto page = ask(query);
        for (int pages = 0; pages < 50; ++pages) {
            EXPECT_EQ(page.total, static_cast<std::int64_t>(all.size()));
            const Ids ids = ids_of(page.items);
            there.insert(there.end(), ids.begin(), ids.end());
            EXPECT_EQ(page.more, there.size() < all.size());
            if (!page.more) break;
            query.from = {key_of(page.items.back()), Direction::after};
            page = ask(query);
        }
        EXPECT_EQ(there, all);
        if (page.items.empty()) return;
        Ids back = ids_of(page.items);
        for (int pages = 0; pages < 50 && back.size() < all.size(); ++pages) {
            query.from = {key_of(page.items.front()), Direction::before};
            page = ask(query);
            const Ids ids = ids_of(page.items);
            back.insert(back.begin(), ids.begin(), ids.end());
            EXPECT_EQ(page.more, back.size() < all.size());
        }
        EXPECT_EQ(back, all);
        query.from = {query.from ? query.from->key : key_of(page.items.front()), Direction::after};
        EXPECT_NO_THROW(ask(query));
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, Slices, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(Slices, OfEventsShowEachOnceUnderEveryFilter)
{
    for (int i = 0; i < 9; ++i) {
        organizer = i < 5 ? organizer : person();
        event(1 + i % 2, [&](EventDraft& d) {
            d.start_time = now + std::chrono::hours(i / 3);
            d.end_time = now + std::chrono::hours(8 + i % 4);
        });
    }
    reserve(EventId{3}, person());
    const auto ask = [this](const EventQuery& query) { return store().list_events(query); };
    for (const EventQuery& query :
         {EventQuery{}, EventQuery{.q = "jazz"}, EventQuery{.starts_after = now - 1us}, EventQuery{.starts_after = now},
          EventQuery{.starts_before = now + 2h}, EventQuery{.available_only = true}, EventQuery{.organizer = UserId{1}},
          EventQuery{
              .q = "jazz", .starts_after = now - 1h, .available_only = true, .organizer = UserId{1}, .ends_after = now + 9h},
          EventQuery{.ends_after = now + 9h}, EventQuery{.ends_after = Instant::max()},
          EventQuery{.ends_after = Instant::min()}}) {
        EventQuery whole = query;
        whole.limit = 100;
        const Ids all = ids_of(ask(whole).items);
        for (const std::int64_t limit : {1, 2, 3, 4, 100}) walk(query, limit, all, ask);
    }
    EXPECT_EQ(ids_of(ask({.ends_after = now + 10h}).items), (Ids{4, 8})) << "the end itself is over";
}

TEST_P(Slices, OfEventsBeginAtAPlaceWhereThereNeedBeNoEvent)
{
    for (int i = 0; i < 3; ++i) event(1, [&](EventDraft& d) { d.start_time = now + std::chrono::hours(i); });
    const auto ids = [&](EventKey key, Direction direction, const EventQuery& query = {}) {
        EventQuery asked = query;
        asked.from = {key, direction};
        return ids_of(store().list_events(asked).items);
    };
    EXPECT_EQ(ids({now, EventId{0}}, Direction::after), (Ids{1, 2, 3}));
    EXPECT_EQ(ids({now, EventId{1}}, Direction::after), (Ids{2, 3}));
    EXPECT_EQ(ids({now + 1h, EventId{INT64_MAX}}, Direction::after), (Ids{3}));
    EXPECT_EQ(ids({now + 1h, EventId{INT64_MAX}}, Direction::before), (Ids{1, 2}));
    EXPECT_EQ(ids({now + 1h, EventId{2}}, Direction::before), (Ids{1}));
    EXPECT_EQ(ids({Instant::min(), EventId{INT64_MIN}}, Direction::after), (Ids{1, 2, 3}));
    EXPECT_EQ(ids({Instant::max(), EventId{INT64_MAX}}, Direction::before), (Ids{1, 2, 3}));
    EXPECT_EQ(ids({Instant::max(), EventId{0}}, Direction::after), Ids{});
    EXPECT_EQ(ids({Instant::min(), EventId{0}}, Direction::before), Ids{});
    // Beside a filter on the same times, whichever is the narrower counts.
    EXPECT_EQ(ids({now, EventId{0}}, Direction::after, {.starts_after = now}), (Ids{2, 3}));
    EXPECT_EQ(ids({now + 1h, EventId{0}}, Direction::after, {.starts_after = now}), (Ids{2, 3}));
    EXPECT_EQ(ids({now + 2h, EventId{9}}, Direction::before, {.starts_before = now + 2h}), (Ids{1, 2}));
    EXPECT_EQ(ids({now + 1h, EventId{2}}, Direction::before, {.starts_before = now + 2h}), (Ids{1}));
}

TEST_P(Slices, OfTicketsShowEachOnceNewestFirst)
{
    const EventId first = event(20);
    const EventId second = event(20);
    const UserId buyer = person();
    for (int i = 0; i < 7; ++i) reserve(i % 3 == 0 ? first : second, buyer);
    reserve(first, person());
    const auto ask = [this](const TicketQuery& query) { return store().list_tickets(query); };
    for (TicketQuery query : {TicketQuery{.user = buyer, .now = now}, TicketQuery{.user = buyer, .event = second, .now = now},
                              TicketQuery{.user = buyer, .status = TicketStatus::reserved, .now = now},
                              TicketQuery{.user = buyer, .status = TicketStatus::paid, .now = now},
                              TicketQuery{.user = buyer, .status = TicketStatus::expired, .now = now + hold}}) {
        const Ids all = ids_of(ask(query).items);
        for (const std::int64_t limit : {1, 2, 3, 100}) walk(query, limit, all, ask);
    }
}

TEST_P(Slices, OfWhatIsNearShowEachOnceWhereManyAreEquallyFar)
{
    for (int i = 0; i < 10; ++i) {
        event(1, [&](EventDraft& d) { d.venue.point = {52.5 + (i / 4) * 0.01, 13.4 + (i % 2) * 0.3}; });
    }
    const auto ask = [this](const NearbyQuery& query) { return store().nearby(query); };
    for (const double radius_m : {15'000.0, 100'000.0, 20'040'000.0}) {
        NearbyQuery query{.center = {52.5, 13.4}, .radius_m = radius_m, .limit = 100, .now = now};
        const Ids all = ids_of(ask(query).items);
        EXPECT_GE(all.size(), 5u);
        for (const std::int64_t limit : {1, 2, 3, 4, 100}) walk(query, limit, all, ask);
    }
}

/// What an organizer's If-Match holds on to.
class Versions : public StoreTest
{
};
INSTANTIATE_TEST_SUITE_P(Engines, Versions, testing::ValuesIn(engines()), [](const auto& engine) { return engine.param.name; });

TEST_P(Versions, GrowWithEachChangeAndWithNoSale)
{
    const EventId id = event(5);
    EXPECT_EQ(store().find_event(id)->version, 1);
    const UserId buyer = person();
    const Ticket ticket = reserve(id, buyer);
    must<Ticket>(Pay{ticket.id, buyer, "r", now});
    must<Ticket>(Cancel{reserve(id, buyer).id, buyer, now});
    EXPECT_EQ(store().find_event(id)->version, 1);
    EventPatch patch;
    EXPECT_EQ(must<Event>(ChangeEvent{id, organizer, patch, now + 1s}).version, 1) << "it changes nothing";
    EXPECT_EQ(store().find_event(id)->updated_at, now);
    patch.total_tickets = 6;
    EXPECT_EQ(must<Event>(ChangeEvent{id, organizer, patch, now}).version, 2);
    patch.title = "Blues";
    EXPECT_EQ(must<Event>(ChangeEvent{id, organizer, patch, now + 1s}).version, 3);
    patch.total_tickets = 0;
    EXPECT_EQ(said(ChangeEvent{id, organizer, patch, now}), "invalid");
    EXPECT_EQ(store().find_event(id)->version, 3);
    EXPECT_EQ(store().list_events({}).items.front().version, 3);
    EXPECT_EQ(store().nearby({.center = {52.5, 13.4}, .now = now}).items.front().event.version, 3);
    home->reopen();
    EXPECT_EQ(store().find_event(id)->version, 3);
}

TEST_P(Versions, HoldAChangeThatWasMeantForAnother)
{
    const EventId id = event(5);
    EventPatch patch;
    patch.title = "Blues";
    EXPECT_EQ(said(ChangeEvent{id, organizer, patch, now, OnlyAt({2})}), "precondition_failed");
    EXPECT_EQ(said(RemoveEvent{id, organizer, now, OnlyAt({2})}), "precondition_failed");
    EXPECT_EQ(said(RemoveEvent{id, person(), now, OnlyAt({2})}), "not_organizer");
    EXPECT_EQ(said(RemoveEvent{EventId{99}, organizer, now, OnlyAt({2})}), "not_found");
    EXPECT_EQ(store().find_event(id)->title, "Jazz night");
    // Two who read the same version, in one batch: the second has not seen what the first did.
    WriteJob first{ChangeEvent{id, organizer, patch, now, OnlyAt({1})}, {}, {}};
    WriteJob second{ChangeEvent{id, organizer, patch, now, OnlyAt({1})}, {}, {}};
    EventPatch more;
    more.title = "Rock";
    WriteJob third{ChangeEvent{id, organizer, more, now, OnlyAt({2})}, {}, {}};
    WriteJob* const jobs[] = {&first, &second, &third};
    store().execute(jobs);
    EXPECT_EQ(std::get<Event>(first.outcome).version, 2);
    EXPECT_EQ(std::get<Error>(second.outcome).code, Code::precondition_failed);
    EXPECT_EQ(std::get<Event>(third.outcome).version, 3);
    EXPECT_EQ(store().find_event(id)->version, 3);
    EXPECT_EQ(said(RemoveEvent{id, organizer, now, OnlyAt({1, 3})}), "ok");
}

}  // namespace
}  // namespace boxoffice
