#pragma once
#include <simdjson.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/acts.hpp"
#include "core/fields.hpp"
#include "core/result.hpp"

/// Reads JSON into structs by the description of their fields and lists every bad field of a body at once, each under its
/// location ("body", "venue", "latitude"). Unknown fields are skipped, but for those that a body is known to be refused for.
namespace boxoffice::http
{

/// Where the reader stands and what it has found wrong.
class Reading
{
public:
    std::vector<FieldError> errors;

    void refuse(std::string_view msg, std::string_view type);
    void enter(std::string_view field) { path_.push_back(field); }
    void leave() { path_.pop_back(); }

private:
    std::vector<std::string_view> path_{"body"};
};

/// The document in `body`, valid until the next call on this thread. Error malformed, with line and column, for what is not JSON,
/// not UTF-8, empty, or nested more than 32 deep, and for an object that has two fields of one name, wherever it stands. Numbers
/// too large for any machine type are read as very large ones, for their field to refuse.
[[nodiscard]] Result<simdjson::dom::element> parse_json(std::string_view body);

void refuse_fields(simdjson::dom::element in, std::span<const fields::Refused> refused, Reading& reading);

void read(simdjson::dom::element in, std::string& out, Reading& reading);
/// 100, 100.0 and 1e2 are one integer; what is not whole, or beyond 64 bits, is none.
void read(simdjson::dom::element in, std::int64_t& out, Reading& reading);
void read(simdjson::dom::element in, double& out, Reading& reading);
void read(simdjson::dom::element in, TimeInput& out, Reading& reading);

template <class Tag>
void read(simdjson::dom::element in, Id<Tag>& out, Reading& reading)
{
    read(in, out.value, reading);
}

/// Whether the fields of a body are all there, or those that are to be replaced.
enum class Shape : std::uint8_t { whole, patch };

template <Shape Wanted, class Table, class T>
void read_object(simdjson::dom::element in, const Table& table, T& out, Reading& reading);

/// A value that is there. Null is no value where there may be none; what cannot be read leaves an optional empty.
template <class Rule, class T>
void read_value(simdjson::dom::element in, const Rule& rule, T& out, Reading& reading)
{
    if constexpr (fields::kIsOptional<T>) {
        out.reset();
        if (in.is_null()) return;
        const auto before = reading.errors.size();
        typename T::value_type value{};
        read_value(in, rule, value, reading);
        if (reading.errors.size() == before) out = std::move(value);
    } else if constexpr (fields::kIsObject<Rule>) {
        read_object<Shape::whole>(in, rule.fields, out, reading);
    } else {
        read(in, out, reading);
    }
}

using Found = std::optional<simdjson::dom::element>;

template <class Field, class T>
void read_field(const Found& found, const Field& field, T& out, Reading& reading)
{
    if constexpr (Field::kHasFallback) {
        out = field.fallback;
        if (found && !found->is_null()) read_value(*found, field.rule, out, reading);
    } else if (found) {
        read_value(*found, field.rule, out, reading);
    } else if constexpr (!fields::kIsOptional<T>) {
        reading.refuse("Field required", "missing");
    }
}

/// Of an object the good fields count, whatever is wrong with the others.
template <class Field, class T>
void patch_field(const Found& found, const Field& field, T& out, Reading& reading)
{
    if (!found) return;
    if constexpr (fields::kIsOptional<T>) {
        const auto before = reading.errors.size();
        typename T::value_type value{};
        read_value(*found, field.rule, value, reading);
        if (reading.errors.size() == before) out = std::move(value);
    } else {
        read_object<Shape::patch>(*found, field.rule.fields, out, reading);
    }
}

/// The fields of the description, in its order.
template <Shape Wanted, class Table, class T>
void read_object(simdjson::dom::element in, const Table& table, T& out, Reading& reading)
{
    simdjson::dom::object object;
    if (in.get(object) != simdjson::SUCCESS) return reading.refuse("Input should be an object", "object_type");
    std::array<Found, std::tuple_size_v<Table>> found;
    for (const auto member : object) {
        std::size_t at = 0;
        fields::each(table, [&](const auto& field) {
            if (member.key == field.kName) found[at] = member.value;
            ++at;
        });
    }
    std::size_t at = 0;
    fields::each(table, [&](const auto& field) {
        reading.enter(field.kName);
        if constexpr (Wanted == Shape::whole) {
            read_field(found[at], field, field.at(out), reading);
        } else {
            patch_field(found[at], field, field.at(out), reading);
        }
        reading.leave();
        ++at;
    });
}

}  // namespace boxoffice::http
