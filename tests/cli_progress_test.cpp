/// How far a long copy has come, as it is told on a terminal and in a log.
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/progress.hpp"

namespace
{

using boxoffice::cli::ProgressText;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Progress, InALogIsALineEveryTenPercent)
{
    ProgressText text("rows", ProgressText::Reader::log, 80);
    EXPECT_EQ(text.render(0, 1'000'000, seconds(0)), "  0 %  0 of 1 000 000 rows\n");
    int lines = 0;
    for (int i = 1; i < 1000; ++i) lines += text.render(i * 1000, 1'000'000, milliseconds(i * 10)).empty() ? 0 : 1;
    EXPECT_EQ(lines, 9);
    EXPECT_EQ(text.render(1'000'000, 1'000'000, seconds(10)), "100 %  1 000 000 of 1 000 000 rows, 100 000/s\n");
    EXPECT_EQ(text.render(1'000'000, 1'000'000, seconds(11)), "") << "it said that it is done already";
}

TEST(Progress, CountsNoSpeedForWhatAnEarlierRunHasDone)
{
    ProgressText text("rows", ProgressText::Reader::log, 80);
    EXPECT_EQ(text.render(900, 2000, seconds(1)), " 40 %  900 of 2 000 rows\n");
    EXPECT_EQ(text.render(1000, 2000, seconds(2)), " 50 %  1 000 of 2 000 rows, 100/s, 0:10 left\n");
}

TEST(Progress, OnATerminalRedrawsItsLineAtMostTenTimesASecondAndFitsIt)
{
    for (const std::size_t columns : {0U, 1U, 20U, 60U, 80U, 200U}) {
        ProgressText text("tickets", ProgressText::Reader::terminal, columns);
        int drawn = 0;
        for (int ms = 0; ms <= 1000; ++ms) {
            const std::string bytes = text.render(ms * 90, 100'000, milliseconds(ms));
            if (bytes.empty()) continue;
            ++drawn;
            EXPECT_TRUE(bytes.starts_with("\r") && bytes.ends_with("\x1b[K")) << bytes;
            EXPECT_LE(bytes.size(), std::max<std::size_t>(columns, 1) + 3) << columns;
        }
        EXPECT_EQ(drawn, 11);
        EXPECT_EQ(text.leave(), "\n") << "a message would stand behind the line";
        EXPECT_TRUE(text.render(100'000, 100'000, seconds(2)).ends_with("\n"));
        EXPECT_EQ(text.leave(), "");
    }
    ProgressText wide("tickets", ProgressText::Reader::terminal, 100);
    static_cast<void>(wide.render(0, 100'000, seconds(0)));
    EXPECT_EQ(wide.render(40'000, 100'000, seconds(4)),
              "\r 40 %  [############------------------]  40 000 of 100 000 tickets, 10 000/s, 0:06 left\x1b[K");
}

TEST(Progress, OfNothingIsDoneAtOnce)
{
    ProgressText text("rows", ProgressText::Reader::log, 80);
    EXPECT_EQ(text.render(0, 0, seconds(0)), "100 %  0 of 0 rows\n");
}

}  // namespace
