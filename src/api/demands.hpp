#pragma once
#include <optional>
#include <string_view>

#include "api/router.hpp"
#include "core/result.hpp"

namespace boxoffice::http
{

/// Something that a request asks for and this server does not do: `code` where a program is told more than the status.
struct Demand {
    int status = 0;
    std::optional<Code> code;
    std::string_view detail;
};

/// The first demand in the fields of a request that would be passed over in silence if its route just went on: a coded or partial
/// body, another charset than UTF-8, a condition on what has no version. Nothing when there is none.
[[nodiscard]] std::optional<Demand> unmet_demand(const Request& request, const Route& route);

}  // namespace boxoffice::http
