#pragma once
#include <optional>

#include "core/acts.hpp"
#include "net/net.hpp"

namespace boxoffice::http
{

/// An answer as the store keeps it for repeats of an Idempotency-Key: status, Content-Type, headers and body in one run of bytes.
[[nodiscard]] KeptAnswer keep(const Reply& reply);

/// Nothing when the bytes are not what keep() makes.
[[nodiscard]] std::optional<Reply> restore(const KeptAnswer& kept);

}  // namespace boxoffice::http
