#pragma once
#include <functional>

namespace boxoffice
{

/// Whether the answer that this thread is working out is still wanted: the client may have gone, or may have been promised an
/// answer by a time that has passed. The code that runs work for a client says how to find out, for as long as the object lives;
/// a store asks now and then in a long read, and breaks it off with StoreFailure(busy). Scopes nest: the inner one counts.
class StillWanted
{
public:
    /// `wanted` is asked on this thread only, and often: it must be quick.
    explicit StillWanted(const std::function<bool()>& wanted);
    ~StillWanted();
    StillWanted(const StillWanted&) = delete;
    StillWanted& operator=(const StillWanted&) = delete;

    /// True on a thread for which no check was set.
    [[nodiscard]] static bool here();

private:
    const std::function<bool()>& wanted_;
    const StillWanted* outer_;
};

}  // namespace boxoffice
