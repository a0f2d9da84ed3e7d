#pragma once
#include <array>
#include <atomic>
#include <span>
#include <vector>

#include "sqlite/connection.hpp"
#include "sqlite/inventory.hpp"
#include "sqlite/log_keeper.hpp"
#include "sqlite/places.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice::sqlite
{

/// Carries out acts: the only object that writes to the file. One thread.
/// Each act is a method: gather the facts, ask the rule, carry out its plan. The statements stand beside it.
class Writer
{
public:
    Writer(const SqliteOptions& options, Places& places, const Zones& zones, ReadGate& gate);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void carry_out(std::span<WriteJob* const> jobs);
    /// Checkpoints what the WAL has gathered, when it is worth a disk sync.
    void idle() { log_.tend_idle(); }

    [[nodiscard]] std::int64_t reserved() const { return reserved_.load(std::memory_order_relaxed); }
    /// Some events have no words yet: they are looked for in the index of before.
    [[nodiscard]] bool lacks_words() const { return lacks_words_.load(std::memory_order_acquire); }
    /// Changes before and after each commit by which an event appears, disappears or is another one.
    [[nodiscard]] std::uint64_t catalogue_version() const { return catalogue_version_.load(std::memory_order_acquire); }
    /// False while such a commit is being made: whether a snapshot has it cannot be told.
    [[nodiscard]] static constexpr bool is_settled(std::uint64_t catalogue_version) { return catalogue_version % 2 == 0; }
    /// Throws StoreFailure when nothing may be written any more.
    void check_ready() const;
    [[nodiscard]] const LogKeeper& log() const { return log_; }

private:
    void begin();
    void commit();
    void roll_back() noexcept;
    void settle_catalogue() noexcept;
    void publish() noexcept;
    void carry_out_one(WriteJob& job);

    Outcome act(const AddUser& act);
    Outcome act(const ChangeUser& act);
    Outcome act(const RenewHash& act);
    Outcome act(const Reindex& act);
    Outcome act(const AddEvent& act);
    Outcome act(const ChangeEvent& act);
    Outcome act(const RemoveEvent& act);
    Outcome act(const Reserve& act);
    Outcome act(const Pay& act);
    Outcome act(const Cancel& act);
    Outcome act(const LapseDue& act);
    Outcome act(const ForgetAnswers& act);
    Outcome act(const TakeEffects& act);
    Outcome act(const SettleEffects& act);
    Outcome act(const PostponeEffect& act);
    Outcome act(const TakeMailTurn& act);
    Outcome act(const MarkMailSent& act);

    /// Up to `most` rows of a kind each; returns how many.
    std::size_t reindex_events(std::size_t most);
    std::size_t reindex_users(std::size_t most);
    void index_words(EventId event, const std::string& words);
    /// Who has this mailbox: by an ASCII address or by its key.
    std::optional<UserId> owner_of(std::string_view email_key);
    /// Rows that are never removed, so that SQLite counts their ids up by itself but for the first one after a restore.
    enum class Numbered : std::uint8_t { user, event, ticket };
    /// The id for the next row where SQLite's own would not do: it counts on from there once the row is in, which given_id() is
    /// told.
    [[nodiscard]] std::optional<std::int64_t> first_id(Numbered what) const;
    std::int64_t given_id(Numbered what);
    void find_first_ids();

    /// The ticket, when it is `user`'s own.
    std::optional<Ticket> own_ticket(TicketId id, UserId user);
    std::optional<Event> event_row(EventId id);
    /// Up to `most` holds of one event that are due and waited for by no payment in time, earliest deadline first.
    std::vector<TicketId> due_holds(EventId event, Instant now, std::size_t most);
    /// Marks these due holds as expired, gives their seats back and notes the effect.
    void lapse(EventId event, Inventory::Stock& stock, std::span<const TicketId> holds, Instant now);
    /// Gives a lapsed hold, whose payment is in time, a seat again; hold_expired when none is free.
    Result<void> revive(const Ticket& ticket, Instant now);
    [[nodiscard]] bool is_awaited(TicketId ticket, Instant deadline) const;
    /// Writes what follows from a change into the outbox, so many tickets to a row; one row when there are none.
    void note(EffectKind kind, EventId event, std::span<const TicketId> tickets, Instant now);
    /// How many messages went to its recipient in the hour before, up to the most that may.
    std::int64_t mails_of_hour(const TakeMailTurn& act);
    std::int64_t forget_mails(Instant before, std::int64_t most);

    Connection db_;
    Places& places_;
    const Zones& zones_;
    const Arrivals* const arrivals_;
    const bool mails_;  // whether effects that need mail are written
    Inventory inventory_;

    std::int64_t ids_after_ = 0;
    std::array<bool, 3> ids_to_jump_{};         // by Numbered: the next one is the first after a restore
    std::array<bool, 3> ids_to_jump_before_{};  // the open transaction

    // What the open transaction will have done, for after its commit.
    std::vector<Place> put_;
    std::vector<EventId> removed_;
    std::int64_t reserved_change_ = 0;
    std::int64_t noted_ = 0;       // outbox rows in its life
    WriteJob* current_ = nullptr;  // the act that is being carried out
    bool catalogue_changed_ = false;

    std::atomic<std::int64_t> reserved_ = 0;
    std::atomic<std::uint64_t> catalogue_version_ = 0;
    std::atomic<bool> lacks_words_ = true;  // until a Reindex has found none
    LogKeeper log_;
};

}  // namespace boxoffice::sqlite
