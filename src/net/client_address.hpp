#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.hpp"

/// The client's address behind proxies. X-Forwarded-For is what any client may write: its right end is a proxy's word,
/// and is worth as much as that proxy.
namespace boxoffice::http
{

/// An address in 128 bits; that of IPv4 as ::ffff:a.b.c.d, so that both ways to write it are one.
struct Address {
    std::array<std::uint8_t, 16> bytes{};
    bool operator==(const Address&) const = default;
    [[nodiscard]] bool is_v4() const;
};

/// "203.0.113.7", "2001:db8::7", either with a zone, in brackets or with a port behind, as proxies write them.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);
/// The shortest common form: "203.0.113.7", "2001:db8::7".
[[nodiscard]] std::string address_text(const Address& address);
/// What counts as one client for a limit: the address, of IPv6 its /64, which is what one customer is given at least
/// ("2001:db8:0:1::/64"). Text that is no address stands for itself.
[[nodiscard]] std::string client_group(std::string_view address);

/// Whose X-Forwarded-For is believed.
class TrustedProxies
{
public:
    /// Addresses and blocks ("10.0.0.0/8", "2001:db8::/32"). Throws std::invalid_argument with a sentence.
    explicit TrustedProxies(std::span<const std::string> proxies);
    [[nodiscard]] bool trusts(const Address& address) const;
    [[nodiscard]] bool empty() const { return blocks_.empty(); }

private:
    struct Block {
        Address first;
        unsigned bits = 128;
    };
    std::vector<Block> blocks_;
};

/// For a request of a trusted proxy: the right-most address in X-Forwarded-For that is no trusted proxy's (the left-most when
/// all are), or the peer when the field is not there, as the proxy then asks for itself. Nothing when there is no address in the
/// field, or one on the way there cannot be read: the client of such a request is unknown, so it is to be refused.
[[nodiscard]] std::optional<Address> client_behind(const Request& request, const Address& peer, const TrustedProxies& proxies);

/// The peer, unless it is a trusted proxy: then client_behind(), or the peer all the same when there is none.
[[nodiscard]] std::string client_address(const Request& request, const TrustedProxies& proxies);

/// A trusted proxy does not say readably for whom the request is.
[[nodiscard]] bool lacks_client(const Request& request, const TrustedProxies& proxies);

}  // namespace boxoffice::http
