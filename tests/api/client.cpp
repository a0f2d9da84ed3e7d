#include "client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace blackbox
{

namespace
{

std::string lower(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string_view trim(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::size_t to_size(std::string_view digits, int base)
{
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) {
        throw NoAnswer(NoAnswer::Why::garbled, "not a length: " + std::string(digits));
    }
    return value;
}

bool names_header(const Headers& headers, std::string_view lower_case_name)
{
    return std::ranges::any_of(headers, [&](const auto& h) { return lower(h.first) == lower_case_name; });
}

}  // namespace

Address parse_origin(std::string_view url)
{
    constexpr std::string_view kScheme = "http://";
    const auto colon = url.rfind(':');
    if (!url.starts_with(kScheme) || colon == std::string_view::npos || colon < kScheme.size()) {
        throw std::runtime_error("not an http origin with a port: " + std::string(url));
    }
    auto port = url.substr(colon + 1);
    if (port.ends_with('/')) port.remove_suffix(1);
    std::string host(url.substr(kScheme.size(), colon - kScheme.size()));
    if (host == "localhost") host = "127.0.0.1";
    return {host, static_cast<std::uint16_t>(to_size(port, 10))};
}

std::string Answer::header(std::string_view lower_case_name) const
{
    for (const auto& [name, value] : headers) {
        if (name == lower_case_name) return value;
    }
    return {};
}

bool Answer::has(std::string_view lower_case_name) const { return names_header(headers, lower_case_name); }

Json Answer::json() const
{
    Json value = Json::parse(body, nullptr, false);
    if (value.is_discarded()) throw std::runtime_error("the answer is not JSON: " + body.substr(0, 500));
    return value;
}

std::ostream& operator<<(std::ostream& out, const Answer& answer)
{
    out << "answer " << answer.status << "\n";
    for (const auto& [name, value] : answer.headers) out << "  " << name << ": " << value << "\n";
    return out << "  " << answer.body.substr(0, 1500) << (answer.body.size() > 1500 ? " …" : "");
}

Wire::Wire(const Address& to, Millis patience) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), patience_(patience)
{
    if (fd_ < 0) throw std::runtime_error(std::string("socket: ") + std::strerror(errno));
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(to.port);
    ::inet_pton(AF_INET, to.host.c_str(), &peer.sin_addr);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const timeval limit{patience.count() / 1000, (patience.count() % 1000) * 1000};
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr generic{};
    if (!to.source.empty()) {
        sockaddr_in source{};
        source.sin_family = AF_INET;
        ::inet_pton(AF_INET, to.source.c_str(), &source.sin_addr);
        std::memcpy(&generic, &source, sizeof generic);
        (void)::bind(fd_, &generic, sizeof source);  // what fails shows in what the test expects of the address
    }
    std::memcpy(&generic, &peer, sizeof generic);
    if (::connect(fd_, &generic, sizeof peer) != 0) {
        const std::string reason = std::strerror(errno);
        ::close(fd_);
        throw NoAnswer(NoAnswer::Why::refused, "connect: " + reason);
    }
}

Wire::~Wire()
{
    if (fd_ >= 0) ::close(fd_);
}

Wire::Wire(Wire&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      patience_(other.patience_),
      buffer_(std::move(other.buffer_)),
      answered_from_(other.answered_from_)
{
}

Wire& Wire::operator=(Wire&& other) noexcept
{
    std::swap(fd_, other.fd_);
    std::swap(patience_, other.patience_);
    buffer_.swap(other.buffer_);
    std::swap(answered_from_, other.answered_from_);
    return *this;
}

void Wire::send(std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool Wire::has_answer() const
{
    pollfd waiting{fd_, POLLIN, 0};
    return !buffer_.empty() || ::poll(&waiting, 1, 0) == 1;
}

void Wire::half_close() { ::shutdown(fd_, SHUT_WR); }

void Wire::fill()
{
    pollfd waiting{fd_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(patience_.count()));
    const bool begun = answered_from_ != std::string::npos || !buffer_.empty();
    if (ready == 0) throw NoAnswer(begun ? NoAnswer::Why::cut : NoAnswer::Why::silent, "nothing came in time");
    char bytes[16384];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0)
        throw NoAnswer(begun ? NoAnswer::Why::cut : NoAnswer::Why::closed,
                       "the connection ended; had: " + buffer_.substr(0, 300));
    buffer_.append(bytes, static_cast<std::size_t>(got));
}

std::string Wire::take_line()
{
    for (;;) {
        if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 2);
            return line;
        }
        fill();
    }
}

std::string Wire::take(std::size_t count)
{
    while (buffer_.size() < count) fill();
    std::string bytes = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return bytes;
}

std::string Wire::take_chunks()
{
    std::string body;
    for (;;) {
        const std::string head = take_line();
        const std::size_t size = to_size(trim(std::string_view(head).substr(0, head.find(';'))), 16);
        if (size == 0) break;
        body += take(size);
        if (!take_line().empty()) throw NoAnswer(NoAnswer::Why::garbled, "a chunk does not end where it says");
    }
    while (!take_line().empty()) {}
    return body;
}

Answer Wire::read_answer(std::string_view method)
{
    Answer answer;
    const std::string first = take_line();
    answered_from_ = 0;
    if (!first.starts_with("HTTP/1.") || first.size() < 12 || first[8] != ' ')
        throw NoAnswer(NoAnswer::Why::garbled, "no status line: " + first);
    answer.status = static_cast<int>(to_size(std::string_view(first).substr(9, 3), 10));
    for (std::string line = take_line(); !line.empty(); line = take_line()) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) throw NoAnswer(NoAnswer::Why::garbled, "no header: " + line);
        answer.headers.emplace_back(lower(std::string_view(line).substr(0, colon)),
                                    trim(std::string_view(line).substr(colon + 1)));
    }
    const bool bodiless = method == "HEAD" || answer.status / 100 == 1 || answer.status == 204 || answer.status == 304;
    if (!bodiless) {
        if (lower(answer.header("transfer-encoding")) == "chunked") {
            answer.body = take_chunks();
        } else if (answer.has("content-length")) {
            answer.body = take(to_size(answer.header("content-length"), 10));
        } else {
            throw NoAnswer(NoAnswer::Why::garbled, "a body without a length");
        }
    }
    answered_from_ = std::string::npos;
    return answer;
}

bool Wire::ends()
{
    if (!buffer_.empty()) return false;
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(patience_.count())) <= 0) return false;
    char byte = 0;
    return ::recv(fd_, &byte, 1, 0) <= 0;
}

bool Wire::stale() const
{
    pollfd waiting{fd_, POLLIN, 0};
    return !buffer_.empty() || ::poll(&waiting, 1, 0) != 0;
}

std::string to_bytes(const Ask& ask, const Address& to)
{
    std::string bytes = ask.method + " " + ask.target + " HTTP/1.1\r\n";
    if (!names_header(ask.headers, "host")) bytes += "Host: " + to.host + ":" + std::to_string(to.port) + "\r\n";
    for (const auto& [name, value] : ask.headers) bytes += name + ": " + value + "\r\n";
    const bool carries = !ask.body.empty() || ask.method == "POST" || ask.method == "PATCH" || ask.method == "PUT";
    if (carries && !names_header(ask.headers, "content-length") && !names_header(ask.headers, "transfer-encoding")) {
        bytes += "Content-Length: " + std::to_string(ask.body.size()) + "\r\n";
    }
    return bytes + "\r\n" + ask.body;
}

Answer Client::send(const Ask& ask)
{
    if (!wire_ || wire_->stale()) wire_ = Wire(to_, patience_);
    try {
        wire_->send(to_bytes(ask, to_));
        Answer answer = wire_->read_answer(ask.method);
        while (answer.status / 100 == 1) answer = wire_->read_answer(ask.method);
        if (lower(answer.header("connection")) == "close") wire_.reset();
        return answer;
    } catch (const NoAnswer&) {
        wire_.reset();
        throw;
    }
}

}  // namespace blackbox
