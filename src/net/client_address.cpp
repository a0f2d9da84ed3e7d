#include "net/client_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <ranges>
#include <stdexcept>

namespace boxoffice::http
{

namespace
{

constexpr std::array<std::uint8_t, 12> kV4Begins = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kV4Bits = 96;  // of those

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool is_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
    return fault == std::errc{} && end == text.data() + text.size();
}

/// "[2001:db8::7]:443" and "203.0.113.7:443" without what stands around the address; empty when that is something else.
std::string_view bare(std::string_view text)
{
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == text.npos) return {};
        const auto behind = text.substr(close + 1);
        if (!behind.empty() && (behind.front() != ':' || !is_port(behind.substr(1)))) return {};
        return text.substr(1, close - 1);
    }
    const auto colon = text.find(':');
    if (colon == text.npos || text.find(':', colon + 1) != text.npos) return text;
    return is_port(text.substr(colon + 1)) ? text.substr(0, colon) : std::string_view{};
}

bool agree(const Address& a, const Address& b, unsigned bits)
{
    const unsigned whole = bits / 8;
    if (!std::equal(a.bytes.begin(), a.bytes.begin() + whole, b.bytes.begin())) return false;
    const unsigned rest = bits % 8;
    if (rest == 0) return true;
    return ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest)) == 0;
}

}  // namespace

bool Address::is_v4() const { return std::equal(kV4Begins.begin(), kV4Begins.end(), bytes.begin()); }

std::optional<Address> parse_address(std::string_view text)
{
    text = bare(text);
    text = text.substr(0, text.find('%'));
    if (text.empty() || text.size() >= INET6_ADDRSTRLEN || text.find('\0') != text.npos) return std::nullopt;
    const std::string ended(text);
    Address address;
    if (inet_pton(AF_INET6, ended.c_str(), address.bytes.data()) == 1) return address;
    std::copy(kV4Begins.begin(), kV4Begins.end(), address.bytes.begin());
    if (inet_pton(AF_INET, ended.c_str(), address.bytes.data() + kV4Begins.size()) == 1) return address;
    return std::nullopt;
}

std::string address_text(const Address& address)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (address.is_v4()) {
        inet_ntop(AF_INET, address.bytes.data() + kV4Begins.size(), text, sizeof text);
    } else {
        inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
    }
    return text;
}

std::string client_group(std::string_view address)
{
    auto parsed = parse_address(address);
    if (!parsed) return std::string(address);
    if (parsed->is_v4()) return address_text(*parsed);
    std::fill(parsed->bytes.begin() + 8, parsed->bytes.end(), std::uint8_t{0});
    return address_text(*parsed) + "/64";
}

TrustedProxies::TrustedProxies(std::span<const std::string> proxies)
{
    for (const std::string& proxy : proxies) {
        const std::string_view text = trimmed(proxy);
        const auto slash = text.find('/');
        const auto address = parse_address(text.substr(0, slash));
        Block block;
        bool good = address.has_value();
        if (address) block.first = *address;
        if (good && slash != text.npos) {
            const auto digits = text.substr(slash + 1);
            const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), block.bits);
            good = fault == std::errc{} && end == digits.data() + digits.size() && block.bits <= 128;
            // An IPv4 address written as one counts its bits from where it begins.
            if (text.find(':') == text.npos) {
                good = good && block.bits <= 32;
                block.bits += kV4Bits;
            }
        }
        if (!good)
            throw std::invalid_argument("\"" + proxy + "\" is no trusted proxy: give an address or a block such as 10.0.0.0/8");
        blocks_.push_back(block);
    }
}

bool TrustedProxies::trusts(const Address& address) const
{
    return std::any_of(blocks_.begin(), blocks_.end(),
                       [&address](const Block& block) { return agree(block.first, address, block.bits); });
}

std::optional<Address> client_behind(const Request& request, const Address& peer, const TrustedProxies& proxies)
{
    bool there = false;
    std::optional<Address> farthest;
    for (const auto& [name, value] : std::views::reverse(request.headers)) {
        if (name != "x-forwarded-for") continue;
        there = true;
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto comma = rest.rfind(',');
            const auto word = trimmed(comma == rest.npos ? rest : rest.substr(comma + 1));
            rest = comma == rest.npos ? std::string_view{} : rest.substr(0, comma);
            if (word.empty()) continue;
            const auto address = parse_address(word);
            if (!address) return std::nullopt;
            farthest = address;
            if (!proxies.trusts(*address)) return address;
        }
    }
    return there ? farthest : peer;
}

std::string client_address(const Request& request, const TrustedProxies& proxies)
{
    if (proxies.empty()) return request.peer;
    const auto peer = parse_address(request.peer);
    if (!peer || !proxies.trusts(*peer)) return request.peer;
    const auto client = client_behind(request, *peer, proxies);
    return client && *client != *peer ? address_text(*client) : request.peer;
}

bool lacks_client(const Request& request, const TrustedProxies& proxies)
{
    if (proxies.empty()) return false;
    const auto peer = parse_address(request.peer);
    return peer && proxies.trusts(*peer) && !client_behind(request, *peer, proxies);
}

}  // namespace boxoffice::http
