#include "runtime/log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace boxoffice::log
{
namespace
{

using std::chrono::steady_clock;
using Buffer = fmt::basic_memory_buffer<char, 1024>;

constexpr std::size_t kQueueBytesMax = 1024 * 1024;  // some 8000 entries: more than a terminal shows in the time it hangs
constexpr std::size_t kChunkBytesMax = 4096;  // PIPE_BUF: poll() promises that much room in a pipe, so that no write blocks
constexpr auto kStopGrace = std::chrono::seconds(2);  // a reader that has hung must not keep the process from ending
constexpr auto kLinger =
    std::chrono::milliseconds(2);  // after a write: waking the writer costs a caller more than the entry does
constexpr int kPollMs = 100;

void append(Buffer& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

std::string_view name_of(Level level)
{
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warn:
            return "warn";
        case Level::error:
            return "error";
        case Level::off:
            break;
    }
    return "off";
}

// The length of the well-formed UTF-8 sequence that begins at `at`, or 0 (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text, std::size_t at)
{
    const auto byte = [&](std::size_t i) -> unsigned {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
    };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
        const bool surrogate = lead == 0xED && byte(1) > 0x9F;
        return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const bool overlong = lead == 0xF0 && byte(1) < 0x90;
        const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
        return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

bool is_plain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

// As inside a JSON string. The text format shares it, so that nothing a client sent can forge a line or steer a terminal.
void append_escaped(Buffer& out, std::string_view text, std::string_view untouched)
{
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = at;
        while (end < text.size() && (is_plain(text[end]) || untouched.find(text[end]) != std::string_view::npos)) ++end;
        append(out, text.substr(at, end - at));
        at = end;
        if (at == text.size()) return;
        const std::size_t length = sequence_length(text, at);
        const auto lead = static_cast<unsigned char>(text[at]);
        if (length == 0) {
            append(out, "\xEF\xBF\xBD");
            ++at;
            continue;
        }
        if (length == 1) {
            switch (lead) {
                case '"':
                    append(out, "\\\"");
                    break;
                case '\\':
                    append(out, "\\\\");
                    break;
                case '\n':
                    append(out, "\\n");
                    break;
                case '\r':
                    append(out, "\\r");
                    break;
                case '\t':
                    append(out, "\\t");
                    break;
                default:
                    fmt::format_to(std::back_inserter(out), "\\u{:04x}", unsigned{lead});
            }
        } else if (length == 2 && lead == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}",
                           unsigned{static_cast<unsigned char>(text[at + 1])});  // C1 controls
        } else {
            append(out, text.substr(at, length));
        }
        at += length;
    }
}

void append_quoted(Buffer& out, std::string_view text)
{
    out.push_back('"');
    append_escaped(out, text, {});
    out.push_back('"');
}

void append_time(Buffer& out)
{
    const auto now = std::chrono::system_clock::now();
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    thread_local std::time_t known = -1;
    thread_local char text[32] = {};
    thread_local std::size_t length = 0;
    if (const std::time_t count = second.time_since_epoch().count(); count != known) {
        std::tm utc{};
        ::gmtime_r(&count, &utc);
        length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
        known = count;
    }
    append(out, {text, length});
    fmt::format_to(std::back_inserter(out), ".{:06}Z", std::chrono::floor<std::chrono::microseconds>(now - second).count());
}

void append_json_value(Buffer& out, const Field& field)
{
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        append_quoted(out, *text);
    } else if (const auto* whole = std::get_if<std::int64_t>(&field.value)) {
        fmt::format_to(std::back_inserter(out), "{}", *whole);
    } else if (const double number = std::get<double>(field.value); std::isfinite(number)) {
        fmt::format_to(std::back_inserter(out), "{}", number);
    } else {
        append(out, "null");
    }
}

void append_text_value(Buffer& out, const Field& field)
{
    const auto* text = std::get_if<std::string_view>(&field.value);
    if (text == nullptr) {
        std::visit([&](const auto& value) { fmt::format_to(std::back_inserter(out), "{}", value); }, field.value);
    } else if (text->empty() ||
               !std::all_of(text->begin(), text->end(), [](char c) { return is_plain(c) && c != ' ' && c != '='; })) {
        append_quoted(out, *text);
    } else {
        append(out, *text);
    }
}

template <class Fields>
void append_line(Buffer& out, Format format, Level level, std::string_view message, const Fields& fields)
{
    if (format == Format::json) {
        append(out, R"({"time":")");
        append_time(out);
        append(out, R"(","level":")");
        append(out, name_of(level));
        append(out, R"(","message":)");
        append_quoted(out, message);
        for (const Field& field : fields) {
            out.push_back(',');
            append_quoted(out, field.key);
            out.push_back(':');
            append_json_value(out, field);
        }
        append(out, "}\n");
        return;
    }
    append_time(out);
    fmt::format_to(std::back_inserter(out), " {:<5} ", name_of(level));
    append_escaped(out, message, "\"\\");
    for (const Field& field : fields) {
        out.push_back(' ');
        append_escaped(out, field.key, {});
        out.push_back('=');
        append_text_value(out, field);
    }
    out.push_back('\n');
}

enum class State : std::uint8_t { idle, running, stopping };

// The queue is the text itself, laid down by the callers and taken whole by the writer: no allocation per entry.
class Log
{
public:
    std::atomic<Level> level{Level::info};
    std::atomic<Format> format{Format::text};

    void start()
    {
        const std::lock_guard lifecycle(lifecycle_);
        if (writer_.joinable()) return;
        {
            const std::lock_guard lock(mutex_);
            state_ = State::running;
        }
        // Signals are for the thread that waits for them; SIGPIPE here would end the process for want of a reader.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        writer_ = std::thread([this] { run(); });
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    void stop()
    {
        const std::lock_guard lifecycle(lifecycle_);
        if (!writer_.joinable()) return;
        {
            const std::lock_guard lock(mutex_);
            give_up_at_.store((steady_clock::now() + kStopGrace).time_since_epoch().count());
            state_ = State::stopping;
        }
        arrived_.notify_one();
        writer_.join();
        give_up_at_.store(kNever);
    }

    void add(const Buffer& line)
    {
        std::unique_lock lock(mutex_);
        if (state_ == State::idle) {
            const std::atomic<steady_clock::rep> give_up_at{(steady_clock::now() + kStopGrace).time_since_epoch().count()};
            put({line.data(), line.size()}, give_up_at);
            return;
        }
        if (queue_.size() + line.size() > kQueueBytesMax) {
            ++dropped_;
            return;
        }
        queue_.append(line.data(), line.size());
        const bool wake = std::exchange(writer_sleeps_, false);
        lock.unlock();
        if (wake) arrived_.notify_one();
    }

private:
    static constexpr steady_clock::rep kNever = steady_clock::duration::max().count();

    void run()
    {
        ::pthread_setname_np(::pthread_self(), "log");
        std::string taken;
        taken.reserve(kQueueBytesMax);
        std::unique_lock lock(mutex_);
        for (;;) {
            writer_sleeps_ = true;
            arrived_.wait(lock, [this] { return !queue_.empty() || dropped_ != 0 || state_ == State::stopping; });
            writer_sleeps_ = false;
            if (queue_.empty() && dropped_ == 0) break;
            taken.clear();
            taken.swap(queue_);
            const std::int64_t dropped = std::exchange(dropped_, 0);
            lock.unlock();
            if (dropped != 0) {
                Buffer line;
                append_line(line, format.load(), Level::warn, "log entries dropped",
                            std::initializer_list<Field>{{"count", dropped}});
                taken.append(line.data(), line.size());
            }
            put(taken, give_up_at_);
            lock.lock();
            arrived_.wait_for(lock, kLinger, [this] { return state_ == State::stopping; });
        }
        state_ = State::idle;
    }

    static void put(std::string_view text, const std::atomic<steady_clock::rep>& give_up_at)
    {
        while (!text.empty()) {
            std::size_t chunk = text.size();
            if (chunk > kChunkBytesMax) {
                const std::size_t line_end = text.rfind('\n', kChunkBytesMax - 1);
                chunk = line_end == std::string_view::npos ? kChunkBytesMax : line_end + 1;
            }
            pollfd output{STDERR_FILENO, POLLOUT, 0};
            const int ready = ::poll(&output, 1, kPollMs);
            if (ready == 0 || (ready < 0 && errno == EINTR)) {
                if (steady_clock::now().time_since_epoch().count() >= give_up_at.load()) return;
                continue;
            }
            const ssize_t written = ::write(STDERR_FILENO, text.data(), chunk);
            if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (written < 0) return;  // there is no reader any more: there is nowhere left to say so
            text.remove_prefix(static_cast<std::size_t>(written));
        }
    }

    std::mutex lifecycle_;
    std::thread writer_;
    std::atomic<steady_clock::rep> give_up_at_{kNever};

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::string queue_;
    std::int64_t dropped_ = 0;
    bool writer_sleeps_ = false;
    State state_ = State::idle;
};

// Never destroyed: destructors of other objects may still log while the process ends.
Log& the_log()
{
    static Log& log = *new Log;
    return log;
}

}  // namespace

void start(Level level, Format format)
{
    Log& log = the_log();
    log.level.store(level, std::memory_order_relaxed);
    log.format.store(format, std::memory_order_relaxed);
    log.start();
}

void stop() { the_log().stop(); }

bool enabled(Level level) { return level != Level::off && level >= the_log().level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view message, std::initializer_list<Field> fields)
{
    if (!enabled(level)) return;
    Log& log = the_log();
    Buffer line;
    append_line(line, log.format.load(std::memory_order_relaxed), level, message, fields);
    log.add(line);
}

}  // namespace boxoffice::log
