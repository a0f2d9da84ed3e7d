#include <gtest/gtest.h>

#include "postgres/postgres.hpp"

namespace boxoffice
{
namespace
{

TEST(PostgresUrl, IsShownWithoutAnyOfItsPasswords)
{
    const std::pair<const char*, const char*> shown[] = {
        {"postgresql://box:s3cret@db:5432/boxoffice", "postgresql://box:***@db:5432/boxoffice"},
        {"postgresql://box:s3:c@ret@db/boxoffice", "postgresql://box:***@db/boxoffice"},
        {"postgresql://db/boxoffice?user=box&password=s3cret", "postgresql://db/boxoffice?user=box&password=***"},
        {"postgresql://db/b?password=one&sslpassword=two&password=three",
         "postgresql://db/b?password=***&sslpassword=***&password=***"},
        {"postgresql://box@db/boxoffice", "postgresql://box@db/boxoffice"},
        {"postgresql://db:5432/boxoffice", "postgresql://db:5432/boxoffice"},
    };
    for (const auto& [url, wanted] : shown) EXPECT_EQ(hide_password(url), wanted) << url;
}

TEST(PostgresUrl, IsRefusedWithASentenceThatQuotesNothing)
{
    EXPECT_EQ(why_bad_postgres_url("postgresql://box:s3cret@db:5432/boxoffice?sslmode=require"), "");
    EXPECT_EQ(why_bad_postgres_url("mysql://db/b"), "it does not begin with postgresql://");
    EXPECT_EQ(why_bad_postgres_url("postgresql://box:s3%zzcret@db/b"), "a % in it is not followed by two hexadecimal digits");
    const std::string unreadable = why_bad_postgres_url("postgresql://box:s3cret@[::1/b");
    EXPECT_NE(unreadable, "");
    EXPECT_EQ(unreadable.find("s3cret"), std::string::npos) << unreadable;
}

}  // namespace
}  // namespace boxoffice
