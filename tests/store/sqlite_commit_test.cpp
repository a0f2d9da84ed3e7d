/// What has happened is told as such, and what may not have is not: syncs and memory that fail around the commit.
#include <cstdlib>
#include <new>

#include "store/faulty_disk.hpp"
#include "store/sqlite_home.hpp"

namespace
{

/// Of this thread: how many allocations go well before one fails; negative: all.
thread_local long allocations_left = -1;

[[maybe_unused]] void* allocate(std::size_t size)
{
    if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
    if (void* const bytes = std::malloc(size == 0 ? 1 : size)) return bytes;
    throw std::bad_alloc();
}

}  // namespace

// The thread sanitizer brings operators of its own, which cannot be replaced; the tests of failing memory are left out there.
#if __has_feature(thread_sanitizer)
constexpr bool kMemoryCanFail = false;
#else
constexpr bool kMemoryCanFail = true;
void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* bytes) noexcept { std::free(bytes); }
void operator delete[](void* bytes) noexcept { std::free(bytes); }
void operator delete(void* bytes, std::size_t) noexcept { std::free(bytes); }
void operator delete[](void* bytes, std::size_t) noexcept { std::free(bytes); }
#endif

namespace boxoffice
{
namespace
{

class Committing : public SqliteHomeTest
{
protected:
    /// Whether the reservation was acknowledged; `unclear` when that is unknown.
    enum class Said : std::uint8_t { yes, no, unclear };
    Said reserve()
    {
        try {
            return std::holds_alternative<Ticket>(act(Reserve{event, buyer, hold, now})) ? Said::yes : Said::no;
        } catch (const StoreFailure& failure) {
            return failure.unclear() ? Said::unclear : Said::no;
        }
    }
};

TEST_F(Committing, IsNotAcknowledgedWhenAnySyncOfItsBatchFailedAndNeitherIsAnyAfter)
{
    options.log = {.forced = 200};
    int unharmed = 0;
    for (int nth = 1; unharmed < 2; ++nth) {
        ASSERT_LT(nth, 20);
        options.file = folder.path() / ("store" + std::to_string(nth)) / "boxoffice.db";
        const FaultyDisk disk;
        open_fresh();
        while (store->upkeep().log_bytes < 200 * 4096) add_event();  // the next batch begins with a checkpoint
        FaultyDisk::fail_sync(nth);
        const Said said = reserve();
        const bool failed = FaultyDisk::failed() > 0;
        EXPECT_EQ(said == Said::yes, !failed) << "the sync of number " << nth;
        if (failed) {
            EXPECT_EQ(reserve(), Said::no) << "the sync of number " << nth;
            EXPECT_THROW(store->check_ready(), StoreFailure);
        }
        unharmed += failed ? 0 : 1;
        open();
        if (said != Said::unclear) EXPECT_EQ(sold(), said == Said::yes ? 1 : 0) << "the sync of number " << nth;
        EXPECT_LE(sold(), 1);
        store.reset();
    }
}

TEST_F(Committing, IsToldAsItIsWhateverMemoryFailsBeforeOrAfterTheCommit)
{
    if (!kMemoryCanFail) GTEST_SKIP() << "the thread sanitizer's operator new cannot be replaced";
    open_fresh();
    NearbyQuery around;
    around.center = {52.5, 13.4};
    around.radius_m = 1'000;
    around.limit = 100;
    around.now = now;
    int failures = 0;
    int survived = 0;
    bool failed = true;
    for (long good = 0; failed; ++good) {
        const std::int64_t events = store->list_events({.limit = 1}).total;
        EventDraft draft = draft_of("Jazz", 10, now + std::chrono::hours(24), std::chrono::hours(2));
        draft.venue = {"1 Main Street", {52.5, 13.4}};
        WriteJob add{AddEvent{buyer, draft, now}, {}, {}};
        WriteJob sell{Reserve{event, buyer, hold, now}, {}, {}};
        WriteJob* const jobs[] = {&add, &sell};
        const std::int64_t before = sold();
        failed = false;
        allocations_left = good;
        try {
            store->execute(jobs);
        } catch (const std::exception&) {
            failed = true;
        }
        const bool all_used = allocations_left < 0;
        allocations_left = -1;
        ASSERT_EQ(sold(), before + (failed ? 0 : 1)) << "allocation " << good;
        ASSERT_EQ(store->list_events({.limit = 1}).total, events + (failed ? 0 : 1)) << "allocation " << good;
        ASSERT_EQ(store->nearby(around).total, events + (failed ? 0 : 1)) << "allocation " << good;
        failures += failed ? 1 : 0;
        survived += all_used && !failed ? 1 : 0;
        failed = failed || all_used;  // one that was survived after the commit is not the last one
    }
    EXPECT_GT(failures, 0);
    EXPECT_GT(survived, 0);
}

}  // namespace
}  // namespace boxoffice
