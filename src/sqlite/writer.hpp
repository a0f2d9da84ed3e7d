#pragma once
#include <atomic>
#include <span>

#include "core/decide.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/facts.hpp"
#include "sqlite/log_keeper.hpp"
#include "sqlite/places.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice::sqlite
{

/// Writes batches: the only object that writes to the file. One thread. What a batch does to the store is decided in core
/// (core/decide.hpp), on facts that are looked up in the batch's transaction.
class Writer
{
public:
    Writer(const SqliteOptions& options, Places& places, const Zones& zones, ReadGate& gate);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void execute(std::span<WriteJob* const> jobs);
    /// Checkpoints what the WAL has gathered, when it is worth a disk sync.
    void idle() { log_.tend_idle(); }

    [[nodiscard]] std::int64_t reserved() const { return reserved_.load(std::memory_order_relaxed); }
    /// Some events have no words yet: they are looked for in the index of before.
    [[nodiscard]] bool lacks_words() const { return lacks_words_.load(std::memory_order_acquire); }
    /// Changes before and after each commit by which an event appears, disappears or is another one.
    [[nodiscard]] std::uint64_t catalogue_version() const { return catalogue_version_.load(std::memory_order_acquire); }
    /// False while such a commit is being made: whether a snapshot has it cannot be told.
    [[nodiscard]] static constexpr bool is_stable(std::uint64_t catalogue_version) { return catalogue_version % 2 == 0; }
    /// Throws StoreFailure when nothing may be written any more.
    void check_ready() const;
    [[nodiscard]] const LogKeeper& log() const { return log_; }

private:
    void commit();
    void roll_back() noexcept;
    void end_catalogue_change() noexcept;
    void publish(const Changes& changes) noexcept;

    // The acts that are answered here and not decided in core.
    Outcome act(const Reindex& act);
    Outcome act(const ForgetAnswers& act);
    Outcome act(const TakeEffects& act);
    Outcome act(const SettleEffects& act);
    Outcome act(const PostponeEffect& act);
    Outcome act(const TakeMailTurn& act);
    Outcome act(const MarkMailSent& act);

    /// Up to `most` rows of a kind each; returns how many.
    std::size_t reindex_events(std::size_t most);
    std::size_t reindex_users(std::size_t most);
    /// How many messages went to its recipient in the hour before, up to the most that may.
    std::int64_t mails_of_hour(const TakeMailTurn& act);
    std::int64_t forget_mails(Instant before, std::int64_t most);

    Connection db_;
    Places& places_;
    const DecideOptions decide_;
    LiveFacts facts_;
    bool catalogue_changed_ = false;  // by the open transaction

    std::atomic<std::int64_t> reserved_ = 0;
    std::atomic<std::uint64_t> catalogue_version_ = 0;
    std::atomic<bool> lacks_words_ = true;  // until a Reindex has found none
    LogKeeper log_;
};

}  // namespace boxoffice::sqlite
