#include "runtime/live.hpp"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "runtime/live_board.hpp"
#include "runtime/log.hpp"
#include "runtime/log_throttle.hpp"

namespace boxoffice
{

namespace
{

using Steady = LiveBoard::Steady;

constexpr std::size_t kReadAtOnce = 500;
/// An event's number is remembered for so long after its last watcher has left, for those whose connection was only lost.
constexpr std::chrono::minutes kRemembered{1};

}  // namespace

class LiveHub::Self
{
public:
    Self(Store& store, const Clock& clock, ChangeBus* bus, Metrics& metrics, Options options)
        : store_(store), clock_(clock), bus_(bus), options_(options)
    {
        metrics.gauge("boxoffice_live_watchers", "Open live feeds of events' availability.", {}, {},
                      [board = board_] { return static_cast<double>(board->watchers()); });
    }

    void start(WriteLane& writes)
    {
        writes.on_batch([board = board_, bus = bus_](const BatchNews& news) {
            if (news.changed.empty()) return;
            if (bus != nullptr) bus->publish(news.changed);
            if (bus == nullptr || !bus->connected()) board->mark(news.changed);
        });
        if (bus_ != nullptr) bus_->listen([board = board_](std::span<const EventId> events) { board->mark(events); });
        thread_ = std::thread([this] { run(); });
    }

    void stop()
    {
        board_->close();
        if (thread_.joinable()) thread_.join();
        board_->forget_watchers(board_->take_arrivals().size());
    }

    void watch(LiveBoard::Arrival arrival)
    {
        (void)board_->arrive(std::move(arrival));  // let go of when closed
    }

    [[nodiscard]] std::size_t watchers() const { return board_->watchers(); }
    [[nodiscard]] bool watched(EventId event) const { return board_->watched(event); }

private:
    using Watchers = std::vector<std::shared_ptr<Watcher>>;

    struct Known {
        std::vector<LiveBoard::Arrival> newcomers{};  // they wait for the first look
        Watchers watchers{};
        enum class Freshness : std::uint8_t {
            stale,    // it has no listeners
            awaited,  // what changes is marked, and a look is to come
            fresh     // what has changed since the last look is marked
        } freshness = Freshness::stale;
        LiveNews news{};
        Frame frame{};
        Steady::time_point looked_at = Steady::time_point::min();
        Steady::time_point told_at{};  // or without watchers since
    };

    void run()
    {
        pthread_setname_np(pthread_self(), "live");
        next_number_ = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
        next_beat_ = Steady::now() + options_.heartbeat / 2;
        next_check_ = bus_ == nullptr ? Steady::time_point::max() : Steady::now();
        while (board_->wait(known_.empty() ? Steady::time_point::max() : std::min(next_beat_, next_check_))) {
            welcome();
            const auto now = Steady::now();
            if (now >= next_check_) check_bus(now);
            if (now >= next_beat_) beat(now);
            look(now);
        }
        for (auto& [event, known] : known_) board_->forget_watchers(known.watchers.size() + known.newcomers.size());
        known_.clear();
    }

    void welcome()
    {
        for (auto& arrival : board_->take_arrivals()) {
            const EventId event = arrival.event;
            Known& known = known_[event];
            known.newcomers.push_back(std::move(arrival));
            if (known.freshness == Known::Freshness::fresh) {
                receive(known);
            } else {
                auto not_before = Steady::time_point::min();
                if (known.looked_at != not_before) not_before = known.looked_at + options_.every;
                board_->begin(event, not_before);
                known.freshness = Known::Freshness::awaited;
            }
        }
    }

    /// The newcomers are told what is known, and are watchers from now on.
    void receive(Known& known)
    {
        for (auto& newcomer : known.newcomers) {
            if (newcomer.last_seen == known.news.number || newcomer.watcher->send(known.frame)) {
                known.watchers.push_back(std::move(newcomer.watcher));
            } else {
                board_->forget_watchers(1);
            }
        }
        known.newcomers.clear();
    }

    void look(Steady::time_point now)
    {
        const auto marked = board_->take_marked(now, options_.every);
        for (std::size_t begin = 0; begin < marked.size(); begin += kReadAtOnce) {
            look(std::span(marked).subspan(begin, std::min(kReadAtOnce, marked.size() - begin)), now);
        }
    }

    void look(std::span<const EventId> events, Steady::time_point now)
    {
        std::unordered_map<EventId, Availability> found;
        try {
            for (auto& each : store_.availability(events, clock_.now())) found.emplace(each.event, each);
        } catch (const std::exception& error) {
            if (store_log_.due())
                log::warn("the availability of watched events could not be read", {{"why", std::string_view(error.what())}});
            for (const EventId event : events) board_->put_back(event, now + options_.look_anyway);
            return;
        }
        for (const EventId event : events) {
            const auto known = known_.find(event);
            if (known == known_.end()) continue;
            known->second.looked_at = now;
            const auto there = found.find(event);
            if (there == found.end()) board_->end(event);  // first: who hears that it is gone and asks again must not find it
            deliver(known->second, there == found.end() ? std::nullopt : std::optional(there->second), now);
            if (there == found.end()) {
                board_->forget_watchers(known->second.watchers.size());
                known_.erase(known);
            } else {
                stop_listening_if_unwatched(event, known->second, now);
            }
        }
    }

    /// What has been read goes to the newcomers, and to the others if it is new.
    void deliver(Known& known, const std::optional<Availability>& there, Steady::time_point now)
    {
        if (!known.frame || known.news.there != there) {
            known.news = {there, next_number_++};
            const auto& wording = known.newcomers.empty() ? *known.watchers.front() : *known.newcomers.front().watcher;
            known.frame = std::make_shared<const std::string>(wording.word(known.news));
            keep_if(known.watchers, [&](Watcher& watcher) { return watcher.send(known.frame); });
            known.told_at = now;
        }
        known.freshness = Known::Freshness::fresh;
        receive(known);
    }

    /// An event without watchers, present or waiting, is not listened for.
    void stop_listening_if_unwatched(EventId event, Known& known, Steady::time_point now)
    {
        if (!known.watchers.empty() || !known.newcomers.empty() || known.freshness == Known::Freshness::stale) return;
        board_->end(event);
        known.freshness = Known::Freshness::stale;
        known.told_at = now;
    }

    /// Twice in the time of a heartbeat, so that no watcher hears nothing for longer than one: nor do those who still wait for a
    /// first look, or in an outage all who gave up since would be kept.
    void beat(Steady::time_point now)
    {
        next_beat_ = now + options_.heartbeat / 2;
        for (auto at = known_.begin(); at != known_.end();) {
            Known& known = at->second;
            const bool has_no_number = !known.frame;
            if (known.freshness == Known::Freshness::stale && (has_no_number || now - known.told_at > kRemembered)) {
                at = known_.erase(at);
                continue;
            }
            if (now - known.told_at >= options_.heartbeat / 2) {
                keep_if(known.watchers, [](Watcher& watcher) { return watcher.still_here(); });
                board_->forget_watchers(
                    std::erase_if(known.newcomers, [](const auto& newcomer) { return !newcomer.watcher->still_here(); }));
                if (!known.watchers.empty() || !known.newcomers.empty()) known.told_at = now;
                stop_listening_if_unwatched(at->first, known, now);
            }
            ++at;
        }
        if (bus_ != nullptr) board_->mark_all();  // a message may have been lost
    }

    /// While the bus is down, and once when it is up again, there is no telling what others have changed.
    void check_bus(Steady::time_point now)
    {
        next_check_ = now + options_.look_anyway;
        const bool was_up = std::exchange(bus_is_up_, bus_->connected());
        if (!was_up || !bus_is_up_) board_->mark_all();
    }

    template <class Keep>
    void keep_if(Watchers& watchers, const Keep& keep)
    {
        board_->forget_watchers(std::erase_if(watchers, [&](const auto& watcher) { return !keep(*watcher); }));
    }

    Store& store_;
    const Clock& clock_;
    ChangeBus* const bus_;
    const Options options_;
    const std::shared_ptr<LiveBoard> board_ = std::make_shared<LiveBoard>();  // the lane and the bus may hold it for longer

    // The hub's thread only.
    std::unordered_map<EventId, Known> known_;
    std::uint64_t next_number_ = 0;
    Steady::time_point next_beat_;
    Steady::time_point next_check_;
    bool bus_is_up_ = true;
    LogThrottle store_log_;

    std::thread thread_;
};

LiveHub::LiveHub(Store& store, const Clock& clock, ChangeBus* bus, Metrics& metrics, Options options)
    : self_(std::make_unique<Self>(store, clock, bus, metrics, options))
{
}
LiveHub::~LiveHub() { stop(); }
void LiveHub::start(WriteLane& writes) { self_->start(writes); }
void LiveHub::stop() { self_->stop(); }
void LiveHub::watch(EventId event, std::shared_ptr<Watcher> watcher, std::optional<std::uint64_t> last_seen)
{
    self_->watch({event, std::move(watcher), last_seen});
}
std::size_t LiveHub::watchers() const { return self_->watchers(); }
bool LiveHub::watched(EventId event) const { return self_->watched(event); }

}  // namespace boxoffice
