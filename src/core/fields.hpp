#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "core/limits.hpp"
#include "core/result.hpp"
#include "text/text.hpp"

/// What there is to say of a resource's fields, each field said once: its name, where it lies in a struct, and which values it
/// may have. Rules, PATCH, decoding, encoding and the comparison with api/openapi.yaml all go by these descriptions, which exist
/// at compile time only.
namespace boxoffice::fields
{

// --- Which values a field may have ---------------------------------------------------------------------------------

/// `least` to `most` characters. What must not be in them is judged where they are written anew; see check_content().
struct Text {
    std::size_t least;
    std::size_t most;
    text::Kind kind;
};
/// One line of 1 to `most` characters; `what` begins the sentence about a line that is none.
struct Line {
    std::string_view what;
    std::size_t most;
};
struct Mailbox {
    std::size_t most_bytes;
};
/// What is typed where it is not shown; bounds in bytes, as it is hashed. Without bounds: compared, not chosen.
struct Secret {
    std::size_t least_bytes = 0;
    std::size_t most_bytes = std::numeric_limits<std::size_t>::max();
};
struct Whole {
    std::int64_t least;
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
};
struct Real {
    double least;
    double most = std::numeric_limits<double>::infinity();
};
/// From -most to most.
struct Degrees {
    double most;
};
/// An Id<Tag>, from 1.
struct Identity {
};
struct ZoneName {
};
/// A TimeInput in what is asked for, an Instant in what is answered.
struct Moment {
};
/// The word of a TicketStatus.
struct Status {
};
/// Always this word.
struct Constant {
    std::string_view word;
};
/// Any text, or a list of texts.
struct Words {
};
/// Fields within a field.
template <class Table>
struct Object {
    Table fields;
};
template <class Table>
Object(Table) -> Object<Table>;

template <class Rule>
inline constexpr bool kIsObject = false;
template <class Table>
inline constexpr bool kIsObject<Object<Table>> = true;

template <class Value>
inline constexpr bool kIsOptional = false;
template <class Value>
inline constexpr bool kIsOptional<std::optional<Value>> = true;

// --- A field -------------------------------------------------------------------------------------------------------

/// A text that can be a template's argument.
template <std::size_t Size>
struct Literal {
    char text[Size];

    // NOLINTNEXTLINE(google-explicit-constructor): so that field<"title"> can be written
    consteval Literal(const char (&from)[Size]) : text() { std::copy_n(from, Size, text); }
    [[nodiscard]] constexpr std::string_view view() const { return {text, Size - 1}; }
};

/// always; or only where the whole resource is told (a summary goes without); or only where there is a value.
enum class Progress : std::uint8_t { always, in_full, when_there };

/// One field. `at(resource)` is its value: a reference into a struct that can be read into or patched, or something computed
/// that can only be told. A field that lies in a std::optional may be left out of a request; so may one with a `fallback`.
template <Literal Name, class At, class Rule, Progress When = Progress::always, bool HasFallback = false>
struct Field {
    static constexpr std::string_view kName = Name.view();
    /// `"name":`
    static constexpr auto kQuoted = [] {
        std::array<char, kName.size() + 3> all{};
        all.front() = '"';
        std::copy(kName.begin(), kName.end(), all.begin() + 1);
        all[kName.size() + 1] = '"';
        all[kName.size() + 2] = ':';
        return all;
    }();
    static constexpr Progress kTold = When;
    static constexpr bool kHasFallback = HasFallback;

    At at;
    Rule rule;
    std::string_view fallback{};

    /// The same field, which a request may leave out to say this.
    [[nodiscard]] constexpr auto or_else(std::string_view value) const
    {
        return Field<Name, At, Rule, When, true>{at, rule, value};
    }
    [[nodiscard]] constexpr auto in_full() const
    {
        return Field<Name, At, Rule, Progress::in_full, HasFallback>{at, rule, fallback};
    }
    [[nodiscard]] constexpr auto when_there() const
    {
        return Field<Name, At, Rule, Progress::when_there, HasFallback>{at, rule, fallback};
    }
};

template <Literal Name, class At, class Rule>
[[nodiscard]] constexpr auto field(At at, Rule rule)
{
    return Field<Name, At, Rule>{at, rule};
}

/// A field that is not merely unknown: who sends it would take it for done. It is refused, and told why.
struct Refused {
    std::string_view name;
    std::string_view why;
};

// --- Going through a description -----------------------------------------------------------------------------------

/// Where a field lies, from the outside inwards; lives as long as the call that made it.
struct Place {
    const Place* outer = nullptr;
    std::string_view name;
};
inline constexpr Place kBody{nullptr, "body"};

/// {"body", "venue", "latitude"}.
[[nodiscard]] std::vector<std::string> path_of(const Place& place);

template <class Table, class Visit>
constexpr void each(const Table& table, const Visit& visit)
{
    std::apply([&visit](const auto&... rows) { (visit(rows), ...); }, table);
}

/// visit(place, field, value of the first, value of the second …) for each field, and within objects for each of theirs.
template <class Table, class Visit, class... Resources>
void each_value(const Table& table, const Place& outer, const Visit& visit, Resources&... resources)
{
    each(table, [&](const auto& row) {
        const Place here{&outer, row.kName};
        if constexpr (kIsObject<std::remove_cvref_t<decltype(row.rule)>>) {
            each_value(row.rule.fields, here, visit, row.at(resources)...);
        } else {
            visit(here, row, row.at(resources)...);
        }
    });
}

template <class Row, class Rule>
concept Has = std::is_same_v<std::remove_cvref_t<decltype(Row::rule)>, Rule>;

// --- What is wrong with a value ------------------------------------------------------------------------------------

using Errors = std::vector<FieldError>;

void check_length(const Text& rule, std::string_view value, const Place& place, Errors& errors);
/// What must not be in a text that has a good length.
void check_content(const Text& rule, std::string_view value, const Place& place, Errors& errors);

void check(const Line& rule, std::string_view value, const Place& place, Errors& errors);
void check(const Mailbox& rule, std::string_view value, const Place& place, Errors& errors);
void check(const Secret& rule, std::string_view value, const Place& place, Errors& errors);
void check(const Whole& rule, std::int64_t value, const Place& place, Errors& errors);
void check(const Degrees& rule, double value, const Place& place, Errors& errors);
void check_identity(std::int64_t value, const Place& place, Errors& errors);

template <class Id>
void check(const Identity&, Id value, const Place& place, Errors& errors)
{
    check_identity(value.value, place, errors);
}

/// What is wrong with `value` by itself; nothing with one that is not there.
template <class Rule, class Value>
void check_value(const Rule& rule, const Value& value, const Place& place, Errors& errors)
{
    if constexpr (kIsOptional<Value>) {
        if (value) check_value(rule, *value, place, errors);
    } else if constexpr (kIsObject<Rule>) {
        each(rule.fields, [&](const auto& row) { check_value(row.rule, row.at(value), Place{&place, row.kName}, errors); });
    } else {
        check(rule, value, place, errors);
    }
}

}  // namespace boxoffice::fields
