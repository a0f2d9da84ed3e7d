#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "core/ports.hpp"

namespace boxoffice
{

/// How often one of three threads was shown an earlier time than some thread had seen before it asked, while `jump` sets what
/// the clock goes by hither and thither: it is given microseconds, within a tenth of a second either way.
inline int times_backwards(const Clock& clock, const std::function<void(std::int64_t)>& jump)
{
    std::atomic<std::int64_t> latest{0};
    std::atomic<int> backwards{0};
    std::atomic<int> running{3};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                const std::int64_t seen = latest.load();
                const std::int64_t mine = clock.now().time_since_epoch().count();
                if (mine < seen) ++backwards;
                std::int64_t known = seen;
                while (known < mine && !latest.compare_exchange_weak(known, mine)) {}
            }
            --running;
        });
    }
    for (std::int64_t step = 1; running > 0; ++step) jump((step * 7'919 % 200'000) - 100'000);
    for (auto& thread : threads) thread.join();
    return backwards;
}

}  // namespace boxoffice
