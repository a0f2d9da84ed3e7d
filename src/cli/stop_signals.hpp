#pragma once
#include <string_view>

namespace boxoffice::cli
{

/// SIGTERM and SIGINT as something to wait for instead of something that interrupts: no code runs in a signal handler. Made first
/// in main, before any thread, so that every thread inherits the mask.
class StopSignals
{
public:
    StopSignals();

    /// Waits for the first one and says its name. From then on a second one ends the process at once with code 130, for
    /// the operator who will not wait for the drain.
    [[nodiscard]] std::string_view wait();
};

}  // namespace boxoffice::cli
