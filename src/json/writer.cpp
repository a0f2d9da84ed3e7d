#include "json/writer.hpp"

#include <charconv>
#include <cmath>

#include "json/times.hpp"

namespace boxoffice::http
{

JsonWriter& JsonWriter::string(std::string_view text)
{
    static constexpr char kHex[] = "0123456789abcdef";
    comma();
    out_ += '"';
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out_.append(text, plain, i - plain);
        plain = i + 1;
        switch (c) {
            case '"':
                out_ += "\\\"";
                break;
            case '\\':
                out_ += "\\\\";
                break;
            case '\n':
                out_ += "\\n";
                break;
            case '\r':
                out_ += "\\r";
                break;
            case '\t':
                out_ += "\\t";
                break;
            default:
                out_ += "\\u00";
                out_ += kHex[c >> 4];
                out_ += kHex[c & 15];
        }
    }
    out_.append(text, plain);
    out_ += '"';
    return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value)
{
    comma();
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out_.append(text, static_cast<std::size_t>(end - text));
    return *this;
}

JsonWriter& JsonWriter::number(double value)
{
    comma();
    const double size = std::abs(value);
    if (size == 0) {
        out_ += '0';  // never "-0"
        return *this;
    }
    const auto format = size >= 1e-7 && size < 1e15 ? std::chars_format::fixed : std::chars_format::general;
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value, format).ptr;
    out_.append(text, static_cast<std::size_t>(end - text));
    return *this;
}

JsonWriter& JsonWriter::time(Instant value)
{
    comma();
    out_ += '"';
    append_time(out_, value);
    out_ += '"';
    return *this;
}

JsonWriter& JsonWriter::null()
{
    comma();
    out_ += "null";
    return *this;
}

}  // namespace boxoffice::http
