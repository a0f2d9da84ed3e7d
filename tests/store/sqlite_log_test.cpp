/// The embedded store's write-ahead log: bounded whatever is read, and its failures reported.
#include <atomic>
#include <thread>

#include "store/faulty_disk.hpp"
#include "store/sqlite_home.hpp"

namespace boxoffice
{
namespace
{

constexpr LogLimits kShort{.idle = 50, .forced = 200, .held = 300, .again = 50, .most = 400, .worrying = 600};

class WriteAheadLog : public SqliteHomeTest
{
protected:
    WriteAheadLog()
    {
        options.log = kShort;
        options.on_warning = [this](std::string_view what) { told.emplace_back(what); };
    }

    [[nodiscard]] std::int64_t pages() const { return store->upkeep().log_bytes / 4096; }

    std::vector<std::string> told;
};

/// Read transactions that overlap at every moment: threads of which each reads for longer than the others need to begin.
class Overlapping
{
public:
    explicit Overlapping(Store& store) : store_(store), ids_(20'000, EventId{1})
    {
        for (int i = 0; i < 3; ++i) threads_.emplace_back([this] { read(); });
    }
    ~Overlapping()
    {
        stopping_ = true;
        for (std::thread& thread : threads_) thread.join();
    }
    Overlapping(const Overlapping&) = delete;
    Overlapping& operator=(const Overlapping&) = delete;

    [[nodiscard]] int done() const { return done_; }
    [[nodiscard]] int ended() const { return ended_; }

private:
    void read()
    {
        while (!stopping_) {
            try {
                (void)store_.find_events(ids_);
                ++done_;
            } catch (const StoreFailure& failure) {
                EXPECT_EQ(failure.code(), Code::busy) << failure.what();
                ++ended_;
            }
        }
    }

    Store& store_;
    const std::vector<EventId> ids_;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> done_ = 0;
    std::atomic<int> ended_ = 0;
    std::vector<std::thread> threads_;
};

TEST_F(WriteAheadLog, IsBoundedUnderReadersThatOverlapWithoutEnd)
{
    open_fresh();
    std::int64_t longest = 0;
    {
        const Overlapping readers(*store);
        while (readers.done() == 0) std::this_thread::yield();
        for (int i = 0; i < 500; ++i) {
            add_event();
            longest = std::max(longest, pages());
        }
    }
    EXPECT_GT(longest, kShort.forced) << "nothing was in the way of the checkpoints, so nothing was tried";
    // Without an end of slow reads it would have some 4000 pages. A thread that gets no core hears of an interrupt late.
    EXPECT_LT(longest, 2 * kShort.most);
    EXPECT_TRUE(told.empty()) << told.front();
}

TEST_F(WriteAheadLog, IsCutWhenNothingIsGoingOn)
{
    open_fresh();
    add_events(50);
    EXPECT_GT(pages(), kShort.idle);
    add_events(100);
    store->idle();
    EXPECT_EQ(pages(), 0);
    EXPECT_EQ(store->upkeep().worry, "");
}

TEST_F(WriteAheadLog, GrowsUnderAReaderOfAnotherProcessSaysSoAndIsCutAfterwards)
{
    open_fresh();
    sqlite3* shell = nullptr;
    ASSERT_EQ(sqlite3_open(options.file.c_str(), &shell), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(shell, "PRAGMA wal_autocheckpoint=0; BEGIN; SELECT count(*) FROM users", nullptr, nullptr, nullptr),
              SQLITE_OK);
    add_events(400);
    EXPECT_GT(pages(), kShort.worrying);
    EXPECT_NE(store->upkeep().worry.find("another process"), std::string::npos) << store->upkeep().worry;
    ASSERT_FALSE(told.empty());
    EXPECT_TRUE(std::holds_alternative<Ticket>(act(Reserve{event, buyer, hold, now})));
    EXPECT_NO_THROW(store->check_ready());

    ASSERT_EQ(sqlite3_close(shell), SQLITE_OK);
    add_events(100);
    EXPECT_LT(pages(), kShort.worrying);
    EXPECT_EQ(store->upkeep().worry, "");
}

TEST_F(WriteAheadLog, TellsOfACheckpointThatFailsAndGoesOnSelling)
{
    const FaultyDisk disk;
    open_fresh();
    FaultyDisk::fill_up();
    add_events(200);
    EXPECT_GT(store->upkeep().checkpoints_failed, 0);
    EXPECT_NE(store->upkeep().worry.find("checkpoint failed"), std::string::npos) << store->upkeep().worry;
    EXPECT_FALSE(told.empty());
    EXPECT_TRUE(std::holds_alternative<Ticket>(act(Reserve{event, buyer, hold, now})));
    EXPECT_NO_THROW(store->check_ready());

    FaultyDisk::mend();
    add_events(200);
    EXPECT_EQ(store->upkeep().worry, "");
    open();
    EXPECT_EQ(sold(), 1);
}

}  // namespace
}  // namespace boxoffice
