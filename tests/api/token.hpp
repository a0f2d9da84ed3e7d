#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

/// JSON Web Tokens taken apart and forged, independently of the server's own code.
namespace blackbox
{

struct Token {
    nlohmann::json header;
    nlohmann::json claims;
    std::string signed_part;  // the bytes that the signature is over
    std::string signature;    // in bytes
};

/// Throws std::runtime_error when `text` is not three base64url parts of which two are JSON.
[[nodiscard]] Token take_apart(std::string_view text);

enum class Digest { none, sha256, sha512 };

/// header.claims.signature; `Digest::none` leaves the signature empty.
[[nodiscard]] std::string forge(const nlohmann::json& header, const nlohmann::json& claims, std::string_view key,
                                Digest digest = Digest::sha256);

/// The key that signed `token` with HS256 when the server was given `secret`: its bytes, or what they spell in hexadecimal.
[[nodiscard]] std::optional<std::string> find_key(std::string_view token, const std::string& secret);

}  // namespace blackbox
