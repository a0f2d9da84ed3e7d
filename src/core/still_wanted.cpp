#include "core/still_wanted.hpp"

namespace boxoffice
{

namespace
{

thread_local const StillWanted* innermost = nullptr;

}  // namespace

StillWanted::StillWanted(const std::function<bool()>& wanted) : wanted_(wanted), outer_(innermost) { innermost = this; }

StillWanted::~StillWanted() { innermost = outer_; }

bool StillWanted::here() { return innermost == nullptr || innermost->wanted_(); }

}  // namespace boxoffice
