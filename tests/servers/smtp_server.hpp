#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace boxoffice
{

/// A mail server of the test's own on a free port of the loopback: it keeps what it is given, or behaves as badly as it is told.
class SmtpServer
{
public:
    enum class Mood : std::uint8_t {
        good,
        refuses_logins,      // 535 to AUTH
        refuses_recipients,  // 550 to RCPT
        refuses_messages,    // 554 after DATA
        tries_later,         // 451 to MAIL
        greets_busy,         // 421 instead of a greeting
        stalls,              // says nothing after the greeting
        drops                // hangs up when the message has been read, before it is answered
    };
    struct Message {
        std::string from;
        std::vector<std::string> to;
        std::string text;  // whole, lines ending in CRLF, without what SMTP adds for its own sake
    };

    SmtpServer();
    ~SmtpServer();
    SmtpServer(const SmtpServer&) = delete;
    SmtpServer& operator=(const SmtpServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string url() const { return "smtp://127.0.0.1:" + std::to_string(port_); }
    void be(Mood mood);
    /// Recipients with this in their address are refused, whatever the mood.
    void refuse(std::string part_of_address);
    /// From now on this is answered to each command of that verb, such as "550 5.7.1 no relaying" to RCPT; to DATA it is said of
    /// the whole message. Empty: as the mood has it.
    void answer(std::string verb, std::string reply);

    [[nodiscard]] std::vector<Message> messages() const;
    [[nodiscard]] std::vector<std::string> logins() const;  // as AUTH PLAIN sends them: base64 of "\0USER\0PASSWORD"
    [[nodiscard]] std::size_t connections() const;
    /// Until that many messages are there, or the time is up.
    [[nodiscard]] bool wait_for(std::size_t count, std::chrono::milliseconds at_most = std::chrono::seconds(20)) const;

private:
    struct Guest {
        int socket = -1;
        std::thread thread;
    };

    void accept_guests();
    void serve(int socket);
    void converse(int socket);
    void note_login(std::string login);
    [[nodiscard]] Mood mood() const;
    [[nodiscard]] std::string told_answer(std::string_view verb) const;
    [[nodiscard]] bool is_refused(const std::string& recipient) const;

    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::thread acceptor_;

    mutable std::mutex mutex_;  // protects what follows
    mutable std::condition_variable arrived_;
    Mood mood_ = Mood::good;
    std::string refused_;
    std::map<std::string, std::string, std::less<>> answers_;
    std::vector<Message> messages_;
    std::vector<std::string> logins_;
    std::list<Guest> guests_;
};

}  // namespace boxoffice
