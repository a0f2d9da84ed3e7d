#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "client.hpp"
#include "server_process.hpp"

/// What a test builds its scene from: people, events and tickets of its own, and sentences about answers.
namespace blackbox
{

using Instant = std::chrono::sys_time<std::chrono::microseconds>;

// --- Words and times -----------------------------------------------------------------------------------------------

/// A word that no other test and no other run has used: letters and digits only.
[[nodiscard]] std::string fresh_word();
/// A place where no other test has an event within 50 km, in the emptiest sea there is.
[[nodiscard]] std::pair<double, double> lonely_place();
[[nodiscard]] std::string rfc3339(Instant instant);
/// Throws unless `text` is a time as the contract lets it out: RFC 3339, UTC, Z, microseconds at most.
[[nodiscard]] Instant parse_time(const Json& text);
[[nodiscard]] std::string from_now(std::chrono::milliseconds delay);
/// Returns when the clock has passed `instant`: the passing of time is what is waited for.
void wait_until_after(Instant instant);
[[nodiscard]] std::string percent_encode(std::string_view text);

// --- Callers -------------------------------------------------------------------------------------------------------

/// A client of the API: paths are below /api/v1, a token goes with every call.
class Caller
{
public:
    explicit Caller(Address to = box_office(), std::string token = {}) : client_(std::move(to)), token_(std::move(token)) {}
    Answer get(const std::string& path, Headers headers = {}) { return send("GET", path, std::move(headers)); }
    Answer post(const std::string& path, Headers headers = {}) { return send("POST", path, std::move(headers)); }
    Answer post(const std::string& path, const Json& body, Headers headers = {})
    {
        return send_json("POST", path, body, std::move(headers));
    }
    Answer patch(const std::string& path, const Json& body, Headers headers = {})
    {
        return send_json("PATCH", path, body, std::move(headers));
    }
    Answer del(const std::string& path, Headers headers = {}) { return send("DELETE", path, std::move(headers)); }
    Answer send(const std::string& method, const std::string& path, Headers headers = {}, std::string body = {});
    /// `body` as it stands, said to be JSON.
    Answer send_text(const std::string& method, const std::string& path, std::string body);
    [[nodiscard]] const std::string& token() const { return token_; }
    [[nodiscard]] const Address& address() const { return client_.address(); }

private:
    Answer send_json(const std::string& method, const std::string& path, const Json& body, Headers headers);

    Client client_;
    std::string token_;
};

/// A registered, signed-in user.
struct Person : Caller {
    std::int64_t id = 0;
    std::string name, email, password;
    Json user;  // as registered
    using Caller::Caller;
};

inline constexpr std::string_view kPassword = "correct horse battery";

/// Registers and signs in a new user. Throws when either fails.
[[nodiscard]] Person sign_up(const Address& at = box_office(), const Json& location = nullptr);
/// The same person over a connection of their own, for another thread.
[[nodiscard]] Caller again(const Person& person);

// --- Events and tickets --------------------------------------------------------------------------------------------

/// The JSON of a good answer of that status; throws std::runtime_error with the whole answer otherwise.
Json must(const Answer& answer, int status);

/// A good event body with the fields of `changes` put in place of its own (RFC 7396: null takes one out).
[[nodiscard]] Json draft(const Json& changes = Json::object());
[[nodiscard]] Json venue_at(double latitude, double longitude);
Json make_event(Caller& organizer, const Json& changes = Json::object());
[[nodiscard]] Json get_event(Caller& caller, const Json& event_id);
Json reserve(Caller& buyer, const Json& event_id);
Json pay(Caller& buyer, const Json& ticket_id);
[[nodiscard]] std::string path_of(const char* collection, const Json& id, const char* rest = "");
/// Every item of a list, page after page along its `Link: rel="next"`. Throws after 400 pages.
[[nodiscard]] std::vector<Json> walk(Caller& caller, const std::string& path);
/// The target of the link with that relation, below /api/v1; nothing when there is none.
[[nodiscard]] std::optional<std::string> link_to(const Answer& answer, std::string_view relation);

// --- Sentences about answers ---------------------------------------------------------------------------------------

[[nodiscard]] testing::AssertionResult has_status(const Answer& answer, int status);
/// A whole problem answer (RFC 9457) as the contract asks, of that status and code; an empty code stands for any.
[[nodiscard]] testing::AssertionResult is_problem(const Answer& answer, int status, std::string_view code = {});
/// A 422 `invalid` whose errors name exactly these places ("body.venue.latitude"), each once.
[[nodiscard]] testing::AssertionResult is_invalid(const Answer& answer, std::initializer_list<std::string_view> places);
/// A 422 `invalid` with at least one error, wherever it stands.
[[nodiscard]] testing::AssertionResult is_invalid(const Answer& answer);
/// Refused as unreadable or wrong: 400 or 422, in the problem's shape.
[[nodiscard]] testing::AssertionResult is_bad_input(const Answer& answer);
/// The same bytes but for the request id: indistinguishable to a client.
[[nodiscard]] testing::AssertionResult are_alike(const Answer& one, const Answer& other);

}  // namespace blackbox
