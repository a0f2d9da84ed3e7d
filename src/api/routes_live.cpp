#include <charconv>
#include <chrono>
#include <random>

#include "api/resources.hpp"
#include "api/routes.hpp"
#include "json/json.hpp"
#include "runtime/live.hpp"

/// Availability as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
namespace boxoffice::http
{

namespace
{

std::string to_event(const LiveNews& news)
{
    std::string text = "id: " + std::to_string(news.number);
    text += news.there ? "\nevent: availability\ndata: " : "\nevent: gone\ndata: ";
    std::string data;
    JsonWriter json(data);
    json.begin_object();
    if (news.there) write_fields(json, fields::kAvailability, *news.there);
    json.end_object();
    return text + data + "\n\n";
}

using Steady = std::chrono::steady_clock;

/// One client that watches an event; the stream ends with it.
class StreamWatcher final : public LiveHub::Watcher
{
public:
    StreamWatcher(std::shared_ptr<OpenStream> stream, Steady::time_point ends_at) : stream_(std::move(stream)), ends_at_(ends_at)
    {
    }
    StreamWatcher(const StreamWatcher&) = delete;
    StreamWatcher& operator=(const StreamWatcher&) = delete;
    ~StreamWatcher() override { stream_->end(); }

    [[nodiscard]] std::string word(const LiveNews& news) const override { return to_event(news); }
    [[nodiscard]] bool send(const LiveHub::Frame& frame) override { return stream_->send(frame) && !is_old(); }
    [[nodiscard]] bool still_here() override
    {
        static const Piece comment = std::make_shared<const std::string>(": ok\n\n");
        return stream_->send(comment) && !is_old();
    }

private:
    [[nodiscard]] bool is_old() const { return Steady::now() >= ends_at_; }

    std::shared_ptr<OpenStream> stream_;
    const Steady::time_point ends_at_;
};

/// Between nine tenths of the age and all of it, so that those who came together do not come again together.
Steady::time_point end_of(Micros age)
{
    thread_local std::minstd_rand chance{std::random_device{}()};
    std::uniform_int_distribution<Micros::rep> off(0, age.count() / 10);
    return Steady::now() + age - Micros(off(chance));
}

/// One of the feeds that may be open, of the client and of its account if it showed one.
struct FeedPlace {
    Shares::Place of_client;
    Shares::Place of_account;
};

std::shared_ptr<FeedPlace> take_place(Call& call)
{
    // A feed needs no token. A client that shows one has a share as an account beside that of its address.
    const bool has_account = call.has_authorization() && call.sign_in();
    auto place = std::make_shared<FeedPlace>();
    const Address client = parse_address(call.client()).value_or(Address{});
    const auto of_client = call.feeds().take(place->of_client, client, 1);
    if (of_client != Shares::Grant::given) {
        call.shed("live", of_client == Shares::Grant::all_full ? "full" : "client_full");
        return nullptr;
    }
    if (has_account && call.feeds().take_for_account(place->of_account, call.user().value, 1) != Shares::Grant::given) {
        call.shed("live", "account_full");
        return nullptr;
    }
    return place;
}

/// How long a browser waits before it comes back; without a hint each has its own default.
const Piece& first_piece()
{
    static const Piece retry = std::make_shared<const std::string>("retry: 2000\n\n");
    return retry;
}

/// Nothing when there is none, or it is not one of ours.
std::optional<std::uint64_t> last_seen(const Request& request)
{
    const auto text = request.header("last-event-id");
    std::uint64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

void answer_stream(Call& call, EventId event)
{
    auto place = take_place(call);
    if (!place)
        return call.refuse(Error{Code::busy, "Too many live feeds are open; ask for the event itself every few seconds."});
    Reply reply;
    reply.content_type = "text/event-stream";
    reply.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would hold the events back until it has enough of them
    // The connection keeps this function, and with it the place, for as long as it streams.
    reply.stream = [&live = call.parts().live, event, seen = last_seen(call.request()), ends_at = end_of(call.parts().feed_age),
                    place = std::move(place)](std::shared_ptr<OpenStream> stream) {
        stream->send(first_piece());
        live.watch(event, std::make_shared<StreamWatcher>(std::move(stream), ends_at), seen);
    };
    call.answer(std::move(reply));
}

}  // namespace

void watch_event(const CallPtr& call)
{
    const EventId event{call->path_id()};
    // A crowd that comes at once asks the store once: whether the event is there is known while it has watchers.
    if (call->parts().live.watched(event)) return answer_stream(*call, event);
    call->read([event](Call& self) {
        if (!self.parts().store.find_event(event)) return self.refuse(Code::not_found);
        answer_stream(self, event);
    });
}

}  // namespace boxoffice::http
