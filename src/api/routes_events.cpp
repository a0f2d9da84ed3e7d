#include <algorithm>

#include "api/decode.hpp"
#include "api/encode.hpp"
#include "api/etag.hpp"
#include "api/paging.hpp"
#include "api/query.hpp"
#include "api/routes.hpp"

namespace boxoffice::http
{

namespace
{

/// With the tag that a read would have now, for the caller's next If-Match.
Reply tagged_event(const Call& call, int status, const Event& event)
{
    Reply reply = json_reply(status, encode_event(event));
    reply.headers.emplace_back("ETag", etag_of(reply.body, event.version, call.parts().digest));
    return reply;
}

Reply event_added(const Call& call, const Outcome& outcome)
{
    const auto& event = std::get<Event>(outcome);
    Reply reply = tagged_event(call, 201, event);
    reply.headers.emplace_back("Location", "/api/v1/events/" + std::to_string(event.id.value));
    return reply;
}

Reply event_changed(const Call& call, const Outcome& outcome) { return tagged_event(call, 200, std::get<Event>(outcome)); }

Reply event_removed(const Call&, const Outcome&)
{
    Reply reply;
    reply.status = 204;
    return reply;
}

EventQuery read_event_query(Query& query, Instant now)
{
    const Slice slice = query.slice(kPageMax);
    EventQuery asked;
    asked.skip = slice.skip;
    asked.limit = slice.limit;
    asked.from = query.after<EventKey>(slice);
    asked.q = query.words("q");
    asked.starts_after = query.time("starts_after");
    asked.starts_before = query.time("starts_before");
    asked.ends_after = query.time("ends_after");
    asked.available_only = query.flag("available_only");
    // There are no tickets to be had of an event that is over.
    if (asked.available_only) asked.ends_after = std::max(asked.ends_after.value_or(now), now);
    if (const auto organizer = query.id("organizer_id")) asked.organizer = UserId{*organizer};
    return asked;
}

}  // namespace

void add_event(const CallPtr& call)
{
    auto draft = decode_event_draft(call->request(), call->parts().zones, call->now());
    if (!draft) return call->refuse(draft.error());
    const std::int64_t most_a_day = call->unlimited() ? 0 : call->parts().events_a_day;
    call->act(AddEvent{call->user(), std::move(*draft), call->now(), most_a_day}, event_added);
}

void list_events(const CallPtr& call)
{
    auto query = call->query();
    if (!query) return call->refuse(query.error());
    const EventQuery asked = read_event_query(*query, call->now());
    const Fields fields = query->fields();
    if (!query->good()) return call->refuse(query->error());
    const auto answer = [asked, fields](Call& self) {
        const auto page = self.parts().store.list_events(asked);
        Reply reply = json_reply(200, encode_events(page.items, fields));
        add_paging(reply, self.request().target, {asked.skip, asked.limit}, page.total,
                   ends_of(page, asked.from, [](const Event& event) { return EventKey{event.start_time, event.id}; }));
        answer_read(self, std::move(reply), "no-cache");
    };
    if (is_expensive(asked)) return call->search(price_of(asked), answer);
    call->read(answer);
}

void get_event(const CallPtr& call)
{
    call->read([](Call& self) {
        const auto event = self.parts().store.find_event(EventId{self.path_id()});
        if (!event) return self.refuse(Code::not_found);
        answer_read(self, json_reply(200, encode_event(*event)), "no-cache", event->version);
    });
}

void change_event(const CallPtr& call)
{
    auto only_at = read_if_match(call->request());
    if (!only_at) return call->refuse(only_at.error());
    auto patch = decode_event_patch(call->request(), call->parts().zones, call->now());
    if (!patch) return call->refuse(patch.error());
    call->act(ChangeEvent{EventId{call->path_id()}, call->user(), std::move(*patch), call->now(), std::move(*only_at)},
              event_changed);
}

void remove_event(const CallPtr& call)
{
    auto only_at = read_if_match(call->request());
    if (!only_at) return call->refuse(only_at.error());
    call->act(RemoveEvent{EventId{call->path_id()}, call->user(), call->now(), std::move(*only_at)}, event_removed);
}

}  // namespace boxoffice::http
