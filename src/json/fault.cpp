#include "json/fault.hpp"

// Boost.JSON is compiled in here, for want of a library of its version to link with.
#include <boost/json/src.hpp>

namespace boxoffice::http
{

std::optional<TextPlace> where_json_breaks(std::string_view text)
{
    boost::json::parse_options options;
    options.max_depth = 32;  // as parse_json() has it
    boost::json::stream_parser parser({}, options);
    boost::json::error_code fault;
    const std::size_t good = parser.write_some(text.data(), text.size(), fault);
    if (!fault && good == text.size()) parser.finish(fault);
    if (!fault && good == text.size()) return std::nullopt;
    TextPlace place;
    for (const char c : text.substr(0, good)) {
        if (c == '\n') {
            ++place.line;
            place.column = 1;
        } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
            ++place.column;
        }
    }
    return place;
}

}  // namespace boxoffice::http
