#pragma once
#include "core/ports.hpp"
#include "core/still_wanted.hpp"

namespace boxoffice::sqlite
{

/// Looks now and then, in a walk over everything, whether its end is still wanted.
class Walk
{
public:
    void step()
    {
        constexpr unsigned kStepsBetweenLooks = 4096;  // some tenths of a millisecond
        if (++steps_ % kStepsBetweenLooks == 0 && !StillWanted::here())
            throw StoreFailure(Code::busy, "a search was given up because its answer is wanted no more");
    }

private:
    unsigned steps_ = 0;
};

}  // namespace boxoffice::sqlite
