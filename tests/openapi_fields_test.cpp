/// Each resource's fields are described twice, for programs in src and for people in api/openapi.yaml: here the two are compared,
/// by names, types, formats, bounds, defaults, what is required and what can be null.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "api/resources.hpp"
#include "openapi_document.hpp"

namespace boxoffice::http
{

namespace
{

using Json = nlohmann::json;

// --- A schema as our descriptions give it --------------------------------------------------------------------------

/// The same fields are described otherwise where they are asked for and where they are told: times may be wall times, and what an
/// older version has stored may be longer than what is taken now.
enum class Side { draft, patch, answer };

Json schema_of(const fields::Text& rule, Side)
{
    Json json = {{"type", "string"}, {"maxLength", rule.most}};
    if (rule.least > 0) json["minLength"] = rule.least;
    return json;
}
Json schema_of(const fields::Line& rule, Side) { return {{"type", "string"}, {"minLength", 1}, {"maxLength", rule.most}}; }
Json schema_of(const fields::Mailbox& rule, Side)
{
    return {{"type", "string"}, {"format", "email"}, {"maxLength", rule.most_bytes}};
}
Json schema_of(const fields::Secret& rule, Side)
{
    constexpr std::size_t kBytesOfLongest = 4;  // a character in UTF-8
    Json json = {{"type", "string"}, {"format", "password"}};
    if (rule.least_bytes > 0) json["minLength"] = (rule.least_bytes + kBytesOfLongest - 1) / kBytesOfLongest;
    if (rule.most_bytes < fields::Secret{}.most_bytes) json["maxLength"] = rule.most_bytes;
    return json;
}
Json schema_of(const fields::Whole& rule, Side)
{
    Json json = {{"type", "integer"}, {"format", "int64"}, {"minimum", rule.least}};
    if (rule.most < fields::Whole{0}.most) json["maximum"] = rule.most;
    return json;
}
Json schema_of(const fields::Real& rule, Side)
{
    Json json = {{"type", "number"}, {"format", "double"}, {"minimum", rule.least}};
    if (!std::isinf(rule.most)) json["maximum"] = rule.most;
    return json;
}
Json schema_of(const fields::Degrees& rule, Side)
{
    return {{"type", "number"}, {"format", "double"}, {"minimum", -rule.most}, {"maximum", rule.most}};
}
Json schema_of(const fields::Identity&, Side) { return {{"type", "integer"}, {"format", "int64"}, {"minimum", 1}}; }
Json schema_of(const fields::ZoneName&, Side) { return {{"type", "string"}}; }
Json schema_of(const fields::Moment&, Side side)
{
    Json json = {{"type", "string"}};
    if (side == Side::answer) json["format"] = "date-time";
    return json;
}
Json schema_of(const fields::Status&, Side)
{
    Json words = Json::array();
    for (const auto status : {TicketStatus::reserved, TicketStatus::paid, TicketStatus::expired, TicketStatus::cancelled})
        words.push_back(status_word(status));
    return {{"type", "string"}, {"enum", words}};
}
Json schema_of(const fields::Constant& rule, Side) { return {{"type", "string"}, {"const", rule.word}}; }

template <class Table, class T>
Json schema_of_object(const Table& table, Side side);

template <class Value, class Rule>
Json schema_of_value(const Rule& rule, Side side)
{
    if constexpr (fields::kIsOptional<Value>) {
        // A patch replaces what lies in an optional as a whole.
        const bool is_replaced = fields::kIsObject<Rule> && side == Side::patch;
        return schema_of_value<typename Value::value_type>(rule, is_replaced ? Side::draft : side);
    } else if constexpr (fields::kIsObject<Rule>) {
        return schema_of_object<std::remove_cvref_t<decltype(rule.fields)>, Value>(rule.fields, side);
    } else if constexpr (std::is_same_v<Rule, fields::Words>) {
        const Json text = {{"type", "string"}};
        if constexpr (std::is_convertible_v<Value, std::string_view>) return text;
        return {{"type", "array"}, {"items", text}};
    } else {
        return schema_of(rule, side);
    }
}

/// Whether null is a value of its own: in a patch, only where there is something to clear.
template <class Value>
bool can_be_null(Side side)
{
    if constexpr (!fields::kIsOptional<Value>) {
        return false;
    } else {
        return side != Side::patch || fields::kIsOptional<typename Value::value_type>;
    }
}

template <class Table, class T>
Json schema_of_object(const Table& table, Side side)
{
    Json properties = Json::object();
    std::set<std::string> required;
    fields::each(table, [&]<class Field>(const Field& field) {
        using Value = std::remove_cvref_t<decltype(field.at(std::declval<T&>()))>;
        const std::string name(field.kName);
        Json schema = schema_of_value<Value>(field.rule, side);
        const bool may_be_missing = Field::kTold == fields::Progress::when_there && side == Side::answer;
        if (can_be_null<Value>(side) && !may_be_missing) schema["type"] = Json{schema["type"], "null"};
        if (Field::kHasFallback && side == Side::draft) schema["default"] = field.fallback;
        properties[name] = schema;
        if (side == Side::answer ? !may_be_missing : side == Side::draft && !fields::kIsOptional<Value> && !Field::kHasFallback)
            required.insert(name);
    });
    Json json = {{"type", "object"}, {"properties", properties}};
    if (!required.empty()) json["required"] = required;
    return json;
}

template <class T, class Table>
Json described(const Table& table, Side side, std::span<const fields::Refused> refused = {})
{
    Json schema = schema_of_object<Table, T>(table, side);
    for (const auto& field : refused) schema["properties"][std::string(field.name)] = {{"not", Json::object()}};
    return schema;
}

// --- A schema of the document, in the same form --------------------------------------------------------------------

Json plain(const Json& schema);

Json plain_properties(const Json& properties)
{
    Json json = Json::object();
    for (const auto& [name, property] : properties.items()) json[name] = plain(property);
    return json;
}

/// Without what is for people only; a choice between something and null is a type that can be null.
Json plain(const Json& schema)
{
    if (schema.contains("oneOf")) {
        const Json& ways = schema["oneOf"];
        EXPECT_EQ(ways.size(), 2U) << schema.dump();
        EXPECT_EQ(ways.at(1), (Json{{"type", "null"}})) << schema.dump();
        Json json = plain(ways.at(0));
        json["type"] = Json{json["type"], "null"};
        return json;
    }
    const Json& real = resolve(schema);
    Json json = Json::object();
    for (const auto& [key, value] : real.items()) {
        if (key == "description" || key == "examples" || key == "pattern") continue;
        if (key == "properties") {
            json[key] = plain_properties(value);
        } else if (key == "items") {
            json[key] = plain(value);
        } else if (key == "required") {
            json[key] = value.get<std::set<std::string>>();
        } else {
            json[key] = value;
        }
    }
    return json;
}

Json documented(const std::string& name) { return plain(openapi_document().at("components").at("schemas").at(name)); }

/// The lengths of texts in an answer may go without saying: ours are what is taken, and what is told was taken once.
void forget_unsaid_lengths(Json& ours, const Json& theirs)
{
    for (const char* bound : {"minLength", "maxLength"}) {
        if (ours.contains(bound) && !theirs.contains(bound)) ours.erase(bound);
    }
    if (!ours.contains("properties") || !theirs.contains("properties")) return;
    for (auto& [name, property] : ours["properties"].items()) {
        if (theirs["properties"].contains(name)) forget_unsaid_lengths(property, theirs["properties"][name]);
    }
}

/// What differs, as a patch that would make the document's schema of ours; empty when they are the same.
std::string differences(Json ours, const Json& theirs, Side side)
{
    if (side == Side::answer) forget_unsaid_lengths(ours, theirs);
    const Json difference = Json::diff(theirs, ours);
    std::string text;
    for (const Json& one : difference) text += "\n  " + one.dump();
    return text;
}

constexpr const char* kCure = ": src (on the left, as `value`) and api/openapi.yaml (by `path`) say different things";

template <class T, class Table>
void compare(const std::string& name, const Table& table, Side side, std::span<const fields::Refused> refused = {})
{
    EXPECT_EQ(differences(described<T>(table, side, refused), documented(name), side), "") << name << kCure;
}

/// The part of a schema that is told beside another one.
template <class T, class Table>
void compare_beside(const std::string& name, const std::string& base, const Table& table)
{
    const Json& parts = openapi_document().at("components").at("schemas").at(name).at("allOf");
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts.at(0), (Json{{"$ref", "#/components/schemas/" + base}})) << name;
    EXPECT_EQ(differences(described<T>(table, Side::answer), plain(parts.at(1)), Side::answer), "") << name << kCure;
}

}  // namespace

TEST(OpenApiFields, OfEventsAreTheServers)
{
    compare<EventDraft>("EventDraft", fields::kEventDraft, Side::draft);
    compare<EventPatch>("EventPatch", fields::kEventDraft, Side::patch);
    compare<Event>("Event", fields::kEvent, Side::answer);
    compare<Venue>("Venue", fields::kVenue, Side::draft);
    compare<GeoPoint>("Location", fields::kPoint, Side::draft);
}

TEST(OpenApiFields, OfListedEventsAreTheSameButForWhatSummariesLeaveOut)
{
    Json full = described<Event>(fields::kEvent, Side::answer);
    fields::each(fields::kEvent, [&full]<class Field>(const Field& field) {
        if (Field::kTold == fields::Progress::in_full) std::erase(full["required"].get_ref<Json::array_t&>(), Json(field.kName));
    });
    EXPECT_EQ(differences(full, documented("ListedEvent"), Side::answer), "") << "ListedEvent" << kCure;
    compare_beside<NearbyEvent>("NearbyEvent", "ListedEvent", fields::kNearby);
    compare_beside<Suggestion>("RecommendedEvent", "ListedEvent", fields::kSuggestion);
    compare<Availability>("Availability", fields::kAvailability, Side::answer);
}

TEST(OpenApiFields, OfUsersAreTheServers)
{
    compare<Registration>("Registration", fields::kRegistration, Side::draft);
    compare<UserPatch>("UserPatch", fields::kUserPatch, Side::patch, fields::kRefusedInUserPatch);
    compare<User>("User", fields::kUser, Side::answer);
    compare<Token>("Token", fields::kToken, Side::answer);
}

TEST(OpenApiFields, OfTicketsAreTheServers)
{
    compare<Payment>("Payment", fields::kPayment, Side::draft);
    compare<ShownTicket>("Ticket", fields::kTicket, Side::answer);
}

/// What may be left out and cannot be cleared: null is taken for nothing, which the document does not recommend.
TEST(OpenApiFields, ThatMayBeLeftOutOfAnOrderOrALoginAreTheServers)
{
    const auto without_null = [](Json schema) {
        for (auto& [name, property] : schema["properties"].items()) {
            if (property.contains("type") && property["type"].is_array()) property["type"] = Json(property["type"][0]);
        }
        return schema;
    };
    const Json order = without_null(described<TicketOrder>(fields::kReservation, Side::draft, fields::kRefusedInReservation));
    EXPECT_EQ(differences(order, documented("Reservation"), Side::draft), "") << "Reservation" << kCure;
    const Json login = without_null(described<LoginBody>(fields::kLogin, Side::draft));
    EXPECT_EQ(differences(login, documented("Login"), Side::draft), "") << "Login" << kCure;
}

// From here on: the comparison sees each difference that it is there for.

TEST(OpenApiFieldsComparison, SeesWhatIsChangedOnOneSideAlone)
{
    const Json good = documented("EventDraft");
    const Json ours = described<EventDraft>(fields::kEventDraft, Side::draft);
    ASSERT_EQ(differences(ours, good, Side::draft), "");
    const auto is_seen = [&](const char* pointer, const Json& value) {
        Json changed = good;
        changed[Json::json_pointer(pointer)] = value;
        return !differences(ours, changed, Side::draft).empty();
    };
    EXPECT_TRUE(is_seen("/properties/title/maxLength", 201));
    EXPECT_TRUE(is_seen("/properties/title/minLength", 0));
    EXPECT_TRUE(is_seen("/properties/title/type", "integer"));
    EXPECT_TRUE(is_seen("/properties/title/type", Json{"string", "null"}));
    EXPECT_TRUE(is_seen("/properties/total_tickets/maximum", 5));
    EXPECT_TRUE(is_seen("/properties/total_tickets/format", "int32"));
    EXPECT_TRUE(is_seen("/properties/timezone/default", "GMT"));
    EXPECT_TRUE(is_seen("/properties/venue/properties/latitude/minimum", -91));
    EXPECT_TRUE(is_seen("/properties/venue/required", Json{"address"}));
    EXPECT_TRUE(is_seen("/properties/subtitle", Json{{"type", "string"}}));
    EXPECT_TRUE(is_seen("/required", Json{"title"}));
    Json without = good;
    without["properties"].erase("description");
    EXPECT_NE(differences(ours, without, Side::draft), "");
}

TEST(OpenApiFieldsComparison, ToleratesOnlyUnsaidLengthsInAnswers)
{
    const Json theirs = documented("Event");
    const Json ours = described<Event>(fields::kEvent, Side::answer);
    EXPECT_EQ(differences(ours, theirs, Side::answer), "");
    EXPECT_NE(differences(ours, theirs, Side::draft), "") << "an answer's title has a length";
    Json longer = theirs;
    longer["properties"]["title"]["maxLength"] = kTitleCharsMax + 1;
    EXPECT_NE(differences(ours, longer, Side::answer), "");
    Json nullable = theirs;
    nullable["properties"]["title"]["type"] = Json{"string", "null"};
    EXPECT_NE(differences(ours, nullable, Side::answer), "");
}

}  // namespace boxoffice::http
