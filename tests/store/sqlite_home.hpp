#pragma once
#include <gtest/gtest.h>

#include "drafts.hpp"
#include "security/security.hpp"
#include "sqlite/sqlite.hpp"
#include "temp_folder.hpp"

namespace boxoffice
{

/// An embedded store with one event of many seats, and words to fill it.
class SqliteHomeTest : public testing::Test
{
protected:
    void open()
    {
        store.reset();
        store = open_sqlite(options, *zones);
    }
    /// Also the people and events that every test needs.
    void open_fresh()
    {
        open();
        buyer = std::get<User>(act(AddUser{"buyer@example.org", "Buyer", "!", {}, now})).id;
        event = add_event();
    }

    Outcome act(Act what)
    {
        WriteJob job{std::move(what), {}, {}};
        WriteJob* const jobs[] = {&job};
        store->execute(jobs);
        return std::move(job.outcome);
    }
    /// With a text that fills pages.
    EventId add_event()
    {
        EventDraft draft = draft_of("Jazz night", 100'000, now + std::chrono::hours(24), std::chrono::hours(2));
        draft.venue = {"1 Main Street", {52.5, 13.4}};
        draft.description = std::string(4'900, 'x');
        return std::get<Event>(act(AddEvent{buyer, draft, now})).id;
    }
    void add_events(int count)
    {
        for (int i = 0; i < count; ++i) (void)add_event();
    }
    [[nodiscard]] std::int64_t sold() const { return store->find_event(event)->tickets_sold; }

    TempFolder folder;
    std::unique_ptr<Zones> zones = make_zones();
    SqliteOptions options{.file = folder.path() / "boxoffice.db", .readers = 4};
    std::unique_ptr<Store> store;
    Instant now{std::chrono::hours(500'000)};
    Micros hold = std::chrono::minutes(2);
    UserId buyer;
    EventId event;
};

}  // namespace boxoffice
