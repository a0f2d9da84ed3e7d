#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "net/net.hpp"

namespace boxoffice::http
{

/// The request's Idempotency-Key, or nothing when it sends none.
[[nodiscard]] std::optional<std::string_view> idempotency_key(const Request& request);

/// What is wrong with a key: it has 1 to 255 visible ASCII characters.
[[nodiscard]] std::optional<FieldError> key_error(std::string_view key);

/// The digest of what must be the same in a repeat: method, path (a collection's with or without its slash) and body.
[[nodiscard]] std::string fingerprint(const Request& request, std::string (*digest)(std::string_view));

}  // namespace boxoffice::http
