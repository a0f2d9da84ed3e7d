#pragma once
#include "net/connection.hpp"

/// A streamed body's part of a connection, made only for the connections that have one. Private to the socket side of this
/// module.
namespace boxoffice::http
{

struct Connection::Streaming {
    enum class Ending : std::uint8_t { none, when_written, now };

    std::shared_ptr<Stream> stream;
    Ending ending = Ending::none;
    std::vector<Piece> pieces{};  // to be written; at most Stream::kPiecesMax
    std::size_t bytes_heard = 0;  // what the client has sent since, which is discarded
};

}  // namespace boxoffice::http
