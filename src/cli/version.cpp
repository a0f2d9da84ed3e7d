#include "cli/version.hpp"

// The version comes from api/openapi.yaml, by the build; outside of a git checkout there is no commit.
#ifndef BOXOFFICE_GIT_DESCRIBE
#define BOXOFFICE_GIT_DESCRIBE ""
#endif

namespace boxoffice::cli
{

std::string_view version()
{
    constexpr std::string_view kCommit = BOXOFFICE_GIT_DESCRIBE;
    if constexpr (kCommit.empty()) return BOXOFFICE_VERSION;
    return BOXOFFICE_VERSION " (" BOXOFFICE_GIT_DESCRIBE ")";
}

}  // namespace boxoffice::cli
