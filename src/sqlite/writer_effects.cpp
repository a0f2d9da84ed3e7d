#include <algorithm>

#include "core/limits.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/writer.hpp"

namespace boxoffice::sqlite
{

namespace
{

static_assert(needs_mail(EffectKind{1}) && !needs_mail(EffectKind{2}), "the condition of outbox_due_without_mail");

constexpr std::string_view kDue =
    "SELECT id, kind, event_id, tickets, made_at, tries FROM outbox WHERE dead_at IS NULL AND due_at <= ?1 "
    "ORDER BY due_at, id LIMIT ?2";
constexpr std::string_view kDueWithoutMail =
    "SELECT id, kind, event_id, tickets, made_at, tries FROM outbox WHERE dead_at IS NULL AND kind > 1 AND due_at <= ?1 "
    "ORDER BY due_at, id LIMIT ?2";

constexpr Micros kHour = std::chrono::hours(1);

}  // namespace

Outcome Writer::act(const TakeEffects& act)
{
    Effects effects;
    const auto most = static_cast<std::int64_t>(act.most);
    {
        Rows rows = db_.query(act.mail ? kDue : kDueWithoutMail, act.now, most);
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
    // What is dead stays dead, with its reason, even if a worker that took it earlier only fails now.
    db_.execute(
        "UPDATE outbox SET tries = tries + 1, why = ?2, due_at = ifnull(?3, due_at), dead_at = iif(?3 IS NULL, ?4, NULL) "
        "WHERE id = ?1 AND dead_at IS NULL",
        act.effect, act.why, act.due_at, act.now);
    return Done{};
}

Outcome Writer::act(const TakeMailTurn& act)
{
    {
        Rows rows = db_.query("SELECT sent_at, until FROM mails WHERE key = ?1", act.key);
        if (rows.next()) {
            if (!rows.null(0)) return MailTurn::already_sent;
            if (rows.instant(1) > act.now) return MailTurn::elsewhere;
        }
    }
    if (!act.always && mails_of_hour(act) >= kMailsAnHour) return MailTurn::too_many;
    const auto recipient = act.recipient.empty() ? std::nullopt : std::optional(act.recipient);
    db_.execute(
        "INSERT INTO mails (key, until, recipient) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (key) DO UPDATE SET until = ?2, recipient = ifnull(?3, recipient)",
        act.key, act.until, recipient);
    return MailTurn::yours;
}

std::int64_t Writer::mails_of_hour(const TakeMailTurn& act)
{
    // A turn that a worker still has counts as a message; one that was given back ended then, unsent.
    Rows rows = db_.query(
        "SELECT count(*) FROM (SELECT 1 FROM mails WHERE recipient = ?1 AND until > ?2 AND key <> ?4 "
        "AND (sent_at > ?2 OR (sent_at IS NULL AND until > ?3)) LIMIT ?5)",
        act.recipient, act.now - kHour, act.now, act.key, kMailsAnHour);
    rows.next();
    return rows.integer(0);
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
