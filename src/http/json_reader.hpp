#pragma once
#include <simdjson.h>

#include <array>
#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/acts.hpp"
#include "core/result.hpp"

/// Reads JSON into structs described with Boost.Describe and lists every bad field of a body at once, each under its
/// location ("body", "venue", "latitude"). Unknown fields are skipped, but for those that a body is known to be refused for.
namespace boxoffice::http
{

/// A field that may be left out, and that tells "left out" from null where T can be null.
template <class T>
struct Given {
    bool present = false;
    T value{};
};

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

/// A field that is not merely unknown: whoever sends it would take it for done.
struct RefusedField {
    std::string_view name;
    std::string_view why;
};
void refuse_fields(simdjson::dom::element in, std::span<const RefusedField> refused, Reading& reading);

void read(simdjson::dom::element in, std::string& out, Reading& reading);
/// 100, 100.0 and 1e2 are one integer; what is not whole, or beyond 64 bits, is none.
void read(simdjson::dom::element in, std::int64_t& out, Reading& reading);
void read(simdjson::dom::element in, double& out, Reading& reading);
void read(simdjson::dom::element in, TimeInput& out, Reading& reading);

template <class T>
concept Described = boost::describe::has_describe_members<T>::value;

template <Described T>
void read(simdjson::dom::element in, T& out, Reading& reading);

template <class T>
void read(simdjson::dom::element in, std::optional<T>& out, Reading& reading)
{
    out.reset();
    if (in.is_null()) return;
    const auto before = reading.errors.size();
    T value{};
    read(in, value, reading);
    if (reading.errors.size() == before) out = std::move(value);
}

template <class T>
void read(simdjson::dom::element in, Given<T>& out, Reading& reading)
{
    const auto before = reading.errors.size();
    read(in, out.value, reading);
    out.present = reading.errors.size() == before || Described<T>;  // the good fields of an object still count
}

template <class T>
inline constexpr bool kMayBeMissing = false;
template <class T>
inline constexpr bool kMayBeMissing<std::optional<T>> = true;
template <class T>
inline constexpr bool kMayBeMissing<Given<T>> = true;

template <Described T>
void read(simdjson::dom::element in, T& out, Reading& reading)
{
    simdjson::dom::object object;
    if (in.get(object) != simdjson::SUCCESS) return reading.refuse("Input should be an object", "object_type");
    using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
    std::array<std::optional<simdjson::dom::element>, boost::mp11::mp_size<Members>::value> found;
    for (const auto field : object) {
        std::size_t at = 0;
        boost::mp11::mp_for_each<Members>([&](auto member) {
            if (field.key == member.name) found[at] = field.value;
            ++at;
        });
    }
    std::size_t at = 0;
    boost::mp11::mp_for_each<Members>([&](auto member) {
        auto& value = out.*member.pointer;
        reading.enter(member.name);
        if (found[at]) {
            read(*found[at], value, reading);
        } else if constexpr (!kMayBeMissing<std::remove_reference_t<decltype(value)>>) {
            reading.refuse("Field required", "missing");
        }
        reading.leave();
        ++at;
    });
}

}  // namespace boxoffice::http
