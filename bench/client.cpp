#include "client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "machine.hpp"

namespace boxoffice::bench
{

int connect_local(std::uint16_t port, const char* source)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "socket");
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    ::inet_pton(AF_INET, source, &own.sin_addr);
    // The port is chosen at connect(), so that as many connections as there are ports go to each destination.
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
        const int error = errno;
        ::close(fd);
        throw std::system_error(error, std::generic_category(), "choosing the address to connect from");
    }
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        ::close(fd);
        throw std::system_error(error, std::generic_category(), "connecting to the server");
    }
    return fd;
}

Client::Client(std::uint16_t port) : fd_(connect_local(port))
{
    const timeval patience{30, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

Client::~Client() { ::close(fd_); }

Answer Client::ask(std::string_view method, std::string_view target, std::string_view token, std::string_view body)
{
    const std::string request = compose_request(method, target, token, body);
    std::string_view left = request;
    while (!left.empty()) {
        const ssize_t sent = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) throw std::system_error(errno, std::generic_category(), "sending a request");
        left.remove_prefix(static_cast<std::size_t>(sent));
    }
    received_.clear();
    std::array<char, 65536> chunk;
    for (;;) {
        const ssize_t got = ::recv(fd_, chunk.data(), chunk.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "waiting for an answer");
        if (got == 0) throw std::runtime_error("the server hung up before it answered " + std::string(target));
        received_.append(chunk.data(), static_cast<std::size_t>(got));
        if (const auto framed = parse_answer(received_)) return framed->answer;
    }
}

Answer Client::demand(int wanted, std::string_view method, std::string_view target, std::string_view token, std::string_view body)
{
    const Answer answer = ask(method, target, token, body);
    if (answer.status != wanted) {
        throw std::runtime_error(std::string(method) + " " + std::string(target) + " answered " + std::to_string(answer.status) +
                                 " instead of " + std::to_string(wanted) + ": " + std::string(answer.body.substr(0, 500)));
    }
    return answer;
}

std::vector<Person> enrol(std::uint16_t port, unsigned count, std::string_view prefix)
{
    Client client(port);
    std::vector<Person> people;
    people.reserve(count);
    const std::string unique = std::string(prefix) + std::to_string(wall_us()) + "-";
    for (unsigned i = 0; i < count; ++i) {
        Person person;
        person.email = unique + std::to_string(i) + "@example.org";
        const std::string account = R"({"email":")" + person.email + R"(","name":"Bench Buyer )" + std::to_string(i) +
                                    R"(","password":")" + std::string(kPassword) + R"("})";
        const auto id = integer_member(client.demand(201, "POST", "/api/v1/auth/register", {}, account).body, "id");
        const std::string login = R"({"email":")" + person.email + R"(","password":")" + std::string(kPassword) + R"("})";
        person.token = text_member(client.demand(200, "POST", "/api/v1/auth/login", {}, login).body, "access_token");
        if (!id || person.token.empty()) throw std::runtime_error("an account without id or token");
        person.id = *id;
        people.push_back(std::move(person));
    }
    return people;
}

std::int64_t create_event(std::uint16_t port, const Person& organizer, std::string_view title, std::int64_t tickets)
{
    Client client(port);
    const std::string body = R"({"title":")" + std::string(title) +
                             R"(","description":"","start_time":"2099-06-01T20:00:00Z","end_time":"2099-06-01T23:00:00Z",)"
                             R"("timezone":"UTC","total_tickets":)" +
                             std::to_string(tickets) +
                             R"(,"venue":{"address":"1 Bench Street, Greenwich","latitude":51.4779,"longitude":-0.0015}})";
    const auto id = integer_member(client.demand(201, "POST", "/api/v1/events/", organizer.token, body).body, "id");
    if (!id) throw std::runtime_error("an event without id");
    return *id;
}

std::string login_request(std::string_view email)
{
    return compose_request("POST", "/api/v1/auth/login", {},
                           R"({"email":")" + std::string(email) + R"(","password":")" + std::string(kPassword) + R"("})");
}

std::string reserve_request(const Person& buyer, std::int64_t event)
{
    return compose_request("POST", "/api/v1/tickets/", buyer.token, R"({"event_id":)" + std::to_string(event) + "}");
}

}  // namespace boxoffice::bench
