#include "runtime/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace boxoffice
{
namespace
{

using log::Format;
using log::Level;

// Standard error as a pipe, for as long as this lives.
class Ear
{
public:
    Ear()
    {
        EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
        before_ = ::dup(STDERR_FILENO);
        ::dup2(ends_[1], STDERR_FILENO);
        ::close(ends_[1]);
    }
    ~Ear()
    {
        hang_up();
        ::close(ends_[0]);
    }
    Ear(const Ear&) = delete;
    Ear& operator=(const Ear&) = delete;

    // Gives standard error back and hears what was said until then.
    std::string all()
    {
        hang_up();
        std::string text;
        std::array<char, 65'536> some{};
        for (ssize_t got = 0; (got = ::read(ends_[0], some.data(), some.size())) > 0;)
            text.append(some.data(), static_cast<std::size_t>(got));
        return text;
    }

    std::string next_line()
    {
        std::string line;
        for (char c = 0; ::read(ends_[0], &c, 1) == 1 && c != '\n';) line += c;
        return line;
    }

    void hang_up()
    {
        if (before_ < 0) return;
        ::dup2(before_, STDERR_FILENO);
        ::close(before_);
        before_ = -1;
    }

private:
    std::array<int, 2> ends_{};
    int before_ = -1;
};

template <class Act>
std::string said(Level level, Format format, Act act)
{
    Ear ear;
    log::start(level, format);
    act();
    log::stop();
    return ear.all();
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(LogText, IsALineForPeople)
{
    const std::string text = said(Level::info, Format::text, [] {
        log::info("listening", {{"host", "127.0.0.1"}, {"port", std::int64_t{8000}}, {"seconds", 0.25}});
    });
    const std::regex shape(
        R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z info  listening host=127\.0\.0\.1 port=8000 seconds=0\.25\n)");
    EXPECT_TRUE(std::regex_match(text, shape)) << text;
}

TEST(LogText, QuotesWhatWouldReadAsSomethingElse)
{
    const std::string text = said(Level::info, Format::text, [] {
        log::warn(
            "odd",
            {{"empty", ""}, {"space", "a b"}, {"equals", "a=b"}, {"quote", "a\"b\\"}, {"line", "a\nb"}, {"snow", "\u2603"}});
    });
    EXPECT_NE(text.find(R"(warn  odd empty="" space="a b" equals="a=b" quote="a\"b\\" line="a\nb" snow="☃")"), std::string::npos)
        << text;
}

TEST(LogText, CannotBeMadeToForgeALineOrSteerATerminal)
{
    const std::string text = said(Level::info, Format::text, [] {
        log::info("a\nb\r\x1b[2J\x7f\u009b say \"hi\"", {{"k\n=", std::string_view("x\0y", 3)}});
    });
    EXPECT_EQ(lines_of(text).size(), 1U) << text;
    EXPECT_NE(text.find(R"(info  a\nb\r\u001b[2J\u007f\u009b say "hi" k\n=="x\u0000y")"), std::string::npos) << text;
}

TEST(LogJson, IsAnObjectALineForMachines)
{
    const std::string text = said(Level::debug, Format::json, [] {
        log::debug("one",
                   {{"text", "a \"quoted\" \\ word"}, {"whole", std::numeric_limits<std::int64_t>::min()}, {"number", 0.1}});
        log::error("two", {{"big", 1e300}, {"none", std::numeric_limits<double>::quiet_NaN()}});
    });
    const auto lines = lines_of(text);
    ASSERT_EQ(lines.size(), 2U) << text;
    const auto one = nlohmann::json::parse(lines[0]);
    EXPECT_EQ(one["level"], "debug");
    EXPECT_EQ(one["message"], "one");
    EXPECT_EQ(one["text"], "a \"quoted\" \\ word");
    EXPECT_EQ(one["whole"], std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(one["number"], 0.1);
    EXPECT_TRUE(std::regex_match(one["time"].get<std::string>(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)")));
    const auto two = nlohmann::json::parse(lines[1]);
    EXPECT_EQ(two["level"], "error");
    EXPECT_EQ(two["big"], 1e300);
    EXPECT_TRUE(two["none"].is_null());
}

TEST(LogJson, EscapesEveryControlCharacter)
{
    std::string all;
    for (int c = 0; c < 0x80; ++c) all += static_cast<char>(c);
    const std::string text = said(Level::info, Format::json, [&] { log::info(all, {{all, all}}); });
    const auto lines = lines_of(text);
    ASSERT_EQ(lines.size(), 1U);
    const auto entry = nlohmann::json::parse(lines[0]);
    EXPECT_EQ(entry["message"], all);
    EXPECT_EQ(entry[all], all);
}

TEST(LogJson, ReplacesWhatIsNotUtf8)
{
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"gr\u00fc\u00df \u2603 \U0001F3AB \uFFFF", "gr\u00fc\u00df \u2603 \U0001F3AB \uFFFF"},
        {"a\xFFz", "a\uFFFDz"},
        {"a\x80z", "a\uFFFDz"},
        {"a\xC0\xAFz", "a\uFFFD\uFFFDz"},                      // overlong
        {"a\xE0\x80\xAFz", "a\uFFFD\uFFFD\uFFFDz"},            // overlong
        {"a\xED\xA0\x80z", "a\uFFFD\uFFFD\uFFFDz"},            // a surrogate
        {"a\xF4\x90\x80\x80z", "a\uFFFD\uFFFD\uFFFD\uFFFDz"},  // beyond U+10FFFF
        {"a\xF0\x8F\xBF\xBFz", "a\uFFFD\uFFFD\uFFFD\uFFFDz"},  // overlong
        {"cut \xC3", "cut \uFFFD"},
        {"cut \xE2\x98", "cut \uFFFD\uFFFD"},
        {"cut \xF0\x9F\x8E", "cut \uFFFD\uFFFD\uFFFD"},
    };
    const std::string text = said(Level::info, Format::json, [&] {
        for (const auto& [given, expected] : cases) log::info(given);
    });
    const auto lines = lines_of(text);
    ASSERT_EQ(lines.size(), cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(nlohmann::json::parse(lines[i])["message"], cases[i].second) << i;
}

TEST(LogLevel, KeepsQuietBelowWhatIsAsked)
{
    const auto everything = [] {
        log::debug("a");
        log::info("b");
        log::warn("c");
        log::error("d");
        log::write(Level::off, "e");
    };
    EXPECT_EQ(lines_of(said(Level::debug, Format::text, everything)).size(), 4U);
    EXPECT_EQ(lines_of(said(Level::warn, Format::text, everything)).size(), 2U);
    EXPECT_EQ(said(Level::off, Format::text, everything), "");
    EXPECT_FALSE(log::enabled(Level::error));
    log::start(Level::info, Format::text);
    log::stop();
    EXPECT_TRUE(log::enabled(Level::info));
    EXPECT_FALSE(log::enabled(Level::debug));
}

TEST(LogQueue, WritesAtOnceWhenItIsNotRunning)
{
    log::start(Level::info, Format::text);
    log::stop();
    log::stop();
    Ear ear;
    log::info("after");
    EXPECT_NE(ear.next_line().find("info  after"), std::string::npos);
}

TEST(LogQueue, WritesWithoutBeingStopped)
{
    Ear ear;
    log::start(Level::info, Format::text);
    for (int i = 0; i < 3; ++i) {
        log::info("soon", {{"i", std::int64_t{i}}});
        EXPECT_NE(ear.next_line().find("soon i=" + std::to_string(i)), std::string::npos);
    }
    log::stop();
}

TEST(LogQueue, CountsWhatItDropsWhenNobodyReads)
{
    Ear ear;
    log::start(Level::info, Format::json);
    const std::string big(900, 'x');
    constexpr int kEntries = 5000;  // 4.5 MB: more than the pipe and the queue hold
    for (int i = 0; i < kEntries; ++i) log::info(big, {{"i", std::int64_t{i}}});
    std::thread stopping([] { log::stop(); });

    int heard = 0;
    std::int64_t dropped = 0;
    std::int64_t before = -1;
    std::thread closing([&] {
        stopping.join();
        ear.hang_up();
    });
    for (std::string line = ear.next_line(); !line.empty(); line = ear.next_line()) {
        const auto entry = nlohmann::json::parse(line);
        if (entry["message"] == "log entries dropped") {
            EXPECT_EQ(entry["level"], "warn");
            dropped += entry["count"].get<std::int64_t>();
            continue;
        }
        EXPECT_GT(entry["i"].get<std::int64_t>(), before);
        before = entry["i"].get<std::int64_t>();
        ++heard;
    }
    closing.join();
    EXPECT_GT(dropped, 0);
    EXPECT_GT(heard, 1000);
    EXPECT_EQ(heard + dropped, kEntries);
}

TEST(LogQueue, LetsTheProcessEndWhenNobodyEverReads)
{
    Ear ear;
    log::start(Level::info, Format::text);
    for (int i = 0; i < 300; ++i) log::info(std::string(900, 'x'));  // four times what the pipe holds
    log::stop();
    ear.hang_up();
    EXPECT_FALSE(ear.next_line().empty());
}

TEST(LogQueue, SurvivesAReaderThatIsGone)
{
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const int before = ::dup(STDERR_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
    ::close(ends[0]);
    log::start(Level::info, Format::text);
    log::info("no reader gets this");  // SIGPIPE would end the process
    log::stop();
    ::dup2(before, STDERR_FILENO);
    ::close(before);
}

TEST(LogQueue, LosesAndMixesNothingBetweenThreads)
{
    constexpr int kThreads = 4;
    constexpr int kEntries = 500;
    Ear ear;
    log::start(Level::info, Format::json);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([t] {
            for (int i = 0; i < kEntries; ++i) log::info("entry", {{"thread", std::int64_t{t}}, {"i", std::int64_t{i}}});
        });
    }
    std::thread closing([&] {
        for (auto& thread : threads) thread.join();
        log::stop();
        ear.hang_up();
    });
    std::array<std::int64_t, kThreads> next{};
    for (std::string line = ear.next_line(); !line.empty(); line = ear.next_line()) {
        const auto entry = nlohmann::json::parse(line);
        EXPECT_EQ(entry["i"].get<std::int64_t>(), next.at(entry["thread"].get<std::size_t>())++);
    }
    closing.join();
    for (const auto count : next) EXPECT_EQ(count, kEntries);
}

TEST(LogQueue, LosesNothingWhileItIsStoppedAndStarted)
{
    constexpr int kEntries = 400;
    log::start(Level::info, Format::text);
    log::stop();
    Ear ear;
    std::thread speaker([] {
        for (int i = 0; i < kEntries; ++i) log::info("entry", {{"i", std::int64_t{i}}});
    });
    std::thread closing([&] {
        for (int i = 0; i < 50; ++i) {
            log::start(Level::info, Format::text);
            log::stop();
        }
        speaker.join();
        ear.hang_up();
    });
    int next = 0;
    for (std::string line = ear.next_line(); !line.empty(); line = ear.next_line()) {
        EXPECT_TRUE(line.ends_with("entry i=" + std::to_string(next++))) << line;
    }
    closing.join();
    EXPECT_EQ(next, kEntries);
}

}  // namespace
}  // namespace boxoffice
