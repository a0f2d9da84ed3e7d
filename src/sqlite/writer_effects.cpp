#include <algorithm>

#include "core/limits.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/writer.hpp"

namespace boxoffice::sqlite
{

namespace
{

std::string joined(std::span<const TicketId> tickets)
{
    std::string text;
    for (const TicketId ticket : tickets) {
        if (!text.empty()) text += ',';
        text += std::to_string(ticket.value);
    }
    return text;
}

}  // namespace

void Writer::note(EffectKind kind, EventId event, std::span<const TicketId> tickets, Instant now)
{
    do {
        const auto some = tickets.first(std::min(tickets.size(), kTicketsToAnEffect));
        db_.execute("INSERT INTO outbox (kind, event_id, tickets, made_at, due_at) VALUES (?1, ?2, ?3, ?4, ?4)",
                    static_cast<int>(kind), event, joined(some), now);
        tickets = tickets.subspan(some.size());
        ++noted_;
    } while (!tickets.empty());
}

Outcome Writer::act(const TakeEffects& act)
{
    Effects effects;
    const auto most = static_cast<std::int64_t>(act.most);
    {
        Rows rows = db_.query(
            "SELECT id, kind, event_id, tickets, made_at, tries FROM outbox WHERE dead_at IS NULL AND due_at <= ?1 "
            "ORDER BY due_at, id LIMIT ?2",
            act.now, most);
        while (rows.next()) {
            effects.taken.push_back({rows.integer(0), static_cast<EffectKind>(rows.integer(1)), EventId{rows.integer(2)},
                                     tickets_of(rows.text(3)), rows.instant(4), static_cast<int>(rows.integer(5))});
        }
    }
    // Not by RETURNING, whose rows come in no order.
    for (const Effect& effect : effects.taken) db_.execute("UPDATE outbox SET due_at = ?2 WHERE id = ?1", effect.id, act.until);
    return effects;
}

Outcome Writer::act(const SettleEffects& act)
{
    for (const std::int64_t effect : act.effects) db_.execute("DELETE FROM outbox WHERE id = ?1", effect);
    return Done{};
}

Outcome Writer::act(const PostponeEffect& act)
{
    // Who died stays dead, and with the reason of then, even if somebody who took it earlier only fails now.
    db_.execute(
        "UPDATE outbox SET tries = tries + 1, why = ?2, due_at = ifnull(?3, due_at), dead_at = iif(?3 IS NULL, ?4, NULL) "
        "WHERE id = ?1 AND dead_at IS NULL",
        act.effect, act.why, act.due_at, act.now);
    return Done{};
}

Outcome Writer::act(const TakeMailTurn& act)
{
    const auto taken = db_.execute(
        "INSERT INTO mails (key, until) VALUES (?1, ?3) "
        "ON CONFLICT (key) DO UPDATE SET until = ?3 WHERE sent_at IS NULL AND until <= ?2",
        act.key, act.now, act.until);
    if (taken == 1) return MailTurn::yours;
    Rows rows = db_.query("SELECT sent_at FROM mails WHERE key = ?1", act.key);
    rows.next();
    return rows.null(0) ? MailTurn::elsewhere : MailTurn::already_sent;
}

Outcome Writer::act(const MarkMailSent& act)
{
    db_.execute(
        "INSERT INTO mails (key, until, sent_at) VALUES (?1, ?2, ?2) ON CONFLICT (key) DO UPDATE SET sent_at = ?2 "
        "WHERE sent_at IS NULL",
        act.key, act.now);
    return Done{};
}

std::int64_t Writer::forget_mails(Instant before, std::int64_t most)
{
    return db_.execute(
        "DELETE FROM mails WHERE key IN "
        "(SELECT key FROM mails WHERE ifnull(sent_at, until) < ?1 ORDER BY ifnull(sent_at, until) LIMIT ?2)",
        before - kMailsOutliveAnswers, most);
}

}  // namespace boxoffice::sqlite
