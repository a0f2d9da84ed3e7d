#include "redis/url.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace boxoffice
{

namespace redis
{

namespace
{

constexpr int kPortMax = 65'535;
constexpr int kDatabaseMax = 1'000'000;
constexpr std::size_t kSocketPathMax = 107;  // what a sockaddr_un holds

Error bad(std::string message) { return {Code::invalid, std::move(message)}; }

std::optional<int> number(std::string_view text, int least, int most)
{
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
    return value;
}

/// RFC 3986's percent-encoding undone; nothing when it is broken.
std::optional<std::string> decoded(std::string_view text)
{
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        unsigned value = 0;
        const char* const first = text.data() + i + 1;
        if (i + 2 >= text.size() || std::from_chars(first, first + 2, value, 16).ptr != first + 2) return std::nullopt;
        plain += static_cast<char>(value);
        i += 2;
    }
    return plain;
}

/// "user:password", ":password", or a password alone, as many providers write it.
Result<void> read_login(std::string_view text, Address& address)
{
    const auto colon = text.find(':');
    const auto user = decoded(colon == text.npos ? std::string_view() : text.substr(0, colon));
    const auto password = decoded(colon == text.npos ? text : text.substr(colon + 1));
    if (!user || !password) return bad("The user or password in the Redis URL has a broken %-escape.");
    // A user of Redis may have been made without a password.
    if (password->empty() && user->empty()) return bad("The Redis URL has an @ but no password before it.");
    address.user = *user;
    address.password = *password;
    return {};
}

Result<void> read_place(std::string_view text, Address& address)
{
    std::string_view host = text;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == text.npos) return bad("The IPv6 address in the Redis URL lacks its closing bracket.");
        host = text.substr(1, close - 1);
        rest = text.substr(close + 1);
    } else if (const auto colon = text.find(':'); colon != text.npos) {
        host = text.substr(0, colon);
        rest = text.substr(colon);
    }
    if (host.empty()) return bad("The Redis URL names no host.");
    address.host = host;
    if (rest.empty()) return {};
    const auto port = rest.starts_with(':') ? number(rest.substr(1), 1, kPortMax) : std::nullopt;
    if (!port) return bad("The port in the Redis URL must be a number from 1 to 65535.");
    address.port = *port;
    return {};
}

Result<Address> parse_tcp(std::string_view text)
{
    Address address;
    if (const auto at = text.rfind('@'); at != text.npos) {
        if (const auto login = read_login(text.substr(0, at), address); !login) return login.error();
        text.remove_prefix(at + 1);
    }
    if (const auto slash = text.find('/'); slash != text.npos) {
        const std::string_view name = text.substr(slash + 1);
        const auto database = name.empty() ? 0 : number(name, 0, kDatabaseMax);
        if (!database) return bad("What follows the host in the Redis URL must be the number of a database.");
        address.database = *database;
        text = text.substr(0, slash);
    }
    if (const auto place = read_place(text, address); !place) return place.error();
    return address;
}

/// "cacert=FILE&cert=FILE&key=FILE", the words of redis-cli.
Result<void> read_files(std::string_view text, Address& address)
{
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const std::string_view one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto equals = std::min(one.find('='), one.size());
        const std::string_view name = one.substr(0, equals);
        const auto value = decoded(one.substr(std::min(equals + 1, one.size())));
        std::string* const file = name == "cacert" ? &address.ca_file
                                  : name == "cert" ? &address.cert_file
                                  : name == "key"  ? &address.key_file
                                                   : nullptr;
        if (file == nullptr) return bad("After its ? a rediss: URL takes cacert=FILE, cert=FILE and key=FILE.");
        if (!value || value->empty() || ::access(value->c_str(), R_OK) != 0)
            return bad("The Redis URL's file " + std::string(name) + "=… cannot be read.");
        *file = *value;
    }
    if (address.cert_file.empty() != address.key_file.empty())
        return bad("The Redis URL needs both of cert= and key=, or neither.");
    return {};
}

Result<Address> parse_tls(std::string_view text)
{
    const auto question = std::min(text.find('?'), text.size());
    if (text.find('@', question) != text.npos) return bad("A ? before the @ of a Redis URL is written as %3F.");
    auto address = parse_tcp(text.substr(0, question));
    if (!address) return address;
    address->tls = true;
    if (const auto files = read_files(text.substr(std::min(question + 1, text.size())), *address); !files) return files.error();
    return address;
}

Result<Address> parse_socket(std::string_view text)
{
    const auto path = decoded(text);
    if (!path || !path->starts_with('/')) return bad("A Redis URL with unix: needs a whole path: unix:///path/to/socket.");
    if (path->size() > kSocketPathMax) return bad("The path of the Redis socket is longer than 107 bytes.");
    Address address;
    address.socket = *path;
    return address;
}

}  // namespace

Result<Address> parse_url(std::string_view url)
{
    constexpr std::string_view kTcp = "redis://";
    constexpr std::string_view kUnix = "unix://";
    constexpr std::string_view kTls = "rediss://";
    if (url.find('#') != url.npos) return bad("A Redis URL has no #: write it as %23.");
    if (url.starts_with(kTls)) return parse_tls(url.substr(kTls.size()));
    if (url.find('?') != url.npos) return bad("A Redis URL without TLS has no ?: write it as %3F.");
    if (url.starts_with(kTcp)) return parse_tcp(url.substr(kTcp.size()));
    if (url.starts_with(kUnix)) return parse_socket(url.substr(kUnix.size()));
    return bad("A Redis URL begins with redis://, rediss:// (over TLS) or unix://.");
}

Address address_of(const RedisOptions& options)
{
    const auto address = parse_url(options.url);
    if (!address) throw std::invalid_argument(address.error().message);
    return *address;
}

}  // namespace redis

std::string why_bad_redis_url(std::string_view url)
{
    const auto address = redis::parse_url(url);
    return address ? std::string() : address.error().message;
}

}  // namespace boxoffice
