#include <algorithm>
#include <set>
#include <sstream>

#include "scene.hpp"

namespace blackbox
{

using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

namespace
{

bool is_text(const Json& object, const char* name)
{
    return object.contains(name) && object[name].is_string() && !object[name].get<std::string>().empty();
}

/// Words of the inside that no answer may hold.
std::string leak_in(const std::string& body)
{
    for (const char* word : {"SQLITE_", "sqlite3", "SELECT ", "INSERT INTO", "UPDATE ", "constraint failed", ".cpp",
                             "std::", "/src/", "password_hash", "$2b$"}) {
        if (body.find(word) != std::string::npos) return word;
    }
    return {};
}

std::string join(const Json& loc)
{
    std::string place;
    for (const Json& step : loc) place += (place.empty() ? "" : ".") + (step.is_string() ? step.get<std::string>() : step.dump());
    return place;
}

}  // namespace

AssertionResult has_status(const Answer& answer, int status)
{
    if (answer.status == status) return AssertionSuccess();
    return AssertionFailure() << "wanted " << status << ", got " << answer;
}

AssertionResult is_problem(const Answer& answer, int status, std::string_view code)
{
    if (auto right = has_status(answer, status); !right) return right;
    if (!answer.header("content-type").starts_with("application/problem+json"))
        return AssertionFailure() << "not a problem: " << answer;
    const Json body = Json::parse(answer.body, nullptr, false);
    if (!body.is_object()) return AssertionFailure() << "no JSON object: " << answer;
    for (const char* name : {"type", "title", "detail", "code", "instance"}) {
        if (!is_text(body, name)) return AssertionFailure() << "no text in `" << name << "`: " << answer;
    }
    if (body.value("status", 0) != status) return AssertionFailure() << "`status` says otherwise: " << answer;
    if (!code.empty() && body["code"] != code) return AssertionFailure() << "wanted the code " << code << ": " << answer;
    if (body["instance"] != answer.header("x-request-id"))
        return AssertionFailure() << "`instance` is not the request id: " << answer;
    if (status == 401 && !answer.header("www-authenticate").starts_with("Bearer"))
        return AssertionFailure() << "a 401 without Bearer: " << answer;
    if (status == 405 && !answer.has("allow")) return AssertionFailure() << "a 405 without Allow: " << answer;
    if (status == 503 && !answer.has("retry-after")) return AssertionFailure() << "a 503 without Retry-After: " << answer;
    if (const std::string word = leak_in(answer.body); !word.empty())
        return AssertionFailure() << "lets out `" << word << "`: " << answer;
    return AssertionSuccess();
}

AssertionResult is_invalid(const Answer& answer)
{
    if (auto right = is_problem(answer, 422, "invalid"); !right) return right;
    const Json body = answer.json();
    if (!body.contains("errors") || !body["errors"].is_array() || body["errors"].empty())
        return AssertionFailure() << "no errors listed: " << answer;
    for (const Json& error : body["errors"]) {
        const bool whole = error.contains("loc") && error["loc"].is_array() && !error["loc"].empty() && is_text(error, "msg") &&
                           is_text(error, "type");
        if (!whole) return AssertionFailure() << "an error without loc, msg or type: " << answer;
    }
    return AssertionSuccess();
}

AssertionResult is_invalid(const Answer& answer, std::initializer_list<std::string_view> places)
{
    if (auto right = is_invalid(answer); !right) return right;
    std::multiset<std::string> named;
    const Json body = answer.json();
    for (const Json& error : body["errors"]) named.insert(join(error["loc"]));
    if (named == std::multiset<std::string>(places.begin(), places.end())) return AssertionSuccess();
    std::ostringstream wanted;
    for (const auto place : places) wanted << " " << place;
    return AssertionFailure() << "wanted errors at" << wanted.str() << ": " << answer;
}

AssertionResult is_bad_input(const Answer& answer)
{
    if (answer.status == 422) return is_problem(answer, 422);
    return is_problem(answer, 400);
}

AssertionResult are_alike(const Answer& one, const Answer& other)
{
    if (one.status != other.status) return AssertionFailure() << one << "\n" << other;
    Json left = one.json(), right = other.json();
    left.erase("instance");
    right.erase("instance");
    if (left != right) return AssertionFailure() << one << "\n" << other;
    const auto names = [](const Answer& answer) {
        std::multiset<std::string> set;
        for (const auto& header : answer.headers) set.insert(header.first);
        return set;
    };
    if (names(one) != names(other)) return AssertionFailure() << "other headers: " << one << "\n" << other;
    return AssertionSuccess();
}

}  // namespace blackbox
