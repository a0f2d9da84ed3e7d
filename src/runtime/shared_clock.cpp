#include "runtime/shared_clock.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "runtime/log.hpp"

namespace boxoffice
{
namespace
{

constexpr std::chrono::seconds kReadEvery{2};
/// The first answer comes over a connection that is only being made; the best of a few is good enough to begin with.
constexpr int kFirstReadings = 4;
/// More than any way takes.
constexpr Micros kBehind = std::chrono::seconds(1);

Micros steady_reading() { return std::chrono::floor<Micros>(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace

SharedClock::SharedClock(Ask ask) : SharedClock(std::move(ask), &steady_reading) {}

SharedClock::SharedClock(Ask ask, Steady steady) : ask_(std::move(ask)), steady_(std::move(steady))
{
    for (int i = 0; i < kFirstReadings; ++i) read();
}

SharedClock::~SharedClock()
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void SharedClock::read()
{
    const Instant told = ask_();
    offsets_[readings_++ % kReadings] = (told.time_since_epoch() - steady_()).count();
    const auto end = offsets_.begin() + static_cast<std::ptrdiff_t>(std::min(readings_, kReadings));
    offset_.store(*std::max_element(offsets_.begin(), end), std::memory_order_release);
    compare(told);
}

void SharedClock::compare(Instant told)
{
    if (share_) {
        try {
            not_before(share_(now()));
        } catch (const std::exception& exception) {
            log::debug("the time could not be written to the store", {{"why", std::string_view(exception.what())}});
        }
    }
    const Instant given = now();
    behind_.store(std::max<std::int64_t>(0, (given - told).count()), std::memory_order_relaxed);
    const Instant here = std::chrono::floor<Micros>(std::chrono::system_clock::now());
    behind_machine_.store((here - told).count(), std::memory_order_relaxed);
    const bool is_behind = given - told > kBehind;
    if (is_behind != was_behind_) {
        const double seconds = std::chrono::duration<double>(given - told).count();
        if (is_behind)
            log::warn("the store's clock is behind the time in use; until it has caught up time stands still and no hold expires",
                      {{"seconds", seconds}});
        else
            log::info("the store's clock has caught up");
        was_behind_ = is_behind;
    }
}

void SharedClock::start()
{
    thread_ = std::thread([this] { run(); });
}

void SharedClock::run()
{
    pthread_setname_np(pthread_self(), "clock");
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kReadEvery, [this] { return stopping_; })) {
        lock.unlock();
        try {
            read();
        } catch (const std::exception& exception) {
            log::debug("the store's clock could not be read", {{"why", std::string_view(exception.what())}});
        }
        lock.lock();
    }
}

Instant SharedClock::now() const
{
    const std::int64_t carried = steady_().count() + offset_.load(std::memory_order_acquire);
    std::int64_t last = last_.load(std::memory_order_acquire);
    while (last < carried && !last_.compare_exchange_weak(last, carried, std::memory_order_acq_rel, std::memory_order_acquire)) {}
    return Instant(Micros(std::max(last, carried)));
}

Micros SharedClock::ahead() const
{
    return now().time_since_epoch() - steady_() - Micros(offset_.load(std::memory_order_acquire));
}

void SharedClock::not_before(Instant floor)
{
    const std::int64_t value = floor.time_since_epoch().count();
    std::int64_t last = last_.load(std::memory_order_acquire);
    while (last < value && !last_.compare_exchange_weak(last, value, std::memory_order_acq_rel, std::memory_order_acquire)) {}
}

}  // namespace boxoffice
