#include <tuple>

#include "scene.hpp"

using namespace blackbox;

namespace
{

/// The start of an event made with that wall time (or time) and zone, as the server gives it out.
Instant start_of(Person& anna, const std::string& start, const std::string& zone)
{
    const Json event = make_event(anna, {{"start_time", start}, {"end_time", "2038-01-01T00:00:00Z"}, {"timezone", zone}});
    EXPECT_EQ(event["timezone"], zone);
    return parse_time(event["start_time"]);
}

Answer try_start(Person& anna, const Json& start, const std::string& zone)
{
    return anna.post("/events/", draft({{"start_time", start}, {"end_time", "2038-01-01T00:00:00Z"}, {"timezone", zone}}));
}

}  // namespace

TEST(Times, WithoutAnOffsetAreOnTheWallOfTheEventsZone)
{
    Person anna = sign_up();
    using Row = std::tuple<const char*, const char*, const char*>;
    for (const auto& [wall, zone, instant] : {Row{"2027-07-01T20:00:00", "Europe/Berlin", "2027-07-01T18:00:00Z"},
                                              Row{"2027-01-01T20:00:00", "Europe/Berlin", "2027-01-01T19:00:00Z"},
                                              Row{"2027-07-01T20:00:00", "America/New_York", "2027-07-02T00:00:00Z"},
                                              Row{"2027-07-01T20:00:00", "Asia/Kathmandu", "2027-07-01T14:15:00Z"},
                                              Row{"2027-07-01T20:00:00", "UTC", "2027-07-01T20:00:00Z"},
                                              Row{"2027-07-01T20:00:00.250", "Australia/Sydney", "2027-07-01T10:00:00.250Z"}}) {
        EXPECT_EQ(start_of(anna, wall, zone), parse_time(instant)) << wall << " " << zone;
    }
}

TEST(Times, WithoutAnOffsetOrAZoneAreUtc)
{
    Person anna = sign_up();
    const Json event = make_event(anna, {{"start_time", "2027-07-01T20:00:00"}, {"end_time", "2027-07-01T22:00:00"}});
    EXPECT_EQ(event["timezone"], "UTC");
    EXPECT_EQ(parse_time(event["start_time"]), parse_time("2027-07-01T20:00:00Z"));
}

TEST(Times, WithAnOffsetMeanThatInstantWhateverTheZone)
{
    Person anna = sign_up();
    EXPECT_EQ(start_of(anna, "2027-07-01T20:00:00+09:00", "Europe/Berlin"), parse_time("2027-07-01T11:00:00Z"));
    EXPECT_EQ(start_of(anna, "2027-07-01T20:00:00-03:30", "Europe/Berlin"), parse_time("2027-07-01T23:30:00Z"));
    EXPECT_EQ(start_of(anna, "2027-07-01T20:00:00Z", "Europe/Berlin"), parse_time("2027-07-01T20:00:00Z"));
}

TEST(Times, OnTheWallThatAClockChangeSkipsAreRefused)
{
    Person anna = sign_up();
    EXPECT_TRUE(is_invalid(try_start(anna, "2027-03-28T02:30:00", "Europe/Berlin"), {"body.start_time"}));
    EXPECT_TRUE(is_invalid(try_start(anna, "2027-03-28T02:00:00", "Europe/Berlin"), {"body.start_time"}));
    EXPECT_TRUE(is_invalid(try_start(anna, "2027-03-14T02:30:00", "America/New_York"), {"body.start_time"}));
    EXPECT_EQ(start_of(anna, "2027-03-28T01:59:59", "Europe/Berlin"), parse_time("2027-03-28T00:59:59Z"));
    EXPECT_EQ(start_of(anna, "2027-03-28T03:00:00", "Europe/Berlin"), parse_time("2027-03-28T01:00:00Z"));
}

TEST(Times, OnTheWallThatAClockChangeRepeatsAreTheEarlier)
{
    Person anna = sign_up();
    EXPECT_EQ(start_of(anna, "2027-10-31T02:30:00", "Europe/Berlin"), parse_time("2027-10-31T00:30:00Z"));
    EXPECT_EQ(start_of(anna, "2027-10-31T03:00:00", "Europe/Berlin"), parse_time("2027-10-31T02:00:00Z"));
    EXPECT_EQ(start_of(anna, "2027-11-07T01:30:00", "America/New_York"), parse_time("2027-11-07T05:30:00Z"));
}

TEST(Times, InAZoneThatDoesNotExistAreRefused)
{
    Person anna = sign_up();
    for (const char* zone : {"Europe/Atlantis", "", "../../../etc/passwd", "/etc/localtime", "europe", "Europe/Berlin\n"}) {
        EXPECT_TRUE(is_invalid(try_start(anna, "2027-07-01T20:00:00Z", zone), {"body.timezone"})) << zone;
    }
}

TEST(Times, ThatAreNoneAreRefused)
{
    Person anna = sign_up();
    for (const Json& time : {Json("tomorrow"), Json(""), Json("2027-02-30T10:00:00Z"), Json("2027-00-10T10:00:00Z"),
                             Json("2027-07-01T25:00:00Z"), Json("2027-07-01T20:60:00Z"), Json("2027-07-01T20:00:00+25:00"),
                             Json("2027-07-01T20:00:00ZZ"), Json("2027-07-01T20:00:00 Europe/Berlin"), Json("2027-07-01"),
                             Json("20:00"), Json("1782934200"), Json(1782934200), Json("-2027-07-01T20:00:00Z"),
                             Json("99999-07-01T20:00:00Z"), Json(" 2027-07-01T20:00:00Z"), Json(false), Json::array()}) {
        EXPECT_TRUE(is_invalid(try_start(anna, time, "UTC"), {"body.start_time"})) << time;
    }
}

TEST(Times, FarAwayAreNoAccident)
{
    Person anna = sign_up();
    for (const char* end :
         {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "1582-10-10T00:00:00Z"}) {
        const Answer answer = anna.post("/events/", draft({{"end_time", end}}));
        EXPECT_TRUE(answer.status == 201 || answer.status == 422) << answer;
    }
}

TEST(Times, AreKeptToTheMicrosecond)
{
    Person anna = sign_up();
    EXPECT_EQ(start_of(anna, "2027-07-01T20:00:00.123456Z", "UTC"), parse_time("2027-07-01T20:00:00.123456Z"));
    const Answer finer = try_start(anna, "2027-07-01T20:00:00.123456789Z", "UTC");
    if (finer.status == 201) EXPECT_EQ(parse_time(finer.json()["start_time"]), parse_time("2027-07-01T20:00:00.123456Z"));
    EXPECT_TRUE(finer.status == 201 || finer.status == 422) << finer;
}

TEST(Times, GoOutInUtcWithAZ)
{
    Person anna = sign_up();
    const Json event = make_event(anna, {{"timezone", "Asia/Tokyo"}});
    for (const char* name : {"start_time", "end_time", "created_at", "updated_at"})
        EXPECT_NO_THROW((void)parse_time(event[name])) << event[name];
    const Json ticket = pay(anna, reserve(anna, event["id"])["id"]);
    for (const char* name : {"created_at", "expires_at", "paid_at"})
        EXPECT_NO_THROW((void)parse_time(ticket[name])) << ticket[name];
    EXPECT_NO_THROW((void)parse_time(anna.user["created_at"]));
}
