/// Who sends the mail that follows from sales, when some processes can and others cannot.
#include <algorithm>
#include <string>
#include <vector>

#include "cluster/cluster.hpp"
#include "servers/smtp_server.hpp"

using namespace cluster;
using namespace std::chrono_literals;
using boxoffice::SmtpServer;

namespace
{

std::vector<std::string> to(const SmtpServer& server)
{
    return {"--smtp-url", server.url(), "--mail-from", "Box office <tickets@boxoffice.example>"};
}

/// A node that works and cannot mail, and a worker that can.
Shape mixed(const SmtpServer& server, Redis redis)
{
    Shape shape;
    shape.nodes = 1;
    shape.workers = 1;
    shape.redis = redis;
    shape.hold_seconds = "2";
    shape.serve_flags = {"--work", "yes"};
    shape.work_flags = to(server);
    return shape;
}

class WhoMails : public testing::TestWithParam<Redis>
{
};
INSTANTIATE_TEST_SUITE_P(Streams, WhoMails, testing::Values(Redis::with, Redis::without),
                         [](const auto& with) { return with.param == Redis::with ? "WithRedis" : "WithoutRedis"; });

TEST_P(WhoMails, IsWhoCanAndNothingIsLostToTheOthers)
{
    constexpr std::size_t kTickets = 20;
    SmtpServer server;
    Cluster cluster(mixed(server, GetParam()));
    Person buyer = blackbox::sign_up(cluster.at(0));
    const Json event = blackbox::make_event(buyer, {{"total_tickets", 100}});
    for (std::size_t i = 0; i < kTickets; ++i) blackbox::pay(buyer, blackbox::reserve(buyer, event["id"])["id"]);
    EXPECT_TRUE(server.wait_for(kTickets)) << server.messages().size();
    // What needs no mail is done by either.
    blackbox::must(buyer.patch(blackbox::path_of("/events/", event["id"]), Json{{"title", "Later"}}), 200);
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (cluster.sql("SELECT count(*) FROM outbox") != "0" && std::chrono::steady_clock::now() < deadline) {}
    EXPECT_EQ(cluster.sql("SELECT count(*) FROM outbox"), "0");
    EXPECT_EQ(server.messages().size(), kTickets);
}

TEST_P(WhoMails, HasWhatWasRefusedForGoodSentOnceAnOperatorHasItTriedAgain)
{
    SmtpServer server;
    server.answer("RCPT", "550 5.1.1 no such user");
    Cluster cluster(mixed(server, GetParam()));
    Person buyer = blackbox::sign_up(cluster.at(0));
    const Json event = blackbox::make_event(buyer, {{"total_tickets", 100}});
    for (int i = 0; i < 3; ++i) blackbox::pay(buyer, blackbox::reserve(buyer, event["id"])["id"]);
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (cluster.sql("SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL") != "3" &&
           std::chrono::steady_clock::now() < deadline) {}
    Cluster::Ran list = cluster.run({"jobs", "list"});
    EXPECT_EQ(list.code, 0);
    EXPECT_NE(list.text.find("the mail server answered 550 5.1.1 to RCPT"), std::string::npos) << list.text;
    EXPECT_NE(list.text.find("3 dead, 0 waiting."), std::string::npos) << list.text;
    EXPECT_EQ(cluster.run({"doctor"}).code, 1);

    EXPECT_EQ(cluster.run({"jobs", "drop", cluster.sql("SELECT min(id) FROM outbox")}).code, 0);
    server.answer("RCPT", "");
    const Cluster::Ran retried = cluster.run({"jobs", "retry", "--all-dead"});
    EXPECT_EQ(retried.code, 0) << retried.text;
    EXPECT_TRUE(server.wait_for(2)) << server.messages().size();
    const auto settled = std::chrono::steady_clock::now() + 20s;
    while (cluster.sql("SELECT count(*) FROM outbox") != "0" && std::chrono::steady_clock::now() < settled) {}
    list = cluster.run({"jobs", "list"});
    EXPECT_NE(list.text.find("0 dead, 0 waiting."), std::string::npos) << list.text;
    EXPECT_EQ(server.messages().size(), 2U);
    cluster.expect_healthy();
}

TEST(Holds, OfOnePersonOnOneEventThatLapseTogetherAreOneMail)
{
    SmtpServer server;
    Cluster cluster(mixed(server, Redis::with));
    Person buyer = blackbox::sign_up(cluster.at(0));
    std::vector<std::string> tickets;
    for (int events = 0; events < 2; ++events) {
        const Json event = blackbox::make_event(buyer, {{"total_tickets", 100}});
        for (int i = 0; i < 4; ++i) tickets.push_back(blackbox::reserve(buyer, event["id"])["id"].dump());
    }
    EXPECT_TRUE(server.wait_for(2));
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (cluster.sql("SELECT count(*) FROM outbox") != "0" && std::chrono::steady_clock::now() < deadline) {}
    ASSERT_EQ(server.messages().size(), 2U);
    const std::string all = server.messages()[0].text + server.messages()[1].text;
    for (const std::string& ticket : tickets) EXPECT_NE(all.find("No. " + ticket), std::string::npos) << ticket << "\n" << all;
}

TEST(Address, GetsSoManyMailsAnHourFromAllNodesAndStillThoseOfPaidTickets)
{
    SmtpServer server;
    Shape shape = mixed(server, Redis::without);
    shape.workers = 2;
    Cluster cluster(shape);
    Person buyer = blackbox::sign_up(cluster.at(0));
    Json event;
    for (int events = 0; events < 25; ++events) {
        event = blackbox::make_event(buyer, {{"total_tickets", 100}});
        blackbox::reserve(buyer, event["id"]);
    }
    EXPECT_TRUE(server.wait_for(10));
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (cluster.sql("SELECT count(*) FROM outbox") != "0" && std::chrono::steady_clock::now() < deadline) {}
    EXPECT_EQ(cluster.sql("SELECT count(*) FROM outbox"), "0");
    EXPECT_EQ(server.messages().size(), 10U);
    for (int i = 0; i < 3; ++i) blackbox::pay(buyer, blackbox::reserve(buyer, event["id"])["id"]);
    EXPECT_TRUE(server.wait_for(13)) << server.messages().size();
}

TEST(NoMail, IsWrittenByANodeThatWasToldThatNoneIsSent)
{
    SmtpServer server;
    Shape shape = mixed(server, Redis::without);
    shape.serve_flags = {"--work", "yes", "--mail", "none"};
    Cluster cluster(shape);
    Person buyer = blackbox::sign_up(cluster.at(0));
    const Json event = blackbox::make_event(buyer, {{"total_tickets", 100}});
    for (int i = 0; i < 5; ++i) blackbox::pay(buyer, blackbox::reserve(buyer, event["id"])["id"]);
    EXPECT_EQ(cluster.sql("SELECT count(*) FROM outbox"), "0");
    EXPECT_EQ(cluster.sql("SELECT count(*) FROM mails"), "0");
}

TEST(Mail, WaitsWhereNobodyCanSendItYet)
{
    Shape shape;
    shape.nodes = 1;
    shape.workers = 1;
    shape.serve_flags = {"--work", "yes"};
    Cluster cluster(shape);
    Person buyer = blackbox::sign_up(cluster.at(0));
    const Json event = blackbox::make_event(buyer, {{"total_tickets", 100}});
    for (int i = 0; i < 5; ++i) blackbox::pay(buyer, blackbox::reserve(buyer, event["id"])["id"]);
    blackbox::must(buyer.patch(blackbox::path_of("/events/", event["id"]), Json{{"title", "Later"}}), 200);
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (cluster.sql("SELECT count(*) FROM outbox WHERE kind = 2") != "0" && std::chrono::steady_clock::now() < deadline) {}
    EXPECT_EQ(cluster.sql("SELECT count(*) || ' ' || count(*) FILTER (WHERE kind = 0 AND due_at = made_at) FROM outbox"), "5 5")
        << "not even taken";
}

}  // namespace
