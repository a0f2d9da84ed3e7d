#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.hpp"

/// Request smuggling lives where two readers of the same bytes disagree on where a request ends. So the raw bytes of a
/// header block are judged here first, by the letter of RFC 9110 and RFC 9112, and whatever could be read in two ways is
/// refused before a parser sees it. Pure functions over bytes: no socket, no Boost; tests/fuzz/http_fuzz.cpp feeds them noise.
namespace boxoffice::http
{

/// Why a request is not let in: a status and one sentence for the person. Status 0: let in.
struct Refusal {
    int status = 0;
    std::string_view reason;
    [[nodiscard]] explicit operator bool() const { return status != 0; }
};

struct Limits {
    std::size_t header_bytes_max = 16 * 1024;  // request line, fields and the empty line
    std::size_t target_bytes_max = 8 * 1024;
    std::size_t body_bytes_max = 64 * 1024;
};

/// Finds the end of a header block in a buffer that grows, looking at each byte once. One empty line before the request line
/// is skipped (RFC 9112, 2.2). Refuses NUL, bare CR, bare LF (400), a long target (414) and a long block (431) as soon as
/// they show, not when the block is whole.
class HeadScanner
{
public:
    enum class State : std::uint8_t { more, whole, refused };

    /// `bytes` begins where the request does and is the same as last time, or longer.
    State scan(std::string_view bytes, const Limits& limits);
    void reset() { *this = HeadScanner{}; }

    [[nodiscard]] std::size_t skipped() const { return begin_; }  // bytes of the empty line in front
    [[nodiscard]] std::size_t size() const { return at_; }        // once whole: bytes up to the body, `skipped()` included
    [[nodiscard]] const Refusal& refusal() const { return refusal_; }

private:
    State refuse(int status, std::string_view reason);
    State judge_length(std::string_view bytes, const Limits& limits);

    std::size_t begin_ = 0;
    std::size_t at_ = 0;
    std::size_t line_begin_ = 0;
    std::size_t lines_ = 0;
    Refusal refusal_;
};

enum class Framing : std::uint8_t { none, length, chunked };
enum class Afterwards : std::uint8_t { close, keep_alive };
enum class Expectation : std::uint8_t { none, go_on };  // go_on: `100 Continue` is waited for

/// What a header block says of the request itself.
struct Head {
    Method method = Method::other;
    std::string target;     // origin form, or "*"
    int minor_version = 1;  // of HTTP/1.x
    Framing framing = Framing::none;
    std::uint64_t body_bytes = 0;  // with Framing::length
    Afterwards afterwards = Afterwards::keep_alive;
    Expectation expectation = Expectation::none;
};

/// Judges a whole header block, from the request line to the empty line, and fills `head`. Everything ambiguous is 400, an
/// unknown transfer coding or CONNECT 501, another version 505, a body over the limit 413, an unknown expectation 417.
/// When it refuses, `head` holds what had been understood.
[[nodiscard]] Refusal check_head(std::string_view block, const Limits& limits, Head& head);

/// Judges a trailer line, without its CRLF: a field like any other, but for those that frame or route a request
/// (RFC 9110, 6.5.1).
[[nodiscard]] Refusal check_trailer(std::string_view line);

/// The client's X-Request-Id, as it was sent, among the whole lines of a header block that was refused or did not come to its
/// end; empty when there is none.
[[nodiscard]] std::string_view request_id_in(std::string_view block);

}  // namespace boxoffice::http
