#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire.hpp"

namespace boxoffice::bench
{

inline constexpr const char* kLoopback = "127.0.0.1";

/// A connected socket to 127.0.0.1, blocking, without Nagle's delay, from `source`, an address of 127.0.0.0/8: to the server each is
/// a client of its own. Throws std::system_error.
[[nodiscard]] int connect_local(std::uint16_t port, const char* source = kLoopback);

/// One connection that asks and waits, for what comes before and after a measurement. Throws std::runtime_error when the
/// server hangs up or does not answer within half a minute.
class Client
{
public:
    explicit Client(std::uint16_t port);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// The answer's views are valid until the next call.
    Answer ask(std::string_view method, std::string_view target, std::string_view token = {}, std::string_view body = {});
    /// ask(), and an exception with the answer's text unless the status is `wanted`.
    Answer demand(int wanted, std::string_view method, std::string_view target, std::string_view token = {},
                  std::string_view body = {});

private:
    int fd_;
    std::string received_;
};

struct Person {
    std::int64_t id = 0;
    std::string email;
    std::string token;
};

inline constexpr std::string_view kPassword = "correct horse battery";

/// Registers people and logs them in, under addresses that no earlier run has left in the store.
[[nodiscard]] std::vector<Person> enrol(std::uint16_t port, unsigned count, std::string_view prefix);

/// An event far in the future. Returns its id.
[[nodiscard]] std::int64_t create_event(std::uint16_t port, const Person& organizer, std::string_view title,
                                        std::int64_t tickets);

[[nodiscard]] std::string login_request(std::string_view email);
[[nodiscard]] std::string reserve_request(const Person& buyer, std::int64_t event);

}  // namespace boxoffice::bench
