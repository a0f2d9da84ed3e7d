#pragma once
#include <string_view>

#include "net/framing.hpp"
#include "net/http.hpp"

namespace boxoffice::http
{

/// Fills `request.headers` from the header block that check_head() made `head` of, by Beast's parser. So every header has
/// passed two readers that do not know each other; what Beast refuses, or frames otherwise than `head` says, is refused.
/// Fields of one name stand together, in the order in which they came. Defined in server.cpp, the only file that pays
/// for Beast's headers.
[[nodiscard]] Refusal read_fields(std::string_view block, const Head& head, Request& request);

}  // namespace boxoffice::http
