#include <cmath>
#include <cstdlib>
#include <random>

#include "scene.hpp"

/// Seeded garbage of every kind: whatever comes in, the server answers as the contract says and never with a failure of its own.
/// FUZZ_SEED replays a failure.

using namespace blackbox;

namespace
{

std::uint64_t seed()
{
    const char* given = std::getenv("FUZZ_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : 20'27;
}

class Garbage
{
public:
    explicit Garbage(std::uint64_t seed_of_it) : random_(seed_of_it) {}

    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
    template <class List>
    auto pick(const List& list)
    {
        return *(std::begin(list) + static_cast<std::ptrdiff_t>(below(std::size(list))));
    }

    std::string bytes(std::size_t most)
    {
        std::string text(below(most + 1), ' ');
        for (char& c : text) c = static_cast<char>(below(256));
        return text;
    }

    std::string word()
    {
        static constexpr const char* kWords[] = {"1",
                                                 "0",
                                                 "-1",
                                                 "9223372036854775807",
                                                 "9223372036854775808",
                                                 "1e308",
                                                 "NaN",
                                                 "true",
                                                 "null",
                                                 "''",
                                                 "\"",
                                                 "%",
                                                 "_",
                                                 "*",
                                                 "(",
                                                 "AND",
                                                 "NEAR",
                                                 "--",
                                                 ";",
                                                 "2027-10-31T02:30:00",
                                                 "9999-12-31T23:59:59Z",
                                                 "-0001-01-01T00:00:00Z",
                                                 "Europe/Berlin",
                                                 "reserved",
                                                 "é",
                                                 "🎟",
                                                 "\xff",
                                                 "../..",
                                                 "{{7*7}}",
                                                 "${x}",
                                                 "\r\n",
                                                 "0x10",
                                                 " ",
                                                 "",
                                                 "1.5",
                                                 "-0"};
        return below(8) == 0 ? bytes(40) : std::string(pick(kWords));
    }

    Json value(int depth)
    {
        switch (below(depth > 0 ? 11 : 8)) {
            case 0:
                return nullptr;
            case 1:
                return below(2) == 0;
            case 2:
                return static_cast<std::int64_t>(random_());
            case 3:
                return random_();
            case 4:
                return std::ldexp(static_cast<double>(random_()), static_cast<int>(below(1200)) - 700);
            case 5:
                return static_cast<int>(below(5)) - 1;
            case 6:
            case 7:
                return word();
            case 8: {
                Json array = Json::array();
                for (std::size_t i = below(4); i > 0; --i) array.push_back(value(depth - 1));
                return array;
            }
            default:
                return object(depth - 1);
        }
    }

    Json object(int depth)
    {
        static constexpr const char* kFields[] = {
            "email", "name",        "password",   "location", "latitude",          "longitude",
            "title", "description", "start_time", "end_time", "timezone",          "total_tickets",
            "venue", "address",     "event_id",   "user_id",  "payment_reference", "id"};
        Json made = Json::object();
        for (std::size_t i = below(8); i > 0; --i) made[below(12) == 0 ? bytes(6) : std::string(pick(kFields))] = value(depth);
        return made;
    }

    /// Good JSON, JSON with a few bytes broken, or no JSON at all.
    std::string body()
    {
        if (below(6) == 0) return bytes(300);
        std::string text = (below(2) == 0 ? draft(object(2)) : object(3)).dump(-1, ' ', false, Json::error_handler_t::ignore);
        if (below(3) == 0 && !text.empty()) {
            for (std::size_t i = 1 + below(3); i > 0; --i) text[below(text.size())] = static_cast<char>(below(256));
        }
        return text;
    }

    std::string path()
    {
        static constexpr const char* kPaths[] = {"/auth/register",
                                                 "/auth/login",
                                                 "/auth/me",
                                                 "/events/",
                                                 "/events",
                                                 "/events/#",
                                                 "/tickets/",
                                                 "/tickets/#",
                                                 "/tickets/user/#",
                                                 "/tickets/#/pay",
                                                 "/tickets/#/cancel",
                                                 "/for-you/events/nearby",
                                                 "/for-you/events/recommended"};
        std::string made = pick(kPaths);
        if (const auto at = made.find('#'); at != std::string::npos)
            made.replace(at, 1, below(3) == 0 ? percent_encode(word()) : std::to_string(1 + below(30)));
        if (below(10) == 0) made += "/" + percent_encode(word());
        return made + query();
    }

    std::string query()
    {
        static constexpr const char* kNames[] = {
            "skip",         "limit",    "q",         "starts_after", "starts_before", "available_only",
            "organizer_id", "latitude", "longitude", "radius_km",    "include_past",  "include_sold_out",
            "user_id",      "status",   "event_id"};
        std::string made;
        for (std::size_t i = below(5); i > 0; --i)
            made += (made.empty() ? "?" : "&") + std::string(pick(kNames)) + "=" + percent_encode(word());
        return made;
    }

private:
    std::mt19937_64 random_;
};

/// Whole, in HTTP, and no failure.
void expect_an_answer(const Answer& answer, const std::string& what)
{
    const bool not_ours = answer.status == 501 || answer.status == 505;  // a coding or a version that was not promised
    EXPECT_TRUE(answer.status < 500 || not_ours) << what << "\n" << answer;
    if (answer.status >= 400) EXPECT_TRUE(is_problem(answer, answer.status)) << what;
}

}  // namespace

TEST(Fuzz, NeverMakesAnAccidentOfARequest)
{
    constexpr int kRequests = 2000;
    Garbage garbage(seed());
    Person anna = sign_up();
    Caller anonymous;
    static constexpr const char* kMethods[] = {"GET", "GET", "POST", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"};
    for (int i = 0; i < kRequests; ++i) {
        const std::string method = garbage.pick(kMethods), path = garbage.path(), body = garbage.body();
        Headers headers{{"Content-Type", garbage.below(10) == 0 ? "application/x-www-form-urlencoded" : "application/json"}};
        if (garbage.below(6) == 0) headers.emplace_back("Idempotency-Key", std::to_string(garbage.below(5)));
        if (garbage.below(10) == 0) headers.emplace_back("If-None-Match", garbage.below(2) == 0 ? "*" : "\"x\", W/\"y\"");
        Caller& caller = garbage.below(4) == 0 ? anonymous : anna;
        const Answer answer = caller.send(method, path, headers, method == "GET" || method == "HEAD" ? "" : body);
        const std::string what =
            "seed " + std::to_string(seed()) + ", request " + std::to_string(i) + ": " + method + " " + path + "\n" + body;
        if (method == "HEAD") {
            EXPECT_LT(answer.status, 500) << what;
        } else {
            expect_an_answer(answer, what);
        }
        if (testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(has_status(anna.get("/auth/me"), 200));
}

TEST(Fuzz, NeverMakesAnAccidentOfBytes)
{
    constexpr int kConnections = 300;
    Garbage garbage(seed() + 1);
    const std::string good =
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    for (int i = 0; i < kConnections; ++i) {
        std::string bytes = garbage.below(4) == 0 ? garbage.bytes(400) : good;
        for (std::size_t change = garbage.below(4); change > 0 && !bytes.empty(); --change) {
            const std::size_t at = garbage.below(bytes.size());
            if (garbage.below(2) == 0)
                bytes.insert(at, garbage.bytes(4));
            else
                bytes[at] = static_cast<char>(garbage.below(256));
        }
        Wire wire(box_office(), Millis(15'000));
        wire.send(bytes);
        wire.half_close();
        try {
            expect_an_answer(wire.read_answer(), "seed " + std::to_string(seed()) + ", connection " + std::to_string(i));
        } catch (const NoAnswer& none) {
            EXPECT_EQ(none.why(), NoAnswer::Why::closed) << "connection " << i << ": " << none.what();
        }
    }
    Client client(box_office());
    EXPECT_TRUE(has_status(client.get("/health"), 200));
}
