#pragma once
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/resources.hpp"
#include "core/rules.hpp"
#include "json/reader.hpp"
#include "net/net.hpp"

/// What decode_people.cpp and decode_events.cpp share.
namespace boxoffice::http
{

/// Reads the JSON body of a request into `out`; the errors are those of shape and type, for rules to add to.
template <Shape Wanted = Shape::whole, class Table, class Body>
[[nodiscard]] Result<std::vector<FieldError>> read_body(const Request& request, const Table& table, Body& out,
                                                        std::span<const fields::Refused> refused = {})
{
    auto root = parse_json(request.body);
    if (!root) return std::move(root).error();
    Reading reading;
    refuse_fields(*root, refused, reading);
    read_object<Wanted>(*root, table, out, reading);
    return std::move(reading.errors);
}

/// True when nothing is wrong at, above or below `loc`: only then has a rule something to judge.
[[nodiscard]] bool is_readable(const std::vector<FieldError>& errors, const std::vector<std::string>& loc);

/// Adds what the rules found, but for what could not even be read.
void add_rule_errors(std::vector<FieldError>& errors, std::vector<FieldError> found);

[[nodiscard]] Error invalid(std::vector<FieldError> errors);

/// The body, or Error invalid with `errors` and what the rules of its fields find beside them.
template <class Table, class Body>
[[nodiscard]] Result<Body> judged(const Table& table, Body body, std::vector<FieldError> errors)
{
    std::vector<FieldError> found;
    fields::check_value(fields::Object{table}, body, fields::kBody, found);
    add_rule_errors(errors, std::move(found));
    if (!errors.empty()) return invalid(std::move(errors));
    return body;
}

}  // namespace boxoffice::http
