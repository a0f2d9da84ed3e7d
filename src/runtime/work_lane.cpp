#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/still_wanted.hpp"
#include "runtime/fair_queue.hpp"
#include "runtime/lanes.hpp"
#include "runtime/log.hpp"

namespace boxoffice
{

class WorkLane::Self
{
    using Steady = std::chrono::steady_clock;

public:
    Self(Options options, Metrics& metrics) : options_(std::move(options)), metrics_(metrics)
    {
        metrics_.lane(options_.name);
        for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
    }

    bool submit(LaneWork work)
    {
        bool taken = false;
        std::vector<std::pair<LaneWork, LaneDrop>> dropped;
        {
            std::lock_guard lock(mutex_);
            const auto deadline = options_.patience ? Steady::now() + *options_.patience : Steady::time_point::max();
            taken = !stopping_ && queue_.put(work, deadline, dropped);
        }
        if (taken) wake_.notify_one();
        if (!taken) metrics_.lane_refused(options_.name);
        report_dropped(dropped);
        return taken;
    }

    void stop()
    {
        FairQueue unserved(0);
        {
            std::lock_guard lock(mutex_);
            if (stopping_) return;
            stopping_ = true;
            std::swap(unserved, queue_);
        }
        wake_.notify_all();
        unserved = FairQueue(0);
        for (std::thread& thread : threads_) thread.join();
    }

    const std::string& name() const { return options_.name; }

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
            std::vector<std::pair<LaneWork, LaneDrop>> dropped;
            std::optional<std::pair<LaneWork, Steady::time_point>> next;
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [&] { return !queue_.empty() || stopping_; });
                if (queue_.empty()) return;
                queue_.drop_overdue(Steady::now(), dropped);
                while (!next && !queue_.empty()) {
                    next = queue_.take();
                    if (!is_gone(next->first)) continue;
                    dropped.emplace_back(std::move(next->first), LaneDrop::gone);
                    next.reset();
                }
            }
            report_dropped(dropped);
            if (next) run(next->first, next->second);
        }
    }

    static bool is_gone(const LaneWork& work) { return work.gone && work.gone->load(std::memory_order_relaxed); }

    static void run(const LaneWork& work, Steady::time_point deadline)
    {
        const std::function<bool()> wanted = [&work, deadline] { return !is_gone(work) && Steady::now() < deadline; };
        const StillWanted scope(wanted);
        work.run();
    }

    void report_dropped(std::vector<std::pair<LaneWork, LaneDrop>>& dropped)
    {
        for (auto& [work, why] : dropped) {
            if (why == LaneDrop::crowded_out) metrics_.lane_refused(options_.name);
            if (work.dropped) work.dropped(why);
        }
        dropped.clear();
    }

    const Options options_;
    Metrics& metrics_;
    mutable std::mutex mutex_;  // protects what follows
    std::condition_variable wake_;
    FairQueue queue_{options_.depth_max};
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

WorkLane::WorkLane(Options options, Metrics& metrics) : self_(std::make_unique<Self>(std::move(options), metrics)) {}
WorkLane::~WorkLane() { stop(); }
bool WorkLane::submit(LaneWork work) { return self_->submit(std::move(work)); }
bool WorkLane::submit(std::function<void()> work) { return self_->submit({.run = std::move(work)}); }
void WorkLane::stop() { self_->stop(); }
std::size_t WorkLane::depth() const { return self_->depth(); }
const std::string& WorkLane::name() const { return self_->name(); }

}  // namespace boxoffice
