#pragma once
#include <functional>
#include <thread>

#include "postgres/connection.hpp"

namespace boxoffice::postgres
{

/// Hears what other processes tell through LISTEN/NOTIFY, over a connection and a thread of its own. After a lost connection it
/// tells of everything once, as something may have been missed.
class Listener
{
public:
    Listener(PostgresOptions options, std::function<void(StoreNotification)> listener);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

private:
    void run();
    void hear();
    [[nodiscard]] bool stopping(int wait_ms) const;

    PostgresOptions options_;
    std::function<void(StoreNotification)> listener_;
    Connection db_;
    int wake_;  // an eventfd: readable once the listener is to stop
    std::thread thread_;
};

}  // namespace boxoffice::postgres
