#include "scene.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <random>
#include <regex>
#include <thread>

namespace blackbox
{

namespace
{
constexpr std::string_view kPrefix = "/api/v1";
}

std::string fresh_word()
{
    static const std::uint64_t run = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
    static std::atomic<unsigned> count = 0;
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "w%016llxn%u", static_cast<unsigned long long>(run), ++count);
    return text.data();
}

std::pair<double, double> lonely_place()
{
    // Cells of 1 by 1.5 degrees, 24 rows of 53 of them; each run begins at another one and lies otherwise within them, so that
    // runs against the same server keep out of each other's way.
    static std::mt19937_64 random(std::random_device{}());
    static std::atomic<int> cell = std::uniform_int_distribution<int>(0, 1271)(random);
    static const double shift = std::uniform_real_distribution<double>(0, 1)(random);
    const int taken = cell++ % 1272;
    return {-62.0 + taken / 53 + shift, -160.0 + (taken % 53 + shift) * 1.5};
}

std::string rfc3339(Instant instant)
{
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(instant - day);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    return text.data();
}

Instant parse_time(const Json& text)
{
    static const std::regex shape(R"((\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z)");
    std::smatch part;
    const auto value = text.is_string() ? text.get<std::string>() : text.dump();
    if (!std::regex_match(value, part, shape)) throw std::runtime_error("not a time of the contract: " + value);
    const auto number = [&](std::size_t i) { return std::stoi(part[i].str()); };
    std::string fraction = part[7].str();
    fraction.resize(6, '0');
    const std::chrono::year_month_day date(std::chrono::year(number(1)), std::chrono::month(static_cast<unsigned>(number(2))),
                                           std::chrono::day(static_cast<unsigned>(number(3))));
    return std::chrono::sys_days(date) + std::chrono::hours(number(4)) + std::chrono::minutes(number(5)) +
           std::chrono::seconds(number(6)) + std::chrono::microseconds(std::stoi(fraction));
}

std::string from_now(std::chrono::milliseconds delay)
{
    return rfc3339(std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) + delay);
}

void wait_until_after(Instant instant) { std::this_thread::sleep_until(instant + std::chrono::milliseconds(1)); }

std::string percent_encode(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        std::array<char, 4> escaped{};
        std::snprintf(escaped.data(), escaped.size(), "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? std::string(1, c) : std::string(escaped.data());
    }
    return out;
}

Answer Caller::send(const std::string& method, const std::string& path, Headers headers, std::string body)
{
    if (!token_.empty()) headers.emplace_back("Authorization", "Bearer " + token_);
    return client_.send({method, std::string(kPrefix) + path, std::move(headers), std::move(body)});
}

Answer Caller::send_json(const std::string& method, const std::string& path, const Json& body, Headers headers)
{
    headers.emplace_back("Content-Type", "application/json");
    return send(method, path, std::move(headers), body.dump());
}

Answer Caller::send_text(const std::string& method, const std::string& path, std::string body)
{
    return send(method, path, {{"Content-Type", "application/json"}}, std::move(body));
}

Person sign_up(const Address& at, const Json& location)
{
    const std::string word = fresh_word();
    Json body{{"email", word + "@example.org"}, {"name", "Person " + word}, {"password", kPassword}};
    if (!location.is_null()) body["location"] = location;
    Caller anonymous(at);
    const Json user = must(anonymous.post("/auth/register", body), 201);
    const Json login = must(anonymous.post("/auth/login", Json{{"email", body["email"]}, {"password", kPassword}}), 200);
    Person person(at, login.at("access_token").get<std::string>());
    person.id = user.at("id").get<std::int64_t>();
    person.name = body["name"];
    person.email = body["email"];
    person.password = kPassword;
    person.user = user;
    return person;
}

Caller again(const Person& person) { return Caller(person.address(), person.token()); }

Json must(const Answer& answer, int status)
{
    std::ostringstream text;
    text << answer;
    if (answer.status != status)
        throw std::runtime_error("setting the scene wanted " + std::to_string(status) + ", got " + text.str());
    return answer.body.empty() ? Json() : answer.json();
}

Json venue_at(double latitude, double longitude)
{
    return {{"address", "1 Test Street"}, {"latitude", latitude}, {"longitude", longitude}};
}

Json draft(const Json& changes)
{
    using namespace std::chrono_literals;
    Json body{{"title", "Event " + fresh_word()},    {"description", "An evening"}, {"start_time", from_now(30 * 24h)},
              {"end_time", from_now(30 * 24h + 3h)}, {"total_tickets", 10},         {"venue", venue_at(52.5, 13.4)}};
    body.merge_patch(changes);
    return body;
}

Json make_event(Caller& organizer, const Json& changes) { return must(organizer.post("/events/", draft(changes)), 201); }
Json get_event(Caller& caller, const Json& event_id) { return must(caller.get(path_of("/events/", event_id)), 200); }
Json reserve(Caller& buyer, const Json& event_id) { return must(buyer.post("/tickets/", Json{{"event_id", event_id}}), 201); }

Json pay(Caller& buyer, const Json& ticket_id)
{
    return must(buyer.post(path_of("/tickets/", ticket_id, "/pay"), Json{{"payment_reference", fresh_word()}}), 200);
}

std::string path_of(const char* collection, const Json& id, const char* rest) { return collection + id.dump() + rest; }

std::optional<std::string> link_to(const Answer& answer, std::string_view relation)
{
    static const std::regex shape(R"re(<([^>]*)>\s*;\s*rel="?([a-z]+)"?)re");
    for (const auto& [name, value] : answer.headers) {
        if (name != "link") continue;
        for (std::sregex_iterator it(value.begin(), value.end(), shape), end; it != end; ++it) {
            if ((*it)[2].str() != relation) continue;
            const std::string target = (*it)[1].str();
            const auto at = target.find(kPrefix);
            if (at == std::string::npos) throw std::runtime_error("a link leads elsewhere: " + value);
            return target.substr(at + kPrefix.size());
        }
    }
    return std::nullopt;
}

std::vector<Json> walk(Caller& caller, const std::string& path)
{
    std::vector<Json> items;
    std::optional<std::string> next = path;
    for (int page = 0; next; ++page) {
        if (page == 400) throw std::runtime_error("a list that does not end: " + path);
        const Answer answer = caller.get(*next);
        const Json array = must(answer, 200);
        items.insert(items.end(), array.begin(), array.end());
        next = link_to(answer, "next");
    }
    return items;
}

}  // namespace blackbox
