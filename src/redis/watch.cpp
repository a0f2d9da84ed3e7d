#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "redis/link.hpp"

namespace boxoffice
{

namespace
{

constexpr Micros kAskEvery = std::chrono::seconds(1);

}  // namespace

class RedisWatch::Self
{
public:
    explicit Self(const RedisOptions& options)
        : link_(redis::address_of(options), options.timeout), thread_([this] { keep_asking(); })
    {
    }

    ~Self()
    {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    Self(const Self&) = delete;
    Self& operator=(const Self&) = delete;

    /// Waits for the first answer only.
    bool ok()
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return last_.has_value(); });
        return *last_;
    }

private:
    void keep_asking()
    {
        pthread_setname_np(pthread_self(), "redis-watch");
        std::unique_lock lock(mutex_);
        do {
            lock.unlock();
            const bool answers = ask();
            lock.lock();
            last_ = answers;
            changed_.notify_all();
        } while (!changed_.wait_for(lock, kAskEvery, [this] { return stopping_; }));
    }

    bool ask()
    {
        try {
            if (!link_.still_stands()) link_.open();
            return !redis::is_error(*link_.ask({"PING"}));
        } catch (const redis::LinkFailure&) {
            return false;
        }
    }

    redis::Link link_;  // the thread's
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<bool> last_;
    bool stopping_ = false;
    std::thread thread_;
};

RedisWatch::RedisWatch(const RedisOptions& options) : self_(std::make_unique<Self>(options)) {}

RedisWatch::~RedisWatch() = default;

bool RedisWatch::ok() { return self_->ok(); }

}  // namespace boxoffice
