#include "cluster/live_stream.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace cluster
{

using blackbox::Json;
using Steady = std::chrono::steady_clock;

namespace
{

constexpr std::chrono::seconds kHeader{10};

int connect_to(const blackbox::Address& to)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(to.port);
    ::inet_pton(AF_INET, to.host.c_str(), &peer.sin_addr);
    sockaddr generic{};
    std::memcpy(&generic, &peer, sizeof generic);
    if (fd < 0 || ::connect(fd, &generic, sizeof peer) != 0) throw std::runtime_error("no server listens for watchers");
    return fd;
}

}  // namespace

LiveStream::LiveStream(const blackbox::Address& at, const Json& event_id) : fd_(connect_to(at))
{
    const std::string ask =
        blackbox::to_bytes({"GET", "/api/v1/events/" + event_id.dump() + "/live", {{"Accept", "text/event-stream"}}}, at);
    const bool sent = ::send(fd_, ask.data(), ask.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(ask.size());
    const auto deadline = Steady::now() + kHeader;
    std::string head;
    while (sent && head.empty() && read_more(deadline)) {
        const auto end = raw_.find("\r\n\r\n");
        if (end == std::string::npos) continue;
        head = raw_.substr(0, end);
        raw_.erase(0, end + 4);
    }
    std::ranges::transform(head, head.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!head.starts_with("http/1.1 200") || head.find("text/event-stream") == std::string::npos) {
        ::close(fd_);
        throw std::runtime_error("not a live stream: " + head + raw_);
    }
    if (head.find("transfer-encoding: chunked") != std::string::npos) framing_ = Framing::chunks;
    unwrap();
}

LiveStream::~LiveStream() { ::close(fd_); }

bool LiveStream::read_more(Steady::time_point deadline)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
    pollfd waiting{fd_, POLLIN, 0};
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) != 1) return false;
    char bytes[4096];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    raw_.append(bytes, static_cast<std::size_t>(got));
    return true;
}

void LiveStream::unwrap()
{
    if (framing_ == Framing::until_closed) {
        text_ += std::exchange(raw_, {});
        return;
    }
    for (;;) {
        const auto line = raw_.find("\r\n");
        if (line == std::string::npos) return;
        const std::size_t size = std::stoul(raw_.substr(0, line), nullptr, 16);
        if (raw_.size() < line + 2 + size + 2) return;
        text_ += raw_.substr(line + 2, size);
        raw_.erase(0, line + 2 + size + 2);
        if (size == 0) return;
    }
}

std::optional<std::int64_t> LiveStream::next(blackbox::Millis within)
{
    const auto deadline = Steady::now() + within;
    for (;;) {
        while (text_.find("\n\n") != std::string::npos) {
            const std::string frame = text_.substr(0, text_.find("\n\n") + 1);
            text_.erase(0, frame.size() + 1);
            constexpr std::string_view kData = "data:";
            const auto at = frame.starts_with(kData) ? 0 : frame.find("\ndata:");
            if (at == std::string::npos) continue;
            const auto begin = frame.find(':', at) + 1;
            const Json message = Json::parse(frame.substr(begin, frame.find('\n', begin) - begin), nullptr, false);
            if (message.is_object() && message.contains("available_tickets"))
                return message["available_tickets"].get<std::int64_t>();
        }
        if (!read_more(deadline)) return std::nullopt;
        unwrap();
    }
}

bool LiveStream::sees(std::int64_t available, blackbox::Millis within)
{
    const auto deadline = Steady::now() + within;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
        const auto told = next(left);
        if (!told) return false;
        if (*told == available) return true;
    }
}

}  // namespace cluster
