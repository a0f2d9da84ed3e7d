#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace boxoffice::cli
{
namespace
{

constexpr Micros kRedraw = std::chrono::milliseconds(100);     // faster is not readable
constexpr Micros kRateNeeds = std::chrono::milliseconds(500);  // before that a rate is a guess, and a remaining time nonsense
constexpr std::size_t kBarMax = 30;
constexpr std::size_t kBarStep = 5;  // so that it keeps its width while the figures beside it grow
constexpr std::size_t kBarMin = 10;  // below it the figures alone say more
constexpr std::size_t kColumnsUsual = 80;
constexpr std::string_view kClearToEnd = "\x1b[K";

/// "1 234 567".
std::string grouped(std::int64_t number)
{
    std::string text = fmt::format("{}", number);
    for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, " ");
    return text;
}

/// "0:07", "12:30", "3:05:00".
std::string clock_text(double seconds)
{
    const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
    if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

ProgressText::Reader reader_of_stderr()
{
    const char* const kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): read before there are threads
    const bool moves = kind != nullptr && std::string_view(kind) != "dumb" && *kind != '\0';
    return moves && ::isatty(STDERR_FILENO) == 1 ? ProgressText::Reader::terminal : ProgressText::Reader::log;
}

std::size_t columns_of_stderr()
{
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kColumnsUsual;
}

void write_out(const std::string& text)
{
    if (text.empty()) return;
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
}

}  // namespace

ProgressText::ProgressText(std::string unit, Reader reader, std::size_t columns)
    : unit_(std::move(unit)), reader_(reader), columns_(columns)
{
}

std::string ProgressText::facts(std::int64_t done, std::int64_t total, Micros elapsed) const
{
    std::string text = fmt::format("{} of {} {}", grouped(done), grouped(total), unit_);
    const Micros span = elapsed - first_at_;
    if (span < kRateNeeds || done <= first_done_) return text;
    const double rate = static_cast<double>(done - first_done_) / std::chrono::duration<double>(span).count();
    text += fmt::format(", {}/s", grouped(std::llround(rate)));
    if (done < total) text += fmt::format(", {} left", clock_text(static_cast<double>(total - done) / rate));
    return text;
}

std::string ProgressText::render(std::int64_t done, std::int64_t total, Micros elapsed)
{
    total = std::max<std::int64_t>(total, 0);
    done = std::clamp<std::int64_t>(done, 0, total);
    const bool first = first_done_ < 0;
    if (first) {
        first_done_ = done;
        first_at_ = elapsed;
    }
    const bool last = done == total;
    if (finished_) return {};
    finished_ = last;
    const double share = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);

    if (reader_ == Reader::log) {
        const auto tenth = static_cast<std::int64_t>(share * 10);
        if (tenth == last_tenth_ && !last) return {};
        last_tenth_ = tenth;
        return fmt::format("{:3} %  {}\n", tenth * 10, facts(done, total, elapsed));
    }

    if (!first && !last && elapsed - last_at_ < kRedraw) return {};
    last_at_ = elapsed;
    line_open_ = !last;
    const std::string percent = fmt::format("{:3} %", static_cast<int>(share * 100));
    std::string text = facts(done, total, elapsed);
    // One column stays free: a full last column makes some terminals go to the next line.
    const std::size_t beside = percent.size() + text.size() + 7;
    const std::size_t room = columns_ > beside ? columns_ - beside : 0;
    std::string bar;
    if (room >= kBarMin) {
        const std::size_t width = std::min(room, kBarMax) / kBarStep * kBarStep;
        const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
        bar = fmt::format("[{}{}]  ", std::string(full, '#'), std::string(width - full, '-'));
    }
    std::string line = fmt::format("{}  {}{}", percent, bar, text);
    line.resize(std::min(line.size(), columns_ > 1 ? columns_ - 1 : 0));
    return fmt::format("\r{}{}{}", line, kClearToEnd, last ? "\n" : "");
}

std::string ProgressText::leave() { return std::exchange(line_open_, false) ? "\n" : ""; }

Progress::Progress(std::string unit)
    : start_(std::chrono::steady_clock::now()), text_(std::move(unit), reader_of_stderr(), columns_of_stderr())
{
}

Progress::~Progress() { write_out(text_.leave()); }

void Progress::show(std::int64_t done, std::int64_t total)
{
    const auto elapsed = std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now() - start_);
    write_out(text_.render(done, total, elapsed));
}

}  // namespace boxoffice::cli
