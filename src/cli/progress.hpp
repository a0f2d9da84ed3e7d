#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "core/instant.hpp"

/// How far something long has come, for the operator: a line that changes on a terminal, a line every ten per cent in a
/// file or a container's log. Nothing of it goes to standard output.
namespace boxoffice::cli
{

/// What to write and when, with no terminal and no clock of its own.
class ProgressText
{
public:
    enum class Reader : std::uint8_t { terminal, log };

    /// `unit`: what is counted, in the plural ("rows"). `columns`: how wide the terminal is.
    ProgressText(std::string unit, Reader reader, std::size_t columns);

    /// The bytes to write now that `done` of `total` are done; empty when nothing worth saying has happened since the last time.
    /// The rate is of what was done since the first call, so that what an earlier run has done counts as no speed of this one.
    [[nodiscard]] std::string render(std::int64_t done, std::int64_t total, Micros elapsed);

    /// What a message has to begin with, so as not to stand behind a half-finished line.
    [[nodiscard]] std::string leave();

private:
    [[nodiscard]] std::string facts(std::int64_t done, std::int64_t total, Micros elapsed) const;

    std::string unit_;
    Reader reader_;
    std::size_t columns_;
    std::int64_t first_done_ = -1;
    std::int64_t last_tenth_ = -1;
    Micros first_at_{0};
    Micros last_at_{0};
    bool line_open_ = false;
    bool finished_ = false;
};

/// ProgressText on standard error, from now on. For one thread.
class Progress
{
public:
    explicit Progress(std::string unit);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Cheap enough to be called for each batch.
    void show(std::int64_t done, std::int64_t total);

private:
    std::chrono::steady_clock::time_point start_;
    ProgressText text_;
};

}  // namespace boxoffice::cli
