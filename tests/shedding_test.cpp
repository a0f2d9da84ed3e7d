#include "runtime/shedding.hpp"

#include <gtest/gtest.h>

#include <string>

namespace boxoffice
{
namespace
{

TEST(Shedding, CountsEveryRefusalByClassAndReason)
{
    Metrics metrics;
    Shedding shedding(metrics);
    for (int i = 0; i < 3; ++i) shedding.refused("login", "address_share", {"127.0.0.9", 0});
    shedding.refused("read", "overdue", {"127.0.0.9", 7});
    const std::string text = metrics.render();
    EXPECT_NE(text.find("boxoffice_shed_total{class=\"login\",reason=\"address_share\"} 3\n"), text.npos) << text;
    EXPECT_NE(text.find("boxoffice_shed_total{class=\"read\",reason=\"overdue\"} 1\n"), text.npos) << text;
}

}  // namespace
}  // namespace boxoffice
