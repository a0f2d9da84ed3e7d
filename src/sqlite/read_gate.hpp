#pragma once
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "sqlite/connection.hpp"

namespace boxoffice::sqlite
{

/// Gives the one who checkpoints a moment without readers. A WAL begins anew only while it has no reader, and readers that
/// overlap for hours leave no such moment by themselves. Any thread.
class ReadGate
{
public:
    /// While it lives its thread reads from the store. Waits where the gate is closed.
    class Pass
    {
    public:
        Pass(ReadGate& gate, Connection& db);
        ~Pass();
        Pass(const Pass&) = delete;
        Pass& operator=(const Pass&) = delete;

    private:
        ReadGate& gate_;
        sqlite3* const handle_;
    };

    /// While it lives no reader gets in. One at a time.
    class Closed
    {
    public:
        explicit Closed(ReadGate& gate);
        ~Closed();
        Closed(const Closed&) = delete;
        Closed& operator=(const Closed&) = delete;

        /// Waits for those within; false when one is still there after `patience`.
        [[nodiscard]] bool wait(std::chrono::milliseconds patience);
        /// Has the statements of those within end with an error; each of them hears `busy`. Waits as wait() does.
        [[nodiscard]] bool interrupt(std::chrono::milliseconds patience);

    private:
        ReadGate& gate_;
    };

private:
    std::mutex mutex_;  // protects what follows
    std::condition_variable changed_;
    bool closed_ = false;
    std::vector<sqlite3*> within_;
};

}  // namespace boxoffice::sqlite
