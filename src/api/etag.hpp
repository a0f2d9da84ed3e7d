#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/acts.hpp"
#include "core/result.hpp"
#include "net/net.hpp"

namespace boxoffice::http
{

/// True when `if_none_match` names `etag`: "*", or a list with the tag in it, compared weakly (RFC 9110, 13.1.2). What is neither
/// names nothing: the client gets the whole answer, which is right whatever it has.
[[nodiscard]] bool none_match_names(std::string_view if_none_match, std::string_view etag);
/// The same of all If-None-Match fields of a request, which are one list.
[[nodiscard]] bool none_match_names(const Request& request, std::string_view etag);

/// What the If-Match fields of a request ask of an event: the versions of their tags; nothing when there is no such field or it
/// says "*", which any event matches. A weak tag, and one that no event of ours can have, matches none (RFC 9110, 13.1.1).
/// Error malformed.
[[nodiscard]] Result<OnlyAt> read_if_match(const Request& request);

/// The strong tag of an answer with that body; that of an event begins with its version: "v3-…".
[[nodiscard]] std::string etag_of(std::string_view body, std::optional<std::int64_t> version,
                                  std::string (*digest)(std::string_view));

/// Adds a strong ETag made from the body; turns the answer into 304 without a body when the client has it already.
void add_etag(Reply& reply, const Request& request, std::optional<std::int64_t> version, std::string (*digest)(std::string_view));

}  // namespace boxoffice::http
