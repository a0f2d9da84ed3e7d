#pragma once
#include <ctime>
#include <string>
#include <string_view>

#include "net/framing.hpp"
#include "net/http.hpp"

/// Replies as bytes. Private to the socket side of this module.
namespace boxoffice::http
{

/// `Server: boxoffice` and `Date: …`, made anew once a second. One per thread.
class DateLine
{
public:
    [[nodiscard]] std::string_view now();

private:
    std::time_t made_at_ = 0;
    std::string text_;
};

/// The bytes of the body, wherever they are; empty for the statuses that have none (204, 304).
[[nodiscard]] std::string_view body_of(const Reply& reply);

/// Appends status line and fields, up to the empty line. Content-Length is that of body_of(), also when the body is
/// left out for HEAD; a streamed body is chunked instead, but for HTTP/1.0, where its end is the connection's. Control characters
/// in a field become spaces, so that no reply can be split in two.
void append_head(std::string& out, const Reply& reply, std::string_view date_line, const Head& head, Afterwards afterwards);

}  // namespace boxoffice::http
