#include "core/decide.hpp"

#include <algorithm>

#include "core/deciding.hpp"
#include "core/limits.hpp"
#include "core/refuse.hpp"

/// The batch: jobs in order, keys of repeated requests, and how the changes of many acts become one for each row.
namespace boxoffice
{

Changes decide(std::span<WriteJob* const> jobs, Facts& facts, const DecideOptions& options)
{
    Deciding batch(facts, options);
    for (WriteJob* const job : jobs) batch.decide(*job);
    return batch.finish();
}

void Deciding::decide(WriteJob& job)
{
    job.made_effects = false;
    job.deferred = Deferred::no;  // of a try before
    current_ = &job;
    if (job.claim) {
        if (auto answer = answered_before(*job.claim)) {
            job.outcome = *std::move(answer);
            return;
        }
    }
    const std::size_t effects_before = changes_.effects.size();
    try {
        job.outcome = outcome_of(job);
    } catch (const NotGathered& missing) {
        if (!job.deferrable) throw StoreFailure(Code::busy, missing.what());
        job.outcome = unfinished();
    }
    job.made_effects = changes_.effects.size() > effects_before;
    if (job.claim && job.deferred == Deferred::no && is_final(job.outcome)) keep_answer(job);
}

Outcome Deciding::outcome_of(WriteJob& job)
{
    return std::visit(
        [this]<class A>(const A& act) -> Outcome {
            if constexpr (kByEngine<A>)
                return Done{};
            else
                return boxoffice::decide(act, Known<A>(*this), *this);
        },
        job.act);
}

Outcome Deciding::unfinished()
{
    current_->deferred = Deferred::unfinished;
    return std::monostate{};
}

std::optional<Outcome> Deciding::answered_before(const IdempotencyClaim& claim)
{
    const auto answer = [&](std::string_view fingerprint, const std::string& bytes) -> Outcome {
        if (fingerprint != claim.fingerprint) return refuse(Code::idempotency_key_reused);
        return KeptAnswer{bytes};
    };
    if (const auto now = answers_.find({claim.user, claim.key}); now != answers_.end()) {
        const NewAnswer& kept = changes_.answers[now->second];
        return answer(kept.fingerprint, kept.bytes);
    }
    if (const auto kept = facts_.kept_answer(claim.user, claim.key, claim.now - kAnswerLife))
        return answer(kept->fingerprint, kept->bytes);
    return std::nullopt;
}

void Deciding::keep_answer(const WriteJob& job)
{
    const IdempotencyClaim& claim = *job.claim;
    answers_.emplace(KeyOfUser{claim.user, claim.key}, changes_.answers.size());
    changes_.answers.push_back({claim.user, claim.key, claim.fingerprint, claim.render(job.outcome).bytes, claim.now});
}

Changes Deciding::finish()
{
    for (auto& [id, user] : users_) {
        if (user && user->changed_at) changes_.users_changed.push_back({std::move(user->row), *user->changed_at});
    }
    for (auto& [id, event] : events_) {
        if (event && event->changed) changes_.events_changed.push_back({std::move(event->event), event->texts});
    }
    for (const auto& [id, stock] : stocks_) {
        if (stock && stock->changed) changes_.stocks.push_back({id, stock->sold_now, stock->row, stock->was_full});
    }
    return std::move(changes_);
}

std::int64_t Changes::reserved() const
{
    auto more = static_cast<std::int64_t>(tickets_added.size());
    for (const TicketChange& change : tickets_changed)
        more += (change.to == TicketStatus::reserved ? 1 : 0) - (change.from == TicketStatus::reserved ? 1 : 0);
    return more;
}

std::optional<Instant> Changes::earliest_deadline() const
{
    const auto earliest = std::min_element(tickets_added.begin(), tickets_added.end(),
                                           [](const Ticket& a, const Ticket& b) { return a.expires_at < b.expires_at; });
    if (earliest == tickets_added.end()) return std::nullopt;
    return earliest->expires_at;
}

}  // namespace boxoffice
