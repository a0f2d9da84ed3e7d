#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/ports.hpp"

/// Passwords, tokens and time zones: adapters over libxcrypt, OpenSSL and Abseil. No cryptography of our own.
namespace boxoffice
{

/// bcrypt ($2b$) through libxcrypt's crypt_rn. 4 <= cost <= 15.
[[nodiscard]] std::unique_ptr<PasswordHasher> make_bcrypt(int cost);

/// Which store tokens are for, as it is now: asked for each token, never null. Any thread.
using StoreOfTokens = std::function<std::shared_ptr<const StoreIdentity>()>;

/// JWT with HS256 and nothing else (RFC 7519, RFC 8725): `secret` has at least 32 bytes. Claims: sub, iat, exp,
/// iss "boxoffice", jti; and, for a store that has an identity, its id as sid and its generation as gen, without which a token
/// that another store or another life of this one has signed would open the account that has the same number here.
[[nodiscard]] std::unique_ptr<TokenSigner> make_jwt(std::string_view secret, Micros lifetime, StoreOfTokens store = {});

/// Why a secret is refused (too short, well known, one character repeated), or empty when it will do.
[[nodiscard]] std::string why_weak(std::string_view secret);

/// The secret in `file`: 256 random bits in hexadecimal, made on first use with mode 0600 (O_EXCL, fsync, then rename).
/// Throws std::runtime_error with a sentence for the operator when it cannot be read, is weak, or others may read it.
[[nodiscard]] std::string load_or_make_secret(const std::filesystem::path& file);

/// SHA-256 in lower-case hexadecimal: fingerprints and ETags.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// `bytes` random bytes from the kernel, in lower-case hexadecimal.
[[nodiscard]] std::string random_hex(std::size_t bytes);

/// Zones over the tables of the tz database in `folder`, fat or slim (RFC 8536); each is read when it is first asked for.
[[nodiscard]] std::unique_ptr<Zones> make_zones(const std::filesystem::path& folder = "/usr/share/zoneinfo");

}  // namespace boxoffice
