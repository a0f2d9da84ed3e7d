#include "runtime/metrics.hpp"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "runtime/metric_aliases.hpp"
#include "runtime/process.hpp"

namespace boxoffice
{
namespace
{

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Buckets = prometheus::Histogram::BucketBoundaries;
using CounterFamily = prometheus::Family<prometheus::Counter>;

// From a static answer to the time at which a client has long given up; the store's own sync lies in the middle.
const Buckets kRequestSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
const Buckets kCommitSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
const Buckets kBatchActs = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
const Buckets kLagSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

constexpr int kStatusMin = 100;
constexpr int kStatusMax = 599;

CounterFamily& counters(prometheus::Registry& registry, const char* name, const char* help)
{
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Counter& counter(prometheus::Registry& registry, const char* name, const char* help)
{
    return counters(registry, name, help).Add({});
}

prometheus::Histogram& histogram(prometheus::Registry& registry, const char* name, const char* help, const Buckets& buckets)
{
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

MetricFamily single(std::string name, std::string help, MetricType type, double value)
{
    MetricFamily family{std::move(name), std::move(help), type, {}};
    ClientMetric& metric = family.metric.emplace_back();
    metric.counter.value = value;
    metric.gauge.value = value;
    return family;
}

// The library's own serializer writes 0.0025 as 0.0025000000000000001: correct, and unreadable as a bucket's label.
void append_number(std::string& out, double value)
{
    if (std::isnan(value)) {
        out += "NaN";
    } else if (std::isinf(value)) {
        out += value > 0 ? "+Inf" : "-Inf";
    } else {
        fmt::format_to(std::back_inserter(out), "{}", value);
    }
}

void append_escaped(std::string& out, std::string_view text)
{
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix, const ClientMetric& metric, double value,
                   const double* bucket = nullptr)
{
    out.append(name).append(suffix);
    char before = '{';
    for (const auto& label : metric.label) {
        out += std::exchange(before, ',');
        out.append(label.name).append("=\"");
        append_escaped(out, label.value);
        out += '"';
    }
    if (bucket != nullptr) {
        out += std::exchange(before, ',');
        out += "le=\"";
        append_number(out, *bucket);
        out += '"';
    }
    if (before == ',') out += '}';
    out += ' ';
    append_number(out, value);
    out += '\n';
}

void append_histogram(std::string& out, std::string_view name, const ClientMetric& metric)
{
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    for (const auto& bucket : metric.histogram.bucket) {
        append_sample(out, name, "_bucket", metric, static_cast<double>(bucket.cumulative_count), &bucket.upper_bound);
    }
    const auto count = static_cast<double>(metric.histogram.sample_count);
    if (metric.histogram.bucket.empty() || !std::isinf(metric.histogram.bucket.back().upper_bound)) {
        append_sample(out, name, "_bucket", metric, count, &kInfinity);
    }
    append_sample(out, name, "_sum", metric, metric.histogram.sample_sum);
    append_sample(out, name, "_count", metric, count);
}

void append_family(std::string& out, const MetricFamily& family)
{
    if (family.metric.empty()) return;
    out.append("# HELP ").append(family.name).append(" ");
    for (const char c : family.help) c == '\n' ? out.append("\\n") : c == '\\' ? out.append("\\\\") : out.append(1, c);
    out.append("\n# TYPE ").append(family.name);
    out += family.type == MetricType::Counter ? " counter\n" : family.type == MetricType::Gauge ? " gauge\n" : " histogram\n";
    for (const ClientMetric& metric : family.metric) {
        switch (family.type) {
            case MetricType::Counter:
                append_sample(out, family.name, "", metric, metric.counter.value);
                break;
            case MetricType::Gauge:
                append_sample(out, family.name, "", metric, metric.gauge.value);
                break;
            default:
                append_histogram(out, family.name, metric);
        }
    }
}

// In the order of EffectKind and of JobResult; a later version's kinds are `other`.
constexpr std::array<const char*, 4> kJobKinds = {"ticket_paid", "hold_expired", "event_changed", "other"};
constexpr std::array<const char*, 3> kJobResults = {"done", "failed", "dead"};
using JobCounters = std::array<std::array<prometheus::Counter*, kJobResults.size()>, kJobKinds.size()>;

JobCounters job_counters(prometheus::Registry& registry)
{
    CounterFamily& family = counters(registry, "boxoffice_jobs_total", "Attempts at background jobs, by result.");
    JobCounters made{};
    for (std::size_t kind = 0; kind < kJobKinds.size(); ++kind) {
        for (std::size_t result = 0; result < kJobResults.size(); ++result)
            made[kind][result] = &family.Add({{"kind", kJobKinds[kind]}, {"result", kJobResults[result]}});
    }
    return made;
}

struct GaugeReader {
    std::string name;
    std::string help;
    std::string label;
    std::string label_value;
    std::function<double()> read;
};

}  // namespace

// Counters are found by status without a lock: the first answer of each status makes its counter, all others read a pointer.
class Metrics::Route
{
public:
    Route(CounterFamily& requests, prometheus::Histogram& durations, prometheus::Labels labels)
        : requests_(requests), durations_(durations), labels_(std::move(labels))
    {
    }

    void done(int status, double seconds)
    {
        const bool known = status >= kStatusMin && status <= kStatusMax;
        auto& slot = by_status_[known ? static_cast<std::size_t>(status - kStatusMin + 1) : 0];
        prometheus::Counter* count = slot.load(std::memory_order_acquire);
        if (count == nullptr) {
            prometheus::Labels labels = labels_;
            labels["status"] = known ? fmt::to_string(status) : "other";
            count = &requests_.Add(labels);  // the same counter to each thread that arrives here at once
            slot.store(count, std::memory_order_release);
        }
        count->Increment();
        durations_.Observe(seconds);
    }

private:
    CounterFamily& requests_;
    prometheus::Histogram& durations_;
    prometheus::Labels labels_;
    std::array<std::atomic<prometheus::Counter*>, kStatusMax - kStatusMin + 2> by_status_{};
};

class Metrics::Self
{
public:
    prometheus::Registry registry;
    CounterFamily& requests = counters(registry, "boxoffice_http_requests_total", "HTTP requests answered.");
    prometheus::Family<prometheus::Histogram>& durations = prometheus::BuildHistogram()
                                                               .Name("boxoffice_http_request_duration_seconds")
                                                               .Help("Time from the end of a request to its answer.")
                                                               .Register(registry);
    prometheus::Histogram& batch_acts =
        histogram(registry, "boxoffice_lane_batch_acts", "Acts executed in one transaction.", kBatchActs);
    prometheus::Histogram& commit_seconds = histogram(
        registry, "boxoffice_lane_commit_seconds", "Time of a batch from its first act to its durable commit.", kCommitSeconds);
    prometheus::Counter& replays =
        counter(registry, "boxoffice_lane_replays_total", "Batches rolled back and replayed act by act after a failure.");
    CounterFamily& refused = counters(registry, "boxoffice_lane_refused_total", "Jobs refused because a lane was full.");
    CounterFamily& shed = counters(registry, "boxoffice_shed_total",
                                   "Work refused to one client so that the others are served, by class and reason.");
    prometheus::Counter& holds_made = counter(registry, "boxoffice_holds_created_total", "Tickets reserved.");
    prometheus::Counter& holds_expired =
        counter(registry, "boxoffice_holds_expired_total", "Holds that expired and released their seat.");
    prometheus::Histogram& lag_seconds = histogram(registry, "boxoffice_hold_release_lag_seconds",
                                                   "Time from a hold's deadline to its seat being given back.", kLagSeconds);
    prometheus::Counter& paid = counter(registry, "boxoffice_tickets_paid_total", "Tickets paid.");
    prometheus::Counter& cancelled =
        counter(registry, "boxoffice_tickets_cancelled_total", "Reserved tickets cancelled by their holder.");
    prometheus::Counter& sold_out =
        counter(registry, "boxoffice_sold_out_refusals_total", "Reservations refused because the event was sold out.");
    CounterFamily& logins = counters(registry, "boxoffice_logins_total", "Attempts to log in, by result.");
    prometheus::Counter& logins_good = logins.Add({{"result", "good"}});
    prometheus::Counter& logins_bad = logins.Add({{"result", "bad"}});
    JobCounters jobs = job_counters(registry);

    prometheus::Counter& refused_by(std::string_view lane)
    {
        {
            const std::shared_lock lock(lanes_mutex_);
            if (const auto found = lanes_.find(lane); found != lanes_.end()) return *found->second;
        }
        const std::unique_lock lock(lanes_mutex_);
        auto& added = refused.Add({{"lane", std::string(lane)}});
        lanes_.emplace(lane, &added);
        return added;
    }

    Route& route(std::string_view method, std::string_view pattern)
    {
        const std::lock_guard lock(routes_mutex_);
        auto& slot = routes_[{std::string(method), std::string(pattern)}];
        if (!slot) {
            prometheus::Labels labels{{"method", std::string(method)}, {"route", std::string(pattern)}};
            auto& duration = durations.Add(labels, kRequestSeconds);
            slot = std::make_unique<Route>(requests, duration, std::move(labels));
        }
        return *slot;
    }

    void gauge(GaugeReader added)
    {
        const std::lock_guard lock(gauges_mutex_);
        const auto same = std::find_if(gauges_.begin(), gauges_.end(), [&](const GaugeReader& gauge) {
            return gauge.name == added.name && gauge.label == added.label && gauge.label_value == added.label_value;
        });
        if (same == gauges_.end()) {
            gauges_.push_back(std::move(added));
        } else {
            *same = std::move(added);
        }
    }

    // The readers run outside the lock: they may take locks of their own.
    std::vector<MetricFamily> read_gauges() const
    {
        std::vector<GaugeReader> readers;
        {
            const std::lock_guard lock(gauges_mutex_);
            readers = gauges_;
        }
        std::vector<MetricFamily> families;
        for (const GaugeReader& reader : readers) {
            ClientMetric metric;
            try {
                metric.gauge.value = reader.read();
            } catch (...) {
                continue;  // a figure that cannot be had must not hide the others
            }
            if (!reader.label.empty()) metric.label.push_back({reader.label, reader.label_value});
            auto family =
                std::find_if(families.begin(), families.end(), [&](const MetricFamily& f) { return f.name == reader.name; });
            if (family == families.end())
                family = families.insert(families.end(), {reader.name, reader.help, MetricType::Gauge, {}});
            family->metric.push_back(std::move(metric));
        }
        return families;
    }

    std::vector<MetricFamily> process() const
    {
        const ProcessFigures now = process_figures();
        std::vector<MetricFamily> families;
        families.push_back(
            single("process_cpu_seconds_total", "User and system CPU time spent.", MetricType::Counter, now.cpu_seconds));
        families.push_back(single("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, now.resident_bytes));
        families.push_back(single("process_open_fds", "Open file descriptors.", MetricType::Gauge, now.open_files));
        families.push_back(single("process_max_fds", "Most file descriptors allowed.", MetricType::Gauge, now.open_files_max));
        families.push_back(single("process_start_time_seconds", "Start of the process since 1970.", MetricType::Gauge, started_));
        return families;
    }

private:
    const double started_ = process_started_at();

    std::shared_mutex lanes_mutex_;
    std::map<std::string, prometheus::Counter*, std::less<>> lanes_;

    std::mutex routes_mutex_;
    std::map<std::pair<std::string, std::string>, std::unique_ptr<Route>> routes_;

    mutable std::mutex gauges_mutex_;
    std::vector<GaugeReader> gauges_;
};

Metrics::Metrics() : self_(std::make_unique<Self>()) {}
Metrics::~Metrics() = default;

Metrics::Route& Metrics::route(std::string_view method, std::string_view pattern) { return self_->route(method, pattern); }
void Metrics::request_done(Route& route, int status, double seconds) { route.done(status, seconds); }

void Metrics::batch_committed(std::size_t acts, double seconds)
{
    self_->batch_acts.Observe(static_cast<double>(acts));
    self_->commit_seconds.Observe(seconds);
}

void Metrics::batch_replayed() { self_->replays.Increment(); }
void Metrics::lane_refused(std::string_view lane) { self_->refused_by(lane).Increment(); }
void Metrics::shed(std::string_view cls, std::string_view reason)
{
    // Add() gives the counter that is there: it is looked up under the family's own lock, which a refusal can afford.
    self_->shed.Add({{"class", std::string(cls)}, {"reason", std::string(reason)}}).Increment();
}
void Metrics::hold_made() { self_->holds_made.Increment(); }

void Metrics::hold_expired(double lag_seconds)
{
    self_->holds_expired.Increment();
    self_->lag_seconds.Observe(lag_seconds);
}

void Metrics::ticket_paid() { self_->paid.Increment(); }
void Metrics::ticket_cancelled() { self_->cancelled.Increment(); }
void Metrics::sold_out_refused() { self_->sold_out.Increment(); }
void Metrics::login(bool good) { (good ? self_->logins_good : self_->logins_bad).Increment(); }
void Metrics::job(EffectKind kind, JobResult result)
{
    const std::size_t row = std::min(static_cast<std::size_t>(kind), kJobKinds.size() - 1);
    self_->jobs[row].at(static_cast<std::size_t>(result))->Increment();
}

void Metrics::lane(std::string_view lane) { self_->refused_by(lane); }

void Metrics::build_info(std::string_view version)
{
    gauge("boxoffice_build_info", "The version that runs; always 1.", "version", version, [] { return 1.0; });
}

void Metrics::gauge(std::string_view name, std::string_view help, std::string_view label, std::string_view label_value,
                    std::function<double()> read)
{
    self_->gauge({std::string(name), std::string(help), std::string(label), std::string(label_value), std::move(read)});
}

std::string Metrics::render()
{
    std::string text;
    text.reserve(64 * 1024);
    for (const auto& families : {self_->registry.Collect(), self_->read_gauges(), self_->process()}) {
        for (const MetricFamily& family : families) {
            append_family(text, family);
            if (const auto old = under_old_name(family)) append_family(text, *old);
        }
    }
    return text;
}

}  // namespace boxoffice
