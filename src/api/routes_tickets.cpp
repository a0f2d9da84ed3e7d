#include "api/decode.hpp"
#include "api/encode.hpp"
#include "api/paging.hpp"
#include "api/query.hpp"
#include "api/routes.hpp"

namespace boxoffice::http
{

namespace
{

Reply ticket_made(const Call& call, const Outcome& outcome)
{
    const auto& ticket = std::get<Ticket>(outcome);
    Reply reply = json_reply(201, encode_ticket(ticket, call.now()));
    reply.headers.emplace_back("Location", "/api/v1/tickets/" + std::to_string(ticket.id.value));
    return reply;
}

Reply ticket_changed(const Call& call, const Outcome& outcome)
{
    return json_reply(200, encode_ticket(std::get<Ticket>(outcome), call.now()));
}

}  // namespace

void reserve_ticket(const CallPtr& call)
{
    const auto order = decode_ticket_order(call->request());
    if (!order) return call->refuse(order.error());
    if (order->user && *order->user != call->user()) return call->refuse(Code::not_yourself);
    call->act(Reserve{order->event, call->user(), call->parts().hold, call->now()}, ticket_made);
}

void get_ticket(const CallPtr& call)
{
    call->read([](Call& self) {
        const auto found = self.parts().store.find_ticket(TicketId{self.path_id()});
        const bool may_see = found && (found->ticket.user_id == self.user() || found->organizer == self.user());
        if (found && !may_see) self.log_refused_right(Code::not_found);
        if (!may_see) return self.refuse(Code::not_found);
        self.answer_json(200, encode_ticket(found->ticket, self.now()));
    });
}

void list_tickets(const CallPtr& call)
{
    if (call->path_id() != call->user().value) return call->refuse(Code::not_yourself);
    auto query = call->query();
    if (!query) return call->refuse(query.error());
    const Slice slice = query->slice(kPageMax);
    TicketQuery asked;
    asked.user = call->user();
    asked.skip = slice.skip;
    asked.limit = slice.limit;
    asked.from = query->after<TicketId>(slice);
    asked.status = query->status("status");
    if (const auto event = query->id("event_id")) asked.event = EventId{*event};
    asked.now = call->now();
    if (!query->good()) return call->refuse(query->error());
    const auto answer = [asked](Call& self) {
        const auto page = self.parts().store.list_tickets(asked);
        Reply reply = json_reply(200, encode_tickets(page.items, self.now()));
        add_paging(reply, self.request().target, {asked.skip, asked.limit}, page.total,
                   ends_of(page, asked.from, [](const Ticket& ticket) { return ticket.id; }));
        self.answer(std::move(reply));
    };
    if (is_expensive(asked)) return call->search(1, answer);
    call->read(answer);
}

void pay_ticket(const CallPtr& call)
{
    auto reference = decode_payment_reference(call->request());
    if (!reference) return call->refuse(reference.error());
    call->act(Pay{TicketId{call->path_id()}, call->user(), std::move(*reference), call->now()}, ticket_changed);
}

void cancel_ticket(const CallPtr& call)
{
    call->act(Cancel{TicketId{call->path_id()}, call->user(), call->now()}, ticket_changed);
}

}  // namespace boxoffice::http
