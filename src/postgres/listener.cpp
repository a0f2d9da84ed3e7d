#include "postgres/listener.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <system_error>

namespace boxoffice::postgres
{

namespace
{

constexpr int kRetryAfterMs = 500;

}  // namespace

Listener::Listener(PostgresOptions options, std::function<void(StoreNotification)> listener)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      db_(options_, Connection::Purpose::read),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    thread_ = std::thread([this] { run(); });
}

Listener::~Listener()
{
    const std::uint64_t one = 1;
    const auto written = ::write(wake_, &one, sizeof one);
    (void)written;  // cannot fail: the counter is far from full
    thread_.join();
    ::close(wake_);
}

bool Listener::stopping(int wait_ms) const
{
    pollfd watched{wake_, POLLIN, 0};
    return ::poll(&watched, 1, wait_ms) > 0;
}

void Listener::run()
{
    pthread_setname_np(pthread_self(), "listen");
    while (!stopping(0)) {
        try {
            hear();
        } catch (const StoreFailure&) {
            // Listeners poll once a second all the same.
            if (stopping(kRetryAfterMs)) return;
        }
    }
}

void Listener::hear()
{
    (void)db_.ask("LISTEN boxoffice");
    listener_(StoreNotification::hold_made);
    listener_(StoreNotification::effect_made);
    while (!stopping(0)) {
        std::string payload;
        if (!db_.wait_for_notification(wake_, payload)) continue;
        if (payload == "hold") listener_(StoreNotification::hold_made);
        if (payload == "effect") listener_(StoreNotification::effect_made);
    }
}

}  // namespace boxoffice::postgres
