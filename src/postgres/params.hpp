#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.hpp"

namespace boxoffice::postgres
{

/// PostgreSQL's own numbers of the types that parameters have (pg_type.dat; they never change).
enum class Type : std::uint16_t {
    bytea = 17,
    int8 = 20,
    int2 = 21,
    int4 = 23,
    text = 25,
    float8 = 701,
    timestamptz = 1184,
    uuid = 2950,
    bytea_array = 1001,
    int2_array = 1005,
    int8_array = 1016,
    text_array = 1009,
    float8_array = 1022,
    timestamptz_array = 1185,
};

/// Microseconds between PostgreSQL's epoch, 2000-01-01, and ours, 1970-01-01.
inline constexpr std::int64_t kEpochShift = 946'684'800'000'000;

/// The parameters of one statement in PostgreSQL's binary format, $1 first: nothing is quoted, nothing is rounded.
class Params
{
public:
    Params& integer(std::int64_t value);
    Params& small(std::int16_t value);
    Params& real(double value);
    Params& real(const std::optional<double>& value);
    Params& text(std::string_view value);
    Params& text(const std::optional<std::string>& value);
    Params& instant(Instant value);
    Params& instant(const std::optional<Instant>& value);
    Params& bytes(std::string_view value);
    Params& uuid(std::span<const unsigned char, 16> value);

    Params& integers(std::span<const std::int64_t> values);
    Params& smalls(std::span<const std::int16_t> values);
    Params& reals(std::span<const double> values);
    Params& reals(std::span<const std::optional<double>> values);
    Params& instants(std::span<const Instant> values);
    Params& texts(std::span<const std::string> values);
    Params& byteas(std::span<const std::string> values);
    template <class Tag>
    Params& ids(std::span<const Id<Tag>> values)
    {
        begin_array(Type::int8_array, Type::int8, values.size());
        for (const Id<Tag> value : values) element8(value.value);
        return *this;
    }
    template <class Tag>
    Params& ids(const std::vector<Id<Tag>>& values)
    {
        return ids(std::span<const Id<Tag>>(values));
    }
    template <class Tag>
    Params& id(Id<Tag> value)
    {
        return integer(value.value);
    }

    [[nodiscard]] std::size_t size() const { return values_.size(); }
    [[nodiscard]] const std::vector<unsigned>& types() const { return types_; }

    /// As libpq wants them; valid until the next change.
    struct Raw {
        std::vector<const char*> values;
        std::vector<int> lengths;
        std::vector<int> formats;
    };
    [[nodiscard]] Raw raw() const;

private:
    struct Value {
        std::size_t begin;
        std::size_t end;
        bool null;
    };
    void begin(Type type);
    void end() { values_.back().end = bytes_.size(); }
    void null(Type type);
    void begin_array(Type array, Type element, std::size_t size);
    void element8(std::int64_t value);
    void element_bytes(std::string_view value);
    void put16(std::uint16_t value);
    void put32(std::uint32_t value);
    void put64(std::uint64_t value);

    std::string bytes_;
    std::vector<Value> values_;
    std::vector<unsigned> types_;
};

}  // namespace boxoffice::postgres
