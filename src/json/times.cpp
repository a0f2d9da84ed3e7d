#include "json/times.hpp"

#include <chrono>

namespace boxoffice::http
{

namespace
{

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// What is left of the text; every take fails for good once one has failed.
class Scanner
{
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    int digits(std::size_t count)
    {
        if (rest_.size() < count) return fail();
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (!is_digit(rest_[i])) return fail();
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }

    bool accept(std::string_view any_of)
    {
        if (rest_.empty() || any_of.find(rest_.front()) == any_of.npos) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(std::string_view any_of)
    {
        if (!accept(any_of)) fail();
    }

    Micros fraction()
    {
        std::int64_t value = 0;
        std::size_t count = 0;
        for (; count < rest_.size() && is_digit(rest_[count]); ++count) {
            if (count < 6) value = value * 10 + (rest_[count] - '0');
        }
        if (count < 1 || count > 9) fail();
        rest_.remove_prefix(count);
        for (std::size_t i = count; i < 6; ++i) value *= 10;
        return Micros(value);
    }

    [[nodiscard]] bool good_to_the_end() const { return good_ && rest_.empty(); }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    int fail()
    {
        good_ = false;
        return 0;
    }

    std::string_view rest_;
    bool good_ = true;
};

bool in_years(Instant instant)
{
    constexpr Instant kFirst = std::chrono::sys_days{std::chrono::January / 1 / 1};
    constexpr Instant kEnd = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1};
    return instant >= kFirst && instant < kEnd;
}

char* put2(char* at, unsigned value)
{
    *at++ = static_cast<char>('0' + value / 10);
    *at++ = static_cast<char>('0' + value % 10);
    return at;
}

}  // namespace

std::optional<TimeInput> parse_time(std::string_view text)
{
    Scanner scan(text);
    const std::chrono::year year{scan.digits(4)};
    scan.expect("-");
    const std::chrono::month month{static_cast<unsigned>(scan.digits(2))};
    scan.expect("-");
    const std::chrono::day day{static_cast<unsigned>(scan.digits(2))};
    scan.expect("Tt ");
    const int hour = scan.digits(2);
    scan.expect(":");
    const int minute = scan.digits(2);
    int second = 0;
    Micros fraction{0};
    if (scan.accept(":")) {
        second = scan.digits(2);
        if (scan.accept(".")) fraction = scan.fraction();
    }
    const std::chrono::year_month_day date{year, month, day};
    if (!scan.good() || static_cast<int>(year) < 1 || !date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const Instant wall = std::chrono::sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + fraction;

    if (scan.at_end()) {
        // A day to spare at both ends, so that no zone's offset leads out of the years that can be written.
        if (!in_years(wall - days{1}) || !in_years(wall + days{1})) return std::nullopt;
        return TimeInput(LocalTime(wall.time_since_epoch()));
    }
    Micros offset{0};
    if (!scan.accept("Zz")) {
        const int sign = scan.accept("-") ? -1 : 1;
        if (sign > 0) scan.expect("+");
        const int offset_hours = scan.digits(2);
        scan.expect(":");
        const int offset_minutes = scan.digits(2);
        if (offset_hours > 23 || offset_minutes > 59) return std::nullopt;
        offset = (hours{offset_hours} + minutes{offset_minutes}) * sign;
    }
    const Instant instant = wall - offset;
    if (!scan.good_to_the_end() || !in_years(instant)) return std::nullopt;
    return TimeInput(instant);
}

void append_time(std::string& out, Instant instant)
{
    const auto day = std::chrono::floor<days>(instant);
    const std::chrono::year_month_day date{day};
    const auto in_day = static_cast<std::uint64_t>((instant - day).count());
    const auto second_of_day = static_cast<unsigned>(in_day / 1'000'000);
    const auto micros = static_cast<unsigned>(in_day % 1'000'000);
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));

    char text[32];
    char* at = put2(text, year / 100 % 100);
    at = put2(at, year % 100);
    *at++ = '-';
    at = put2(at, static_cast<unsigned>(date.month()));
    *at++ = '-';
    at = put2(at, static_cast<unsigned>(date.day()));
    *at++ = 'T';
    at = put2(at, second_of_day / 3600);
    *at++ = ':';
    at = put2(at, second_of_day / 60 % 60);
    *at++ = ':';
    at = put2(at, second_of_day % 60);
    if (micros != 0) {
        *at++ = '.';
        for (unsigned unit = 100'000; unit != 0; unit /= 10) *at++ = static_cast<char>('0' + micros / unit % 10);
    }
    *at++ = 'Z';
    out.append(text, static_cast<std::size_t>(at - text));
}

}  // namespace boxoffice::http
