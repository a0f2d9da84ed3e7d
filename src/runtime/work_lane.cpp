#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/lanes.hpp"
#include "runtime/log.hpp"

namespace boxoffice
{

class WorkLane::Self
{
public:
    Self(Options options, Metrics& metrics) : options_(std::move(options)), metrics_(metrics)
    {
        metrics_.lane(options_.name);
        for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
    }

    bool submit(std::function<void()> work)
    {
        {
            std::lock_guard lock(mutex_);
            if (stopping_ || queue_.size() >= options_.depth_max) {
                metrics_.lane_refused(options_.name);
                return false;
            }
            queue_.push_back(std::move(work));
        }
        wake_.notify_one();
        return true;
    }

    void stop()
    {
        std::deque<std::function<void()>> dropped;
        {
            std::lock_guard lock(mutex_);
            if (stopping_) return;
            stopping_ = true;
            dropped.swap(queue_);
        }
        wake_.notify_all();
        dropped.clear();
        for (std::thread& thread : threads_) thread.join();
    }

    std::size_t depth() const
    {
        std::lock_guard lock(mutex_);
        return queue_.size();
    }

private:
    void run()
    {
        pthread_setname_np(pthread_self(), options_.name.c_str());
        // On Linux the niceness is the thread's own; failing to lower it costs fairness, never an answer.
        if (options_.nice != 0) setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), options_.nice);
        for (;;) {
            std::function<void()> work;
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [&] { return !queue_.empty() || stopping_; });
                if (queue_.empty()) return;
                work = std::move(queue_.front());
                queue_.pop_front();
            }
            work();
        }
    }

    const Options options_;
    Metrics& metrics_;
    mutable std::mutex mutex_;  // protects what follows
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

WorkLane::WorkLane(Options options, Metrics& metrics) : self_(std::make_unique<Self>(std::move(options), metrics)) {}
WorkLane::~WorkLane() { stop(); }
bool WorkLane::submit(std::function<void()> work) { return self_->submit(std::move(work)); }
void WorkLane::stop() { self_->stop(); }
std::size_t WorkLane::depth() const { return self_->depth(); }

}  // namespace boxoffice
