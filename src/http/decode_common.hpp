#pragma once
#include <string_view>
#include <utility>
#include <vector>

#include "core/rules.hpp"
#include "http/http.hpp"
#include "http/json_reader.hpp"

/// What decode_people.cpp and decode_events.cpp share.
namespace boxoffice::http
{

struct PointBody {
    double latitude = 0;
    double longitude = 0;
};
BOOST_DESCRIBE_STRUCT(PointBody, (), (latitude, longitude))

/// Reads the JSON body of a request into `out`; the errors are those of shape and type, for rules to add to.
template <class Body>
[[nodiscard]] Result<std::vector<FieldError>> read_body(const Request& request, Body& out,
                                                        std::span<const RefusedField> refused = {})
{
    auto root = parse_json(request.body);
    if (!root) return std::move(root).error();
    Reading reading;
    refuse_fields(*root, refused, reading);
    read(*root, out, reading);
    return std::move(reading.errors);
}

/// True when nothing is wrong at, above or below `loc`: only then has a rule something to judge.
[[nodiscard]] bool is_readable(const std::vector<FieldError>& errors, const std::vector<std::string>& loc);

/// Adds what the rules found, but for what could not even be read.
void add_rule_errors(std::vector<FieldError>& errors, std::vector<FieldError> found);

[[nodiscard]] Error invalid(std::vector<FieldError> errors);

}  // namespace boxoffice::http
