#pragma once
#include <string>
#include <string_view>

#include "http/http.hpp"

namespace boxoffice::http
{

/// True when `if_none_match` names `etag`: "*", or a list with the tag in it, compared weakly (RFC 9110, 13.1.2).
[[nodiscard]] bool none_match_names(std::string_view if_none_match, std::string_view etag);

/// Adds a strong ETag made from the body; turns the answer into 304 without a body when the client has it already.
void add_etag(Reply& reply, const Request& request, std::string (*digest)(std::string_view));

}  // namespace boxoffice::http
