#pragma once
#include <bit>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/effects.hpp"
#include "core/ports.hpp"

/// Every row of a store as it lies there, so that one engine's rows can be put into another's: nothing is judged, nothing is
/// left out. Each row knows its table and its columns, which are named alike in both engines; a table's key comes first.
namespace boxoffice
{

template <class Row, class Value>
struct Column {
    std::string_view name;
    Value Row::* at;
};

/// Bytes that are no text.
struct Bytes {
    std::string value;
    bool operator==(const Bytes&) const = default;
};

/// lasting: a row once there is there for good. passing: it goes when its time is up or its job is done.
enum class RowLife : std::uint8_t { lasting, passing };

struct UserRow {
    static constexpr std::string_view kTable = "users";
    static constexpr std::size_t kKeyColumns = 1;
    static constexpr bool kGivesIds = true;
    static constexpr RowLife kLife = RowLife::lasting;
    static constexpr auto columns()
    {
        using R = UserRow;
        return std::tuple{Column{"id", &R::id},
                          Column{"email", &R::email},
                          Column{"email_folded", &R::email_folded},
                          Column{"name", &R::name},
                          Column{"password_hash", &R::password_hash},
                          Column{"latitude", &R::latitude},
                          Column{"longitude", &R::longitude},
                          Column{"created_at", &R::created_at},
                          Column{"updated_at", &R::updated_at}};
    }

    UserId id;
    std::string email, email_folded, name, password_hash;
    std::optional<double> latitude, longitude;
    Instant created_at, updated_at;
};

struct EventRow {
    static constexpr std::string_view kTable = "events";
    static constexpr std::size_t kKeyColumns = 1;
    static constexpr bool kGivesIds = true;
    static constexpr RowLife kLife = RowLife::lasting;
    static constexpr auto columns()
    {
        using R = EventRow;
        return std::tuple{Column{"id", &R::id},
                          Column{"organizer_id", &R::organizer_id},
                          Column{"start_time", &R::start_time},
                          Column{"end_time", &R::end_time},
                          Column{"latitude", &R::latitude},
                          Column{"longitude", &R::longitude},
                          Column{"created_at", &R::created_at},
                          Column{"updated_at", &R::updated_at},
                          Column{"removed_at", &R::removed_at},
                          Column{"timezone", &R::timezone},
                          Column{"title", &R::title},
                          Column{"venue_address", &R::venue_address},
                          Column{"description", &R::description},
                          Column{"version", &R::version}};
    }

    EventId id;
    UserId organizer_id;
    Instant start_time, end_time;
    double latitude = 0, longitude = 0;
    Instant created_at, updated_at;
    std::optional<Instant> removed_at;
    std::string timezone, title, venue_address, description;
    std::int64_t version = 1;
};

struct InventoryRow {
    static constexpr std::string_view kTable = "inventory";
    static constexpr std::size_t kKeyColumns = 1;
    static constexpr bool kGivesIds = false;
    static constexpr RowLife kLife = RowLife::lasting;
    static constexpr auto columns()
    {
        using R = InventoryRow;
        return std::tuple{Column{"event_id", &R::event_id}, Column{"total", &R::total}, Column{"sold", &R::sold},
                          Column{"pace", &R::pace}, Column{"paced_at", &R::paced_at}};
    }

    EventId event_id;
    std::int64_t total = 0, sold = 0;
    double pace = 0;
    Instant paced_at;
};

struct TicketRow {
    static constexpr std::string_view kTable = "tickets";
    static constexpr std::size_t kKeyColumns = 1;
    static constexpr bool kGivesIds = true;
    static constexpr RowLife kLife = RowLife::lasting;
    static constexpr auto columns()
    {
        using R = TicketRow;
        return std::tuple{Column{"id", &R::id},
                          Column{"event_id", &R::event_id},
                          Column{"user_id", &R::user_id},
                          Column{"status", &R::status},
                          Column{"created_at", &R::created_at},
                          Column{"expires_at", &R::expires_at},
                          Column{"paid_at", &R::paid_at},
                          Column{"payment_reference", &R::payment_reference}};
    }

    TicketId id;
    EventId event_id;
    UserId user_id;
    std::int64_t status = 0;  // TicketStatus's number
    Instant created_at, expires_at;
    std::optional<Instant> paid_at;
    std::optional<std::string> payment_reference;
};

struct KeptAnswerRow {
    static constexpr std::string_view kTable = "kept_answers";
    static constexpr std::size_t kKeyColumns = 2;
    static constexpr bool kGivesIds = false;
    static constexpr RowLife kLife = RowLife::passing;
    static constexpr auto columns()
    {
        using R = KeptAnswerRow;
        return std::tuple{Column{"user_id", &R::user_id}, Column{"key", &R::key}, Column{"fingerprint", &R::fingerprint},
                          Column{"kept_at", &R::kept_at}, Column{"bytes", &R::bytes}};
    }

    UserId user_id;
    std::string key, fingerprint;
    Instant kept_at;
    Bytes bytes;
};

struct OutboxRow {
    static constexpr std::string_view kTable = "outbox";
    static constexpr std::size_t kKeyColumns = 1;
    static constexpr bool kGivesIds = true;
    static constexpr RowLife kLife = RowLife::passing;
    static constexpr auto columns()
    {
        using R = OutboxRow;
        return std::tuple{Column{"id", &R::id},           Column{"kind", &R::kind},       Column{"event_id", &R::event_id},
                          Column{"tickets", &R::tickets}, Column{"made_at", &R::made_at}, Column{"due_at", &R::due_at},
                          Column{"tries", &R::tries},     Column{"dead_at", &R::dead_at}, Column{"why", &R::why}};
    }

    std::int64_t id = 0, kind = 0;
    EventId event_id;
    std::vector<TicketId> tickets;
    Instant made_at, due_at;
    std::int64_t tries = 0;
    std::optional<Instant> dead_at;
    std::optional<std::string> why;
};

struct MailRow {
    static constexpr std::string_view kTable = "mails";
    static constexpr std::size_t kKeyColumns = 1;
    static constexpr bool kGivesIds = false;
    static constexpr RowLife kLife = RowLife::passing;
    static constexpr auto columns()
    {
        using R = MailRow;
        return std::tuple{Column{"key", &R::key}, Column{"until", &R::until}, Column{"sent_at", &R::sent_at},
                          Column{"recipient", &R::recipient}};
    }

    std::string key;
    Instant until;
    std::optional<Instant> sent_at;
    std::optional<std::string> recipient;
};

struct IdentityRow {
    static constexpr std::string_view kTable = "store_identity";
    static constexpr std::size_t kKeyColumns = 1;
    static constexpr bool kGivesIds = false;
    static constexpr RowLife kLife = RowLife::lasting;
    static constexpr auto columns()
    {
        using R = IdentityRow;
        return std::tuple{Column{"one", &R::one},
                          Column{"id", &R::id},
                          Column{"generation", &R::generation},
                          Column{"plain_until", &R::plain_until},
                          Column{"ids_after", &R::ids_after},
                          Column{"clock_accepted_at", &R::clock_accepted_at},
                          Column{"clock_ticket", &R::clock_ticket}};
    }

    std::int64_t one = 1;  // there is no other
    std::string id;
    std::int64_t generation = 1;
    Instant plain_until;
    std::int64_t ids_after = 0;
    std::optional<Instant> clock_accepted_at;
    TicketId clock_ticket;
};

/// Rows of one table. Also names a table, whatever rows it has. In this order no row points at one of a later table.
using ArchivePage =
    std::variant<std::vector<UserRow>, std::vector<EventRow>, std::vector<InventoryRow>, std::vector<TicketRow>,
                 std::vector<KeptAnswerRow>, std::vector<OutboxRow>, std::vector<MailRow>, std::vector<IdentityRow>>;

/// What every store that can be copied from offers. One thread at a time. Methods throw StoreFailure on failures.
class ArchiveSource
{
public:
    virtual ~ArchiveSource() = default;
    /// Up to `most` rows of the table of `last` after its last row, in the order of the key as this engine sorts it; from the
    /// beginning when `last` is empty. Empty at the end.
    [[nodiscard]] virtual ArchivePage next(const ArchivePage& last, std::size_t most) = 0;
    /// Those rows here that have the same keys as `rows`, in any order.
    [[nodiscard]] virtual ArchivePage find(const ArchivePage& rows) = 0;
    [[nodiscard]] virtual std::int64_t count(const ArchivePage& table) = 0;
    /// The highest id that the table has ever given; 0 when none, and when it gives none.
    [[nodiscard]] virtual std::int64_t last_id(const ArchivePage& table) = 0;
};

/// An event whose counter is not what its tickets say.
struct WrongCounter {
    EventId event;
    std::int64_t sold = 0;
    std::int64_t live = 0;
};

/// A store that can be copied into. What a method has done is durable when it returns.
class ArchiveTarget : public ArchiveSource
{
public:
    /// Adds these rows, or replaces those with the same keys, in one transaction. Throws StoreFailure invalid, naming the row,
    /// when the engine cannot keep one.
    virtual void put(const ArchivePage& rows) = 0;
    /// Removes the rows with these keys, in one transaction.
    virtual void remove(const ArchivePage& rows) = 0;
    /// The next id that the table gives is higher than `id`, and than any that it has given.
    virtual void give_ids_after(const ArchivePage& table, std::int64_t id) = 0;
    /// The first few of them.
    [[nodiscard]] virtual std::vector<WrongCounter> wrong_counters() = 0;
    /// Nothing more will be put: makes the store ready for queries.
    virtual void finish_copy() = 0;
    /// Throws StoreFailure busy when another process uses the store now. A copy blocks no other process.
    virtual void still_alone() = 0;
};

/// Calls work.template operator()<Row>() for each table, in the order of ArchivePage.
template <class Work>
void for_each_table(const Work& work)
{
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (work.template operator()<typename std::variant_alternative_t<I, ArchivePage>::value_type>(), ...);
    }(std::make_index_sequence<std::variant_size_v<ArchivePage>>());
}

/// Calls work(column) for the first `Count` columns of a row's table; all without one.
template <class Row, std::size_t Count = std::tuple_size_v<decltype(Row::columns())>, class Work>
constexpr void for_each_column(const Work& work)
{
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (work(std::get<I>(Row::columns())), ...);
    }(std::make_index_sequence<Count>());
}

/// The values of a row's key, as a tuple.
template <class Row>
[[nodiscard]] auto key_of(const Row& row)
{
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple{row.*(std::get<I>(Row::columns()).at)...};
    }(std::make_index_sequence<Row::kKeyColumns>());
}

template <class Value>
[[nodiscard]] bool same_value(const Value& a, const Value& b)
{
    return a == b;
}
/// Bit for bit: 0 and -0 are two values.
[[nodiscard]] inline bool same_value(double a, double b)
{
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
[[nodiscard]] inline bool same_value(const std::optional<double>& a, const std::optional<double>& b)
{
    return a.has_value() == b.has_value() && (!a || same_value(*a, *b));
}

/// The columns in which two rows differ, with commas between; empty when in none. No value is told: there are hashes among them.
template <class Row>
[[nodiscard]] std::string differing_columns(const Row& a, const Row& b)
{
    std::string names;
    for_each_column<Row>([&](const auto& column) {
        if (same_value(a.*column.at, b.*column.at)) return;
        if (!names.empty()) names += ", ";
        names += column.name;
    });
    return names;
}

/// What to call a row in a sentence: "tickets 17". Control characters of a key are shown as '?'.
[[nodiscard]] std::string name_of_row(const ArchivePage& rows, std::size_t index);
template <class Row>
[[nodiscard]] std::string name_of_row(const Row& row)
{
    return name_of_row(ArchivePage(std::vector<Row>{row}), 0);
}

// Whether a store that holds `now` may have held `earlier` before, both with the same key: what an event, a ticket or a user
// never changes is the same, and nothing of `earlier` is later than `now`. A row that a copy made is so as long as no other
// process wrote to it.
[[nodiscard]] bool may_have_become(const UserRow& earlier, const UserRow& now);
[[nodiscard]] bool may_have_become(const EventRow& earlier, const EventRow& now);
[[nodiscard]] bool may_have_become(const InventoryRow& earlier, const InventoryRow& now);
[[nodiscard]] bool may_have_become(const TicketRow& earlier, const TicketRow& now);
[[nodiscard]] bool may_have_become(const KeptAnswerRow& earlier, const KeptAnswerRow& now);
[[nodiscard]] bool may_have_become(const OutboxRow& earlier, const OutboxRow& now);
[[nodiscard]] bool may_have_become(const MailRow& earlier, const MailRow& now);
/// Every store is made with one, so this says nothing of whether the target has been used.
[[nodiscard]] bool may_have_become(const IdentityRow& earlier, const IdentityRow& now);

}  // namespace boxoffice
