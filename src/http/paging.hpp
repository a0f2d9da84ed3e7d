#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "http/http.hpp"
#include "http/query.hpp"

namespace boxoffice::http
{

/// The Link header (RFC 8288) of one page of a list of `total` items: rel="next" and rel="prev" where there are such pages, with
/// every other parameter of `target` as it was. Empty when all fits one page.
[[nodiscard]] std::string page_links(std::string_view target, Slice slice, std::int64_t total);

/// Adds X-Total-Count and, where there is one, Link.
void add_paging(Reply& reply, std::string_view target, Slice slice, std::int64_t total);

}  // namespace boxoffice::http
