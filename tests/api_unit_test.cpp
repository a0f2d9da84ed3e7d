// The parts of the REST API that need no lanes: times, JSON in and out, forms and queries, links, tags, kept answers, routes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "api/api.hpp"
#include "api/decode.hpp"
#include "api/encode.hpp"
#include "api/etag.hpp"
#include "api/form.hpp"
#include "api/idempotency.hpp"
#include "api/in_flight.hpp"
#include "api/kept_reply.hpp"
#include "api/paging.hpp"
#include "api/problem.hpp"
#include "api/query.hpp"
#include "api/request_id.hpp"
#include "api/routes.hpp"
#include "api_faults.hpp"
#include "core/rules.hpp"
#include "json/json.hpp"

namespace boxoffice::http
{
namespace
{

using std::chrono::sys_days;
using namespace std::chrono_literals;

const Instant kNow = sys_days{2026y / 11 / 22};

std::string time_text(std::string_view text)
{
    const auto input = parse_time(text);
    if (!input) return "none";
    std::string out;
    if (const auto* local = std::get_if<LocalTime>(&*input)) {
        append_time(out, Instant(local->time_since_epoch()));
        out.back() = 'L';
    } else {
        append_time(out, std::get<Instant>(*input));
    }
    return out;
}

TEST(ParseTime, ReadsWhatRfc3339Allows)
{
    const std::pair<const char*, const char*> rows[] = {
        {"2027-05-01T19:30:00Z", "2027-05-01T19:30:00Z"},
        {"2027-05-01t19:30:00z", "2027-05-01T19:30:00Z"},
        {"2027-05-01 19:30:00Z", "2027-05-01T19:30:00Z"},
        {"2027-05-01T19:30:00+02:00", "2027-05-01T17:30:00Z"},
        {"2027-05-01T00:30:00+02:00", "2027-04-30T22:30:00Z"},
        {"2027-05-01T19:30:00-00:00", "2027-05-01T19:30:00Z"},
        {"2027-05-01T19:30Z", "2027-05-01T19:30:00Z"},
        {"2027-05-01T19:30", "2027-05-01T19:30:00L"},
        {"2027-05-01T19:30:05.25", "2027-05-01T19:30:05.250000L"},
        {"2027-05-01T19:30:05.123456789Z", "2027-05-01T19:30:05.123456Z"},
        {"2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
        {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"},
    };
    for (const auto& [text, want] : rows) EXPECT_EQ(time_text(text), want) << text;
}

TEST(ParseTime, RefusesWhatIsNoTime)
{
    for (const char* text : {"",
                             "2027",
                             "2027-05-01",
                             "2027-5-1T19:30:00Z",
                             "2027-02-29T00:00:00Z",
                             "2027-13-01T00:00:00Z",
                             "2027-05-32T00:00:00Z",
                             "2027-05-00T00:00:00Z",
                             "2027-05-01T24:00:00Z",
                             "2027-05-01T19:60:00Z",
                             "2027-06-30T23:59:60Z",
                             "2027-05-01T19:30:00.Z",
                             "2027-05-01T19:30:00.1234567890Z",
                             "2027-05-01T19:30:00+2:00",
                             "2027-05-01T19:30:00+0200",
                             "2027-05-01T19:30:00+24:00",
                             "2027-05-01T19:30:00+02:60",
                             "2027-05-01T19:30:00Z ",
                             " 2027-05-01T19:30:00Z",
                             "2027-05-01T19:30:00ZZ",
                             "2027-05-01_19:30:00Z",
                             "0000-05-01T19:30:00Z",
                             "10000-01-01T00:00:00Z",
                             "0001-01-01T00:00:00+01:00",
                             "9999-12-31T23:59:59-01:00",
                             "9999-12-31T23:59:59",
                             "2027-05-01T19:30:00 02:00",
                             "-027-05-01T19:30:00Z",
                             "20270501T193000Z",
                             "tomorrow"}) {
        EXPECT_EQ(time_text(text), "none") << text;
    }
}

TEST(JsonWriter, EscapesWhatJsonAsksAndNothingElse)
{
    std::string out;
    JsonWriter json(out);
    json.begin_object()
        .key("a")
        .string("q\"b\\n\nt\tr\rc\x01\x1f d\x7f ü€😀/[{:")
        .key("b")
        .begin_array()
        .null()
        .integer(-5)
        .end_array()
        .end_object();
    EXPECT_EQ(out, "{\"a\":\"q\\\"b\\\\n\\nt\\tr\\rc\\u0001\\u001f d\x7f ü€😀/[{:\",\"b\":[null,-5]}");
}

TEST(JsonWriter, WritesTheShortestDigitsWithoutAnExponent)
{
    const std::pair<double, const char*> rows[] = {{0, "0"},
                                                   {-0.0, "0"},
                                                   {10, "10"},
                                                   {100000, "100000"},
                                                   {0.1, "0.1"},
                                                   {-73.98542900000001, "-73.98542900000001"},
                                                   {40.712776, "40.712776"},
                                                   {1e-6, "0.000001"},
                                                   {20040000, "20040000"},
                                                   {1e300, "1e+300"}};
    for (const auto& [value, want] : rows) {
        std::string out;
        JsonWriter(out).number(value);
        EXPECT_EQ(out, want);
        EXPECT_EQ(std::strtod(out.c_str(), nullptr), value);
    }
}

TEST(EncodeTicket, ShowsAHoldAsExpiredFromTheInstantItsTimeIsUp)
{
    Ticket ticket{TicketId{7}, UserId{2}, EventId{3}, TicketStatus::reserved, kNow, kNow + 120s, {}, {}};
    EXPECT_EQ(encode_ticket(ticket, kNow),
              R"({"id":7,"user_id":2,"event_id":3,"status":"reserved","created_at":"2026-11-22T00:00:00Z",)"
              R"("expires_at":"2026-11-22T00:02:00Z","paid_at":null,"payment_reference":null})");
    EXPECT_NE(encode_ticket(ticket, kNow + 120s - 1us).find("reserved"), std::string::npos);
    EXPECT_NE(encode_ticket(ticket, kNow + 120s).find("\"expired\""), std::string::npos);
    ticket.status = TicketStatus::paid;
    ticket.paid_at = kNow + 1us;
    ticket.payment_reference = "r";
    EXPECT_NE(encode_ticket(ticket, kNow + 999s).find(R"("paid","created_at")"), std::string::npos);
    EXPECT_NE(encode_ticket(ticket, kNow).find(R"("paid_at":"2026-11-22T00:00:00.000001Z","payment_reference":"r")"),
              std::string::npos);
}

TEST(QueryParameters, AreAllJudgedAtOnce)
{
    auto query = Query::parse(
        "skip=-1&limit=101&a=x&b=9999999999999999999&c=maybe&d=nan&e=1e999&f=2027-13-01&g=sold&h=a%00b&i=0&after=x&fields=all",
        "skip limit a b c d e f g h i after fields");
    ASSERT_TRUE(query);
    (void)query->after<EventKey>(query->slice(100));
    (void)query->fields();
    (void)query->id("i");
    (void)query->integer("a");
    (void)query->integer("b");
    (void)query->flag("c");
    (void)query->number("d");
    (void)query->number("e");
    (void)query->time("f");
    (void)query->status("g");
    (void)query->text("h");
    EXPECT_EQ(faults(query->error()),
              "query.a:int_parsing query.after:cursor query.b:int_range query.c:bool_parsing query.d:finite_number "
              "query.e:finite_number "
              "query.f:datetime_parsing "
              "query.fields:enum query.g:enum query.h:string_nul query.i:greater_than_equal query.limit:less_than_equal "
              "query.skip:greater_than_equal");
}

TEST(QueryParameters, ReadWhatIsGood)
{
    auto query = Query::parse(
        "skip=5&limit=1&x=-1.5e1&t=2027-05-01T19:30:00+02:00&u=2027-05-01T19:30:00%2B02:00&w=2027-05-01T19:30&b=1&q=a+b%20c&s="
        "paid",
        "skip limit x t u w b q s");
    ASSERT_TRUE(query);
    const auto slice = query->slice(100);
    EXPECT_EQ(slice.skip, 5);
    EXPECT_EQ(slice.limit, 1);
    EXPECT_EQ(query->number("x"), -15);
    const Instant want = sys_days{2027y / 5 / 1} + 17h + 30min;
    EXPECT_EQ(query->time("t"), want);
    EXPECT_EQ(query->time("u"), want);
    EXPECT_EQ(query->time("w"), want + 2h);
    EXPECT_TRUE(query->flag("b"));
    EXPECT_FALSE(query->flag("none"));
    EXPECT_EQ(query->text("q"), "a b c");
    EXPECT_EQ(query->status("s"), TicketStatus::paid);
    EXPECT_TRUE(query->good());
    EXPECT_EQ(Query::parse("q=%ff", "q").has_error(), true);
}

TEST(QueryParameters, AreKnownAndGivenOnce)
{
    const auto said = [](std::string_view encoded) {
        auto query = Query::parse(encoded, "skip limit starts_after");
        if (!query) return std::string("malformed");
        std::string text;
        for (const FieldError& error : query->errors()) text += error.loc.back() + ": " + error.msg + ";";
        return text;
    };
    EXPECT_EQ(said("skip=1&limit=2"), "");
    EXPECT_EQ(said("skip=1&limti=2&Skip=1"),
              "limti: Unknown parameter; did you mean limit?;Skip: Unknown parameter; did you mean skip?;");
    EXPECT_EQ(said("start_after=x&nothing+like+it"),
              "start_after: Unknown parameter; did you mean starts_after?;nothing like it: Unknown parameter; known are skip, "
              "limit, starts_after;");
    EXPECT_EQ(said("="), ": Unknown parameter; known are skip, limit, starts_after;");
    EXPECT_EQ(said("LIMIT=2&lmit=1&ilmit=1"),
              "LIMIT: Unknown parameter; did you mean limit?;lmit: Unknown parameter; did you mean "
              "limit?;ilmit: Unknown parameter; did you mean limit?;");
    EXPECT_EQ(said("skip=1&skip=1"), "malformed");
    EXPECT_EQ(said("skip=1&sk%69p=2"), "malformed");
    EXPECT_EQ(said("x&x"), "malformed");
    std::string many;
    for (int i = 0; i < 1000; ++i) many += std::to_string(i) + "&";
    const std::string some = said(many);
    EXPECT_EQ(std::count(some.begin(), some.end(), ';'), 2 * 16);
}

TEST(QueryParameters, SayYesAndNoInEveryUsualWay)
{
    for (const char* yes : {"true", "True", "TRUE", "1", "yes", "Yes", "on", "ON"}) {
        auto query = Query::parse(std::string("b=") + yes, "b");
        EXPECT_TRUE(query->flag("b") && query->good()) << yes;
    }
    for (const char* no : {"false", "FALSE", "0", "no", "No", "off", "oFF"}) {
        auto query = Query::parse(std::string("b=") + no, "b");
        EXPECT_TRUE(!query->flag("b") && query->good()) << no;
    }
    for (const char* neither : {"", "2", "y", "t", "yess", "-1", "null"}) {
        auto query = Query::parse(std::string("b=") + neither, "b");
        EXPECT_TRUE(!query->flag("b") && !query->good()) << neither;
    }
}

TEST(Cursors, ComeBackFromTheirOwnListOnly)
{
    const Cursor<EventKey> event{{Instant(-5us), EventId{7}}, Direction::before};
    const Cursor<TicketId> ticket{TicketId{std::numeric_limits<std::int64_t>::max()}, Direction::after};
    const Cursor<DistanceKey> distance{{1234.567, EventId{7}}, Direction::after};
    Cursor<EventKey> back_event;
    Cursor<TicketId> back_ticket;
    Cursor<DistanceKey> back_distance;
    EXPECT_TRUE(read_cursor(write_cursor(event), back_event) && back_event == event);
    EXPECT_TRUE(read_cursor(write_cursor(ticket), back_ticket) && back_ticket == ticket);
    EXPECT_TRUE(read_cursor(write_cursor(distance), back_distance) && back_distance == distance);
    EXPECT_FALSE(read_cursor(write_cursor(event), back_distance));
    EXPECT_FALSE(read_cursor(write_cursor(ticket), back_event));
    for (const char* odd :
         {"", "e", "ea", "ea.", "ea.1", "ea.1.", "ea.1.2.", "ea.1.2.3", "ec.1.2", "ea.x.2", "ea.-1.2", "ea.1.11111111111111111"})
        EXPECT_FALSE(read_cursor(odd, back_event)) << odd;
}

TEST(PageLinks, KeepEveryOtherParameter)
{
    EXPECT_EQ(page_links("/e/?q=a%20b&skip=20&limit=10&x", {20, 10}, 35),
              "</e/?q=a%20b&x&skip=30&limit=10>; rel=\"next\", </e/?q=a%20b&x&skip=10&limit=10>; rel=\"prev\"");
    EXPECT_EQ(page_links("/e/?after=ea.1.2&q=a", {0, 10}, 35, {Direction::after, true, "eb.1", "ea.9"}),
              "</e/?q=a&after=ea.9&limit=10>; rel=\"next\", </e/?q=a&after=eb.1&limit=10>; rel=\"prev\"");
    EXPECT_EQ(page_links("/e/", {0, 100}, 100), "");
    EXPECT_EQ(page_links("/e/", {0, 100}, 101), "</e/?skip=100&limit=100>; rel=\"next\"");
    EXPECT_EQ(page_links("/e/", {std::numeric_limits<std::int64_t>::max(), 10}, 35), "</e/?skip=25&limit=10>; rel=\"prev\"");
}

TEST(PageLinks, GivePagingOnceHoweverItWasEncoded)
{
    EXPECT_EQ(page_links("/e/?%6cimit=10&q=a&s%6Bip=20", {20, 10}, 35),
              "</e/?q=a&skip=30&limit=10>; rel=\"next\", </e/?q=a&skip=10&limit=10>; rel=\"prev\"");
    EXPECT_EQ(page_links("/e/?%61fter=ea.1.2&%71=a", {0, 10}, 35, {Direction::after, true, "", "ea.9"}),
              "</e/?%71=a&after=ea.9&limit=10>; rel=\"next\", </e/?%71=a&skip=25&limit=10>; rel=\"prev\"");
    EXPECT_EQ(page_links("/e/?limit%3d=1&xlimit=2", {0, 10}, 11), "</e/?limit%3d=1&xlimit=2&skip=10&limit=10>; rel=\"next\"");
}

TEST(PageLinks, HoldNoByteThatEndsThem)
{
    EXPECT_EQ(page_links("/e/?q=a>;\"b\"#c|d%3E", {0, 10}, 11), "</e/?q=a%3E;%22b%22%23c%7Cd%3E&skip=10&limit=10>; rel=\"next\"");
}

TEST(PageLinks, LeadToNeighboursThatShowNothingTwice)
{
    EXPECT_EQ(page_links("/e/", {5, 10}, 8), "</e/?skip=0&limit=5>; rel=\"prev\"");
    EXPECT_EQ(page_links("/e/", {15, 10}, 7), "</e/?skip=0&limit=7>; rel=\"prev\"");
    EXPECT_EQ(page_links("/e/", {5, 10}, 0), "");
    EXPECT_EQ(page_links("/e/", {0, 10}, 20, {{}, true, "eb.1", "ea.9"}), "</e/?after=ea.9&limit=10>; rel=\"next\"");
    EXPECT_EQ(page_links("/e/", {10'000, 10}, 20'000), "</e/?skip=9990&limit=10>; rel=\"prev\"") << "no further by number";
    EXPECT_EQ(page_links("/e/", {0, 10}, 20, {Direction::after, false, "eb.1", "ea.9"}),
              "</e/?after=eb.1&limit=10>; rel=\"prev\"");
    EXPECT_EQ(page_links("/e/", {0, 10}, 20, {Direction::before, false, "eb.1", "ea.9"}),
              "</e/?after=ea.9&limit=10>; rel=\"next\"");
    EXPECT_EQ(page_links("/e/", {0, 10}, 20, {Direction::before, false, "", ""}), "</e/?skip=0&limit=10>; rel=\"next\"");
    EXPECT_EQ(page_links("/e/", {0, 10}, 12, {Direction::after, false, "", ""}), "</e/?skip=2&limit=10>; rel=\"prev\"");
    EXPECT_EQ(page_links("/e/", {0, 10}, 0, {Direction::after, false, "", ""}), "");
}

TEST(Etags, CompareWeaklyAndInLists)
{
    for (const char* header : {"*", "\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\" ", " , \"a\""})
        EXPECT_TRUE(none_match_names(header, "\"a\"")) << header;
    for (const char* header : {"", "a", "\"b\"", "\"a", "\"A\"", "\"b\" \"c\"", "\"a,\""})
        EXPECT_FALSE(none_match_names(header, "\"a\"")) << header;
}

TEST(Etags, AreNotMatchedByWhatIsNoListOfTags)
{
    for (const char* header : {"\"a\"junk",
                               "\"x\" \"a\"",
                               "\"a\" \"x\"",
                               "\"a\", junk",
                               "junk, \"a\"",
                               "\"a\", \"x",
                               "\"a\";",
                               "*, \"x\"",
                               "*, \"a\"",
                               "\"a\", *",
                               "*junk",
                               "**",
                               "*,",
                               ",*",
                               "* *",
                               "w/\"a\"",
                               "W/ \"a\"",
                               "W/",
                               "\"a\", \"b c\"",
                               "\"a\", \"\x7f\""})
        EXPECT_FALSE(none_match_names(header, "\"a\"")) << header;
    for (const char* header : {" * ", "\"a\"\t,", "\"\", \"a\"", "\"a\",\"\xc3\xbc\""})
        EXPECT_TRUE(none_match_names(header, "\"a\"")) << header;
}

TEST(Etags, AreLookedForInAllFieldsAsOneList)
{
    const auto status = [](std::vector<std::string> values) {
        Request request;
        for (std::string& value : values) request.headers.emplace_back("if-none-match", std::move(value));
        Reply reply;
        reply.status = 200;
        reply.body = "body";
        add_etag(reply, request, std::nullopt, [](std::string_view) { return std::string("tag"); });
        return reply.status;
    };
    EXPECT_EQ(status({}), 200);
    EXPECT_EQ(status({"\"x\"", "\"tag\""}), 304);
    EXPECT_EQ(status({"*"}), 304);
    EXPECT_EQ(status({"*", "\"x\""}), 200);
    EXPECT_EQ(status({"junk", "\"tag\""}), 200);
    EXPECT_EQ(status({"\"tag", "\""}), 200);
}

TEST(IfMatch, AsksForVersionsOrForNothingInParticular)
{
    const auto asked = [](std::vector<std::string> values) -> std::string {
        Request request;
        for (auto& value : values) request.headers.emplace_back("if-match", std::move(value));
        const auto only_at = read_if_match(request);
        if (!only_at) return "malformed";
        if (!*only_at) return "any";
        std::string text = "only";
        for (const auto version : **only_at) text += ' ' + std::to_string(version);
        return text;
    };
    EXPECT_EQ(asked({}), "any");
    EXPECT_EQ(asked({" * "}), "any");
    EXPECT_EQ(asked({"\"v3-0a1b\""}), "only 3");
    EXPECT_EQ(asked({"\"v3\", \"v14-x\" ,,\"other\""}), "only 3 14");
    EXPECT_EQ(asked({"\"v3-a\"", "\"v4-a\""}), "only 3 4");
    for (const char* never : {"W/\"v3-0a1b\"", "\"\"", "\"v\"", "\"v0-a\"", "\"v03-a\"", "\"v3a\"", "\"V3-a\"", "\"v-3\"",
                              "\"v9223372036854775808\"", "\"a,b\""})
        EXPECT_EQ(asked({never}), "only") << never;
    for (const char* odd : {"", ",", "v3", "\"v3", "\"v3\" \"v4\"", "*, \"v3\"", "\"v3\", *", "w/\"v3\"", "\"v 3\"", "W/", "**"})
        EXPECT_EQ(asked({odd}), "malformed") << odd;
    EXPECT_EQ(asked({"*", "*"}), "malformed");
    EXPECT_EQ(asked({"*", "\"v3\""}), "malformed");
}

TEST(KeptReplies, ComeBackAsTheyWere)
{
    Reply reply;
    reply.status = 201;
    reply.content_type = "application/json";
    reply.headers = {{"Location", "/api/v1/tickets/7"}, {"X", "a: b"}};
    reply.body = "{\n\n\"a\":1}\n";
    const auto back = restore(keep(reply));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->status, 201);
    EXPECT_EQ(back->content_type, reply.content_type);
    EXPECT_EQ(back->headers, reply.headers);
    EXPECT_EQ(back->body, reply.body);
    const auto empty = restore(keep(Reply{204, "", {}, "", {}}));
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->status, 204);
    EXPECT_EQ(empty->body, "");
    const std::string whole = keep(reply).bytes;
    for (std::size_t cut = 0; cut < whole.find("\n\n"); ++cut) EXPECT_FALSE(restore(KeptAnswer{whole.substr(0, cut)})) << cut;
    EXPECT_FALSE(restore(KeptAnswer{"reply/2\n200\n\n\n"}));
}

TEST(InFlightKeys, BelongToOneUserAndOneRequestAtATime)
{
    InFlight running;
    EXPECT_EQ(running.enter(UserId{1}, "k", "f"), InFlight::Entry::entered);
    EXPECT_EQ(running.enter(UserId{1}, "k", "f"), InFlight::Entry::same_is_running);
    EXPECT_EQ(running.enter(UserId{1}, "k", "g"), InFlight::Entry::other_is_running);
    EXPECT_EQ(running.enter(UserId{2}, "k", "f"), InFlight::Entry::entered);
    running.leave(UserId{1}, "k");
    EXPECT_EQ(running.enter(UserId{1}, "k", "g"), InFlight::Entry::entered);
}

TEST(IdempotencyKeys, Have1To255VisibleCharacters)
{
    EXPECT_FALSE(key_error("k"));
    EXPECT_FALSE(key_error(std::string(255, '~')));
    for (const auto& bad :
         {std::string(), std::string(256, 'a'), std::string("a b"), std::string("\xc3\xbc"), std::string("a\x7f")})
        EXPECT_TRUE(key_error(bad));
}

TEST(RequestIds, AreKeptWhenSaneAndNeverRepeat)
{
    EXPECT_TRUE(is_sane_request_id("a-Z.0:9_"));
    for (const auto& bad :
         {std::string(), std::string("a b"), std::string("a\"b"), std::string(129, 'a'), std::string("\xc3\xbc")})
        EXPECT_FALSE(is_sane_request_id(bad));
    const auto seed = [](std::size_t bytes) { return std::string(bytes * 2, '7'); };
    const auto first = make_request_id(seed);
    EXPECT_EQ(first.size(), 32U);
    EXPECT_EQ(first.find_first_not_of("0123456789abcdef"), first.npos);
    EXPECT_NE(first, make_request_id(seed));
}

std::string found(Method method, std::string_view path)
{
    static const Router router(routes());
    const Match match = router.find(method, path);
    if (match.route != nullptr) return std::string(match.route->pattern) + (match.id != 0 ? "=" + std::to_string(match.id) : "");
    return match.allow.empty() ? "none" : match.allow;
}

TEST(Routes, AreFoundByMethodAndPath)
{
    const struct {
        Method method;
        const char* path;
        const char* want;
    } rows[] = {
        {Method::get, "/", "/"},
        {Method::get, "/api/v1/events/", "/api/v1/events/"},
        {Method::head, "/api/v1/events", "/api/v1/events/"},
        {Method::post, "/api/v1/tickets", "/api/v1/tickets/"},
        {Method::get, "/api/v1/events/42", "/api/v1/events/{id}=42"},
        {Method::get, "/api/v1/%65vents/%34%32", "/api/v1/events/{id}=42"},
        {Method::get, "/api/v1/events/9223372036854775807", "/api/v1/events/{id}=9223372036854775807"},
        {Method::get, "/api/v1/events/9223372036854775808", "none"},
        {Method::get, "/api/v1/events/0", "none"},
        {Method::get, "/api/v1/events/-1", "none"},
        {Method::get, "/api/v1/events/01", "none"},
        {Method::get, "/api/v1/events/1.0", "none"},
        {Method::get, "/api/v1/events/x", "none"},
        {Method::get, "/api/v1/events/42/", "none"},
        {Method::get, "/api/v1/events//", "none"},
        {Method::get, "//api/v1/events/", "none"},
        {Method::get, "/api/v1/events%2F42", "none"},
        {Method::get, "/API/v1/events/", "none"},
        {Method::get, "/api/v1/tickets/user/5", "/api/v1/tickets/user/{user_id}=5"},
        {Method::post, "/api/v1/tickets/5/pay", "/api/v1/tickets/{id}/pay=5"},
        {Method::get, "/api/v1/tickets/5/pay", "POST, OPTIONS"},
        {Method::get, "/api/v1/tickets/", "POST, OPTIONS"},
        {Method::put, "/api/v1/events/7", "GET, HEAD, PATCH, DELETE, OPTIONS"},
        {Method::options, "/api/v1/auth/me", "GET, HEAD, PATCH, OPTIONS"},
        {Method::other, "/health", "GET, HEAD, OPTIONS"},
        {Method::get, "/a/b/c/d/e/f/g/h/i/j/k", "none"},
        {Method::get, "", "none"},
    };
    for (const auto& row : rows) EXPECT_EQ(found(row.method, row.path), row.want) << row.path;
}

TEST(Routes, AreNamedOnceEach)
{
    auto names = route_names();
    std::sort(names.begin(), names.end(), [](const RouteName& a, const RouteName& b) {
        return std::tie(a.pattern, a.method) < std::tie(b.pattern, b.method);
    });
    EXPECT_EQ(names.size(), 25U);
    EXPECT_EQ(
        std::adjacent_find(names.begin(), names.end(),
                           [](const RouteName& a, const RouteName& b) { return a.pattern == b.pattern && a.method == b.method; }),
        names.end());
}

TEST(Problems, TellTheCodeAndKeepTheDetailForTheLog)
{
    const Reply reply = problem(Error{Code::sold_out, {}, "SELECT secret"}, "id1");
    EXPECT_EQ(reply.status, 409);
    EXPECT_EQ(reply.content_type, "application/problem+json");
    EXPECT_EQ(reply.body, R"({"type":"urn:boxoffice:problem:sold_out","title":"Sold out","status":409,"detail":")" +
                              std::string(default_message(Code::sold_out)) + R"(","code":"sold_out","instance":"id1"})");
    const Reply invalid = problem(Error{Code::invalid, {}, {}, {{{"body", "a\"b"}, "m", "t"}}}, "i");
    EXPECT_NE(invalid.body.find(R"("errors":[{"loc":["body","a\"b"],"msg":"m","type":"t"}]})"), std::string::npos);
    EXPECT_EQ(problem(Error{Code::unauthenticated, {}}, "i").headers.front().first, "WWW-Authenticate");
    const Reply unknown = problem(Error{Code::storage_failed, "Nobody knows.", "lost in COMMIT"}, "i");
    EXPECT_NE(unknown.body.find(R"("detail":"Nobody knows.","code":"storage_failed")"), std::string::npos);
    EXPECT_EQ(unknown.body.find("COMMIT"), std::string::npos);
    EXPECT_NE(problem(413, "Too much.", "i").body.find("\"payload_too_large\""), std::string::npos);
}

TEST(ContentTypes, OfJsonAreTold)
{
    for (const char* type : {"", "application/json", "Application/JSON ; charset=utf-8", "application/merge-patch+json"})
        EXPECT_TRUE(is_json(type)) << type;
    for (const char* type :
         {"text/plain", "text/json", "application/xml", "application/jsonx", "multipart/form-data; boundary=x"})
        EXPECT_FALSE(is_json(type)) << type;
}

}  // namespace
}  // namespace boxoffice::http
