#include "cli/stop_signals.hpp"

#include <unistd.h>

#include <csignal>
#include <thread>

namespace boxoffice::cli
{
namespace
{

constexpr int kImpatient = 130;  // what shells report for an interrupted command

sigset_t stopping()
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

int next_signal()
{
    const sigset_t set = stopping();
    int number = 0;
    while (sigwait(&set, &number) != 0) {}
    return number;
}

}  // namespace

StopSignals::StopSignals()
{
    const sigset_t set = stopping();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

std::string_view StopSignals::wait()
{
    const int number = next_signal();
    std::thread([] {
        static_cast<void>(next_signal());
        ::_exit(kImpatient);
    }).detach();
    return number == SIGTERM ? "SIGTERM" : "SIGINT";
}

}  // namespace boxoffice::cli
