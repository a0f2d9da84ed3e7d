#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "api/client.hpp"

namespace cluster
{

/// A watcher of an event: GET /api/v1/events/{id}/live, read as it comes.
class LiveStream
{
public:
    /// Throws unless the answer is a 200 with text/event-stream.
    LiveStream(const blackbox::Address& at, const blackbox::Json& event_id);
    ~LiveStream();
    LiveStream(const LiveStream&) = delete;
    LiveStream& operator=(const LiveStream&) = delete;

    /// The available_tickets of the next message; nothing when none comes in time.
    [[nodiscard]] std::optional<std::int64_t> next(blackbox::Millis within);
    /// Reads on until a message says `available`; false when none does in time.
    [[nodiscard]] bool sees(std::int64_t available, blackbox::Millis within);

private:
    [[nodiscard]] bool read_more(std::chrono::steady_clock::time_point deadline);
    void unwrap();  // from raw_ to text_, without the framing of chunks

    int fd_ = -1;
    std::string raw_, text_;
    enum class Framing : std::uint8_t { chunks, until_closed } framing_ = Framing::until_closed;
};

}  // namespace cluster
