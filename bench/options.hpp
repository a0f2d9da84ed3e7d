#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace boxoffice::bench
{

struct Options {
    std::string scenario;
    std::filesystem::path binary;     // the server under test
    std::filesystem::path slow_sync;  // the library beside the generator
    std::filesystem::path folder;     // data folders are made in it and removed
    double seconds = 8;
    double warmup = 1;
    unsigned repeat = 5;
    unsigned connections = 0;  // 0: the scenario's own
    unsigned people = 64;
    double rate = 0;  // 0: half of what a closed loop reaches
    double hold_seconds = 120;
    std::int64_t events = 100'000;
    std::int64_t holds = 100'000;
    unsigned watchers = 10'000;
    std::int64_t tickets = 1'000'000;
    unsigned cycles = 5;
    std::uint64_t seed = 7;
    unsigned slow_sync_us = 0;
    std::string database_url;        // of the shared store under test; empty: an embedded one in `folder`
    std::string redis_url;           // beside it; empty: none
    bool keep = false;               // nearby, reads: the events that are in the shared store already
    std::filesystem::path requests;  // replay: one a line
    std::uint16_t port = 0;          // replay: of a server that runs already; 0: the server under test
    int status = 200;                // replay: of a good answer
};

/// Prints the help and ends the process when asked for it; names the mistake and ends it with 2 otherwise.
[[nodiscard]] Options read_options(int argc, char** argv);

}  // namespace boxoffice::bench
