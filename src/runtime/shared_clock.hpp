#pragma once
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "core/ports.hpp"

namespace boxoffice
{

/// The clock of a store that several machines share, so that all of them judge a deadline by one clock: asked now and then, and
/// carried forward by this machine's steady clock in between. Never runs backwards: a database that moves to a machine whose
/// clock is behind makes it stand still until that has caught up.
///
/// What the store says is old by the way that its answer took, so each reading is a little behind; the best of the last minute's
/// counts. So it is never ahead of the store's clock but for what a steady clock drifts in a minute.
class SharedClock : public Clock
{
public:
    using Ask = std::function<Instant()>;    // the store's time; may throw, then the last readings go on counting
    using Steady = std::function<Micros()>;  // never runs backwards; any thread

    /// Asks several times. Throws what `ask` throws when it cannot be asked at all.
    explicit SharedClock(Ask ask);
    SharedClock(Ask ask, Steady steady);
    ~SharedClock() override;
    SharedClock(const SharedClock&) = delete;
    SharedClock& operator=(const SharedClock&) = delete;

    [[nodiscard]] Instant now() const override;
    /// From here on now() is never before `floor`. Call before the first act.
    void not_before(Instant floor);
    /// How far now() is ahead of the store's clock, and so stands still; 0 unless that was set back, or rows have later times.
    [[nodiscard]] Micros ahead() const;
    /// What other processes have judged by is never before what this one judges by: `share` is told the time that this one has
    /// given and says the latest that any has; it may throw. Call before start().
    using Share = std::function<Instant(Instant)>;
    void share(Share share) { share_ = std::move(share); }
    /// How far the store's clock was behind the time that is judged by, and behind this machine's own clock (or ahead of it, if
    /// negative), at the last reading. Any thread.
    [[nodiscard]] Micros behind() const { return Micros(behind_.load(std::memory_order_relaxed)); }
    [[nodiscard]] Micros behind_machine() const { return Micros(behind_machine_.load(std::memory_order_relaxed)); }

    /// Takes one reading; on its own thread every two seconds once start() was called.
    void read();
    void start();

private:
    void run();
    void compare(Instant told);

    static constexpr std::size_t kReadings = 32;  // about a minute of them

    Ask ask_;
    Steady steady_;
    Share share_;
    bool was_behind_ = false;  // the reading thread's
    std::atomic<std::int64_t> behind_{0};
    std::atomic<std::int64_t> behind_machine_{0};
    std::array<std::int64_t, kReadings> offsets_{};  // the reading thread's
    std::size_t readings_ = 0;
    std::atomic<std::int64_t> offset_{0};        // microseconds to add to steady_
    mutable std::atomic<std::int64_t> last_{0};  // the latest time given

    std::mutex mutex_;  // protects stopping_
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace boxoffice
