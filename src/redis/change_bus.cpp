#include <pthread.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "redis/link.hpp"

namespace boxoffice
{

namespace redis
{

namespace
{

constexpr std::string_view kChannel = "boxoffice:live";
constexpr Micros kPublishEvery = std::chrono::milliseconds(20);
constexpr std::size_t kUnpublishedMax = 100'000;
constexpr std::size_t kIdsToAMessage = 1000;
/// A silent connection is asked whether it still stands.
constexpr Micros kSilence = std::chrono::seconds(1);

std::vector<EventId> read_ids(std::string_view text)
{
    std::vector<EventId> ids;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const std::string_view word = text.substr(0, comma);
        EventId id;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id.value);
        if (error == std::errc() && end == word.data() + word.size() && id.value > 0) ids.push_back(id);
        if (comma == text.npos) break;
        text.remove_prefix(comma + 1);
    }
    return ids;
}

using EventSet = std::unordered_set<EventId>;

std::vector<Command> announcements(const EventSet& events)
{
    std::vector<Command> pipeline;
    std::size_t in_last = kIdsToAMessage;
    for (const EventId event : events) {
        if (in_last == kIdsToAMessage) {
            pipeline.push_back({"PUBLISH", std::string(kChannel), ""});
            in_last = 0;
        }
        std::string& text = pipeline.back().back();
        if (!text.empty()) text += ',';
        text += std::to_string(event.value);
        ++in_last;
    }
    return pipeline;
}

/// Two threads, each with its own connection: one that subscribes can say nothing else.
class RedisChangeBus final : public ChangeBus
{
public:
    explicit RedisChangeBus(const RedisOptions& options) : address_(address_of(options)), timeout_(options.timeout)
    {
        publisher_ = std::thread([this] { publish_until_stopped(); });
    }

    ~RedisChangeBus() override
    {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        stop_.signal();
        wake_.notify_all();
        publisher_.join();
        if (subscriber_.joinable()) subscriber_.join();
    }

    RedisChangeBus(const RedisChangeBus&) = delete;
    RedisChangeBus& operator=(const RedisChangeBus&) = delete;

    void publish(std::span<const EventId> events) noexcept override
    {
        {
            const std::lock_guard lock(mutex_);
            for (const EventId event : events) {
                if (unpublished_.size() < kUnpublishedMax) unpublished_.insert(event);
            }
        }
        wake_.notify_one();
    }

    void listen(std::function<void(std::span<const EventId>)> listener) override
    {
        listener_ = std::move(listener);
        subscriber_ = std::thread([this] { listen_until_stopped(); });
    }

    [[nodiscard]] bool connected() const noexcept override { return connected_.load(); }

private:
    void publish_until_stopped()
    {
        pthread_setname_np(pthread_self(), "bus-publish");
        Link link(address_, timeout_);
        Pause pause;
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return stopping_ || !unpublished_.empty(); });
            if (stopping_ && (unpublished_.empty() || !link.is_open())) return;
            EventSet publishing;
            publishing.swap(unpublished_);
            lock.unlock();
            const bool published = publish_all(link, publishing);
            lock.lock();
            if (published) {
                pause.reset();
            } else if (!stopping_ && unpublished_.size() + publishing.size() <= kUnpublishedMax) {
                unpublished_.merge(publishing);
            }
            // Meanwhile others change, and what changes often is told once.
            wake_.wait_for(lock, published ? kPublishEvery : pause.next(), [this] { return stopping_; });
        }
    }

    static bool publish_all(Link& link, const EventSet& events)
    {
        try {
            if (!link.still_stands()) link.open();
            for (const Reply& reply : link.exchange(announcements(events))) {
                if (is_error(*reply)) throw LinkFailure("Redis: " + std::string(text_of(*reply)));
            }
            return true;
        } catch (const LinkFailure&) {
            link.close();
            return false;
        }
    }

    void listen_until_stopped()
    {
        pthread_setname_np(pthread_self(), "bus-listen");
        Link link(address_, timeout_);
        Pause pause;
        do {
            try {
                link.open();
                const Reply reply = link.ask({"SUBSCRIBE", std::string(kChannel)});
                if (is_error(*reply)) throw LinkFailure("Redis: " + std::string(text_of(*reply)));
                connected_ = true;
                pause.reset();
                hear(link);
            } catch (const LinkFailure&) {
                link.close();
            }
            connected_ = false;
        } while (!stop_.wait_for(pause.next()));
    }

    /// Until stopped; throws LinkFailure when the connection is lost.
    void hear(Link& link)
    {
        bool asked = false;
        for (;;) {
            const Reply reply = link.receive(asked ? timeout_ : kSilence, stop_);
            if (reply) {
                asked = false;
                const auto parts = parts_of(*reply);
                if (parts.size() != 3 || text_of(*parts[0]) != "message") continue;
                if (const auto events = read_ids(text_of(*parts[2])); !events.empty()) listener_(events);
            } else if (stop_.wait_for(Micros(0))) {
                return;
            } else if (asked) {
                throw LinkFailure("Redis: silent");
            } else {
                link.send({"PING"});
                asked = true;
            }
        }
    }

    const Address address_;
    const Micros timeout_;
    StopEvent stop_;  // set once, at the end
    std::mutex mutex_;
    std::condition_variable wake_;
    EventSet unpublished_;
    bool stopping_ = false;
    std::function<void(std::span<const EventId>)> listener_;
    std::atomic<bool> connected_ = false;
    std::thread publisher_;
    std::thread subscriber_;
};

}  // namespace

}  // namespace redis

std::unique_ptr<ChangeBus> make_redis_change_bus(const RedisOptions& options)
{
    return std::make_unique<redis::RedisChangeBus>(options);
}

}  // namespace boxoffice
