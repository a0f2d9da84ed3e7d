#pragma once
#include <memory>

#include "core/core.hpp"

/// A store in this process's memory, gone with it: the promises of core/ports.hpp but for durability, at the speed of maps. For
/// tests and simulations.
namespace boxoffice
{

namespace memory
{
struct Tables;
}

struct MemoryOptions {
    const Arrivals* arrivals = nullptr;  // outlives the store; none: nothing waits outside a batch
    bool mails = true;                   // false: effects that need mail are not written
};

/// What a store leaves when it is closed, and the next finds.
[[nodiscard]] std::shared_ptr<memory::Tables> make_memory_tables();

[[nodiscard]] std::unique_ptr<Store> open_memory(std::shared_ptr<memory::Tables> tables, const MemoryOptions& options,
                                                 const Zones& zones);

}  // namespace boxoffice
