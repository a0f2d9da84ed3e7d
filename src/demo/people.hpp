#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "demo/demo.hpp"
#include "demo/towns.hpp"

namespace boxoffice::demo
{

/// Gives out addresses at example.org (RFC 2606: reserved), no two alike without regard to case.
class Mailboxes
{
public:
    /// "José Núñez" -> jose.nunez@example.org, the next one jose.nunez2@example.org.
    std::string open(std::string_view name);

private:
    std::unordered_set<std::string> taken_;
    std::unordered_map<std::string, int> last_of_;
};

/// A person who lives in or around that town.
[[nodiscard]] DemoPerson draw_buyer(const Town& town, Mailboxes& mailboxes, Dice& dice);

/// A person or a company that puts on events from there.
[[nodiscard]] DemoPerson draw_organizer(const Town& town, Mailboxes& mailboxes, Dice& dice);

}  // namespace boxoffice::demo
