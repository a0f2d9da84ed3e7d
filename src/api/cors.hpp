#pragma once
#include <span>
#include <string>
#include <string_view>

#include "net/net.hpp"

/// Which pages of other origins may call the API (the CORS protocol of the Fetch standard). Tokens travel in Authorization and
/// never by themselves, so that nothing is ever allowed "with credentials".
namespace boxoffice::http
{

/// Tells the browser that a page of the request's origin may read this answer, if it may; and caches that it depends on that.
void add_cors_fields(Reply& reply, const Request& request, std::span<const std::string> origins);

/// To the answer to OPTIONS: what such a page may send. `allow`: the methods of the path.
void add_preflight_fields(Reply& reply, const Request& request, std::span<const std::string> origins, std::string_view allow);

}  // namespace boxoffice::http
