/// Another life of the embedded store: what a backup that was put back must not bring back.
#include <sqlite3.h>

#include <fstream>

#include "store/sqlite_home.hpp"

namespace boxoffice
{
namespace
{

class Restoring : public SqliteHomeTest
{
protected:
    User add_user(const std::string& name) { return std::get<User>(act(AddUser{name + "@example.org", name, "!", {}, now})); }
    Ticket reserve() { return std::get<Ticket>(act(Reserve{event, buyer, hold, now})); }
    Ticket pay(const Ticket& ticket)
    {
        return std::get<Ticket>(act(Pay{ticket.id, buyer, "ref " + std::to_string(ticket.id.value), now}));
    }
    std::vector<Effect> take_effects()
    {
        return std::get<Effects>(act(TakeEffects{now, 100, now + std::chrono::minutes(1)})).taken;
    }

    RestoredStore restore() { return restore_sqlite(backup, options.file, today); }

    const std::filesystem::path backup = folder.path() / "backup.db";
    const Instant today = std::chrono::sys_days(std::chrono::year(2027) / 1 / 31);
};

TEST_F(Restoring, GivesNoIdAgainThatTheLifeThatWasLostHasGiven)
{
    open_fresh();
    const Ticket kept = pay(reserve());
    backup_sqlite(options.file, backup);
    const User stranger = add_user("stranger");
    const EventId lost_event = add_event();
    const Ticket lost = pay(reserve());
    const Effect lost_effect = take_effects().back();
    const StoreIdentity before = *store->identity();
    store.reset();

    const RestoredStore restored = restore();
    open();
    EXPECT_EQ(store->identity()->id, before.id);
    EXPECT_NE(store->identity()->generation, before.generation);
    EXPECT_EQ(store->identity()->plain_until, Instant{});
    EXPECT_FALSE(store->find_ticket(lost.id));
    EXPECT_EQ(store->find_ticket(kept.id)->ticket.status, TicketStatus::paid);

    const User other = add_user("other");
    EXPECT_GT(other.id.value, std::max(stranger.id.value, restored.ids_after));
    EXPECT_EQ(add_user("another").id.value, other.id.value + 1);
    EXPECT_GT(add_event().value, std::max(lost_event.value, restored.ids_after));
    const Ticket ticket = pay(reserve());
    EXPECT_GT(ticket.id.value, std::max(lost.id.value, restored.ids_after));
    EXPECT_EQ(reserve().id.value, ticket.id.value + 1);
    EXPECT_GT(take_effects().back().id, std::max(lost_effect.id, restored.ids_after));
    open();
    EXPECT_GT(reserve().id.value, ticket.id.value) << "the jump is made once, and kept over a start";
}

TEST_F(Restoring, MakesTheJumpAlsoWhenTheFirstInsertIsRefusedOrUndone)
{
    open_fresh();
    backup_sqlite(options.file, backup);
    store.reset();
    const std::int64_t ids_after = restore().ids_after;
    open();
    EXPECT_TRUE(std::holds_alternative<Error>(act(AddUser{"buyer@example.org", "again", "!", {}, now})));
    EXPECT_TRUE(std::holds_alternative<Error>(act(Reserve{event, UserId{99}, hold, now})));
    WriteJob good{Reserve{event, buyer, hold, now}, {}, {}};
    WriteJob poisoned{
        Reserve{event, buyer, hold, now},
        IdempotencyClaim{buyer, "k", "f", now, [](const Outcome&) -> KeptAnswer { throw std::runtime_error("poison"); }},
        {}};
    WriteJob* const jobs[] = {&good, &poisoned};
    EXPECT_THROW(store->execute(jobs), std::runtime_error);
    EXPECT_GT(add_user("new").id.value, ids_after);
    EXPECT_EQ(reserve().id.value, ids_after + 1);
}

TEST_F(Restoring, MayBeDoneAgainFromTheSameBackupAndIsAnotherLifeThen)
{
    open_fresh();
    backup_sqlite(options.file, backup);
    store.reset();
    const RestoredStore first = restore();
    open();
    const std::int64_t generation = store->identity()->generation;
    const User lost = add_user("lost");
    store.reset();
    std::filesystem::remove(options.file);  // with nothing left that could tell
    const RestoredStore second = restore_sqlite(backup, options.file, today + std::chrono::seconds(1));
    open();
    EXPECT_NE(store->identity()->generation, generation);
    EXPECT_GT(second.ids_after, first.ids_after);
    EXPECT_GT(add_user("other").id.value, lost.id.value);
}

TEST_F(Restoring, KeepsTheOldStoreWholeWithWhatStoodInItsLog)
{
    open_fresh();
    backup_sqlite(options.file, backup);
    (void)reserve();
    const std::filesystem::path crashed = folder.path() / "crashed.db";
    std::filesystem::copy_file(options.file, crashed);
    std::filesystem::copy_file(options.file.string() + "-wal", crashed.string() + "-wal");
    store.reset();
    options.file = crashed;

    const RestoredStore restored = restore();
    open();
    EXPECT_EQ(sold(), 0);
    store.reset();
    ASSERT_FALSE(restored.kept.empty());
    options.file = restored.kept;
    open();
    EXPECT_EQ(sold(), 1);
}

TEST_F(Restoring, TakesNoOtherFileAndChangesNothingThen)
{
    open_fresh();
    (void)reserve();
    backup_sqlite(options.file, backup);
    store.reset();
    const auto refused = [&](const std::filesystem::path& from) {
        try {
            (void)restore_sqlite(from, options.file, today);
            return std::string("restored");
        } catch (const StoreFailure& failure) {
            return std::string(failure.what());
        }
    };
    const std::filesystem::path text = folder.path() / "text.db";
    std::ofstream(text) << std::string(10'000, 'x');
    EXPECT_NE(refused(text).find("Nothing was changed"), std::string::npos) << refused(text);
    const std::filesystem::path strange = folder.path() / "strange.db";
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(strange.c_str(), &db), SQLITE_OK);
    sqlite3_exec(db, "CREATE TABLE other (one)", nullptr, nullptr, nullptr);
    sqlite3_close(db);
    EXPECT_NE(refused(strange).find("not a backup of a boxoffice store"), std::string::npos) << refused(strange);
    const std::filesystem::path damaged = folder.path() / "damaged.db";
    std::filesystem::copy_file(backup, damaged);
    {
        std::fstream file(damaged, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(3 * 4096);
        file << std::string(4 * 4096, '\xa5');
    }
    EXPECT_NE(refused(damaged).find("Nothing was changed"), std::string::npos) << refused(damaged);
    EXPECT_NE(refused(options.file).find("the store itself"), std::string::npos);
    EXPECT_NE(refused(folder.path() / "none.db").find("does not exist"), std::string::npos);

    open();
    EXPECT_EQ(sold(), 1);
    EXPECT_NE(refused(backup).find("is in use by"), std::string::npos);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        files += entry.path().filename().string().find("restoring") == std::string::npos ? 0 : 1;
    EXPECT_EQ(files, 0U) << "something half made was left";
}

/// A clock that was ahead once.
class AcceptedClockOf : public Restoring
{
protected:
    void SetUp() override
    {
        open_fresh();
        honest = reserve();
        now = ahead;
        event = add_event();  // by that clock the first one is over
        wrong = reserve();
        (void)act(Pay{reserve().id, buyer, "paid", now});
        now = today;
        store.reset();
    }

    const Instant ahead = std::chrono::sys_days(std::chrono::year(2099) / 1 / 1);
    Ticket honest, wrong;
};

TEST_F(AcceptedClockOf, LetsTheStoreGoOnByTheClockThatIsRight)
{
    open();
    EXPECT_EQ(store->latest_instant(), ahead);
    store.reset();
    const AcceptedClock accepted = accept_clock_sqlite(options.file, today);
    EXPECT_TRUE(accepted.done);
    EXPECT_EQ(accepted.latest, ahead);
    EXPECT_EQ(accepted.holds, 1);
    open();
    EXPECT_EQ(store->latest_instant(), today);
    EXPECT_EQ(store->find_ticket(honest.id)->ticket.expires_at, honest.expires_at);
    const Ticket shortened = store->find_ticket(wrong.id)->ticket;
    EXPECT_EQ(shortened.created_at, today);
    EXPECT_EQ(shortened.expires_at, today + hold);
    EXPECT_EQ(take_effects().size(), 1U) << "the mail that waited for 2099 is due";

    // And what is sold from now on counts again.
    event = add_event();
    now = today + std::chrono::hours(1);
    (void)reserve();
    EXPECT_EQ(store->latest_instant(), now);
    store.reset();
    EXPECT_FALSE(accept_clock_sqlite(options.file, now).done) << "there is nothing more to accept";
}

TEST_F(AcceptedClockOf, IsNotDoneUnderAServer)
{
    open();
    EXPECT_THROW((void)accept_clock_sqlite(options.file, today), StoreFailure);
}

}  // namespace
}  // namespace boxoffice
