#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

/// The log: one line an entry on standard error, as text for people or JSON for machines, written by one thread
/// behind a bounded queue, so that a slow terminal never stands in front of a sale. When the queue is full, entries are
/// dropped and the number of dropped ones is logged. Never given a password, a token or an e-mail address.
namespace boxoffice::log
{

enum class Level : std::uint8_t { debug, info, warn, error, off };
enum class Format : std::uint8_t { text, json };

struct Field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double> value;
};

/// Starts the writer thread; stop() flushes and joins it. Entries logged before start() or after stop() are written at once.
void start(Level level, Format format);
void stop();

[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view m, std::initializer_list<Field> f = {})
{
    if (enabled(Level::debug)) write(Level::debug, m, f);
}
inline void info(std::string_view m, std::initializer_list<Field> f = {})
{
    if (enabled(Level::info)) write(Level::info, m, f);
}
inline void warn(std::string_view m, std::initializer_list<Field> f = {})
{
    if (enabled(Level::warn)) write(Level::warn, m, f);
}
inline void error(std::string_view m, std::initializer_list<Field> f = {})
{
    if (enabled(Level::error)) write(Level::error, m, f);
}

}  // namespace boxoffice::log
