// Changes that no act makes yet: every engine writes them, so that an act which does touches none.
#include <gtest/gtest.h>

#include "drafts.hpp"
#include "fake_zones.hpp"
#include "memory/memory.hpp"
#include "memory/tables.hpp"
#include "postgres/postgres.hpp"
#include "postgres/writes.hpp"
#include "servers/postgres_server.hpp"
#include "sqlite/changes.hpp"
#include "sqlite/sqlite.hpp"
#include "temp_folder.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

const Instant kNow{500'000h};

Outcome execute(Store& store, Act act)
{
    WriteJob job{std::move(act), {}, {}};
    WriteJob* const jobs[] = {&job};
    store.execute(jobs);
    return job.outcome;
}

/// A ticket that is paid by one and belongs to another once `write` has written.
void expect_moved(Store& store, const std::function<void(const Changes&)>& write)
{
    const UserId before = std::get<User>(execute(store, AddUser{"a@b.co", "a", "!", {}, kNow})).id;
    const UserId after = std::get<User>(execute(store, AddUser{"b@b.co", "b", "!", {}, kNow})).id;
    const EventId event = std::get<Event>(execute(store, AddEvent{before, draft_of("Jazz", 5, kNow + 24h), kNow})).id;
    const auto ticket = std::get<Ticket>(execute(store, Reserve{event, before, 1min, kNow}));
    const auto other = std::get<Ticket>(execute(store, Reserve{event, before, 1min, kNow}));

    Changes changes;
    changes.tickets_changed.push_back(
        {ticket.id, TicketStatus::reserved, TicketStatus::paid, TicketChange::Payment{kNow, "r"}, after});
    changes.tickets_changed.push_back({other.id, TicketStatus::reserved, TicketStatus::reserved, {}, after});
    write(changes);
    const TicketQuery theirs{.user = after, .now = kNow};
    EXPECT_EQ(store.list_tickets(theirs).total, 2);
    const Ticket moved = store.find_ticket(ticket.id)->ticket;
    EXPECT_EQ(moved.user_id, after);
    EXPECT_EQ(moved.status, TicketStatus::paid);
    EXPECT_EQ(moved.payment_reference, "r");
    EXPECT_EQ(store.find_ticket(other.id)->ticket.status, TicketStatus::reserved);
    EXPECT_ANY_THROW(write(changes)) << "the ticket is not reserved any more";
}

TEST(Changes, OfATicketsOwnerAreWrittenBySqlite)
{
    const TempFolder folder;
    const FakeZones zones;
    const auto store = open_sqlite({.file = folder.path() / "boxoffice.db"}, zones);
    expect_moved(*store, [&](const Changes& changes) {
        sqlite::Connection db(folder.path() / "boxoffice.db", sqlite::Access::read_write);
        sqlite::write(db, changes);
    });
}

TEST(Changes, OfATicketsOwnerAreWrittenByPostgres)
{
    const FakeZones zones;
    PostgresOptions options;
    options.url = shared_postgres().fresh_database();
    const auto store = open_postgres(options, zones);
    postgres::Connection db(options, postgres::Connection::Purpose::write);
    expect_moved(*store, [&](const Changes& changes) {
        postgres::Pipeline pipeline;
        postgres::add_writes(pipeline, changes);
        (void)db.execute(pipeline);
    });
}

TEST(Changes, OfATicketsOwnerAreWrittenInMemory)
{
    const FakeZones zones;
    const auto tables = make_memory_tables();
    const auto store = open_memory(tables, {}, zones);
    expect_moved(*store, [&](const Changes& changes) { tables->write(changes); });
}

}  // namespace
}  // namespace boxoffice
