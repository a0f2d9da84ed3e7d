#include <gtest/gtest.h>

#include <functional>

#include "core/core.hpp"
#include "fake_zones.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

const FakeZones kZones;
constexpr Instant kNow = Instant(1000h);

EventDraft good_draft()
{
    EventDraft draft;
    draft.title = "Jazz";
    draft.start_time = kNow + 24h;
    draft.end_time = kNow + 26h;
    draft.total_tickets = 10;
    draft.venue = {"1 Main Street", {52.5, 13.4}};
    return draft;
}

std::string places(const std::vector<FieldError>& errors)
{
    std::string all;
    for (const FieldError& error : errors) {
        if (!all.empty()) all += ' ';
        for (std::size_t i = 1; i < error.loc.size(); ++i) all += (i > 1 ? "." : "") + error.loc[i];
        all += ":" + error.type;
    }
    return all;
}

TEST(CheckDraft, NamesEveryBadFieldAtOnce)
{
    struct Row {
        const char* rule;
        std::function<void(EventDraft&)> spoil;
        const char* says;
    };
    const LocalTime skipped{1050 * 24h + 2h + 30min};
    const Row table[] = {
        {"a good draft has no errors", [](EventDraft&) {}, ""},
        {"a title has a character", [](EventDraft& d) { d.title = ""; }, "title:string_too_short"},
        {"and 200 at most", [](EventDraft& d) { d.title = std::string(201, 'x'); }, "title:string_too_long"},
        {"counted as people count",
         [](EventDraft& d) {
             for (d.title = ""; d.title.size() < 400;) d.title += "é";
         },
         ""},
        {"a description may be empty", [](EventDraft& d) { d.description = ""; }, ""},
        {"and has 5000 at most", [](EventDraft& d) { d.description = std::string(5001, 'x'); }, "description:string_too_long"},
        {"an unknown zone is named once",
         [](EventDraft& d) {
             d.timezone = "Mars/Base";
             d.start_time = LocalTime{};
         },
         "timezone:unknown_timezone"},
        {"a skipped wall time",
         [=](EventDraft& d) {
             d.timezone = "Test/Gap";
             d.start_time = skipped;
             d.end_time = kNow + 90000h;
         },
         "start_time:nonexistent_time"},
        {"the start comes before the end", [](EventDraft& d) { d.end_time = d.start_time; }, "end_time:not_after_start"},
        {"in the event's zone",
         [](EventDraft& d) {
             d.timezone = "Test/Plus2";
             d.start_time = LocalTime{1030h};
             d.end_time = Instant(1028h);
         },
         "end_time:not_after_start"},
        {"not yet ended",
         [](EventDraft& d) {
             d.start_time = kNow - 2h;
             d.end_time = kNow;
         },
         "end_time:already_over"},
        {"one under way may be sold",
         [](EventDraft& d) {
             d.start_time = kNow - 2h;
             d.end_time = kNow + 1us;
         },
         ""},
        {"at least one ticket", [](EventDraft& d) { d.total_tickets = 0; }, "total_tickets:out_of_range"},
        {"at most a billion", [](EventDraft& d) { d.total_tickets = kTicketsMax + 1; }, "total_tickets:out_of_range"},
        {"an address", [](EventDraft& d) { d.venue.address = ""; }, "venue.address:string_too_short"},
        {"of at most 500", [](EventDraft& d) { d.venue.address = std::string(501, 'x'); }, "venue.address:string_too_long"},
        {"the pole is a place", [](EventDraft& d) { d.venue.point = {90, 180}; }, ""},
        {"beyond it is none", [](EventDraft& d) { d.venue.point = {90.001, -180.001}; },
         "venue.latitude:out_of_range venue.longitude:out_of_range"},
        {"nor is what is no number", [](EventDraft& d) { d.venue.point.latitude = std::numeric_limits<double>::quiet_NaN(); },
         "venue.latitude:out_of_range"},
        {"all at once",
         [](EventDraft& d) {
             d.title = "";
             d.total_tickets = -1;
             d.venue.address = "";
         },
         "title:string_too_short total_tickets:out_of_range venue.address:string_too_short"},
    };
    for (const Row& row : table) {
        EventDraft draft = good_draft();
        row.spoil(draft);
        EXPECT_EQ(places(check_draft(draft, kZones, kNow)), row.says) << row.rule;
        EXPECT_EQ(decide_add_event(draft, UserId{1}, kZones, kNow).has_value(), std::string(row.says).empty()) << row.rule;
    }
}

Event stored(std::int64_t sold)
{
    Event event = *decide_add_event(good_draft(), UserId{1}, kZones, kNow);
    event.id = EventId{5};
    event.tickets_sold = sold;
    return event;
}

TEST(DecideChangeEvent, KeepsWhatThePatchDoesNotName)
{
    EventPatch patch;
    patch.title = "Blues";
    const Event changed = *decide_change_event(stored(3), UserId{1}, patch, kZones, kNow + 1h);
    EXPECT_EQ(changed.title, "Blues");
    EXPECT_EQ(changed.total_tickets, 10);
    EXPECT_EQ(changed.tickets_sold, 3);
    EXPECT_EQ(changed.id, EventId{5});
    EXPECT_EQ(changed.start_time, kNow + 24h);
    EXPECT_EQ(changed.created_at, kNow);
    EXPECT_EQ(changed.updated_at, kNow + 1h);
}

TEST(DecideChangeEvent, RefusesInOrderOfPrecedence)
{
    EventPatch fewer;
    fewer.total_tickets = 2;
    EventPatch wrong = fewer;
    wrong.title = "";
    EXPECT_EQ(decide_change_event(stored(3), UserId{2}, wrong, kZones, kNow).error().code, Code::not_organizer);
    EXPECT_EQ(decide_change_event(stored(3), UserId{1}, wrong, kZones, kNow).error().code, Code::invalid);
    EXPECT_EQ(decide_change_event(stored(3), UserId{1}, fewer, kZones, kNow).error().code, Code::below_sold);
    EXPECT_TRUE(decide_change_event(stored(2), UserId{1}, fewer, kZones, kNow).has_value());
}

TEST(DecideChangeEvent, LetsAPastEventBeCorrectedButNotMovedIntoThePast)
{
    EventPatch text;
    text.description = "It was fine.";
    EXPECT_TRUE(decide_change_event(stored(0), UserId{1}, text, kZones, kNow + 9000h).has_value());
    EventPatch end;
    end.end_time = kNow + 25h;
    EXPECT_EQ(decide_change_event(stored(0), UserId{1}, end, kZones, kNow + 9000h).error().code, Code::invalid);
}

TEST(DecideChangeEvent, ReadsWallTimeInTheNewZoneElseInTheOldOne)
{
    EventPatch patch;
    patch.start_time = LocalTime{1025h};
    EXPECT_EQ(decide_change_event(stored(0), UserId{1}, patch, kZones, kNow)->start_time, Instant(1025h));
    patch.timezone = "Test/Plus2";
    EXPECT_EQ(decide_change_event(stored(0), UserId{1}, patch, kZones, kNow)->start_time, Instant(1023h));
}

TEST(DecideChangeEvent, IsMadeOnlyAtAVersionThatItIsMeantFor)
{
    Event event;
    event.title = "Jazz";
    event.start_time = kNow + 24h;
    event.end_time = kNow + 26h;
    event.timezone = "UTC";
    event.total_tickets = 5;
    event.venue.address = "x";
    event.organizer_id = UserId{1};
    event.version = 3;
    EventPatch patch;
    EXPECT_EQ(decide_change_event(event, UserId{1}, patch, kZones, kNow)->version, 3) << "it changes nothing";
    patch.title = "Jazz";
    EXPECT_EQ(decide_change_event(event, UserId{1}, patch, kZones, kNow)->version, 3) << "nor does this";
    EXPECT_EQ(decide_change_event(event, UserId{1}, patch, kZones, kNow)->updated_at, event.updated_at);
    patch.total_tickets = 6;
    EXPECT_EQ(decide_change_event(event, UserId{1}, patch, kZones, kNow, OnlyAt({1, 3}))->version, 4);
    patch.title = "";
    for (const OnlyAt& other : {OnlyAt(std::vector<std::int64_t>{}), OnlyAt({2}), OnlyAt({4, 33})}) {
        EXPECT_EQ(decide_change_event(event, UserId{1}, patch, kZones, kNow, other).error().code, Code::precondition_failed);
        EXPECT_EQ(decide_change_event(event, UserId{2}, patch, kZones, kNow, other).error().code, Code::not_organizer);
        EXPECT_EQ(decide_remove_event(event, UserId{1}, 1, other).error().code, Code::precondition_failed);
        EXPECT_EQ(decide_remove_event(event, UserId{2}, 1, other).error().code, Code::not_organizer);
    }
    EXPECT_EQ(decide_remove_event(event, UserId{1}, 1, OnlyAt({3})).error().code, Code::has_tickets);
    EXPECT_FALSE(decide_remove_event(event, UserId{1}, 0, OnlyAt({3})).has_error());
}

TEST(DecideRemoveEvent, RefusesOthersFirstThenLiveTickets)
{
    EXPECT_EQ(decide_remove_event(stored(1), UserId{2}, 1).error().code, Code::not_organizer);
    EXPECT_EQ(decide_remove_event(stored(1), UserId{1}, 1).error().code, Code::has_tickets);
    EXPECT_TRUE(decide_remove_event(stored(1), UserId{1}, 0).has_value());
}

/// What must not be in a text, whatever the field.
const std::pair<std::string, const char*> kFlaws[] = {
    {" ", "blank"},
    {"\u3000\u00a0 ", "blank"},
    {"\u200b\u2060\ufeff", "blank"},
    {"\u3164", "blank"},
    {"\u2800\u2800", "blank"},
    {"\u00ad", "blank"},
    {"\ufe0f", "blank"},
    {"\U000e0041", "blank"},
    {"a\u0001", "control_characters"},
    {"a\u001b[31m", "control_characters"},
    {"a\u007f", "control_characters"},
    {"\u0085b", "control_characters"},
    {"a\u202eb", "bidi_controls"},
    {"\u2066a\u2069", "bidi_controls"},
};

TEST(CheckTexts, RefuseWhatCannotBeSeenOrTurnsThingsRound)
{
    const auto refused = [](const auto& check, const std::string& text) {
        std::vector<FieldError> errors;
        check(text, errors);
        return errors.empty() ? std::string() : errors[0].type;
    };
    for (const auto& [text, type] : kFlaws) {
        EXPECT_EQ(refused(check_name, text), type) << text;
        EXPECT_EQ(refused(check_reference, text), type) << text;
        EventDraft draft = good_draft();
        draft.title = draft.description = draft.venue.address = text;
        const std::string type_of = std::string(":") + type;
        EXPECT_EQ(places(check_draft(draft, kZones, kNow)),
                  "title" + type_of + " description" + type_of + " venue.address" + type_of);
    }
    for (const char* line_break : {"a\nb", "a\tb", "a\u2028b", "a\r\nb"}) {
        EXPECT_EQ(refused(check_name, line_break), "control_characters");
        EventDraft draft = good_draft();
        draft.description = line_break;
        EXPECT_EQ(places(check_draft(draft, kZones, kNow)), "") << "a description has lines";
        draft.title = line_break;
        EXPECT_EQ(places(check_draft(draft, kZones, kNow)), "title:control_characters");
    }
    EventDraft returning = good_draft();
    returning.description = "a\rb";
    EXPECT_EQ(places(check_draft(returning, kZones, kNow)), "description:control_characters") << "no line break by itself";
    for (const char* good :
         {"Zoë", "a b", " Ada ", "\u202aa", "नमस्ते", "שלום\u200f", "👩‍👩‍👧", "می‌خواهم", "!", "e\u0301"})
        EXPECT_EQ(refused(check_name, good), std::string_view(good).starts_with("\u202a") ? "bidi_controls" : "") << good;
}

TEST(CheckTexts, LetAnOldTextStayWhereSomethingElseIsChanged)
{
    Event event = stored(1);
    event.title = "a\u0001";
    event.description = "\u202e";
    EventPatch patch;
    patch.total_tickets = 20;
    EXPECT_TRUE(decide_change_event(event, UserId{1}, patch, kZones, kNow).has_value());
    patch.description = event.description;
    EXPECT_EQ(places(decide_change_event(event, UserId{1}, patch, kZones, kNow).error().fields), "description:bidi_controls");
}

TEST(CheckEmail, TakesAddressesAndRefusesWhatCannotBeOne)
{
    const std::string long_local(64, 'a');
    for (const std::string& good :
         {std::string("a@b.co"), std::string("Ada.Lovelace+x@sub.example.org"), std::string("ada@exämple.org"),
          std::string("a@例え。テスト"), std::string("!#$%&'*+-/=?^_`{|}~@b.co"), std::string("a@xn--bcher-kva.de"),
          std::string("a@1.2.3.four"), long_local + "@b.co"}) {
        std::vector<FieldError> errors;
        check_email(good, errors);
        EXPECT_TRUE(errors.empty()) << good;
    }
    for (const std::string& bad : {std::string(),
                                   std::string("a"),
                                   std::string("a@"),
                                   std::string("@b.co"),
                                   std::string("a@b"),
                                   std::string("a b@c.de"),
                                   std::string("a@b@c.de"),
                                   std::string("a@.de"),
                                   std::string("a@b."),
                                   std::string("a@b..c"),
                                   std::string("a@b.c\n"),
                                   std::string("a>b@example.org"),
                                   std::string("<a@b.co>"),
                                   std::string("\"odd\"@example.org"),
                                   std::string("ü@example.org"),
                                   std::string(".a@b.co"),
                                   std::string("a.@b.co"),
                                   std::string("a..b@c.de"),
                                   std::string("a,b@c.de"),
                                   std::string("a(b)@c.de"),
                                   std::string("a@[127.0.0.1]"),
                                   std::string("a@127.0.0.1"),
                                   std::string("a@[IPv6:::1]"),
                                   std::string("a@1.2.3.0x4"),
                                   std::string("a@b.co:25"),
                                   std::string("a@b_c.de"),
                                   std::string("a@-b.co"),
                                   std::string("a@b.co."),
                                   std::string("a@b/c.de"),
                                   std::string("a@xn--a.de"),
                                   std::string("a@\u200b.de"),
                                   std::string("a@b.co\u202e"),
                                   "a" + long_local + "@b.co",
                                   "a@" + std::string(64, 'b') + ".co"}) {
        std::vector<FieldError> errors;
        check_email(bad, errors);
        EXPECT_EQ(errors.size(), 1u) << bad;
    }
    std::vector<FieldError> errors;
    check_email(std::string(250, 'a') + "@b.co", errors);
    EXPECT_EQ(errors.at(0).type, "string_too_long");
    EXPECT_EQ(fold_email("Ada@Example.ORG"), "ada@example.org");
}

TEST(CheckPassword, CountsBytesNotCharacters)
{
    const auto wrong = [](const std::string& password) {
        std::vector<FieldError> errors;
        check_password(password, errors);
        return errors.empty() ? std::string() : errors[0].type;
    };
    EXPECT_EQ(wrong("1234567"), "string_too_short");
    EXPECT_EQ(wrong("12345678"), "");
    EXPECT_EQ(wrong("ääää"), "");
    EXPECT_EQ(wrong("a\u0308a\u0308a\u0308"), "string_too_short") << "of what is hashed: six bytes";
    std::string decomposed;
    for (int i = 0; i < 36; ++i) decomposed += "a\u0308";
    EXPECT_EQ(wrong(decomposed), "") << "108 bytes as typed, 72 as hashed";
    EXPECT_EQ(wrong(decomposed + "a"), "string_too_long");
    EXPECT_EQ(wrong(std::string(72, 'x')), "");
    EXPECT_EQ(wrong(std::string(73, 'x')), "string_too_long");
    EXPECT_EQ(wrong(std::string("1234\0"
                                "5678",
                                9)),
              "value_error");
}

TEST(DecidePublishing, SaysWhatTheTableSays)
{
    const Instant now(500'000h);
    EXPECT_TRUE(decide_publishing({}, now));
    EXPECT_TRUE(decide_publishing(now - 24h, now));
    const auto refused = decide_publishing(now - 24h + 1us, now);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::rate_limited);
    EXPECT_EQ(refused.error().retry_after, 1us);
    EXPECT_EQ(decide_publishing(now, now).error().retry_after, 24h);
}

}  // namespace
}  // namespace boxoffice
