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
        {"postgresql://box:s3?c=ret@db/boxoffice", "postgresql://box:***@db/boxoffice"},
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
    for (const char* cut_in_two : {"postgresql://box:s3/cret@db/b", "postgresql://box:12/34@db:5432/b?sslmode=require"})
        EXPECT_EQ(why_bad_postgres_url(cut_in_two), "an @ follows its first /; write a / in a password as %2F, and an @ as %40");
    for (const char* good :
         {"postgresql:///b?host=/run/postgresql&user=a@b", "postgresql://box:s3%2Fcr%40et@db/b", "postgresql://box@/b"})
        EXPECT_EQ(why_bad_postgres_url(good), "") << good;
    const std::string unreadable = why_bad_postgres_url("postgresql://box:s3cret@[::1/b");
    EXPECT_NE(unreadable, "");
    EXPECT_EQ(unreadable.find("s3cret"), std::string::npos) << unreadable;
}

}  // namespace
}  // namespace boxoffice
