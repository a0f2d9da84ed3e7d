#include "sqlite/read_gate.hpp"

#include <algorithm>

namespace boxoffice::sqlite
{

namespace
{

/// An interrupt ends statements that run; one that begins a moment later needs another.
constexpr std::chrono::milliseconds kInterruptAgain{2};

}  // namespace

ReadGate::Pass::Pass(ReadGate& gate, Connection& db) : gate_(gate), handle_(db.handle())
{
    std::unique_lock lock(gate_.mutex_);
    gate_.changed_.wait(lock, [this] { return !gate_.closed_; });
    gate_.within_.push_back(handle_);
}

ReadGate::Pass::~Pass()
{
    bool awaited = false;
    {
        const std::lock_guard lock(gate_.mutex_);
        gate_.within_.erase(std::find(gate_.within_.begin(), gate_.within_.end(), handle_));
        awaited = gate_.closed_ && gate_.within_.empty();
    }
    if (awaited) gate_.changed_.notify_all();
}

ReadGate::Closed::Closed(ReadGate& gate) : gate_(gate)
{
    const std::lock_guard lock(gate_.mutex_);
    gate_.closed_ = true;
}

ReadGate::Closed::~Closed()
{
    {
        const std::lock_guard lock(gate_.mutex_);
        gate_.closed_ = false;
    }
    gate_.changed_.notify_all();
}

bool ReadGate::Closed::wait(std::chrono::milliseconds patience)
{
    std::unique_lock lock(gate_.mutex_);
    return gate_.changed_.wait_for(lock, patience, [this] { return gate_.within_.empty(); });
}

bool ReadGate::Closed::interrupt(std::chrono::milliseconds patience)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock(gate_.mutex_);
    // Under the lock: who is within has its connection for as long.
    while (!gate_.within_.empty() && std::chrono::steady_clock::now() < until) {
        for (sqlite3* const handle : gate_.within_) sqlite3_interrupt(handle);
        gate_.changed_.wait_for(lock, kInterruptAgain, [this] { return gate_.within_.empty(); });
    }
    return gate_.within_.empty();
}

}  // namespace boxoffice::sqlite
