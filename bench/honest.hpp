#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "client.hpp"
#include "loop.hpp"

/// The people that an attack must not reach: a modest, steady crowd of another address that buys, looks, watches and logs in.
namespace boxoffice::bench
{

/// What the honest clients saw of one kind of request.
struct HonestView {
    std::string name;
    Tally tally;
};

/// One run of all of them together. The order of `views` is that of honest_names().
struct HonestRun {
    std::vector<HonestView> views;
    std::uint64_t logins = 0;  // that went well; beside them bad and lost of their view

    [[nodiscard]] std::uint64_t refused() const;  // answers other than the wanted one, of every kind
    [[nodiscard]] std::uint64_t lost() const;     // connections that ended before the answer, of every kind
};

class HonestClients
{
public:
    /// `people` buy at `event`, of which there are seats enough. All come from `source`.
    HonestClients(std::uint16_t port, const char* source, const std::vector<Person>& people, std::int64_t event);

    /// Makes the holds that will be paid for: to be called while the server is left in peace.
    void prepare(double seconds);
    /// Asks for so long, and returns what it was like. Needs prepare() of the same length before each.
    [[nodiscard]] HonestRun run(double seconds);

private:
    std::uint16_t port_;
    const char* source_;
    const std::vector<Person>& people_;
    std::int64_t event_;
    std::vector<std::string> payments_;
};

}  // namespace boxoffice::bench
