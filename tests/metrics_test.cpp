#include "runtime/metrics.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/metric_aliases.hpp"

namespace boxoffice
{
namespace
{

// The samples of a rendering by their whole name, labels included.
std::map<std::string, std::string> samples_of(const std::string& text)
{
    std::map<std::string, std::string> samples;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) continue;
        const std::size_t gap = line.rfind(' ');
        const bool fresh = samples.emplace(line.substr(0, gap), line.substr(gap + 1)).second;
        EXPECT_TRUE(fresh) << "twice: " << line;
    }
    return samples;
}

std::map<std::string, std::string> samples_of(Metrics& metrics) { return samples_of(metrics.render()); }

TEST(MetricsText, ShowsEveryCounterFromTheStart)
{
    Metrics metrics;
    metrics.lane("write");
    const auto samples = samples_of(metrics);
    for (const char* name :
         {"boxoffice_lane_replays_total", "boxoffice_holds_created_total", "boxoffice_holds_expired_total",
          "boxoffice_tickets_paid_total", "boxoffice_tickets_cancelled_total", "boxoffice_sold_out_refusals_total",
          "boxoffice_logins_total{result=\"good\"}", "boxoffice_logins_total{result=\"bad\"}",
          "boxoffice_jobs_total{kind=\"ticket_paid\",result=\"done\"}", "boxoffice_lane_refused_total{lane=\"write\"}",
          "boxoffice_lane_batch_acts_count", "boxoffice_lane_commit_seconds_count", "boxoffice_hold_release_lag_seconds_count"}) {
        ASSERT_TRUE(samples.contains(name)) << name;
        EXPECT_EQ(samples.at(name), "0") << name;
    }
}

TEST(MetricsText, CountsEachThingUnderItsOwnName)
{
    Metrics metrics;
    metrics.batch_replayed();
    for (int i = 0; i < 2; ++i) metrics.hold_made();
    for (int i = 0; i < 3; ++i) metrics.hold_expired(0.004);
    for (int i = 0; i < 4; ++i) metrics.ticket_paid();
    for (int i = 0; i < 5; ++i) metrics.ticket_cancelled();
    for (int i = 0; i < 6; ++i) metrics.sold_out_refused();
    for (int i = 0; i < 7; ++i) metrics.login(true);
    for (int i = 0; i < 8; ++i) metrics.login(false);
    for (int i = 0; i < 9; ++i) metrics.lane_refused("write");
    metrics.lane_refused("read");
    metrics.job(EffectKind::hold_expired, JobResult::done);
    for (int i = 0; i < 2; ++i) metrics.job(EffectKind::hold_expired, JobResult::failed);
    for (int i = 0; i < 3; ++i) metrics.job(EffectKind::event_changed, JobResult::dead);
    metrics.batch_committed(3, 0.002);
    metrics.batch_committed(5000, 60);
    const auto samples = samples_of(metrics);
    EXPECT_EQ(samples.at("boxoffice_lane_replays_total"), "1");
    EXPECT_EQ(samples.at("boxoffice_holds_created_total"), "2");
    EXPECT_EQ(samples.at("boxoffice_holds_expired_total"), "3");
    EXPECT_EQ(samples.at("boxoffice_hold_release_lag_seconds_bucket{le=\"0.0025\"}"), "0");
    EXPECT_EQ(samples.at("boxoffice_hold_release_lag_seconds_bucket{le=\"0.005\"}"), "3");
    EXPECT_EQ(samples.at("boxoffice_tickets_paid_total"), "4");
    EXPECT_EQ(samples.at("boxoffice_tickets_cancelled_total"), "5");
    EXPECT_EQ(samples.at("boxoffice_sold_out_refusals_total"), "6");
    EXPECT_EQ(samples.at("boxoffice_logins_total{result=\"good\"}"), "7");
    EXPECT_EQ(samples.at("boxoffice_logins_total{result=\"bad\"}"), "8");
    EXPECT_EQ(samples.at("boxoffice_lane_refused_total{lane=\"write\"}"), "9");
    EXPECT_EQ(samples.at("boxoffice_lane_refused_total{lane=\"read\"}"), "1");
    EXPECT_EQ(samples.at("boxoffice_jobs_total{kind=\"hold_expired\",result=\"done\"}"), "1");
    EXPECT_EQ(samples.at("boxoffice_jobs_total{kind=\"hold_expired\",result=\"failed\"}"), "2");
    EXPECT_EQ(samples.at("boxoffice_jobs_total{kind=\"event_changed\",result=\"dead\"}"), "3");
    EXPECT_EQ(samples.at("boxoffice_jobs_total{kind=\"ticket_paid\",result=\"done\"}"), "0");
    EXPECT_EQ(samples.at("boxoffice_lane_batch_acts_bucket{le=\"2\"}"), "0");
    EXPECT_EQ(samples.at("boxoffice_lane_batch_acts_bucket{le=\"4\"}"), "1");
    EXPECT_EQ(samples.at("boxoffice_lane_batch_acts_bucket{le=\"1024\"}"), "1");
    EXPECT_EQ(samples.at("boxoffice_lane_batch_acts_bucket{le=\"+Inf\"}"), "2");
    EXPECT_EQ(samples.at("boxoffice_lane_batch_acts_sum"), "5003");
    EXPECT_EQ(samples.at("boxoffice_lane_commit_seconds_bucket{le=\"5\"}"), "1");
    EXPECT_EQ(samples.at("boxoffice_lane_commit_seconds_count"), "2");
}

TEST(MetricsText, TellsRequestsApartByRouteAndStatus)
{
    Metrics metrics;
    auto& get = metrics.route("GET", "/api/v1/events/{id}");
    auto& patch = metrics.route("PATCH", "/api/v1/events/{id}");
    EXPECT_EQ(&get, &metrics.route("GET", "/api/v1/events/{id}"));
    EXPECT_NE(&get, &patch);
    metrics.request_done(get, 200, 0.0002);
    metrics.request_done(get, 200, 0.2);
    metrics.request_done(get, 404, 0.0001);
    metrics.request_done(patch, 599, 20);
    metrics.request_done(patch, 0, 1);
    metrics.request_done(patch, 1'000'000, 1);
    metrics.request_done(patch, -1, 1);
    const auto samples = samples_of(metrics);
    const std::string requests = "boxoffice_http_requests_total";
    EXPECT_EQ(samples.at(requests + R"({method="GET",route="/api/v1/events/{id}",status="200"})"), "2");
    EXPECT_EQ(samples.at(requests + R"({method="GET",route="/api/v1/events/{id}",status="404"})"), "1");
    EXPECT_EQ(samples.at(requests + R"({method="PATCH",route="/api/v1/events/{id}",status="599"})"), "1");
    EXPECT_EQ(samples.at(requests + R"({method="PATCH",route="/api/v1/events/{id}",status="other"})"), "3");
    const std::string buckets = "boxoffice_http_request_duration_seconds_bucket";
    EXPECT_EQ(samples.at(buckets + R"({method="GET",route="/api/v1/events/{id}",le="0.0001"})"), "1")
        << "a bound belongs to its bucket";
    EXPECT_EQ(samples.at(buckets + R"({method="GET",route="/api/v1/events/{id}",le="0.00025"})"), "2");
    EXPECT_EQ(samples.at(buckets + R"({method="GET",route="/api/v1/events/{id}",le="+Inf"})"), "3");
    EXPECT_EQ(samples.at(buckets + R"({method="PATCH",route="/api/v1/events/{id}",le="10"})"), "3");
}

TEST(MetricsText, ReadsAGaugeWhenItIsRendered)
{
    Metrics metrics;
    double depth = 3;
    metrics.gauge("boxoffice_lane_depth", "Jobs that wait.", "lane", "write", [&] { return depth; });
    metrics.gauge("boxoffice_lane_depth", "Jobs that wait.", "lane", "read", [] { return 0.5; });
    metrics.gauge("boxoffice_holds_active", "Tickets on hold.", "", "", [] { return 1e6; });
    EXPECT_EQ(samples_of(metrics).at("boxoffice_lane_depth{lane=\"write\"}"), "3");
    depth = 4;
    const auto samples = samples_of(metrics);
    EXPECT_EQ(samples.at("boxoffice_lane_depth{lane=\"write\"}"), "4");
    EXPECT_EQ(samples.at("boxoffice_lane_depth{lane=\"read\"}"), "0.5");
    EXPECT_EQ(samples.at("boxoffice_holds_active"), "1000000");
    metrics.gauge("boxoffice_lane_depth", "Jobs that wait.", "lane", "read", [] { return 7.0; });
    EXPECT_EQ(samples_of(metrics).at("boxoffice_lane_depth{lane=\"read\"}"), "7");
}

TEST(MetricsText, LeavesOutAGaugeThatThrows)
{
    Metrics metrics;
    metrics.gauge("boxoffice_bad", "Never there.", "", "", []() -> double { throw std::runtime_error("no"); });
    metrics.gauge("boxoffice_good", "Always there.", "", "", [] { return std::numeric_limits<double>::infinity(); });
    const auto samples = samples_of(metrics);
    EXPECT_FALSE(samples.contains("boxoffice_bad"));
    EXPECT_EQ(samples.at("boxoffice_good"), "+Inf");
}

TEST(MetricsText, EscapesWhatLabelsAndHelpHold)
{
    Metrics metrics;
    metrics.gauge("boxoffice_odd", "One\\two\n\"three\".", "name", "a\"b\\c\nd", [] { return 1.0; });
    const std::string text = metrics.render();
    EXPECT_NE(text.find("# HELP boxoffice_odd One\\\\two\\n\"three\".\n"), std::string::npos) << text;
    EXPECT_NE(text.find("boxoffice_odd{name=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos) << text;
}

TEST(MetricsText, ShowsARenamedMetricUnderItsOldNameToo)
{
    Metrics metrics;
    metrics.hold_made();  // the counter among them
    for (const MetricAlias& alias : kMetricAliases) {
        if (!alias.name.ends_with("_total")) metrics.gauge(alias.name, "Help.", "", "", [] { return 1.0; });
    }
    const std::string text = metrics.render();
    const auto samples = samples_of(text);
    for (const auto& [name, old_name] : kMetricAliases) {
        ASSERT_TRUE(samples.contains(std::string(name))) << name;
        ASSERT_TRUE(samples.contains(std::string(old_name))) << old_name;
        EXPECT_EQ(samples.at(std::string(name)), "1") << name;
        EXPECT_EQ(samples.at(std::string(old_name)), "1") << old_name;
        const std::string help = "# HELP " + std::string(old_name) + " Deprecated: use " + std::string(name) + ". ";
        EXPECT_NE(text.find(help), std::string::npos) << text;
    }
}

TEST(MetricsText, AnnouncesEveryFamilyOnceBeforeItsSamples)
{
    Metrics metrics;
    metrics.request_done(metrics.route("GET", "/health"), 200, 0.001);
    metrics.lane_refused("write");
    metrics.build_info("0.1.0");
    std::set<std::string> announced;
    std::string current;
    std::istringstream lines(metrics.render());
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# TYPE ")) {
            current = line.substr(7, line.find(' ', 7) - 7);
            EXPECT_TRUE(announced.insert(current).second) << current;
        } else if (!line.starts_with('#')) {
            EXPECT_TRUE(line.starts_with(current)) << line;
        }
    }
    EXPECT_TRUE(announced.contains("boxoffice_build_info"));
}

TEST(MetricsText, TellsOfTheProcess)
{
    Metrics metrics;
    metrics.build_info("1.2.3");
    auto samples = samples_of(metrics);
    EXPECT_EQ(samples.at("boxoffice_build_info{version=\"1.2.3\"}"), "1");
    EXPECT_GT(std::stod(samples.at("process_resident_memory_bytes")), 1e6);
    EXPECT_GE(std::stod(samples.at("process_cpu_seconds_total")), 0);
    EXPECT_GT(std::stod(samples.at("process_max_fds")), 0);
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    EXPECT_NEAR(std::stod(samples.at("process_start_time_seconds")), now, 3600);

    const double before = std::stod(samples.at("process_open_fds"));
    const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(std::stod(samples_of(metrics).at("process_open_fds")), before + 1);
    ::close(file);
}

TEST(MetricsText, LosesNothingBetweenThreads)
{
    Metrics metrics;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            auto& route = metrics.route("POST", "/api/v1/tickets/");
            for (int i = 0; i < 1000; ++i) {
                metrics.request_done(route, 200 + i % 4, 0.001);
                metrics.hold_made();
                metrics.lane_refused(i % 2 == 0 ? "write" : "read");
                metrics.batch_committed(1, 0.001);
                if (i % 100 == 0) {
                    metrics.gauge("boxoffice_lane_depth", "Jobs that wait.", "lane", "write", [] { return 0.0; });
                    (void)metrics.render();
                }
            }
        });
    }
    for (auto& thread : threads) thread.join();
    const auto samples = samples_of(metrics);
    for (const char* status : {"200", "201", "202", "203"}) {
        EXPECT_EQ(samples.at(R"(boxoffice_http_requests_total{method="POST",route="/api/v1/tickets/",status=")" +
                             std::string(status) + "\"}"),
                  "1000");
    }
    EXPECT_EQ(samples.at("boxoffice_holds_created_total"), "4000");
    EXPECT_EQ(samples.at("boxoffice_lane_refused_total{lane=\"write\"}"), "2000");
    EXPECT_EQ(samples.at("boxoffice_lane_batch_acts_count"), "4000");
}

}  // namespace
}  // namespace boxoffice
