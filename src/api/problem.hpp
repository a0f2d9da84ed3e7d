#pragma once
#include <span>
#include <string_view>

#include "core/result.hpp"
#include "net/net.hpp"

/// Refusals as RFC 9457 problem documents, and the one table that gives a Code its status.
namespace boxoffice::http
{

[[nodiscard]] int status_of(Code code);

/// Code words of answers that are about HTTP itself and so have no Code: 405 is "method_not_allowed".
[[nodiscard]] std::string_view word_of_status(int status);

/// The problem document; Error::detail stays behind. `request_id` becomes `instance`. 401 brings WWW-Authenticate,
/// a 503 that will pass by itself Retry-After.
/// `oauth_error`: the member `error` of RFC 6749, for clients that know only that.
[[nodiscard]] Reply problem(const Error& error, std::string_view request_id, std::string_view oauth_error = {});
[[nodiscard]] Reply problem(int status, std::string_view detail, std::string_view request_id);

}  // namespace boxoffice::http
