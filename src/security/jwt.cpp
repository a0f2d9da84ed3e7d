#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "security/security.hpp"

namespace boxoffice
{
namespace
{

using std::chrono::seconds;

constexpr std::size_t kSecretBytesMin = 32;   // RFC 7518, section 3.2: as long as the hash
constexpr std::size_t kTokenBytesMax = 4096;  // ours have some 200; what is longer is not worth hashing
constexpr std::size_t kMacBytes = 32;
constexpr seconds kSkewMax{60};                       // between the clocks of two nodes that share a secret
constexpr std::int64_t kSecondMax = 253'402'300'799;  // the end of the year 9999, far from where microseconds overflow
constexpr std::string_view kIssuer = "boxoffice";
constexpr std::string_view kOurHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";  // {"alg":"HS256","typ":"JWT"}

using Mac = std::array<unsigned char, kMacBytes>;

struct FreeMac {
    void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// HMAC-SHA-256 under one key. The keyed context is only ever duplicated, so that every thread may.
class KeyedMac
{
public:
    explicit KeyedMac(std::string_view secret)
    {
        const std::unique_ptr<EVP_MAC, FreeMac> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
        if (!hmac) fail();
        keyed_.reset(EVP_MAC_CTX_new(hmac.get()));
        char digest[] = "SHA256";
        const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
        const auto* key = reinterpret_cast<const unsigned char*>(secret.data());
        if (!keyed_ || EVP_MAC_init(keyed_.get(), key, secret.size(), params) != 1) fail();
    }

    Mac of(std::string_view text) const
    {
        const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(EVP_MAC_CTX_dup(keyed_.get()));
        Mac mac{};
        std::size_t length = 0;
        if (!context || EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1 ||
            EVP_MAC_final(context.get(), mac.data(), &length, mac.size()) != 1 || length != mac.size()) {
            fail();
        }
        return mac;
    }

private:
    [[noreturn]] static void fail() { throw std::runtime_error("OpenSSL could not compute an HMAC"); }

    std::unique_ptr<EVP_MAC_CTX, FreeMac> keyed_;
};

// RFC 4648, section 5, without padding.
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> kSextets = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
    return table;
}();

void append_base64url(std::string& out, std::string_view bytes)
{
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : bytes) {
        bits = bits << 8U | static_cast<unsigned char>(c);
        for (count += 8; count >= 6; count -= 6) out += kAlphabet[bits >> (count - 6) & 0x3FU];
    }
    if (count > 0) out += kAlphabet[bits << (6 - count) & 0x3FU];
}

// How many bytes were written to `out`, which has room for 3/4 of the text. Nothing for padding, for a character outside the
// alphabet, and for bits left over that are not zero: each would be a second spelling of the same token.
std::optional<std::size_t> decode_base64url(std::string_view text, unsigned char* out)
{
    if (text.size() % 4 == 1) return std::nullopt;
    std::uint32_t bits = 0;
    unsigned count = 0;
    std::size_t written = 0;
    for (const char c : text) {
        const std::int8_t sextet = kSextets[static_cast<unsigned char>(c)];
        if (sextet < 0) return std::nullopt;
        bits = bits << 6U | static_cast<std::uint32_t>(sextet);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out[written++] = static_cast<unsigned char>(bits >> count);
    }
    if ((bits & ((1U << count) - 1U)) != 0) return std::nullopt;
    return written;
}

// The JSON object in one part of a token: strict base64url, strict JSON, no name twice.
// What it holds lives until the thread reads another.
class Part
{
public:
    // False when it is anything else.
    bool read(std::string_view text)
    {
        thread_local std::array<unsigned char, kTokenBytesMax + simdjson::SIMDJSON_PADDING> bytes{};
        thread_local simdjson::dom::parser parser;
        const auto length = decode_base64url(text, bytes.data());
        if (!length) return false;
        return parser.parse(bytes.data(), *length, false).get(object_) == simdjson::SUCCESS && names_differ();
    }

    bool has(std::string_view name) const { return object_.at_key(name).error() == simdjson::SUCCESS; }

    std::optional<std::string_view> text(std::string_view name) const
    {
        std::string_view value;
        if (object_.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
        return value;
    }

    // A number with a fraction is none of ours.
    std::optional<std::int64_t> whole(std::string_view name) const
    {
        simdjson::dom::element value;
        if (object_.at_key(name).get(value) != simdjson::SUCCESS || !value.is_int64()) return std::nullopt;
        return value.get_int64().value_unsafe();
    }

    // A point of time as the token tells it.
    std::optional<Instant> second(std::string_view name) const
    {
        const auto count = whole(name);
        if (!count || *count < 0 || *count > kSecondMax) return std::nullopt;
        return Instant(seconds(*count));
    }

private:
    bool names_differ() const
    {
        std::vector<std::string_view> names;
        names.reserve(object_.size());
        for (const auto field : object_) names.push_back(field.key);
        std::sort(names.begin(), names.end());
        return std::adjacent_find(names.begin(), names.end()) == names.end();
    }

    simdjson::dom::object object_;
};

std::optional<UserId> user_in(std::string_view subject)
{
    UserId user;
    if (subject.empty() || subject.front() < '1' || subject.front() > '9') return std::nullopt;
    const auto [end, failure] = std::from_chars(subject.data(), subject.data() + subject.size(), user.value);
    if (failure != std::errc() || end != subject.data() + subject.size()) return std::nullopt;
    return user;
}

Error refusal(const char* why) { return {Code::unauthenticated, "The access token is not valid. Please log in again.", why}; }

class Jwt final : public TokenSigner
{
public:
    Jwt(std::string_view secret, Micros lifetime, StoreOfTokens store)
        : mac_(secret), lifetime_(lifetime), store_(std::move(store))
    {
    }

    std::string sign(UserId user, Instant now) const override
    {
        const auto issued_at = std::chrono::floor<seconds>(now).time_since_epoch().count();
        const auto expires_at = std::chrono::floor<seconds>(now + lifetime_).time_since_epoch().count();
        const std::string claims = fmt::format(R"({{"sub":"{}","iat":{},"exp":{},"iss":"{}","jti":"{}"{}}})", user.value,
                                               issued_at, expires_at, kIssuer, random_hex(16), store_claims());
        std::string token;
        token.reserve(256);
        token.append(kOurHeader).append(1, '.');
        append_base64url(token, claims);
        const Mac mac = mac_.of(token);
        token += '.';
        append_base64url(token, {reinterpret_cast<const char*>(mac.data()), mac.size()});
        return token;
    }

    Result<TokenClaims> verify(std::string_view token, Instant now) const override
    {
        if (token.size() > kTokenBytesMax) return refusal("token: too long");
        const std::size_t first = token.find('.');
        if (first == std::string_view::npos) return refusal("token: not three parts");
        const std::size_t second = token.find('.', first + 1);
        if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
            return refusal("token: not three parts");
        }
        // The signature before anything it covers: a forger's JSON is never parsed.
        if (!is_signed(token.substr(0, second), token.substr(second + 1))) return refusal("token: signature");
        if (const char* why = why_refused_header(token.substr(0, first))) return refusal(why);
        return believe(token.substr(first + 1, second - first - 1), now);
    }

    Micros lifetime() const override { return lifetime_; }

private:
    bool is_signed(std::string_view text, std::string_view signature) const
    {
        constexpr std::size_t kSignatureChars = (kMacBytes * 8 + 5) / 6;
        Mac told{};
        if (signature.size() != kSignatureChars || !decode_base64url(signature, told.data())) return false;
        const Mac mac = mac_.of(text);
        return CRYPTO_memcmp(mac.data(), told.data(), mac.size()) == 0;
    }

    // RFC 8725, section 3.1: the algorithm is ours to choose, the token may only agree.
    static const char* why_refused_header(std::string_view text)
    {
        if (text == kOurHeader) return nullptr;
        Part header;
        if (!header.read(text)) return "token: header";
        if (header.text("alg") != "HS256") return "token: algorithm";
        if (header.has("typ") && header.text("typ") != "JWT") return "token: type";
        if (header.has("crit")) return "token: critical header";  // RFC 7515, section 4.1.11: we know no extension
        return nullptr;
    }

    // The id is of our own making: nothing in it has to be escaped.
    std::string store_claims() const
    {
        const auto store = store_ ? store_() : nullptr;
        if (!store || store->id.empty()) return {};
        return fmt::format(R"(,"sid":"{}","gen":{})", store->id, store->generation);
    }

    const char* why_refused_store(const Part& claims, Instant now) const
    {
        const auto store = store_ ? store_() : nullptr;
        if (!store || store->id.empty()) return nullptr;
        if (!claims.has("sid") && !claims.has("gen")) return now < store->plain_until ? nullptr : "token: names no store";
        if (claims.text("sid") != store->id) return "token: of another store";
        return claims.whole("gen") == store->generation ? nullptr : "token: of before a restore";
    }

    Result<TokenClaims> believe(std::string_view text, Instant now) const
    {
        Part claims;
        if (!claims.read(text)) return refusal("token: claims");
        if (claims.text("iss") != kIssuer) return refusal("token: issuer");
        if (claims.has("aud")) return refusal("token: audience");  // RFC 7519, section 4.1.3: it was made for another audience
        if (const char* why = why_refused_store(claims, now)) return refusal(why);
        const auto subject = claims.text("sub");
        const auto user = subject ? user_in(*subject) : std::nullopt;
        if (!user) return refusal("token: subject");
        const auto issued_at = claims.second("iat");
        if (!issued_at || *issued_at > now + kSkewMax) return refusal("token: issue time");
        if (claims.has("nbf")) {
            const auto not_before = claims.second("nbf");
            if (!not_before || *not_before > now + kSkewMax) return refusal("token: not valid yet");
        }
        const auto expires_at = claims.second("exp");
        if (!expires_at) return refusal("token: expiry");
        if (*expires_at <= now) {
            return Error{Code::unauthenticated, "The access token has expired. Please log in again.", "token: expired"};
        }
        return TokenClaims{*user, *issued_at, *expires_at};
    }

    KeyedMac mac_;
    Micros lifetime_;
    StoreOfTokens store_;
};

}  // namespace

std::unique_ptr<TokenSigner> make_jwt(std::string_view secret, Micros lifetime, StoreOfTokens store)
{
    if (secret.size() < kSecretBytesMin) {
        throw std::invalid_argument(
            fmt::format("the token secret has {} bytes; HS256 needs at least {}", secret.size(), kSecretBytesMin));
    }
    return std::make_unique<Jwt>(secret, lifetime, std::move(store));
}

}  // namespace boxoffice
