#include "postgres/params.hpp"

#include <bit>

namespace boxoffice::postgres
{

namespace
{

/// The ends of time are PostgreSQL's -infinity and infinity, which have the same representation there.
std::int64_t shifted(Instant instant)
{
    const std::int64_t count = instant.time_since_epoch().count();
    return instant == Instant::min() || instant == Instant::max() ? count : count - kEpochShift;
}

}  // namespace

void Params::put16(std::uint16_t value)
{
    bytes_ += static_cast<char>(value >> 8);
    bytes_ += static_cast<char>(value);
}

void Params::put32(std::uint32_t value)
{
    put16(static_cast<std::uint16_t>(value >> 16));
    put16(static_cast<std::uint16_t>(value));
}

void Params::put64(std::uint64_t value)
{
    put32(static_cast<std::uint32_t>(value >> 32));
    put32(static_cast<std::uint32_t>(value));
}

void Params::begin(Type type)
{
    types_.push_back(static_cast<unsigned>(type));
    values_.push_back({bytes_.size(), bytes_.size(), false});
}

void Params::null(Type type)
{
    begin(type);
    values_.back().null = true;
}

// The array's header: dimensions, whether there are nulls (never checked by the server), element type, length, first index.
void Params::begin_array(Type array, Type element, std::size_t size)
{
    begin(array);
    bytes_.reserve(bytes_.size() + 20 + size * 12);
    put32(size == 0 ? 0 : 1);
    put32(1);
    put32(static_cast<std::uint32_t>(element));
    if (size > 0) {
        put32(static_cast<std::uint32_t>(size));
        put32(1);
    }
    end();
}

void Params::element8(std::int64_t value)
{
    put32(8);
    put64(static_cast<std::uint64_t>(value));
    end();
}

void Params::element_bytes(std::string_view value)
{
    put32(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    end();
}

Params& Params::integer(std::int64_t value)
{
    begin(Type::int8);
    put64(static_cast<std::uint64_t>(value));
    end();
    return *this;
}

Params& Params::small(std::int16_t value)
{
    begin(Type::int2);
    put16(static_cast<std::uint16_t>(value));
    end();
    return *this;
}

Params& Params::real(double value)
{
    begin(Type::float8);
    put64(std::bit_cast<std::uint64_t>(value));
    end();
    return *this;
}

Params& Params::real(const std::optional<double>& value)
{
    if (value) return real(*value);
    null(Type::float8);
    return *this;
}

Params& Params::text(std::string_view value)
{
    begin(Type::text);
    bytes_ += value;
    end();
    return *this;
}

Params& Params::text(const std::optional<std::string>& value)
{
    if (value) return text(std::string_view(*value));
    null(Type::text);
    return *this;
}

Params& Params::instant(Instant value)
{
    begin(Type::timestamptz);
    put64(static_cast<std::uint64_t>(shifted(value)));
    end();
    return *this;
}

Params& Params::instant(const std::optional<Instant>& value)
{
    if (value) return instant(*value);
    null(Type::timestamptz);
    return *this;
}

Params& Params::bytes(std::string_view value)
{
    begin(Type::bytea);
    bytes_ += value;
    end();
    return *this;
}

Params& Params::uuid(std::span<const unsigned char, 16> value)
{
    begin(Type::uuid);
    bytes_.append(reinterpret_cast<const char*>(value.data()), value.size());
    end();
    return *this;
}

Params& Params::integers(std::span<const std::int64_t> values)
{
    begin_array(Type::int8_array, Type::int8, values.size());
    for (const std::int64_t value : values) element8(value);
    return *this;
}

Params& Params::smalls(std::span<const std::int16_t> values)
{
    begin_array(Type::int2_array, Type::int2, values.size());
    for (const std::int16_t value : values) {
        put32(2);
        put16(static_cast<std::uint16_t>(value));
    }
    end();
    return *this;
}

Params& Params::reals(std::span<const double> values)
{
    begin_array(Type::float8_array, Type::float8, values.size());
    for (const double value : values) element8(std::bit_cast<std::int64_t>(value));
    return *this;
}

Params& Params::reals(std::span<const std::optional<double>> values)
{
    begin_array(Type::float8_array, Type::float8, values.size());
    for (const auto& value : values) {
        if (value)
            element8(std::bit_cast<std::int64_t>(*value));
        else
            put32(~std::uint32_t{0});  // length -1: null
    }
    end();
    return *this;
}

Params& Params::instants(std::span<const Instant> values)
{
    begin_array(Type::timestamptz_array, Type::timestamptz, values.size());
    for (const Instant value : values) element8(shifted(value));
    return *this;
}

Params& Params::texts(std::span<const std::string> values)
{
    begin_array(Type::text_array, Type::text, values.size());
    for (const std::string& value : values) element_bytes(value);
    return *this;
}

Params& Params::byteas(std::span<const std::string> values)
{
    begin_array(Type::bytea_array, Type::bytea, values.size());
    for (const std::string& value : values) element_bytes(value);
    return *this;
}

Params::Raw Params::raw() const
{
    Raw raw;
    raw.values.reserve(values_.size());
    raw.lengths.reserve(values_.size());
    for (const Value& value : values_) {
        // An empty value is not null: it needs an address.
        raw.values.push_back(value.null ? nullptr : bytes_.data() + value.begin);
        raw.lengths.push_back(static_cast<int>(value.end - value.begin));
    }
    raw.formats.assign(values_.size(), 1);
    return raw;
}

}  // namespace boxoffice::postgres
