#pragma once
#include <optional>
#include <string_view>

#include "net/net.hpp"

namespace boxoffice::http
{

/// The pages and documents that are part of the binary: /, /docs, /redoc, /openapi.json, /openapi.yaml and the files below
/// /docs/ and /landing/ that they load. Nothing when `path` (decoded, without query) is none of them. A page's trailing slash
/// makes no difference. Answers 200 with a strong ETag, compressed when the client takes gzip, or 304; the bodies are never
/// copied. Each page may load only what its Content-Security-Policy lists, and nothing from another host.
/// Ask for GET and HEAD only. Any thread.
[[nodiscard]] std::optional<Reply> find_page(const Request& request, std::string_view path);

/// Whether an Accept-Encoding header lets an answer be sent as gzip (RFC 9110, 12.5.3). An absent one does not.
[[nodiscard]] bool takes_gzip(std::string_view accept_encoding);

}  // namespace boxoffice::http
