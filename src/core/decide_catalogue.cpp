#include <algorithm>

#include "core/deciding.hpp"
#include "core/refuse.hpp"
#include "text/text.hpp"

/// Events and accounts: added, changed, removed.
namespace boxoffice
{

Outcome decide(const AddEvent& act, Known<AddEvent> known, Deciding& batch)
{
    auto decision = decide_add_event(act.draft, act.organizer, batch.zones(), act.now);
    if (!decision) return decision.error();
    if (!known.has_user(act.organizer)) return refuse(Code::unauthenticated);
    if (act.most_a_day > 0) {
        const auto nth = known.nth_newest_event(act.organizer, act.most_a_day, act.now);
        if (const auto may = decide_publishing(nth, act.now); !may) return may.error();
    }
    decision->id = known.event_number();
    batch.add(*decision);
    return std::move(*decision);
}

Outcome decide(const ChangeEvent& act, Known<ChangeEvent> known, Deciding& batch)
{
    const Event* const before = known.event(act.event);
    if (before == nullptr) return refuse(Code::not_found);
    auto decision = decide_change_event(*before, act.by, act.patch, batch.zones(), act.now, act.only_at);
    if (!decision) return decision.error();
    if (decision->version == before->version) return std::move(*decision);  // nothing to be changed
    batch.change(*decision);
    batch.effect(EffectKind::event_changed, act.event, {}, act.now);
    return std::move(*decision);
}

Outcome decide(const RemoveEvent& act, Known<RemoveEvent> known, Deciding& batch)
{
    const Event* const event = known.event(act.event);
    if (event == nullptr) return refuse(Code::not_found);
    Stock& stock = *known.stock(act.event);
    // Holds whose time is up block nothing: they lapse here if the expiry worker has not come round.
    if (event->organizer_id == act.by) {
        const std::int64_t most = batch.deferrable() ? std::min(kLapsedAtOnceToRemove, stock.row.sold) : stock.row.sold;
        bool more = false;
        batch.lapse(stock, known.due_holds_of(stock, act.now, static_cast<std::size_t>(most), more), act.now);
        if (more && stock.row.sold > 0 && batch.deferrable()) return batch.unfinished();
    }
    if (const auto decision = decide_remove_event(*event, act.by, stock.row.sold, act.only_at); !decision)
        return decision.error();
    batch.remove(act.event, act.now);
    batch.effect(EffectKind::event_changed, act.event, {}, act.now);
    return Done{};
}

Outcome decide(const AddUser& act, Known<AddUser> known, Deciding& batch)
{
    std::string folded = fold_email(act.email);
    std::string key = text::address_key(act.email);
    if (known.has_mailbox(folded, key)) return refuse(Code::email_taken);
    Account row;
    row.user.id = known.user_number();
    row.user.name = act.name;
    row.user.email = act.email;
    row.user.location = act.location;
    row.user.created_at = act.now;
    row.password_hash = act.password_hash;
    batch.add(row, std::move(folded), std::move(key));
    return row.user;
}

Outcome decide(const ChangeUser& act, Known<ChangeUser> known, Deciding& batch)
{
    const Account* const before = known.user(act.user);
    if (before == nullptr) return refuse(Code::unauthenticated);
    Account row = *before;
    if (act.name) row.user.name = *act.name;
    if (act.sets_location) row.user.location = act.location;
    batch.change(row, act.now);
    return row.user;
}

Outcome decide(const RenewHash& act, Known<RenewHash> known, Deciding& batch)
{
    const Account* const before = known.user(act.user);
    if (before == nullptr || before->password_hash != act.old_hash) return Done{};
    Account row = *before;
    row.password_hash = act.new_hash;
    batch.change(row, act.now);
    return Done{};
}

}  // namespace boxoffice
