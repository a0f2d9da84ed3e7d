#include <algorithm>

#include "core/limits.hpp"
#include "memory/tables.hpp"

/// The outbox, the mails sent, and what is only kept for a time.
namespace boxoffice::memory
{

namespace
{

/// Takes out the oldest of those whose time is before `before`, at most so many; true: so many there were.
template <class Map, class TimeOf>
bool forget(Map& map, Instant before, std::size_t most, const TimeOf& time_of)
{
    std::vector<std::pair<Instant, typename Map::key_type>> old;
    for (const auto& [key, row] : map) {
        if (time_of(row) < before) old.emplace_back(time_of(row), key);
    }
    std::sort(old.begin(), old.end());
    if (old.size() > most) old.resize(most);
    for (const auto& [time, key] : old) map.erase(key);
    return old.size() == most;
}

}  // namespace

Outcome OwnActs::act(const ForgetAnswers& act)
{
    const bool answers = forget(tables_.answers, act.before, act.most, [](const Tables::AnswerRow& row) { return row.at; });
    const bool mails = forget(tables_.mails, act.before - kMailsOutliveAnswers, act.most,
                              [](const Tables::MailRow& row) { return row.sent_at.value_or(row.until); });
    return Done{answers || mails};
}

Outcome OwnActs::act(const TakeEffects& act)
{
    std::vector<std::pair<Instant, std::int64_t>> due;
    for (const auto& [id, row] : tables_.outbox) {
        if (!row.dead_at && row.due_at <= act.now && (act.mail || !needs_mail(row.effect.kind))) due.emplace_back(row.due_at, id);
    }
    std::sort(due.begin(), due.end());
    if (due.size() > act.most) due.resize(act.most);
    Effects effects;
    for (const auto& [time, id] : due) {
        Tables::EffectRow& row = tables_.outbox.at(id);
        row.due_at = act.until;
        effects.taken.push_back(row.effect);
    }
    return effects;
}

Outcome OwnActs::act(const SettleEffects& act)
{
    for (const std::int64_t effect : act.effects) tables_.outbox.erase(effect);
    return Done{};
}

Outcome OwnActs::act(const PostponeEffect& act)
{
    const auto found = tables_.outbox.find(act.effect);
    if (found == tables_.outbox.end() || found->second.dead_at) return Done{};
    Tables::EffectRow& row = found->second;
    ++row.effect.tries;
    row.why = act.why;
    if (act.due_at)
        row.due_at = *act.due_at;
    else
        row.dead_at = act.now;
    return Done{};
}

Outcome OwnActs::act(const TakeMailTurn& act)
{
    const auto known = tables_.mails.find(act.key);
    if (known != tables_.mails.end()) {
        if (known->second.sent_at) return MailTurn::already_sent;
        if (known->second.until > act.now) return MailTurn::elsewhere;
    }
    // A turn that has not ended counts as a message; one that was given back ended then, unsent.
    const Instant hour_ago = act.now - std::chrono::hours(1);
    const auto counts = [&](const auto& entry) {
        const Tables::MailRow& row = entry.second;
        return entry.first != act.key && row.recipient == act.recipient && row.until > hour_ago &&
               (row.sent_at ? *row.sent_at > hour_ago : row.until > act.now);
    };
    if (!act.always && std::count_if(tables_.mails.begin(), tables_.mails.end(), counts) >= kMailsAnHour)
        return MailTurn::too_many;
    Tables::MailRow& row = tables_.mails[act.key];
    row.until = act.until;
    if (!act.recipient.empty()) row.recipient = act.recipient;
    return MailTurn::yours;
}

Outcome OwnActs::act(const MarkMailSent& act)
{
    Tables::MailRow& row = tables_.mails.try_emplace(act.key, Tables::MailRow{act.now}).first->second;
    if (!row.sent_at) row.sent_at = act.now;
    return Done{};
}

}  // namespace boxoffice::memory
