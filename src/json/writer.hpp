#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/instant.hpp"

namespace boxoffice::http
{

/// Writes JSON straight into a string. Commas come by themselves: a value needs one unless it stands right behind
/// '{', '[' or ':', which no finished value ends in. Keys are the contract's own words and are not escaped;
/// strings must be UTF-8, numbers finite.
class JsonWriter
{
public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }

    JsonWriter& key(std::string_view name)
    {
        comma();
        out_ += '"';
        out_ += name;
        out_ += "\":";
        return *this;
    }

    /// The same of a name with its quotes and its colon.
    JsonWriter& quoted_key(std::string_view quoted)
    {
        comma();
        out_ += quoted;
        return *this;
    }

    JsonWriter& string(std::string_view text);
    JsonWriter& integer(std::int64_t value);
    /// The shortest digits that read back as the same number, without an exponent between 1e-7 and 1e15.
    JsonWriter& number(double value);
    JsonWriter& time(Instant value);
    JsonWriter& null();

private:
    void comma()
    {
        if (out_.empty()) return;
        const char last = out_.back();
        if (last != '{' && last != '[' && last != ':') out_ += ',';
    }
    JsonWriter& open(char bracket)
    {
        comma();
        out_ += bracket;
        return *this;
    }
    JsonWriter& close(char bracket)
    {
        out_ += bracket;
        return *this;
    }

    std::string& out_;
};

}  // namespace boxoffice::http
