#include "runtime/log_throttle.hpp"

#include <gtest/gtest.h>

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;

TEST(LogThrottle, LetsTheFirstThroughAndKeepsTheOthersBack)
{
    LogThrottle throttle(1h);
    EXPECT_EQ(throttle.due(), 0);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.due(), std::nullopt);
}

TEST(LogThrottle, SaysHowManyItKeptBack)
{
    LogThrottle throttle(2ms);
    ASSERT_EQ(throttle.due(), 0);
    for (int round = 0; round < 3; ++round) {
        std::int64_t kept_back = 0;
        std::optional<std::int64_t> said;
        while (!(said = throttle.due())) ++kept_back;
        EXPECT_EQ(said, kept_back);
    }
}

}  // namespace
}  // namespace boxoffice
