#pragma once
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "redis/redis.hpp"

namespace boxoffice::redis
{

/// Where Redis is and how to be let in, out of a URL.
struct Address {
    std::string host = "127.0.0.1";
    int port = 6379;
    std::string socket;  // a path: takes the place of host and port
    std::string user;
    std::string password;
    int database = 0;
    bool tls = false;
    std::string ca_file;              // whose authorities are believed; empty: the system's
    std::string cert_file, key_file;  // by which this client proves who it is; both or neither
};

/// An Error's message is one sentence and never repeats the URL, which may hold a password.
[[nodiscard]] Result<Address> parse_url(std::string_view url);

/// Throws std::invalid_argument for a URL that why_bad_redis_url() has something against.
[[nodiscard]] Address address_of(const RedisOptions& options);

}  // namespace boxoffice::redis
