#include "servers/smtp_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace boxoffice
{

namespace
{

class Lines
{
public:
    explicit Lines(int socket) : socket_(socket) {}

    /// Without its CRLF; nothing when the other side has gone.
    std::optional<std::string> next()
    {
        for (;;) {
            const auto end = read_.find("\r\n");
            if (end != read_.npos) {
                std::string line = read_.substr(0, end);
                read_.erase(0, end + 2);
                return line;
            }
            char bytes[4096];
            const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
            if (got <= 0) return std::nullopt;
            read_.append(bytes, static_cast<std::size_t>(got));
        }
    }

    void say(std::string_view line) const
    {
        const std::string whole = std::string(line) + "\r\n";
        (void)::send(socket_, whole.data(), whole.size(), MSG_NOSIGNAL);
    }

private:
    int socket_;
    std::string read_;
};

std::string between_angles(const std::string& line)
{
    const auto open = line.find('<');
    const auto close = line.find('>', open);
    return open == line.npos || close == line.npos ? std::string() : line.substr(open + 1, close - open - 1);
}

std::optional<std::string> message_of(Lines& lines)
{
    std::string text;
    for (;;) {
        std::optional<std::string> line = lines.next();
        if (!line) return std::nullopt;
        if (*line == ".") return text;
        if (line->starts_with('.')) line->erase(0, 1);
        text += *line + "\r\n";
    }
}

constexpr std::string_view kAuth = "AUTH PLAIN ";

}  // namespace

SmtpServer::SmtpServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, any, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, any, &size) != 0)
        throw std::runtime_error("no port for a mail server");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_guests(); });
}

SmtpServer::~SmtpServer()
{
    ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
    acceptor_.join();
    ::close(listener_);
    for (const Guest& guest : guests_) ::shutdown(guest.socket, SHUT_RDWR);
    for (Guest& guest : guests_) {
        guest.thread.join();
        ::close(guest.socket);
    }
}

void SmtpServer::be(Mood mood)
{
    const std::lock_guard lock(mutex_);
    mood_ = mood;
}

void SmtpServer::refuse(std::string part_of_address)
{
    const std::lock_guard lock(mutex_);
    refused_ = std::move(part_of_address);
}

void SmtpServer::answer(std::string verb, std::string reply)
{
    const std::lock_guard lock(mutex_);
    answers_[std::move(verb)] = std::move(reply);
}

std::string SmtpServer::told_answer(std::string_view verb) const
{
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(verb);
    return found == answers_.end() ? std::string() : found->second;
}

std::vector<SmtpServer::Message> SmtpServer::messages() const
{
    const std::lock_guard lock(mutex_);
    return messages_;
}

std::vector<std::string> SmtpServer::logins() const
{
    const std::lock_guard lock(mutex_);
    return logins_;
}

void SmtpServer::note_login(std::string login)
{
    const std::lock_guard lock(mutex_);
    logins_.push_back(std::move(login));
}

std::size_t SmtpServer::connections() const
{
    const std::lock_guard lock(mutex_);
    return guests_.size();
}

bool SmtpServer::wait_for(std::size_t count, std::chrono::milliseconds at_most) const
{
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, at_most, [&] { return messages_.size() >= count; });
}

SmtpServer::Mood SmtpServer::mood() const
{
    const std::lock_guard lock(mutex_);
    return mood_;
}

bool SmtpServer::is_refused(const std::string& recipient) const
{
    const std::lock_guard lock(mutex_);
    return mood_ == Mood::refuses_recipients || (!refused_.empty() && recipient.find(refused_) != recipient.npos);
}

void SmtpServer::accept_guests()
{
    for (;;) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) return;
        const std::lock_guard lock(mutex_);
        guests_.push_back({socket, std::thread([this, socket] { serve(socket); })});
    }
}

void SmtpServer::serve(int socket)
{
    converse(socket);
    ::shutdown(socket, SHUT_RDWR);  // closed by the destructor: until then the number must not be another's
}

void SmtpServer::converse(int socket)
{
    Lines lines(socket);
    if (mood() == Mood::greets_busy) return lines.say("421 too busy");
    lines.say("220 sink ESMTP");
    Message message;
    while (const std::optional<std::string> line = lines.next()) {
        const std::string verb = line->substr(0, 4);
        if (mood() == Mood::stalls) continue;
        const std::string told = told_answer(verb);
        if (!told.empty() && verb != "DATA") {
            lines.say(told);
        } else if (verb == "EHLO") {
            lines.say("250-sink\r\n250-AUTH PLAIN\r\n250 8BITMIME");
        } else if (verb == "AUTH") {
            std::optional<std::string> login = line->size() > kAuth.size() ? line->substr(kAuth.size()) : std::string();
            if (login->empty()) {
                lines.say("334 ");
                login = lines.next();
                if (!login) return;
            }
            note_login(std::move(*login));
            lines.say(mood() == Mood::refuses_logins ? "535 no" : "235 welcome");
        } else if (verb == "MAIL") {
            message = {between_angles(*line), {}, {}};
            lines.say(mood() == Mood::tries_later ? "451 later" : "250 ok");
        } else if (verb == "RCPT") {
            const std::string recipient = between_angles(*line);
            const bool refused = is_refused(recipient);
            if (!refused) message.to.push_back(recipient);
            lines.say(refused ? "550 <" + recipient + "> unknown" : "250 ok");
        } else if (verb == "DATA") {
            lines.say("354 go on");
            std::optional<std::string> text = message_of(lines);
            if (!text || mood() == Mood::drops) return;
            if (mood() == Mood::refuses_messages || !told.empty()) {
                lines.say(told.empty() ? "554 not this" : told);
                continue;
            }
            message.text = std::move(*text);
            {
                const std::lock_guard lock(mutex_);
                messages_.push_back(message);
                arrived_.notify_all();
            }
            lines.say("250 kept");
        } else if (verb == "QUIT") {
            return lines.say("221 bye");
        } else {
            lines.say("502 what?");
        }
    }
}

}  // namespace boxoffice
