#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/net.hpp"

namespace boxoffice::http
{

class Call;

/// Who may call a route, and with whose calls theirs are counted where there are rate limits.
enum class Access : std::uint8_t {
    anyone,
    signed_in,    // with a bearer token, asked for before anything else; by account
    registering,  // by client address
    logging_in,   // by client address
};

/// What a route takes in its body. `form_or_json` is the login's.
enum class Body : std::uint8_t { none, json, form_or_json };

/// What sets a route apart from the others.
enum class Special : std::uint8_t {
    none,
    service,    // tells how the process is, in one that sells nothing, too
    in_time,    // in time by its arrival: from then to its answer no lapse of this process may overtake it
    versioned,  // understands If-Match, which it asks of the store inside the transaction
};

/// One row of the table in routes.cpp. A pattern that ends in a slash is a collection and answers without it too; a segment in
/// braces stands for an id: decimal, 1 to 2^63 - 1, no leading zero. Anything else in that place is an unknown path.
struct Route {
    Method method;  // a GET row serves HEAD
    std::string_view pattern;
    void (*serve)(const std::shared_ptr<Call>& call);
    Access access = Access::anyone;
    Body body = Body::none;
    Special special = Special::none;
    std::string_view parameters{};  // of the query, with spaces between; others are refused, but for pages
};

struct Match {
    const Route* route = nullptr;  // none: unknown path when `allow` is empty, else a wrong method
    std::size_t row = 0;           // of `route` in the table
    std::int64_t id = 0;           // what stands in the pattern's braces
    std::string allow;             // filled when `route` is null: the methods of this path
};

/// Finds the row for a method and a path, percent-encoded as it was sent.
class Router
{
public:
    /// `routes` must outlive the router.
    explicit Router(std::span<const Route> routes);
    [[nodiscard]] Match find(Method method, std::string_view encoded_path) const;

private:
    struct Pattern {
        std::vector<std::string_view> segments;
        enum class Kind : std::uint8_t { item, collection } kind = Kind::item;
    };

    [[nodiscard]] static bool fits(const Pattern& pattern, std::span<const std::string_view> segments, std::int64_t& id);

    std::span<const Route> routes_;
    std::vector<Pattern> patterns_;
};

/// "GET"; "OTHER" for a method that no route knows.
[[nodiscard]] std::string_view method_word(Method method);

/// "%7e" -> "~"; text whose percent signs are not followed by two hexadecimal digits comes back as it is.
[[nodiscard]] std::string decode_path(std::string_view encoded_path);

}  // namespace boxoffice::http
