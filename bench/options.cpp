#include "options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <vector>

namespace boxoffice::bench
{
namespace
{

constexpr std::string_view kHelp =
    R"(boxoffice_bench: what a boxoffice server does under load, on this machine

usage: boxoffice_bench SCENARIO [options]

Starts the server itself, on a free port of 127.0.0.1 with its data in a temporary folder, and stops it again.

scenarios
  reserve   reservations on one event as fast as the answers come: accepted/s, latency, CPU a million
  paced     reservations at a fixed rate while logins keep the password pool busy: latency from when each was due
  nearby    searches for what is near, over a large catalogue: searches/s, latency, results
  reads     single events, over the same catalogue
  expiry    many holds due within one second: how late seats are released, whether any is early, memory
  workers   the same over a server and two workers on one PostgreSQL; only with --database-url
  live      many watchers of one event that sells: memory, how soon each hears of a sale, CPU
  start     from exec to ready with many tickets in the file
  crash     kill -9 under load, again and again: is every acknowledged ticket there, is the doctor content
  hostile   what one address or one free account can do to the others: each attack beside honest clients, the server with its
            default limits on one core and all clients on another; with --port against a server or proxy that runs already
  replay    the requests of a file, round and round; with --port from a server that runs already
  all       every one of them but hostile and replay

options                        (default)
  --seconds S       (8)        how long a run is measured, 0.2 to 60
  --warmup S        (1)        before it, not measured, 0 to 10
  --repeat N        (5)        runs of a scenario, of which the median is shown, 1 to 20
  --connections N              reserve, nearby, reads, replay: 64; workers: none, else so many go on reserving
                               meanwhile; `all` measures reserve at 64 and 512; 1 to 4000
  --people N        (64)       buyers that the reservations are spread over, 1 to 10000
  --rate R                     paced: reservations a second (half of what `reserve` reaches at 64 connections)
  --hold-seconds S  (120)      how long the server holds a ticket
  --events N        (100000)   nearby, reads: size of the catalogue
  --holds N         (100000)   expiry, workers: holds due in the same second
  --watchers N      (10000)    live: connections that watch; a socket each on both sides, see ulimit -Hn
  --tickets N       (1000000)  start: tickets in the file
  --cycles N        (5)        crash: how often
  --seed N          (7)        of the catalogue and of the moments of the crashes
  --slow-sync US    (0)        every disk sync of the server takes that many microseconds longer
  --folder DIR                 where the temporary folders are made ($TMPDIR or /tmp); must be a real disk
  --binary FILE                the server (`boxoffice` beside this program)
  --database-url URL           postgresql://…: the server's store is this database, best a fresh one, instead of a folder;
                               reserve, paced, nearby, reads, live, workers, replay and all of these
  --redis-url URL              redis://…, with it
  --keep                       nearby, reads: the events that are in the database already, instead of --events more
  --requests FILE              replay: METHOD TARGET [BODY] on each line
  --port N                     replay, hostile: of the server on 127.0.0.1, instead of one under test
  --status N        (200)      replay: of a good answer

examples
  boxoffice_bench reserve --connections 512
  boxoffice_bench all --seconds 5 --repeat 3
  boxoffice_bench workers --database-url postgresql://postgres@127.0.0.1:5432/bench
)";

[[noreturn]] void refuse(const std::string& mistake)
{
    std::fprintf(stderr, "boxoffice_bench: %s\n(--help says what there is)\n", mistake.c_str());
    std::exit(2);
}

template <class Number>
Number read_number(const std::string& name, std::string_view text, Number least, Number most)
{
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value >= least && value <= most)) {
        refuse(name + " must be a number from " + std::to_string(least) + " to " + std::to_string(most) + ", not \"" +
               std::string(text) + "\"");
    }
    return value;
}

/// Sets the option `name` to `text`; refuses an unknown one.
void set_option(Options& options, const std::string& name, std::string_view text)
{
    if (name == "--seconds")
        options.seconds = read_number(name, text, 0.2, 60.0);
    else if (name == "--warmup")
        options.warmup = read_number(name, text, 0.0, 10.0);
    else if (name == "--repeat")
        options.repeat = read_number(name, text, 1U, 20U);
    else if (name == "--connections")
        options.connections = read_number(name, text, 1U, 4000U);
    else if (name == "--people")
        options.people = read_number(name, text, 1U, 10'000U);
    else if (name == "--rate")
        options.rate = read_number(name, text, 1.0, 1e6);
    else if (name == "--hold-seconds")
        options.hold_seconds = read_number(name, text, 0.5, 86'400.0);
    else if (name == "--events")
        options.events = read_number<std::int64_t>(name, text, 100, 1'000'000);
    else if (name == "--holds")
        options.holds = read_number<std::int64_t>(name, text, 100, 1'000'000);
    else if (name == "--watchers")
        options.watchers = read_number(name, text, 1U, 25'000U);
    else if (name == "--tickets")
        options.tickets = read_number<std::int64_t>(name, text, 100, 10'000'000);
    else if (name == "--cycles")
        options.cycles = read_number(name, text, 1U, 100U);
    else if (name == "--seed")
        options.seed = read_number<std::uint64_t>(name, text, 0, 1'000'000'000);
    else if (name == "--slow-sync")
        options.slow_sync_us = read_number(name, text, 0U, 100'000U);
    else if (name == "--folder")
        options.folder = text;
    else if (name == "--binary")
        options.binary = text;
    else if (name == "--database-url")
        options.database_url = text;
    else if (name == "--redis-url")
        options.redis_url = text;
    else if (name == "--requests")
        options.requests = text;
    else if (name == "--port")
        options.port = read_number<std::uint16_t>(name, text, 1, 65'535);
    else if (name == "--status")
        options.status = read_number(name, text, 100, 599);
    else
        refuse("there is no option " + name);
}

void refuse_what_does_not_fit(const Options& options)
{
    const bool shared = !options.database_url.empty();
    const auto one_of = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), options.scenario) != names.end();
    };
    if (shared && one_of({"expiry", "start", "crash"}))
        refuse(options.scenario + " looks at the embedded store's file; on a shared store there is workers");
    if (!shared && options.scenario == "workers") refuse("workers needs --database-url");
    if (!shared && (options.keep || !options.redis_url.empty())) refuse("--keep and --redis-url go with --database-url");
    if (options.scenario == "replay" && !std::filesystem::exists(options.requests)) refuse("replay needs --requests FILE");
}

}  // namespace

Options read_options(int argc, char** argv)
{
    constexpr std::array<std::string_view, 12> kScenarios = {"reserve", "paced",   "nearby", "reads",   "expiry", "live",
                                                             "start",   "workers", "crash",  "hostile", "replay", "all"};
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.empty() || std::find(words.begin(), words.end(), "--help") != words.end() ||
        std::find(words.begin(), words.end(), "-h") != words.end()) {
        std::fwrite(kHelp.data(), 1, kHelp.size(), words.empty() ? stderr : stdout);
        std::exit(words.empty() ? 2 : 0);
    }
    Options options;
    const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    options.binary = here / "boxoffice";
    options.slow_sync = here / "libslow_sync.so";
    options.folder = std::filesystem::temp_directory_path();
    options.scenario = words.front();
    if (std::find(kScenarios.begin(), kScenarios.end(), options.scenario) == kScenarios.end()) {
        refuse("there is no scenario " + options.scenario);
    }
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (words[i] == "--keep") {
            options.keep = true;
            continue;
        }
        if (i + 1 == words.size()) refuse(words[i] + " needs a value");
        set_option(options, words[i], words[i + 1]);
        ++i;
    }
    options.binary = std::filesystem::absolute(options.binary);
    options.folder = std::filesystem::absolute(options.folder);
    if (!std::filesystem::exists(options.binary))
        refuse("there is no server at " + options.binary.string() + "; build it or give --binary");
    if (!std::filesystem::is_directory(options.folder)) refuse("there is no folder " + options.folder.string());
    refuse_what_does_not_fit(options);
    if (options.slow_sync_us > 0 && !std::filesystem::exists(options.slow_sync))
        refuse("there is no " + options.slow_sync.string());
    return options;
}

}  // namespace boxoffice::bench
