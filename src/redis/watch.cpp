#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

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
    std::string trouble()
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
            std::string trouble = ask();
            lock.lock();
            last_ = std::move(trouble);
            changed_.notify_all();
        } while (!changed_.wait_for(lock, kAskEvery, [this] { return stopping_; }));
    }

    std::string ask()
    {
        try {
            if (!link_.still_stands()) link_.open();
            // By writing: a Redis that is full, that lost its disk or became a replica still answers reads.
            const redis::Reply reply = link_.ask({"SET", "boxoffice:probe", "1", "PX", "10000"});
            return redis::is_error(*reply) ? std::string(redis::text_of(*reply)) : std::string();
        } catch (const redis::LinkFailure& failure) {
            return failure.what();
        }
    }

    redis::Link link_;  // the thread's
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::string> last_;  // what is wrong; empty: nothing
    bool stopping_ = false;
    std::thread thread_;
};

RedisWatch::RedisWatch(const RedisOptions& options) : self_(std::make_unique<Self>(options)) {}

RedisWatch::~RedisWatch() = default;

std::string RedisWatch::trouble() { return self_->trouble(); }

}  // namespace boxoffice
