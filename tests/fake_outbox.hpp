#pragma once
#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/core.hpp"

namespace boxoffice
{

/// An outbox in memory, as the engines keep it, with the people, events and tickets that messages are about; each fact of it can
/// be looked at and waited for. Any thread.
class FakeOutbox final : public Store
{
public:
    struct Row {
        Effect effect;
        Instant due_at;
        std::string why;
        bool dead = false;
    };
    struct Turn {
        Instant until;
        bool sent = false;
        std::string recipient{};
    };

    std::int64_t add(EffectKind kind, std::vector<TicketId> about = {}, EventId event = EventId{1})
    {
        const std::lock_guard lock(mutex_);
        const std::int64_t id = ++last_;
        rows_[id] = {{id, kind, event, std::move(about), Instant{}, 0}, Instant{}, {}};
        return id;
    }

    [[nodiscard]] std::optional<Row> row(std::int64_t id) const
    {
        const std::lock_guard lock(mutex_);
        const auto found = rows_.find(id);
        return found == rows_.end() ? std::nullopt : std::optional(found->second);
    }
    [[nodiscard]] std::size_t size() const
    {
        const std::lock_guard lock(mutex_);
        return rows_.size();
    }
    void break_down()
    {
        const std::lock_guard lock(mutex_);
        broken_ = true;
    }
    void mend()
    {
        const std::lock_guard lock(mutex_);
        broken_ = false;
    }

    /// Until `true_now`, which is asked after every batch of acts, or the time is up.
    template <class Condition>
    [[nodiscard]] bool wait_until(Condition true_now)
    {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return true_now(rows_); });
    }
    [[nodiscard]] bool wait_for_empty()
    {
        return wait_until([](const std::map<std::int64_t, Row>& rows) { return rows.empty(); });
    }

    void execute(std::span<WriteJob* const> jobs) override
    {
        const std::lock_guard lock(mutex_);
        if (broken_) throw StoreFailure(Code::storage_failed, "broken down");
        for (WriteJob* const job : jobs) job->outcome = std::visit([&](const auto& act) { return execute(act); }, job->act);
        changed_.notify_all();
    }
    std::optional<User> find_user(UserId id) override { return found(users, id); }
    std::optional<Login> find_login(std::string_view) override { return {}; }
    std::optional<Event> find_event(EventId id) override { return found(events, id); }
    std::vector<Event> find_events(std::span<const EventId>) override { return {}; }
    Page<Event> list_events(const EventQuery&) override { return {}; }
    std::optional<TicketView> find_ticket(TicketId id) override
    {
        const auto ticket = found(tickets, id);
        return ticket ? std::optional(TicketView{*ticket, UserId{1}}) : std::nullopt;
    }
    Page<Ticket> list_tickets(const TicketQuery& query) override
    {
        Page<Ticket> page;
        for (const auto& [id, ticket] : tickets) {
            if (ticket.user_id == query.user && ticket.event_id == query.event && ticket.status == query.status)
                page.items.push_back(ticket);
        }
        page.total = static_cast<std::int64_t>(page.items.size());
        return page;
    }
    Page<NearbyEvent> nearby(const NearbyQuery&) override { return {}; }
    std::vector<Candidate> candidates(const SuggestionQuery&) override { return {}; }
    std::vector<Availability> availability(std::span<const EventId>, Instant) override { return {}; }
    std::optional<Instant> next_deadline() override { return {}; }
    std::int64_t reserved_count() override { return 0; }
    std::optional<Instant> latest_instant() override { return {}; }
    void check_ready() override {}
    OutboxCounts outbox_counts() override { return {}; }

    // Filled before the first read.
    std::map<UserId, User> users;
    std::map<EventId, Event> events;
    std::map<TicketId, Ticket> tickets;
    std::map<std::string, Turn> turns;

private:
    template <class Key, class Value>
    static std::optional<Value> found(const std::map<Key, Value>& map, Key key)
    {
        const auto at = map.find(key);
        return at == map.end() ? std::nullopt : std::optional(at->second);
    }

    Outcome execute(const auto& /*act*/) { return Error{Code::internal, "not for an outbox"}; }
    Outcome execute(const TakeEffects& act)
    {
        Effects effects;
        for (auto& [id, row] : rows_) {
            if (row.dead || row.due_at > act.now || (!act.mail && needs_mail(row.effect.kind)) ||
                effects.taken.size() == act.most)
                continue;
            row.due_at = act.until;
            effects.taken.push_back(row.effect);
        }
        return effects;
    }
    Outcome execute(const SettleEffects& act)
    {
        for (const std::int64_t effect : act.effects) rows_.erase(effect);
        return Done{};
    }
    Outcome execute(const PostponeEffect& act)
    {
        const auto at = rows_.find(act.effect);
        if (at == rows_.end()) return Done{};
        ++at->second.effect.tries;
        at->second.why = act.why;
        at->second.dead = !act.due_at;
        if (act.due_at) at->second.due_at = *act.due_at;
        return Done{};
    }
    /// Here every message counts as one of the hour.
    Outcome execute(const TakeMailTurn& act)
    {
        const auto known = turns.find(act.key);
        if (known != turns.end() && known->second.sent) return MailTurn::already_sent;
        if (known != turns.end() && known->second.until > act.now) return MailTurn::elsewhere;
        const auto counts = [&](const auto& one) {
            return one.second.recipient == act.recipient && (one.second.sent || one.second.until > act.now);
        };
        if (!act.always && std::count_if(turns.begin(), turns.end(), counts) >= kMailsAnHour) return MailTurn::too_many;
        Turn& turn = turns[act.key];
        turn.until = act.until;
        if (!act.recipient.empty()) turn.recipient = act.recipient;
        return MailTurn::yours;
    }
    Outcome execute(const MarkMailSent& act)
    {
        turns[act.key].sent = true;
        return Done{};
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::int64_t, Row> rows_;
    std::int64_t last_ = 0;
    bool broken_ = false;
};

}  // namespace boxoffice
