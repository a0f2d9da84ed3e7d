#include <algorithm>

#include "core/limits.hpp"
#include "core/rules.hpp"
#include "postgres/facts.hpp"
#include "text/text.hpp"

namespace boxoffice::postgres
{

namespace
{

void want(Wanted& wanted, const AddUser& act)
{
    wanted.emails.insert(fold_email(act.email));
    wanted.emails.insert(text::address_key(act.email));
    ++wanted.users_new;
}
void want(Wanted& wanted, const ChangeUser& act) { wanted.users.insert(act.user); }
void want(Wanted& wanted, const RenewHash& act) { wanted.users.insert(act.user); }
void want(Wanted& wanted, const AddEvent& act)
{
    wanted.known.insert(act.organizer);
    ++wanted.events_new;
    if (act.most_a_day > 0) wanted.add_publisher(act);
}
void want(Wanted& wanted, const ChangeEvent& act)
{
    wanted.events.insert(act.event);
    wanted.whole_events.insert(act.event);
}
void want(Wanted& wanted, const RemoveEvent& act)
{
    wanted.events.insert(act.event);
    wanted.whole_events.insert(act.event);
    // Holds whose time is up stand in nobody's way: all of them may have to lapse here.
    wanted.removals[act.event] = kTicketsMax;
}
void want(Wanted& wanted, const Reserve& act)
{
    wanted.events.insert(act.event);
    wanted.known.insert(act.user);
    ++wanted.reserves[act.event];
    ++wanted.tickets_new;
}
void want(Wanted& wanted, const Pay& act)
{
    wanted.tickets.insert(act.ticket);
    wanted.references.insert(act.reference);
}
void want(Wanted& wanted, const Cancel& act)
{
    wanted.tickets.insert(act.ticket);
    wanted.cancels.insert(act.ticket);
}
void want(Wanted& wanted, const Reindex& act) { wanted.reindex = std::max(wanted.reindex, act.most); }
void want(Wanted& wanted, const LapseDue& act) { wanted.lapse = std::max(wanted.lapse, act.most); }
template <class Other>
void want(Wanted&, const Other&)
{
}

template <class T>
concept HasNow = requires(const T& act) { act.now; };

template <class T>
Instant now_of(const T& act)
{
    if constexpr (HasNow<T>)
        return act.now;
    else
        return Instant::min();
}

}  // namespace

Wanted::Wanted(std::span<WriteJob* const> jobs, std::size_t awaited) : now(Instant::min())
{
    for (const WriteJob* const job : jobs) {
        std::visit(
            [&](const auto& act) {
                want(*this, act);
                now = std::max(now, now_of(act));
            },
            job->act);
        if (const auto* const remove = std::get_if<RemoveEvent>(&job->act); remove && job->deferrable)
            removals[remove->event] = kLapsedAtOnceToRemove;
        if (!job->claim) continue;
        const KeyOfUser key{job->claim->user.value, job->claim->key};
        keys.emplace(key, job->claim->now - kAnswerLife);
        if (std::holds_alternative<AddEvent>(job->act)) new_keys.emplace(key, Instant::min());
    }
    // Other acts without an event, such as the outbox's, may be in the same batch.
    only_lapse = lapse > 0 && events.empty() && cancels.empty();
    if (lapse > 0) lapse += awaited;
    for (auto& [event, count] : reserves) count += static_cast<std::int64_t>(awaited);
}

}  // namespace boxoffice::postgres
