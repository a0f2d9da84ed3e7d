/// api/openapi.yaml and the server are one: the same routes, the same need of a token, the same words for what went wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "api/api.hpp"
#include "api/decode.hpp"
#include "api/problem.hpp"
#include "api/routes.hpp"
#include "assets/assets.hpp"
#include "core/rules.hpp"
#include "openapi_document.hpp"

namespace boxoffice::http
{

namespace
{

using Json = nlohmann::json;
using Words = std::set<std::string>;

const Json& document() { return openapi_document(); }

/// "GET /api/v1/events/{}": what names a parameter, and whether a collection is written with its slash, are the same address.
std::string address(std::string method, std::string_view path)
{
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::toupper(c); });
    std::string plain = std::regex_replace(std::string(path), std::regex(R"(\{\w+\})"), "{}");
    if (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    return method + " " + plain;
}

/// The operations of the document by address. HEAD and OPTIONS go with every GET and need no row of their own.
std::map<std::string, Json> operations()
{
    static const Words methods = {"get", "put", "post", "delete", "patch", "trace"};
    std::map<std::string, Json> found;
    for (const auto& [path, item] : document().at("paths").items()) {
        for (const auto& [method, operation] : item.items()) {
            if (!methods.contains(method)) continue;
            EXPECT_TRUE(found.emplace(address(method, path), operation).second) << method << " " << path << " stands there twice";
        }
    }
    return found;
}

/// Every value of the document below `json`, with the name it stands under.
template <class Visit>
void walk(const Json& json, const Visit& visit)
{
    if (!json.is_structured()) return;
    visit(json);
    for (const auto& inner : json) walk(inner, visit);
}

bool is_problem(const Json& json)
{
    return json.is_object() && json.contains("code") && json["code"].is_string() && json.contains("status") &&
           json["status"].is_number();
}

std::vector<Json> example_problems()
{
    std::vector<Json> found;
    walk(document(), [&](const Json& json) {
        if (is_problem(json)) found.push_back(json);
    });
    return found;
}

/// All words of core. `internal` is the last of the list, and also what a number beyond it is called.
std::map<std::string, Code> words_of_core()
{
    std::map<std::string, Code> words;
    for (int number = 0; number <= static_cast<int>(Code::internal); ++number) {
        const auto code = static_cast<Code>(number);
        EXPECT_TRUE(words.emplace(code_word(code), code).second) << code_word(code) << " is the word of two codes";
    }
    return words;
}

Words words_of_http()
{
    Words words;
    for (int status = 400; status < 600; ++status) words.emplace(word_of_status(status));
    return words;
}

/// What the proxy before the nodes says itself, as it stands in its configuration: word and status.
std::set<std::pair<std::string, int>> words_of_proxy()
{
    const char* const root = std::getenv("BOXOFFICE_SOURCE");
    std::ifstream file(std::string(root == nullptr ? "." : root) + "/deploy/proxy/haproxy.cfg");
    EXPECT_TRUE(file.is_open()) << "BOXOFFICE_SOURCE is not the root of the checkout";
    std::ostringstream text;
    text << file.rdbuf();
    const std::string config = text.str();

    static const std::regex answer(R"re("status":(\d+),"detail":"[^"]*","code":"(\w+)")re");
    std::set<std::pair<std::string, int>> words;
    for (auto at = std::sregex_iterator(config.begin(), config.end(), answer); at != std::sregex_iterator(); ++at)
        words.emplace((*at)[2], std::stoi((*at)[1]));
    return words;
}

Words known_words()
{
    Words words = words_of_http();
    for (const auto& [word, code] : words_of_core()) words.insert(word);
    for (const auto& [word, status] : words_of_proxy()) words.insert(word);
    return words;
}

Words enumerated_words()
{
    Words words;
    for (const auto& word : document().at("components").at("schemas").at("ProblemCode").at("enum")) words.insert(word);
    return words;
}

/// What an operation asks of its caller: the document's own rule unless it has one.
enum class Asks { nothing, perhaps_a_token, a_token };

Asks asks_for(const Json& operation)
{
    const Json& security = operation.contains("security") ? operation["security"] : document().at("security");
    if (security.empty()) return Asks::nothing;
    const bool may_do_without = std::any_of(security.begin(), security.end(), [](const Json& way) { return way.empty(); });
    return may_do_without ? Asks::perhaps_a_token : Asks::a_token;
}

Words media_types(const Json& operation)
{
    Words types;
    if (!operation.contains("requestBody")) return types;
    for (const auto& [type, media] : operation["requestBody"].at("content").items()) types.insert(type);
    return types;
}

Words media_types(Body body)
{
    switch (body) {
        case Body::none:
            return {};
        case Body::json:
            return {"application/json"};
        case Body::form_or_json:
            return {"application/json", "application/x-www-form-urlencoded"};
    }
    return {"a kind of body that this test does not know"};
}

std::string only_in(const Words& ours, const Words& theirs)
{
    std::string text;
    for (const auto& word : ours) {
        if (!theirs.contains(word)) text += "\n  " + word;
    }
    return text;
}

Words addresses_served()
{
    Words served;
    for (const RouteName& route : route_names()) served.insert(address(std::string(route.method), route.pattern));
    return served;
}

Words addresses_described()
{
    Words described;
    for (const auto& [where, operation] : operations()) described.insert(where);
    return described;
}

}  // namespace

TEST(OpenApiDocument, IsPartOfTheBinaryInBothForms)
{
    ASSERT_TRUE(document().is_object()) << "openapi.json is not embedded: see web/docs/embed.mjs";
    EXPECT_TRUE(document().at("openapi").get<std::string>().starts_with("3.1"));
    EXPECT_NE(find_asset("openapi.yaml"), nullptr) << "openapi.yaml is not embedded: see cmake/Embed.cmake";
}

TEST(OpenApiDocument, DescribesEveryRouteAndNothingElse)
{
    const Words served = addresses_served();
    const Words described = addresses_described();
    ASSERT_GE(served.size(), 24U);
    EXPECT_EQ(only_in(served, described), "") << "are served (src/api/routes.cpp): describe them in api/openapi.yaml";
    EXPECT_EQ(only_in(described, served), "")
        << "are described (api/openapi.yaml): serve them in src/api/routes.cpp or strike them";
}

/// The pages show descriptions as Markdown, in which a line that happens to begin with "400. " is an item of a list.
TEST(OpenApiDocument, HasNoLineThatMarkdownTakesForAListItem)
{
    static const std::regex item(R"(\s*(\d+[.)]|[-+*])\s.*)");
    std::size_t descriptions = 0;
    std::vector<const Json*> left = {&document()};
    while (!left.empty()) {
        const Json& node = *left.back();
        left.pop_back();
        for (const auto& [key, value] : node.items()) {
            if (value.is_structured()) left.push_back(&value);
            if (key != "description" || !value.is_string()) continue;
            ++descriptions;
            std::istringstream lines(value.get<std::string>());
            for (std::string line; std::getline(lines, line);) EXPECT_FALSE(std::regex_match(line, item)) << line;
        }
    }
    EXPECT_GT(descriptions, 50U);
}

TEST(OpenApiDocument, TellsAddressesApartByMoreThanTheNamesOfTheirParameters)
{
    EXPECT_EQ(address("get", "/events/{id}/"), address("GET", "/events/{event_id}"));
    EXPECT_NE(address("get", "/events/{id}"), address("get", "/events/nearby"));
    EXPECT_NE(address("get", "/events/"), address("post", "/events/"));
    EXPECT_EQ(only_in({"GET /", "GET /docs"}, {"GET /"}), "\n  GET /docs");
}

TEST(OpenApiDocument, AsksForATokenWhereTheServerDoes)
{
    const auto described = operations();
    for (const Route& route : routes()) {
        const std::string where = address(std::string(method_word(route.method)), route.pattern);
        const auto found = described.find(where);
        if (found == described.end()) continue;  // another test's matter
        const Asks asked = asks_for(found->second);
        EXPECT_EQ(asked == Asks::a_token, route.access == Access::signed_in)
            << where << ": `security` in api/openapi.yaml and the row in src/api/routes.cpp differ";
        const bool can_refuse = found->second.at("responses").contains("401");
        EXPECT_TRUE(can_refuse || asked == Asks::nothing) << where << " asks for a token and so can answer 401: say so";
    }
}

TEST(OpenApiDocument, TakesTheBodiesThatTheServerTakes)
{
    const auto described = operations();
    for (const Route& route : routes()) {
        const std::string where = address(std::string(method_word(route.method)), route.pattern);
        const auto found = described.find(where);
        if (found == described.end()) continue;
        EXPECT_EQ(media_types(found->second), media_types(route.body))
            << where << ": `requestBody` in api/openapi.yaml and the row in src/api/routes.cpp differ";
    }
}

TEST(OpenApiDocument, TakesTheQueryParametersThatTheServerTakes)
{
    const auto described = operations();
    std::size_t taken = 0;
    for (const Route& route : routes()) {
        const std::string where = address(std::string(method_word(route.method)), route.pattern);
        const auto found = described.find(where);
        if (found == described.end()) continue;
        Words listed;
        for (const Json& parameter : found->second.value("parameters", Json::array())) {
            if (const Json& real = resolve(parameter); real.at("in") == "query") listed.insert(real.at("name"));
        }
        std::istringstream names{std::string(route.parameters)};
        const Words known{std::istream_iterator<std::string>(names), {}};
        taken += known.size();
        EXPECT_EQ(listed, known) << where << ": `parameters` in api/openapi.yaml and the row in src/api/routes.cpp differ";
    }
    EXPECT_GE(taken, 20U);
}

TEST(OpenApiDocument, TellsOfTheRateLimitOnEveryAnswerBehindAGate)
{
    const auto described = operations();
    for (const Route& route : routes()) {
        if (route.access == Access::anyone) continue;
        const Json& operation = described.at(address(std::string(method_word(route.method)), route.pattern));
        for (const auto& [status, response] : operation.at("responses").items()) {
            if (status == "413" || status == "default") continue;  // refused before any handler is called
            const Json headers = resolve(response).value("headers", Json::object());
            for (const char* field : {"RateLimit", "RateLimit-Policy"})
                EXPECT_TRUE(headers.contains(field)) << route.pattern << " " << status << " can have " << field << ": say so";
        }
    }
}

TEST(OpenApiDocument, ListsTheFieldsThatAreRefused)
{
    const auto refused = [](const char* schema, const auto& decode) {
        Words listed;
        const Json& properties = document().at("components").at("schemas").at(schema).at("properties");
        for (const auto& [name, property] : properties.items()) {
            if (property.value("not", Json()) == Json::object()) listed.insert(name);
        }
        for (const auto& name : listed) {
            Request request;
            request.body = Json{{name, 1}}.dump();
            bool named = false;
            for (const FieldError& error : decode(request))
                named = named || (error.loc.back() == name && error.type == "refused_field");
            EXPECT_TRUE(named) << schema << " refuses " << name << ", but the server does not";
        }
        return listed;
    };
    EXPECT_EQ(refused("Reservation", [](const Request& r) { return decode_ticket_order(r).error().fields; }), Words{"quantity"});
    EXPECT_EQ(refused("UserPatch", [](const Request& r) { return decode_user_patch(r, UserId{1}, Instant{}).error().fields; }),
              (Words{"email", "password"}));
}

TEST(OpenApiDocument, NamesEveryWordThatAProblemCanHave)
{
    const Words listed = enumerated_words();
    const Words known = known_words();
    EXPECT_EQ(only_in(known, listed), "") << "can be a problem's `code`: add to ProblemCode in api/openapi.yaml";
    EXPECT_EQ(only_in(listed, known), "") << "are in ProblemCode of api/openapi.yaml, but no answer has them: strike them";
}

TEST(OpenApiDocument, ShowsAnExampleOfEveryWord)
{
    Words shown;
    for (const Json& example : example_problems()) shown.insert(example["code"]);
    EXPECT_EQ(only_in(known_words(), shown), "") << "can be a problem's `code`: add an example to api/openapi.yaml";
}

TEST(OpenApiDocument, ShowsProblemsAsTheServerWritesThem)
{
    const auto core = words_of_core();
    const auto proxy = words_of_proxy();
    for (const Json& example : example_problems()) {
        const std::string word = example["code"];
        const int status = example["status"];
        const auto found = core.find(word);
        const bool fits = (found != core.end() && status_of(found->second) == status) || word_of_status(status) == word ||
                          proxy.contains({word, status});
        EXPECT_TRUE(fits) << "no answer has the code " << word << " with the status " << status << ":\n" << example.dump(2);
        EXPECT_EQ(example.value("type", ""), "urn:boxoffice:problem:" + word);
        for (const char* field : {"title", "detail", "instance"})
            EXPECT_TRUE(example.contains(field)) << word << " has no " << field;
        EXPECT_EQ(example.contains("errors"), word == "invalid") << example.dump(2);
    }
}

TEST(OpenApiDocument, ShowsEachProblemWhereTheOperationCanAnswerIt)
{
    const Json& responses = document().at("components").at("responses");
    const auto check = [&](const std::string& where, const std::string& status, const Json& response) {
        if (!std::regex_match(status, std::regex("[45][0-9][0-9]"))) return;
        const auto content = resolve(response).value("content", Json::object());
        ASSERT_TRUE(content.contains("application/problem+json")) << where << " " << status << " is no problem document";
        const auto examples = content["application/problem+json"].value("examples", Json::object());
        for (const auto& [name, example] : examples.items()) {
            EXPECT_EQ(resolve(example).at("value").at("status"), std::stoi(status))
                << where << " " << status << ": example " << name;
        }
    };
    EXPECT_FALSE(responses.empty());
    for (const auto& [where, operation] : operations()) {
        for (const auto& [status, response] : operation.at("responses").items()) check(where, status, response);
    }
}

}  // namespace boxoffice::http
