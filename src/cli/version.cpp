#include "cli/version.hpp"

// Both come from the build; a file compiled by hand still has a version.
#ifndef BOXOFFICE_VERSION
#define BOXOFFICE_VERSION "0.1.0"
#endif
#ifdef BOXOFFICE_GIT_DESCRIBE
#define BOXOFFICE_COMMIT " (" BOXOFFICE_GIT_DESCRIBE ")"
#else
#define BOXOFFICE_COMMIT ""
#endif

namespace boxoffice::cli
{

std::string_view version() { return BOXOFFICE_VERSION BOXOFFICE_COMMIT; }

}  // namespace boxoffice::cli
