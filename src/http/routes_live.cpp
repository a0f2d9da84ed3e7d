#include <charconv>

#include "http/json_writer.hpp"
#include "http/routes.hpp"
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
    if (news.there) {
        json.key("available_tickets").integer(news.there->available_tickets);
        json.key("next_release_at");
        if (news.there->next_release_at) {
            json.time(*news.there->next_release_at);
        } else {
            json.null();
        }
    }
    json.end_object();
    return text + data + "\n\n";
}

/// One client that watches an event; the stream ends with it.
class StreamWatcher final : public LiveHub::Watcher
{
public:
    explicit StreamWatcher(std::shared_ptr<OpenStream> stream) : stream_(std::move(stream)) {}
    StreamWatcher(const StreamWatcher&) = delete;
    StreamWatcher& operator=(const StreamWatcher&) = delete;
    ~StreamWatcher() override { stream_->end(); }

    [[nodiscard]] std::string word(const LiveNews& news) const override { return to_event(news); }
    [[nodiscard]] bool tell(const LiveHub::Frame& frame) override { return stream_->send(frame); }
    [[nodiscard]] bool still_here() override
    {
        static const Piece comment = std::make_shared<const std::string>(": ok\n\n");
        return stream_->send(comment);
    }

private:
    std::shared_ptr<OpenStream> stream_;
};

/// How long a browser waits before it comes back; where nobody says, each has its own idea.
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
    Reply reply;
    reply.content_type = "text/event-stream";
    reply.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would hold the events back until it has enough of them
    reply.stream = [&live = call.parts().live, event, seen = last_seen(call.request())](std::shared_ptr<OpenStream> stream) {
        stream->send(first_piece());
        live.watch(event, std::make_shared<StreamWatcher>(std::move(stream)), seen);
    };
    call.answer(std::move(reply));
}

}  // namespace

void watch_event(const CallPtr& call)
{
    const EventId event{call->path_id()};
    // A crowd that comes at once asks the store once: whether the event is there is known while somebody watches it.
    if (call->parts().live.watched(event)) return answer_stream(*call, event);
    call->read([event](Call& self) {
        if (!self.parts().store.find_event(event)) return self.refuse(Code::not_found);
        answer_stream(self, event);
    });
}

}  // namespace boxoffice::http
