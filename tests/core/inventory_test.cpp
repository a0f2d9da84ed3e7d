#include <gtest/gtest.h>

#include "core/core.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

constexpr Instant at(std::int64_t second) { return Instant(std::chrono::seconds(second)); }

/// "ok" or the word of the refusal.
template <class T>
std::string said(const Result<T>& result)
{
    return result ? "ok" : std::string(code_word(result.error().code));
}

struct ReserveRow {
    const char* rule;
    ReserveFacts facts;
    std::int64_t now;
    const char* says;
};

TEST(DecideReserve, SaysWhatTheTableSays)
{
    const ReserveRow table[] = {
        {"a free seat is sold", {10, 9, 0, at(100)}, 50, "ok"},
        {"the last seat was sold", {10, 10, 0, at(100)}, 50, "sold_out"},
        {"a due hold makes room", {10, 10, 1, at(100)}, 50, "ok"},
        {"the event ends at its end, not after it", {10, 0, 0, at(100)}, 100, "event_over"},
        {"a moment before the end it is on", {10, 0, 0, at(100)}, 99, "ok"},
        {"over comes before sold out", {10, 10, 0, at(100)}, 100, "event_over"},
        {"one seat, none sold", {1, 0, 0, at(100)}, 0, "ok"},
        {"a billion seats, all but one sold", {kTicketsMax, kTicketsMax - 1, 0, at(100)}, 0, "ok"},
    };
    for (const ReserveRow& row : table) EXPECT_EQ(said(decide_reserve(row.facts, at(row.now))), row.says) << row.rule;
}

Ticket ticket(TicketStatus status, std::int64_t expires, const char* reference = nullptr)
{
    Ticket made;
    made.id = TicketId{7};
    made.status = status;
    made.expires_at = at(expires);
    if (reference) made.payment_reference = reference;
    return made;
}

struct PayRow {
    const char* rule;
    Ticket ticket;
    const char* reference;
    std::optional<TicketId> owner;
    std::int64_t now;
    const char* says;
};

TEST(DecidePay, RefusesInOrderOfPrecedence)
{
    using enum TicketStatus;
    const TicketId other{8};
    const PayRow table[] = {
        {"a live hold is paid", ticket(reserved, 100), "r", {}, 99, "ok"},
        {"it is too late at the deadline, not after it", ticket(reserved, 100), "r", {}, 100, "hold_expired"},
        {"the same reference again is the same answer", ticket(paid, 100, "r"), "r", TicketId{7}, 500, "ok"},
        {"another reference is a second payment", ticket(paid, 100, "r"), "s", {}, 99, "already_paid"},
        {"paid comes before a foreign reference", ticket(paid, 100, "r"), "s", other, 99, "already_paid"},
        {"a cancelled ticket stays cancelled", ticket(cancelled, 100), "r", {}, 99, "cancelled"},
        {"cancelled comes before expired", ticket(cancelled, 100), "r", other, 500, "cancelled"},
        {"a lapsed hold is expired from its deadline on", ticket(expired, 100), "r", {}, 100, "hold_expired"},
        {"a payment in time is in time although its hold was lapsed", ticket(expired, 100), "r", {}, 99, "ok"},
        {"expired comes before a foreign reference", ticket(expired, 100), "r", other, 100, "hold_expired"},
        {"a foreign reference pays no lapsed hold either", ticket(expired, 100), "r", other, 99, "reference_used"},
        {"a reference pays one ticket only", ticket(reserved, 100), "r", other, 99, "reference_used"},
    };
    for (const PayRow& row : table)
        EXPECT_EQ(said(decide_pay(row.ticket, row.reference, row.owner, at(row.now))), row.says) << row.rule;
    EXPECT_EQ(*decide_pay(ticket(paid, 100, "r"), "r", {}, at(1)), PayPlan::already_so);
    EXPECT_EQ(*decide_pay(ticket(reserved, 100), "r", {}, at(1)), PayPlan::mark_paid);
    EXPECT_EQ(*decide_pay(ticket(expired, 100), "r", {}, at(99)), PayPlan::revive);
}

TEST(DecideRevive, SaysWhatTheTableSays)
{
    const struct {
        const char* rule;
        ReserveFacts facts;
        const char* says;
    } table[] = {
        {"a seat is free", {10, 9, 0, at(100)}, "ok"},
        {"the last seat was sold meanwhile", {10, 10, 0, at(100)}, "hold_expired"},
        {"a due hold makes room", {10, 10, 1, at(100)}, "ok"},
    };
    for (const auto& row : table) EXPECT_EQ(said(decide_revive(row.facts)), row.says) << row.rule;
}

TEST(DecideCancel, SaysWhatTheTableSays)
{
    using enum TicketStatus;
    struct Row {
        const char* rule;
        Ticket ticket;
        std::int64_t now;
        const char* says;
    };
    const Row table[] = {
        {"a live hold can be given back", ticket(reserved, 100), 99, "ok"},
        {"not at its deadline", ticket(reserved, 100), 100, "hold_expired"},
        {"not once paid", ticket(paid, 100, "r"), 99, "already_paid"},
        {"a paid ticket past its hold is paid", ticket(paid, 100, "r"), 900, "already_paid"},
        {"not twice", ticket(cancelled, 100), 99, "cancelled"},
        {"what arrived in time is in time although its hold was lapsed", ticket(expired, 100), 99, "ok"},
        {"a lapsed hold is expired from its deadline on", ticket(expired, 100), 100, "hold_expired"},
    };
    for (const Row& row : table) EXPECT_EQ(said(decide_cancel(row.ticket, at(row.now))), row.says) << row.rule;
    EXPECT_EQ(*decide_cancel(ticket(reserved, 100), at(99)), CancelPlan::give_back);
    EXPECT_EQ(*decide_cancel(ticket(expired, 100), at(99)), CancelPlan::already_free);
}

TEST(VisibleAt, ShowsAHoldAsExpiredFromItsDeadlineOn)
{
    using enum TicketStatus;
    EXPECT_EQ(visible_at(ticket(reserved, 100), at(100) - 1us).status, reserved);
    EXPECT_EQ(visible_at(ticket(reserved, 100), at(100)).status, expired);
    EXPECT_EQ(visible_at(ticket(paid, 100, "r"), at(900)).status, paid);
    EXPECT_EQ(visible_at(ticket(cancelled, 100), at(900)).status, cancelled);
}

TEST(Words, NameEveryCodeOnceAndEveryStatus)
{
    std::vector<std::string_view> words;
    for (int code = 0; code <= static_cast<int>(Code::internal); ++code) {
        const auto word = code_word(static_cast<Code>(code));
        EXPECT_EQ(std::count(words.begin(), words.end(), word), 0) << word;
        EXPECT_TRUE(default_message(static_cast<Code>(code)).ends_with('.') ||
                    default_message(static_cast<Code>(code)).ends_with("errors."))
            << word;
        words.push_back(word);
    }
    EXPECT_EQ(status_word(TicketStatus::cancelled), "cancelled");
}

}  // namespace
}  // namespace boxoffice
