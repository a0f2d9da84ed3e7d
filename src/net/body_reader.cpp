#include "net/body_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "net/field_bytes.hpp"

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

void skip_space(std::string_view& rest)
{
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
}

[[nodiscard]] bool take_token(std::string_view& rest)
{
    const auto end = std::ranges::find_if_not(rest, [](char c) { return kTokenBytes[static_cast<unsigned char>(c)]; });
    const auto size = static_cast<std::size_t>(end - rest.begin());
    rest.remove_prefix(size);
    return size > 0;
}

/// Of a quoted string; false when it does not end.
[[nodiscard]] bool take_quoted(std::string_view& rest)
{
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return true;
        }
        if (rest[i] == '\\') ++i;  // the next byte is itself, a quote too
    }
    return false;
}

/// Judges what follows a chunk's size on its line (RFC 9112, 7.1.1): nothing, or whole extensions.
[[nodiscard]] Refusal check_chunk_extensions(std::string_view extensions)
{
    if (!std::ranges::all_of(extensions, is_value_byte)) return {400, "A chunk's extension holds a control character."};
    // An open quote would have another reader take the line's end, and the bytes behind it, for part of the string.
    constexpr Refusal kMalformed{400, "A chunk's size is followed by something else than an extension."};
    auto rest = extensions;
    while (!rest.empty()) {
        skip_space(rest);
        if (!rest.starts_with(';')) return kMalformed;
        rest.remove_prefix(1);
        skip_space(rest);
        if (!take_token(rest)) return kMalformed;
        auto value = rest;
        skip_space(value);
        if (!value.starts_with('=')) continue;
        value.remove_prefix(1);
        skip_space(value);
        if (value.starts_with('"') ? !take_quoted(value) : !take_token(value)) return kMalformed;
        rest = value;
    }
    return {};
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
    if (const auto refusal = check_chunk_extensions(rest)) {
        refusal_ = refusal;
        return;
    }
    if (body_.size() + size > body_bytes_max_) return refuse(413, "The body is too large.");
    left_ = size;
    part_ = size == 0 ? Part::trailer : Part::data;
}

void BodyReader::refuse(int status, std::string_view reason) { refusal_ = {status, reason}; }

}  // namespace boxoffice::http
