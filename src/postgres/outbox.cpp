#include "postgres/outbox.hpp"

#include "core/limits.hpp"

namespace boxoffice::postgres
{

namespace
{

// No join: of a limit that is a parameter the planner expects so many rows that it would read the whole outbox, and for a table
// that is empty whenever it is counted it would read it once for each row.
#define TAKE_EFFECTS(which)                                                                                          \
    "WITH chosen AS (SELECT id, due_at FROM outbox WHERE dead_at IS NULL" which                                      \
    " AND due_at <= $1 ORDER BY due_at, id LIMIT $2 "                                                                \
    "FOR UPDATE SKIP LOCKED), taken AS (UPDATE outbox SET due_at = $3 WHERE id = ANY(ARRAY(SELECT id FROM chosen)) " \
    "RETURNING id, kind, event_id, tickets, made_at, tries) "                                                        \
    "SELECT * FROM taken ORDER BY array_position(ARRAY(SELECT id FROM chosen ORDER BY due_at, id), id)"
constexpr std::string_view kTakeEffects = TAKE_EFFECTS("");
constexpr std::string_view kTakeEffectsWithoutMail = TAKE_EFFECTS(" AND kind > 1");
static_assert(needs_mail(EffectKind{1}) && !needs_mail(EffectKind{2}), "the condition of outbox_due_without_mail");
constexpr std::string_view kSettleEffects = "DELETE FROM outbox WHERE id = ANY($1::bigint[])";
constexpr std::string_view kPostponeEffect =
    "UPDATE outbox SET tries = tries + 1, why = $2, due_at = coalesce($3::timestamptz, due_at), "
    "dead_at = CASE WHEN $3::timestamptz IS NULL THEN $4::timestamptz END WHERE id = $1 AND dead_at IS NULL";
constexpr std::string_view kTakeTurn =
    "INSERT INTO mails AS m (key, until, recipient) VALUES ($1, $2, $4) ON CONFLICT (key) DO UPDATE SET until = excluded.until, "
    "recipient = coalesce(excluded.recipient, m.recipient) WHERE m.sent_at IS NULL AND m.until <= $3 RETURNING true";
// Nodes that count the messages of one recipient do so one after the other, each after the other's commit: the lock is held
// until then, and the statement after it sees what was committed meanwhile.
constexpr std::string_view kCountAlone = "SELECT pg_advisory_xact_lock(1835100524, hashtext($1))";
// A turn that a worker still has counts as a message; one that was given back ended then, unsent.
constexpr std::string_view kTakeTurnOfFew =
    "INSERT INTO mails AS m (key, until, recipient) SELECT $1, $2, $4 WHERE (SELECT count(*) FROM (SELECT 1 FROM mails c "
    "WHERE c.recipient = $4 AND c.until > $5 AND c.key <> $1 AND (c.sent_at > $5 OR (c.sent_at IS NULL AND c.until > $3)) "
    "LIMIT $6) others) < $6 ON CONFLICT (key) DO UPDATE SET until = excluded.until, recipient = excluded.recipient "
    "WHERE m.sent_at IS NULL AND m.until <= $3 RETURNING true";
constexpr std::string_view kTurn = "SELECT sent_at IS NOT NULL, until > $2 FROM mails WHERE key = $1";
constexpr std::string_view kMailSent =
    "INSERT INTO mails (key, until, sent_at) VALUES ($1, $2, $2) ON CONFLICT (key) DO UPDATE SET sent_at = excluded.sent_at";

/// A node that lost its connection asks within seconds what became of its transaction.
constexpr double kBatchesFor = 3600;  // seconds
constexpr std::string_view kForgetAnswers =
    "WITH gone AS (DELETE FROM kept_answers WHERE ctid = ANY(ARRAY(SELECT ctid FROM kept_answers WHERE kept_at < $1 "
    "ORDER BY kept_at LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM gone";
constexpr std::string_view kForgetBatches =
    "WITH gone AS (DELETE FROM batches WHERE ctid = ANY(ARRAY(SELECT ctid FROM batches WHERE made_at < now() - "
    "make_interval(secs => $1) "
    "ORDER BY made_at LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM gone";
constexpr std::string_view kForgetMails =
    "WITH gone AS (DELETE FROM mails WHERE ctid = ANY(ARRAY(SELECT ctid FROM mails WHERE until < $1 "
    "ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM gone";

}  // namespace

void ServerActs::add(WriteJob& job, const ForgetAnswers& act)
{
    const auto most = static_cast<std::int64_t>(act.most);
    const auto answers = pipeline_.add(kForgetAnswers, std::move(Params().instant(act.before).integer(most)));
    const auto batches = pipeline_.add(kForgetBatches, std::move(Params().real(kBatchesFor).integer(most)));
    const auto mails = pipeline_.add(kForgetMails, std::move(Params().instant(act.before - kMailsOutliveAnswers).integer(most)));
    later_.emplace_back([answers, batches, mails, most, &to = job](const std::vector<Rows>& rows) {
        const auto full = [&](std::size_t at) { return rows[at].integer(0, 0) >= most; };
        to.outcome = Done{full(answers) || full(batches) || full(mails)};
    });
}

void ServerActs::add(WriteJob& job, const TakeEffects& act)
{
    job.outcome = Effects{};
    const auto at =
        pipeline_.add(act.mail ? kTakeEffects : kTakeEffectsWithoutMail,
                      std::move(Params().instant(act.now).integer(static_cast<std::int64_t>(act.most)).instant(act.until)));
    later_.emplace_back([at, &to = job](const std::vector<Rows>& all) {
        const Rows& rows = all[at];
        Effects effects;
        for (int row = 0; row < rows.count(); ++row) {
            Effect effect;
            effect.id = rows.integer(row, 0);
            effect.kind = static_cast<EffectKind>(rows.integer(row, 1));
            effect.event = rows.id<EventId>(row, 2);
            for (const std::int64_t ticket : rows.integers(row, 3)) effect.tickets.push_back(TicketId{ticket});
            effect.made_at = rows.instant(row, 4);
            effect.tries = static_cast<int>(rows.integer(row, 5));
            effects.taken.push_back(std::move(effect));
        }
        to.outcome = std::move(effects);
    });
}

void ServerActs::add(WriteJob&, const SettleEffects& act)
{
    pipeline_.add(kSettleEffects, std::move(Params().integers(act.effects)));
}

void ServerActs::add(WriteJob&, const PostponeEffect& act)
{
    pipeline_.add(kPostponeEffect,
                  std::move(Params().integer(act.effect).text(std::string_view(act.why)).instant(act.due_at).instant(act.now)));
}

void ServerActs::add(WriteJob& job, const TakeMailTurn& act)
{
    job.outcome = MailTurn::elsewhere;
    const auto recipient = act.recipient.empty() ? std::nullopt : std::optional(act.recipient);
    Params params;
    params.text(std::string_view(act.key)).instant(act.until).instant(act.now).text(recipient);
    if (!act.always) {
        pipeline_.add(kCountAlone, std::move(Params().text(std::string_view(act.recipient))));
        params.instant(act.now - std::chrono::hours(1)).integer(kMailsAnHour);
    }
    const auto mine = pipeline_.add(act.always ? kTakeTurn : kTakeTurnOfFew, std::move(params));
    const auto state = pipeline_.add(kTurn, std::move(Params().text(std::string_view(act.key)).instant(act.now)));
    later_.emplace_back([mine, state, always = act.always, &to = job](const std::vector<Rows>& rows) {
        const Rows& found = rows[state];
        if (rows[mine].count() > 0)
            to.outcome = MailTurn::yours;
        else if (found.count() > 0 && found.boolean(0, 0))
            to.outcome = MailTurn::already_sent;
        else
            to.outcome = always || (found.count() > 0 && found.boolean(0, 1)) ? MailTurn::elsewhere : MailTurn::too_many;
    });
}

void ServerActs::add(WriteJob&, const MarkMailSent& act)
{
    pipeline_.add(kMailSent, std::move(Params().text(std::string_view(act.key)).instant(act.now)));
}

}  // namespace boxoffice::postgres
