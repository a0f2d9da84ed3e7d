#include "net/body_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace boxoffice::http
{

namespace
{

constexpr std::size_t kLineBytesMax = 4 * 1024;  // a size, an extension (unused), or a trailer
constexpr std::size_t kFramingPerByte = 8;       // one-byte chunks need five bytes for each of body

[[nodiscard]] std::optional<unsigned> hex_digit(char c)
{
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return std::nullopt;
}

}  // namespace

void BodyReader::begin(const Head& head, std::size_t body_bytes_max)
{
    *this = BodyReader{};
    body_bytes_max_ = body_bytes_max;
    part_ = Part::size_line;
    if (head.framing != Framing::length) return;
    part_ = Part::exact;
    left_ = head.body_bytes;
}

BodyReader::State BodyReader::feed(std::string_view& bytes)
{
    while (part_ != Part::done && !bytes.empty() && !refusal_) {
        if (part_ == Part::exact || part_ == Part::data) {
            take_data(bytes);
        } else if (take_line(bytes)) {
            end_line();
            line_.clear();
        }
    }
    if (refusal_) return State::refused;
    return part_ == Part::done ? State::whole : State::more;
}

void BodyReader::take_data(std::string_view& bytes)
{
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    body_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    left_ -= taken;
    if (left_ == 0) part_ = part_ == Part::exact ? Part::done : Part::data_end;
}

/// Moves bytes into line_ up to and with its CRLF; true when that is there.
bool BodyReader::take_line(std::string_view& bytes)
{
    while (!bytes.empty()) {
        const char c = bytes.front();
        bytes.remove_prefix(1);
        const bool after_cr = line_.ends_with('\r');
        if (after_cr != (c == '\n') || c == '\0') {
            refuse(400, "The chunked body holds a stray line end or a NUL.");
            return false;
        }
        line_ += c;
        if (part_ == Part::data_end && line_ != "\r" && line_ != "\r\n") {
            refuse(400, "A chunk is longer than its size.");
            return false;
        }
        if (line_.size() > kLineBytesMax) {
            refuse(400, "A line of the chunked body is too long.");
            return false;
        }
        if (++framing_bytes_ > kFramingPerByte * body_bytes_max_ + kLineBytesMax) {
            refuse(413, "The body is too large.");
            return false;
        }
        if (c != '\n') continue;
        line_.resize(line_.size() - 2);
        return true;
    }
    return false;
}

void BodyReader::end_line()
{
    switch (part_) {
        case Part::size_line:
            return read_size_line();
        case Part::data_end:
            part_ = Part::size_line;
            return;
        case Part::trailer:
            if (line_.empty()) {
                part_ = Part::done;
            } else if (const auto refusal = check_trailer(line_)) {
                refusal_ = refusal;
            }
            return;
        case Part::exact:
        case Part::data:
        case Part::done:
            return;
    }
}

void BodyReader::read_size_line()
{
    std::string_view rest = line_;
    std::uint64_t size = 0;
    while (!rest.empty()) {
        const auto digit = hex_digit(rest.front());
        if (!digit) break;
        size = std::min<std::uint64_t>(size * 16 + *digit, body_bytes_max_ + 1);  // more than that is all the same
        rest.remove_prefix(1);
    }
    if (rest.size() == line_.size()) return refuse(400, "A chunk's size is not hexadecimal.");
    if (const auto extension = rest.find_first_not_of(" \t");
        extension == std::string_view::npos ? !rest.empty() : rest[extension] != ';') {
        return refuse(400, "A chunk's size is followed by something else than an extension.");
    }
    if (std::ranges::any_of(rest, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; })) {
        return refuse(400, "A chunk's extension holds a control character.");
    }
    if (body_.size() + size > body_bytes_max_) return refuse(413, "The body is too large.");
    left_ = size;
    part_ = size == 0 ? Part::trailer : Part::data;
}

void BodyReader::refuse(int status, std::string_view reason) { refusal_ = {status, reason}; }

}  // namespace boxoffice::http
