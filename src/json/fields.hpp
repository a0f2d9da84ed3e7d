#pragma once
#include <concepts>
#include <string_view>

#include "core/fields.hpp"
#include "core/ids.hpp"
#include "core/instant.hpp"
#include "json/writer.hpp"

/// Writes structs as JSON by the description of their fields, in its order.
namespace boxoffice::http
{

/// How much of a resource is told.
enum class Fields : std::uint8_t { full, summary };

inline void write(JsonWriter& json, std::string_view value) { json.string(value); }
inline void write(JsonWriter& json, std::int64_t value) { json.integer(value); }
inline void write(JsonWriter& json, std::floating_point auto value) { json.number(value); }
inline void write(JsonWriter& json, Instant value) { json.time(value); }
template <class Tag>
void write(JsonWriter& json, Id<Tag> value)
{
    json.integer(value.value);
}
inline void write(JsonWriter& json, const std::vector<std::string_view>& value)
{
    json.begin_array();
    for (const auto word : value) json.string(word);
    json.end_array();
}

template <class Table, class T>
void write_object(JsonWriter& json, const Table& table, const T& of);

template <class Rule, class T>
void write_value(JsonWriter& json, const Rule& rule, const T& value)
{
    if constexpr (fields::kIsOptional<T>) {
        if (!value) return static_cast<void>(json.null());
        write_value(json, rule, *value);
    } else if constexpr (fields::kIsObject<Rule>) {
        write_object(json, rule.fields, value);
    } else {
        write(json, value);
    }
}

template <class Field, class T>
void write_field(JsonWriter& json, const Field& field, const T& value)
{
    if constexpr (Field::kTold == fields::Progress::when_there) {
        if (!value) return;
    }
    json.quoted_key({Field::kQuoted.data(), Field::kQuoted.size()});
    write_value(json, field.rule, value);
}

/// The fields without the braces, so that others can stand beside them.
template <class Table, class T>
void write_fields(JsonWriter& json, const Table& table, const T& of, Fields how_many = Fields::full)
{
    fields::each(table, [&]<class Field>(const Field& field) {
        if constexpr (Field::kTold == fields::Progress::in_full) {
            if (how_many == Fields::summary) return;
        }
        write_field(json, field, field.at(of));
    });
}

template <class Table, class T>
void write_object(JsonWriter& json, const Table& table, const T& of)
{
    json.begin_object();
    write_fields(json, table, of);
    json.end_object();
}

}  // namespace boxoffice::http
