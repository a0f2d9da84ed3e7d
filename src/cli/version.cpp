#include "cli/version.hpp"

// Both come from the build; a file compiled by hand, or outside of a git checkout, still has a version.
#ifndef BOXOFFICE_VERSION
#define BOXOFFICE_VERSION "0.1.0"
#endif
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
