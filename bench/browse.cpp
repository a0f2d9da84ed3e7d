#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <random>
#include <stdexcept>

#include "client.hpp"
#include "machine.hpp"
#include "scenarios.hpp"
#include "table.hpp"
#include "traffic.hpp"

namespace boxoffice::bench
{
namespace
{

constexpr double kFillSecondsMax = 900;
constexpr int kPages = 10;                  // of 100 events each, spread evenly over the catalogue's year
constexpr std::uint64_t kLookAtEvery = 16;  // answers whose content is counted: looking at all would slow the generator

struct Catalogue {
    std::int64_t events = 0;
    std::vector<std::string> searches;
    std::vector<std::string> reads;
};

std::int64_t count_of(const Answer& answer)
{
    const std::string_view text = header_value(answer.headers, "x-total-count");
    std::int64_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

/// Requests about real events of the catalogue, in an order of no meaning.
Catalogue sample(std::uint16_t port, std::uint64_t seed)
{
    Client client(port);
    const std::int64_t total = count_of(client.demand(200, "GET", "/api/v1/events/?limit=1"));
    Catalogue catalogue;
    catalogue.events = total;
    for (std::int64_t page = 0; page < kPages; ++page) {
        constexpr std::int64_t kSkipMax = 10'000;  // of the contract
        const std::string skip = std::to_string(page * std::clamp<std::int64_t>(total - 100, 0, kSkipMax) / (kPages - 1));
        const Answer answer = client.demand(200, "GET", "/api/v1/events/?limit=100&skip=" + skip);
        std::size_t at = 0;
        while (const auto latitude = number_member(answer.body, "latitude", at, at)) {
            const auto longitude = number_member(answer.body, "longitude", at, at);
            if (!longitude) break;
            std::array<char, 160> target{};
            std::snprintf(target.data(), target.size(),
                          "/api/v1/for-you/events/nearby?latitude=%.5f&longitude=%.5f&radius_km=100&limit=10", *latitude,
                          *longitude);
            catalogue.searches.push_back(compose_request("GET", target.data(), {}, {}));
        }
        // Every event's own id precedes its venue, and "id" with both its quotes is no other object's member.
        at = 0;
        while (const auto id = number_member(answer.body, "id", at, at)) {
            catalogue.reads.push_back(
                compose_request("GET", "/api/v1/events/" + std::to_string(static_cast<std::int64_t>(*id)), {}, {}));
        }
    }
    if (catalogue.searches.empty() || catalogue.reads.empty()) throw std::runtime_error("the catalogue is empty");
    std::mt19937_64 random(seed);
    std::shuffle(catalogue.searches.begin(), catalogue.searches.end(), random);
    std::shuffle(catalogue.reads.begin(), catalogue.reads.end(), random);
    return catalogue;
}

class SearchTraffic : public RoundTraffic
{
public:
    explicit SearchTraffic(std::vector<std::string> requests) : RoundTraffic(std::move(requests), 200) {}

    Verdict answered(std::size_t slot, const Answer& answer) override
    {
        if (++seen_ % kLookAtEvery == 0) {
            ++looked_at_;
            results_ += count_members(answer.body, "distance_km");
            totals_ += static_cast<std::uint64_t>(count_of(answer));
        }
        return RoundTraffic::answered(slot, answer);
    }

    [[nodiscard]] double mean_results() const { return mean(results_); }
    [[nodiscard]] double mean_total() const { return mean(totals_); }

private:
    [[nodiscard]] double mean(std::uint64_t sum) const
    {
        return looked_at_ == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(looked_at_);
    }

    std::uint64_t seen_ = 0;
    std::uint64_t looked_at_ = 0;
    std::uint64_t results_ = 0;
    std::uint64_t totals_ = 0;
};

std::vector<double> figures(const Tally& tally, const Spent& spent)
{
    const double millions = static_cast<double>(tally.good) / 1e6;
    return {static_cast<double>(tally.good) / spent.seconds,
            tally.latency.percentile_ms(0.5),
            tally.latency.percentile_ms(0.99),
            tally.latency.percentile_ms(0.999),
            tally.latency.max_ms(),
            static_cast<double>(tally.bad),
            spent.server_cpu / millions,
            spent.own_cpu / millions};
}

std::vector<Column> columns(const std::string& rate)
{
    return {{rate},        {"p50 ms", 2}, {"p99 ms", 2},         {"p99.9 ms", 2},
            {"max ms", 2}, {"not 200"},   {"server CPU s/M", 1}, {"bench CPU s/M", 1}};
}

void search(const Options& options, const ServerProcess& server, const Catalogue& catalogue, unsigned connections)
{
    std::vector<Column> all = columns("searches/s");
    all.push_back({"results", 1});
    all.push_back({"of in all", 1});
    Table table("nearby: 100 km round real venues, 10 results, " + std::to_string(catalogue.events) + " events, " +
                    std::to_string(connections) + " connections (wanted: 5 000/s)",
                std::move(all));
    for (unsigned run = 0; run < options.repeat; ++run) {
        SearchTraffic traffic(catalogue.searches);
        Tally tally;
        Loop loop(server.port());
        loop.add(traffic, {connections}, tally);
        const Spent spent = measure(loop, server, options, {&tally});
        std::vector<double> row = figures(tally, spent);
        row.push_back(traffic.mean_results());
        row.push_back(traffic.mean_total());
        table.add(row);
    }
    table.close();
}

void read(const Options& options, const ServerProcess& server, const Catalogue& catalogue, unsigned connections)
{
    Table table("reads: GET /api/v1/events/{id}, " + std::to_string(connections) + " connections", columns("reads/s"));
    for (unsigned run = 0; run < options.repeat; ++run) {
        RoundTraffic traffic(catalogue.reads, 200);
        Tally tally;
        Loop loop(server.port());
        loop.add(traffic, {connections}, tally);
        const Spent spent = measure(loop, server, options, {&tally});
        table.add(figures(tally, spent));
    }
    table.close();
}

void fill(const Options& options, const std::filesystem::path& data, const std::filesystem::path& log)
{
    std::printf("\nfilling the store with %lld events ...", static_cast<long long>(options.events));
    std::fflush(stdout);
    const std::int64_t started = steady_ns();
    // A shared store may have events from an earlier scenario.
    Program program = program_of(options);
    program.settings.push_back("BOXOFFICE_DATA=" + data.string());
    const int code =
        run_to_end(program, {"demo", "--add", "--events", std::to_string(options.events), "--seed", std::to_string(options.seed)},
                   log, kFillSecondsMax);
    if (code != 0) throw std::runtime_error("`demo` ended with " + std::to_string(code) + ": " + tail_of(log));
    std::printf(" done in %.1f s\n", static_cast<double>(steady_ns() - started) / 1e9);
}

}  // namespace

void run_browse(const Options& options, Browse what)
{
    const TemporaryFolder folder(options.folder);
    const auto data = folder.path() / "data";
    if (!options.keep) fill(options, data, folder.path() / "demo.log");
    ServerProcess server(program_of(options), data, serve_arguments(options.hold_seconds, 4));
    const Catalogue catalogue = sample(server.port(), options.seed);
    const unsigned connections = options.connections > 0 ? options.connections : 64;
    if (what != Browse::reads) search(options, server, catalogue, connections);
    if (what != Browse::nearby) read(options, server, catalogue, connections);
    server.stop();
}

}  // namespace boxoffice::bench
