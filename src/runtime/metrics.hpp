#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/effects.hpp"

namespace boxoffice
{

/// What became of one try at a job: failed ones are tried again, dead ones never.
enum class JobResult : std::uint8_t { done, failed, dead };

/// Everything /metrics shows, under conventional Prometheus names (prefix boxoffice_, base units). The only file that
/// knows prometheus-cpp is metrics.cpp. Every method may be called from any thread and takes well under a microsecond,
/// except render().
class Metrics
{
public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// boxoffice_http_requests_total{method,route,status} and boxoffice_http_request_duration_seconds{method,route}.
    /// `route` is the pattern ("/api/v1/events/{id}"), never the path. A `route` handle is made once per route.
    class Route;
    [[nodiscard]] Route& route(std::string_view method, std::string_view pattern);
    void request_done(Route& route, int status, double seconds);

    void batch_committed(std::size_t acts, double seconds);    // boxoffice_lane_batch_acts, boxoffice_lane_commit_seconds
    void batch_replayed();                                     // boxoffice_lane_replays_total
    void lane_refused(std::string_view lane);                  // boxoffice_lane_refused_total{lane}
    void shed(std::string_view cls, std::string_view reason);  // boxoffice_shed_total{class,reason}: see Shedding
    void hold_made();                                          // boxoffice_holds_created_total
    void hold_expired(double lag_seconds);        // boxoffice_holds_expired_total, boxoffice_hold_release_lag_seconds
    void ticket_paid();                           // boxoffice_tickets_paid_total
    void ticket_cancelled();                      // boxoffice_tickets_cancelled_total
    void sold_out_refused();                      // boxoffice_sold_out_refusals_total
    void login(bool good);                        // boxoffice_logins_total{result}
    void job(EffectKind kind, JobResult result);  // boxoffice_jobs_total{kind,result}

    void lane(std::string_view lane);           // lane_refused(lane) counts from 0 instead of from nothing
    void build_info(std::string_view version);  // boxoffice_build_info{version} 1

    /// A gauge read when /metrics is rendered: boxoffice_lane_depth{lane}, boxoffice_holds_active, boxoffice_http_connections …
    /// `read` must stay valid as long as the Metrics. Given the same name and label again, the new `read` takes the old one's
    /// place; one that throws is left out of that rendering. An empty `label` means none.
    void gauge(std::string_view name, std::string_view help, std::string_view label, std::string_view label_value,
               std::function<double()> read);

    /// Prometheus text format 0.0.4, with process_* figures (CPU, resident memory, open files, start time).
    [[nodiscard]] std::string render();

private:
    class Self;
    std::unique_ptr<Self> self_;
};

}  // namespace boxoffice
