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
constexpr Micros kTellEvery = std::chrono::milliseconds(20);
constexpr std::size_t kUntoldMost = 100'000;
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
    std::vector<Command> flight;
    std::size_t in_last = kIdsToAMessage;
    for (const EventId event : events) {
        if (in_last == kIdsToAMessage) {
            flight.push_back({"PUBLISH", std::string(kChannel), ""});
            in_last = 0;
        }
        std::string& text = flight.back().back();
        if (!text.empty()) text += ',';
        text += std::to_string(event.value);
        ++in_last;
    }
    return flight;
}

/// Two threads, each with its own connection: one that subscribes can say nothing else.
class RedisWire final : public LiveWire
{
public:
    explicit RedisWire(const RedisOptions& options) : address_(address_of(options)), timeout_(options.timeout)
    {
        teller_ = std::thread([this] { keep_telling(); });
    }

    ~RedisWire() override
    {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        bell_.ring();
        wake_.notify_all();
        teller_.join();
        if (hearer_.joinable()) hearer_.join();
    }

    RedisWire(const RedisWire&) = delete;
    RedisWire& operator=(const RedisWire&) = delete;

    void tell(std::span<const EventId> events) noexcept override
    {
        {
            const std::lock_guard lock(mutex_);
            for (const EventId event : events) {
                if (untold_.size() < kUntoldMost) untold_.insert(event);
            }
        }
        wake_.notify_one();
    }

    void listen(std::function<void(std::span<const EventId>)> listener) override
    {
        listener_ = std::move(listener);
        hearer_ = std::thread([this] { keep_hearing(); });
    }

    [[nodiscard]] bool connected() const noexcept override { return connected_.load(); }

private:
    void keep_telling()
    {
        pthread_setname_np(pthread_self(), "wire-tell");
        Link link(address_, timeout_);
        Pause pause;
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return stopping_ || !untold_.empty(); });
            if (stopping_ && (untold_.empty() || !link.is_open())) return;
            EventSet telling;
            telling.swap(untold_);
            lock.unlock();
            const bool told = tell_all(link, telling);
            lock.lock();
            if (told) {
                pause.reset();
            } else if (!stopping_ && untold_.size() + telling.size() <= kUntoldMost) {
                untold_.merge(telling);
            }
            // Meanwhile others change, and what changes often is told once.
            wake_.wait_for(lock, told ? kTellEvery : pause.next(), [this] { return stopping_; });
        }
    }

    static bool tell_all(Link& link, const EventSet& events)
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

    void keep_hearing()
    {
        pthread_setname_np(pthread_self(), "wire-hear");
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
        } while (!bell_.rung_within(pause.next()));
    }

    /// Until the bell rings; throws LinkFailure when the connection is lost.
    void hear(Link& link)
    {
        bool asked = false;
        for (;;) {
            const Reply reply = link.receive(asked ? timeout_ : kSilence, bell_);
            if (reply) {
                asked = false;
                const auto parts = parts_of(*reply);
                if (parts.size() != 3 || text_of(*parts[0]) != "message") continue;
                if (const auto events = read_ids(text_of(*parts[2])); !events.empty()) listener_(events);
            } else if (bell_.rung_within(Micros(0))) {
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
    Bell bell_;  // rings once, at the end
    std::mutex mutex_;
    std::condition_variable wake_;
    EventSet untold_;
    bool stopping_ = false;
    std::function<void(std::span<const EventId>)> listener_;
    std::atomic<bool> connected_ = false;
    std::thread teller_;
    std::thread hearer_;
};

}  // namespace

}  // namespace redis

std::unique_ptr<LiveWire> make_redis_wire(const RedisOptions& options) { return std::make_unique<redis::RedisWire>(options); }

}  // namespace boxoffice
