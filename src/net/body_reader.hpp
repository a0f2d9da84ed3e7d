#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/framing.hpp"

namespace boxoffice::http
{

/// Takes a request's body off the wire, by its length or chunk by chunk (RFC 9112, 7.1). Strict: a chunk's line is hexadecimal
/// digits, perhaps an extension, and CRLF; whatever another reader might end elsewhere is refused at the byte that
/// shows it. Extensions and trailers are checked and dropped: a trailer never becomes a header.
class BodyReader
{
public:
    enum class State : std::uint8_t { more, whole, refused };

    /// For the request of `head`, which has a body.
    void begin(const Head& head, std::size_t body_bytes_max);

    /// Takes bytes from the front of `bytes`: all of them, unless it becomes whole or refuses.
    [[nodiscard]] State feed(std::string_view& bytes);

    [[nodiscard]] const Refusal& refusal() const { return refusal_; }
    [[nodiscard]] std::size_t size() const { return body_.size(); }  // so far
    [[nodiscard]] std::string take() { return std::move(body_); }

private:
    enum class Part : std::uint8_t { exact, size_line, data, data_end, trailer, done };

    void take_data(std::string_view& bytes);
    [[nodiscard]] bool take_line(std::string_view& bytes);
    void end_line();
    void read_size_line();
    void refuse(int status, std::string_view reason);

    Part part_ = Part::done;
    std::size_t body_bytes_max_ = 0;
    std::uint64_t left_ = 0;         // of the body or the chunk
    std::size_t framing_bytes_ = 0;  // what was not data
    std::string line_;
    std::string body_;
    Refusal refusal_;
};

}  // namespace boxoffice::http
