#include "cluster/cluster.hpp"
#include "cluster/live_stream.hpp"

using namespace cluster;
using namespace std::chrono_literals;

TEST(Watching, SeesWhatIsSoldAtAnotherNodeWithAndWithoutRedis)
{
    Shape shape;
    shape.nodes = 2;
    shape.workers = 1;
    Cluster cluster(shape);
    Person organizer = blackbox::sign_up(cluster.at(0));
    const Json event = blackbox::make_event(organizer, {{"total_tickets", 50}});
    Caller first(cluster.at(0), organizer.token()), second(cluster.at(1), organizer.token());
    LiveStream at_first(cluster.at(0), event["id"]), at_second(cluster.at(1), event["id"]);
    ASSERT_TRUE(at_first.sees(50, 5s));
    ASSERT_TRUE(at_second.sees(50, 5s));

    blackbox::reserve(first, event["id"]);
    EXPECT_TRUE(at_second.sees(49, 1s));
    EXPECT_TRUE(at_first.sees(49, 1s));
    const Json ticket = blackbox::reserve(second, event["id"]);
    EXPECT_TRUE(at_first.sees(48, 1s));
    EXPECT_TRUE(at_second.sees(48, 1s));  // or the seat would be back before any watcher was told
    blackbox::must(first.post(blackbox::path_of("/tickets/", ticket["id"], "/cancel")), 200);
    EXPECT_TRUE(at_second.sees(49, 1s));

    cluster.redis().stop();
    blackbox::reserve(first, event["id"]);
    EXPECT_TRUE(at_second.sees(48, 2500ms)) << "without Redis";
    blackbox::reserve(second, event["id"]);
    EXPECT_TRUE(at_first.sees(47, 2500ms)) << "without Redis";

    cluster.redis().start();
    cluster.node(0).expect_health({200, "ready"}, 10s);
    blackbox::reserve(first, event["id"]);
    EXPECT_TRUE(at_second.sees(46, 2500ms)) << "with Redis again";
}

TEST(Watching, SeesHoldsReleasedByAWorker)
{
    Shape shape;
    shape.nodes = 1;
    shape.workers = 1;
    shape.hold_seconds = "1";
    Cluster cluster(shape);
    Person organizer = blackbox::sign_up(cluster.at(0));
    const Json event = blackbox::make_event(organizer, {{"total_tickets", 5}});
    LiveStream stream(cluster.at(0), event["id"]);
    ASSERT_TRUE(stream.sees(5, 5s));
    blackbox::reserve(organizer, event["id"]);
    EXPECT_TRUE(stream.sees(4, 1s));
    EXPECT_TRUE(stream.sees(5, 3s));
}
