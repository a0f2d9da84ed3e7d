// Bodies into acts: what cannot be read, what is of the wrong type and what breaks a rule, all in one answer.
#include <gtest/gtest.h>

#include "api/decode.hpp"
#include "api_faults.hpp"

namespace boxoffice::http
{
namespace
{

using std::chrono::sys_days;
using namespace std::chrono_literals;

/// UTC and one made-up zone two hours ahead of it, whose clocks skip 2027-03-28 02:00 to 03:00.
class TwoZones : public Zones
{
public:
    bool exists(std::string_view zone) const override { return zone == "UTC" || zone == "Test/Ahead"; }
    std::optional<Instant> to_instant(LocalTime local, std::string_view zone) const override
    {
        if (!exists(zone)) return std::nullopt;
        const Instant as_utc(local.time_since_epoch());
        const Instant skipped = sys_days{2027y / 3 / 28} + 2h;
        if (zone == "Test/Ahead" && as_utc >= skipped && as_utc < skipped + 1h) return std::nullopt;
        return zone == "UTC" ? as_utc : as_utc - 2h;
    }
    std::optional<LocalTime> to_local(Instant instant, std::string_view zone) const override
    {
        if (!exists(zone)) return std::nullopt;
        return LocalTime((zone == "UTC" ? instant : instant + 2h).time_since_epoch());
    }
};

const Instant kNow = sys_days{2026y / 11 / 22};

Request with_body(std::string body)
{
    Request request;
    request.method = Method::post;
    request.body = std::move(body);
    return request;
}

TEST(ReadJson, TellsUnreadableBodiesFromWrongOnes)
{
    const auto fault = [](std::string body) { return faults(decode_ticket_order(with_body(std::move(body)))); };
    for (const char* body : {"", "  ", "{", "nul", "{\"event_id\":1}x", "{\"event_id\":01}", "{\"event_id\":1,}",
                             "{'event_id':1}", "{\"event_id\":\xff}", "{\"event_id\":\"\xed\xa0\x80\"}",
                             "{\"a\":\"\\ud800\",\"event_id\":1}", "\xef\xbb\xbf{\"event_id\":1}", "{\"event_id\":1"}) {
        EXPECT_EQ(fault(body), "malformed") << body;
    }
    for (const char* body : {"[]", "5", "\"x\"", "null", "true", "99999999999999999999"})
        EXPECT_EQ(fault(body), "body:object_type") << body;
    EXPECT_EQ(fault("{}"), "body.event_id:missing");
    EXPECT_EQ(fault("{\"event_id\":5,\"other\":{\"deep\":[1e999,123456789012345678901234567890]}}"), "none");
    EXPECT_EQ(fault("{\"event_id\":\"5\"}"), "body.event_id:int_type");
    EXPECT_EQ(fault("{\"event_id\":null,\"user_id\":null}"), "body.event_id:int_type");
    EXPECT_EQ(fault("{\"event_id\":1.5,\"user_id\":true}"), "body.event_id:int_type body.user_id:int_type");
    EXPECT_EQ(fault("{\"event_id\":9223372036854775807}"), "none");
    for (const char* number : {"9223372036854775808", "18446744073709551616", "-9223372036854775809", "1234567890123456789012345",
                               "1e999", "-1e999"}) {
        EXPECT_EQ(fault("{\"x\":\"\\\"12345678901234567890123\",\"event_id\":" + std::string(number) + "}"),
                  "body.event_id:int_range")
            << number;
    }
}

TEST(ReadJson, NestsThirtyTwoDeepAndNoDeeper)
{
    const auto nested = [](int depth) {
        return "{\"event_id\":1,\"x\":" + std::string(static_cast<std::size_t>(depth - 1), '[') + "1" +
               std::string(static_cast<std::size_t>(depth - 1), ']') + "}";
    };
    EXPECT_EQ(faults(decode_ticket_order(with_body(nested(32)))), "none");
    EXPECT_EQ(faults(decode_ticket_order(with_body(nested(33)))), "malformed");
    EXPECT_EQ(faults(decode_ticket_order(with_body(std::string(60000, '[')))), "malformed");
}

TEST(ReadJson, TakesWholeNumbersHoweverTheyAreWritten)
{
    const auto read = [](const std::string& number) -> std::string {
        const auto order = decode_ticket_order(with_body("{\"s\":\"1.5\\\\\",\"x\":-2.50,\"event_id\":" + number + "}"));
        return order ? std::to_string(order->event.value) : faults(order);
    };
    for (const auto& [number, value] :
         std::initializer_list<std::pair<const char*, const char*>>{{"100.0", "100"},
                                                                    {"1e2", "100"},
                                                                    {"1E+2", "100"},
                                                                    {"0.01e4", "100"},
                                                                    {"1000e-1", "100"},
                                                                    {"100.000000000000000000000", "100"},
                                                                    {"9007199254740993.0", "9007199254740993"},
                                                                    {"9.223372036854775807e18", "9223372036854775807"},
                                                                    {"0.00000000000000000000000000000001e34", "100"}}) {
        EXPECT_EQ(read(number), value) << number;
    }
    for (const char* number :
         {"1.5", "100.00000000000000000001", "9007199254740992.5", "1e-1", "1e-400", "5e-324", "1e-99999999999999999999"})
        EXPECT_EQ(read(number), "body.event_id:int_type") << number;
    for (const char* number : {"9.223372036854775808e18", "1e19", "1e308", "1e309", "-1e400", "1e99999999999999999999"})
        EXPECT_EQ(read(number), "body.event_id:int_range") << number;
    for (const char* number : {"0.0", "-0.0", "0e5", "-100.0"})
        EXPECT_EQ(read(number), "body.event_id:greater_than_equal") << number;
    for (const char* number : {"1.", ".5", "01.0", "1.0.0", "1e2e3", "1e2.5", "--1.0", "1.0x", "1e", "+1.0", "1.0e+"})
        EXPECT_EQ(read(number), "malformed") << number;
}

TEST(ReadJson, RefusesTwoFieldsOfOneNameWhereverTheyStand)
{
    for (const char* body : {R"({"event_id":1,"event_id":2})", R"({"event_id":1,"event_\u0069d":1})",
                             R"({"event_id":1,"x":[{"a":{"b":1,"b":1}}]})", R"({"event_id":1,"":1,"":2})"}) {
        const auto order = decode_ticket_order(with_body(body));
        EXPECT_EQ(faults(order), "malformed") << body;
        EXPECT_NE(order.error().message.find("twice"), std::string::npos) << order.error().message;
    }
    std::string many = "{\"event_id\":1";
    for (int i = 0; i < 1000; ++i) many += ",\"f" + std::to_string(i) + "\":{\"event_id\":1}";
    EXPECT_EQ(faults(decode_ticket_order(with_body(many + "}"))), "none");
    EXPECT_EQ(faults(decode_ticket_order(with_body(many + ",\"f500\":1}"))), "malformed");
    EXPECT_EQ(faults(decode_ticket_order(with_body(many + ",\"event_id\":1}"))), "malformed");
}

TEST(ReadJson, TellsLineAndColumnOfAFault)
{
    const auto said = [](std::string body) { return decode_ticket_order(with_body(std::move(body))).error().message; };
    EXPECT_EQ(said("{\"event_id\": 1,}"), "The body is not valid JSON: line 1, column 16.");
    EXPECT_EQ(said("{\n  \"title\": \"Bühne\",\n  \"x\": 'a'\n}"), "The body is not valid JSON: line 3, column 8.");
    EXPECT_EQ(said("{\"ü\": nope}"), "The body is not valid JSON: line 1, column 7.");
    EXPECT_EQ(said(""), "The body is empty where JSON was expected: line 1, column 1.");
    EXPECT_EQ(said(std::string(40, '[') + "1" + std::string(40, ']')),
              "The JSON of the body is nested too deeply: line 1, column 33.");
}

TEST(DecodeTicketOrder, RefusesWhatItWouldBeTakenToHaveDone)
{
    EXPECT_EQ(faults(decode_ticket_order(with_body(R"({"event_id":1,"quantity":1})"))), "body.quantity:refused_field");
    EXPECT_EQ(faults(decode_ticket_order(with_body(R"({"quantity":null})"))),
              "body.event_id:missing body.quantity:refused_field");
    EXPECT_EQ(faults(decode_user_patch(with_body(R"({"name":"N","email":"a@b.cd","password":"x"})"), UserId{1}, kNow)),
              "body.email:refused_field body.password:refused_field");
}

TEST(DecodeRegistration, ListsEveryBadFieldOnce)
{
    EXPECT_EQ(faults(decode_registration(with_body("{}"))), "body.email:missing body.name:missing body.password:missing");
    EXPECT_EQ(
        faults(decode_registration(
            with_body(R"({"email":"x","name":"","password":"short","location":{"latitude":91,"longitude":"e"}})"))),
        "body.email:value_error body.location.longitude:float_type body.name:string_too_short body.password:string_too_short");
    EXPECT_EQ(
        faults(decode_registration(with_body(R"({"email":"a@b.cd","name":"A\u0000B","password":"12345678","location":null})"))),
        "body.name:string_nul");
    EXPECT_EQ(faults(decode_registration(with_body(
                  R"({"email":"a@b.cd","name":"A","password":"12345678","location":{"latitude":1e999,"longitude":1}})"))),
              "body.location.latitude:out_of_range");
}

TEST(DecodeUserPatch, TellsLeftOutFromNull)
{
    const auto left_out = decode_user_patch(with_body("{}"), UserId{1}, kNow);
    ASSERT_TRUE(left_out);
    EXPECT_FALSE(left_out->sets_location);
    EXPECT_FALSE(left_out->name);
    const auto cleared = decode_user_patch(with_body(R"({"location":null})"), UserId{1}, kNow);
    ASSERT_TRUE(cleared);
    EXPECT_TRUE(cleared->sets_location);
    EXPECT_FALSE(cleared->location);
    const auto moved =
        decode_user_patch(with_body(R"({"location":{"latitude":1,"longitude":-2.5},"name":"N"})"), UserId{1}, kNow);
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->location, (GeoPoint{1, -2.5}));
    EXPECT_EQ(faults(decode_user_patch(with_body(R"({"name":null,"location":5})"), UserId{1}, kNow)),
              "body.location:object_type body.name:string_type");
}

TEST(DecodeCredentials, TakesAFormAndJson)
{
    auto form = with_body("grant_type=password&username=a%2Bb%40c.de&password=last+%C3%BC&scope=");
    form.headers = {{"content-type", "application/x-www-form-urlencoded; charset=UTF-8"}};
    const auto read = decode_credentials(form);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->email, "a+b@c.de");
    EXPECT_EQ(read->password, "last ü");
    form.body = "username=a";
    EXPECT_EQ(faults(decode_credentials(form)), "body.password:missing");
    for (const char* bad : {"username=%zz&password=x", "username=%4&password=x", "username=%ff&password=x", "username=%"}) {
        form.body = bad;
        EXPECT_EQ(faults(decode_credentials(form)), "malformed") << bad;
    }
    EXPECT_EQ(faults(decode_credentials(with_body(R"({"email":"a","password":"b"})"))), "none");
    for (const char* bad :
         {"username=a&password=b&password=b", "grant_type=client_credentials&username=a&password=b",
          "grant_type=&grant_type=password&username=a&password=b", "grant_type=PASSWORD&username=a&password=b"}) {
        form.body = bad;
        EXPECT_EQ(faults(decode_credentials(form)), "malformed") << bad;
    }
    EXPECT_EQ(faults(decode_credentials(with_body(R"({"email":5})"))), "body.email:string_type body.password:missing");
    EXPECT_EQ(faults(decode_credentials(with_body(R"({"username":"a","password":"b"})"))), "none");
    EXPECT_EQ(faults(decode_credentials(with_body(R"({"username":"a","email":"a","password":"b"})"))), "none");
    EXPECT_EQ(faults(decode_credentials(with_body(R"({"username":"a","email":"b","password":"b"})"))), "body.email:ambiguous");
    EXPECT_EQ(faults(decode_credentials(with_body(R"({"password":"b"})"))), "body.email:missing");
}

TEST(DecodeCredentials, TakesAFormsParametersWithoutAValueForLeftOut)
{
    auto form = with_body("");
    form.headers = {{"content-type", "application/x-www-form-urlencoded"}};
    for (const char* good : {"grant_type=&username=a&password=b", "grant_type&username=a&password=b",
                             "grant_type=&username=a&password=b&scope=&client_id=&client_secret="}) {
        form.body = good;
        EXPECT_EQ(faults(decode_credentials(form)), "none") << good;
    }
    for (const char* bad : {"username=&password=", "grant_type=&username&password", "grant_type=password"}) {
        form.body = bad;
        EXPECT_EQ(faults(decode_credentials(form)), "body.password:missing body.username:missing") << bad;
    }
    form.body = "username=a&password=";
    EXPECT_EQ(faults(decode_credentials(form)), "body.password:missing");
}

const char* const kGoodEvent =
    R"({"title":"T","start_time":"2027-05-01T19:30","end_time":"2027-05-01T22:00:00Z","timezone":"Test/Ahead","total_tickets":5,
    "venue":{"address":"A","latitude":1,"longitude":2},"id":99,"tickets_sold":99})";

TEST(DecodeEventDraft, ReadsWallTimeAndLeavesUnknownFieldsAlone)
{
    const auto draft = decode_event_draft(with_body(kGoodEvent), TwoZones{}, kNow);
    ASSERT_TRUE(draft) << faults(draft);
    EXPECT_TRUE(std::holds_alternative<LocalTime>(draft->start_time));
    EXPECT_TRUE(std::holds_alternative<Instant>(draft->end_time));
    EXPECT_EQ(draft->description, "");
    EXPECT_EQ(draft->venue.point, (GeoPoint{1, 2}));
}

TEST(DecodeEventDraft, ListsTypesAndRulesTogetherAndNoneTwice)
{
    const auto fault = [](std::string body) { return faults(decode_event_draft(with_body(std::move(body)), TwoZones{}, kNow)); };
    EXPECT_EQ(fault("{}"),
              "body.end_time:missing body.start_time:missing body.title:missing body.total_tickets:missing body.venue:missing");
    EXPECT_EQ(
        fault(R"({"title":"","start_time":"soon","end_time":"2020-01-01T00:00:00Z","timezone":"Mars/Base","total_tickets":0,
                        "venue":{"address":7,"latitude":-91}})"),
        "body.end_time:already_over body.start_time:datetime_parsing body.timezone:unknown_timezone body.title:string_too_short "
        "body.total_tickets:out_of_range body.venue.address:string_type body.venue.latitude:out_of_range "
        "body.venue.longitude:missing");
    EXPECT_EQ(fault(R"({"title":"T","start_time":"2027-05-01T19:30","end_time":5,"timezone":5,"total_tickets":1.5,"venue":[]})"),
              "body.end_time:datetime_type body.timezone:string_type body.total_tickets:int_type body.venue:object_type");
    EXPECT_EQ(
        fault(
            R"({"title":"T","start_time":"2027-03-28T02:30","end_time":"2027-03-28T09:00","timezone":"Test/Ahead","total_tickets":1,
                        "venue":{"address":"A","latitude":1,"longitude":2}})"),
        "body.start_time:nonexistent_time");
}

TEST(DecodeEventPatch, LeavesRulesToTheStoreUnlessAFieldCannotBeRead)
{
    const auto patch = decode_event_patch(with_body(R"({"title":"","venue":{"longitude":500}})"), TwoZones{}, kNow);
    ASSERT_TRUE(patch);
    EXPECT_EQ(patch->title, "");
    EXPECT_EQ(patch->venue.point.longitude, 500);
    EXPECT_FALSE(patch->venue.point.latitude);
    EXPECT_EQ(faults(decode_event_patch(with_body(R"({"title":"","total_tickets":"5","venue":{"longitude":500,"address":null}})"),
                                        TwoZones{}, kNow)),
              "body.title:string_too_short body.total_tickets:int_type body.venue.address:string_type "
              "body.venue.longitude:out_of_range");
}

}  // namespace
}  // namespace boxoffice::http
