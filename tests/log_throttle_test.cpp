#include "runtime/log_throttle.hpp"

#include <gtest/gtest.h>

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

TEST(Seldom, LetsTheFirstThroughAndKeepsTheOthersBack)
{
    Seldom seldom(1h);
    EXPECT_EQ(seldom.due(), 0);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(seldom.due(), std::nullopt);
}

TEST(Seldom, SaysHowManyItKeptBack)
{
    Seldom seldom(2ms);
    ASSERT_EQ(seldom.due(), 0);
    for (int round = 0; round < 3; ++round) {
        std::int64_t kept_back = 0;
        std::optional<std::int64_t> said;
        while (!(said = seldom.due())) ++kept_back;
        EXPECT_EQ(said, kept_back);
    }
}

}  // namespace
}  // namespace boxoffice
