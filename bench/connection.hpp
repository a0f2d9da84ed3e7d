#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "loop.hpp"

/// The inside of a Loop: only loop.cpp includes this.
namespace boxoffice::bench
{

struct Loop::Connection {
    enum class State : std::uint8_t { fresh, waiting, idle, resting };
    Set* set = nullptr;
    std::size_t slot = 0;
    int fd = -1;
    State state = State::fresh;
    std::string_view unsent;
    std::int64_t started = 0;
    std::string partial;  // an answer of which some is still to come
};

struct Loop::Set {
    Traffic* traffic = nullptr;
    Tally* tally = nullptr;
    Shape shape;
    std::deque<Connection> connections;
    std::deque<Connection*> idle;  // paced sets only; used in turn, so that none is idle until the server hangs up
    std::int64_t began = 0;
    std::uint64_t released = 0;

    [[nodiscard]] std::int64_t due_at(std::uint64_t number) const
    {
        return began + static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / shape.per_second);
    }
};

}  // namespace boxoffice::bench
