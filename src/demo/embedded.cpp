#include <stdexcept>

#include "assets/assets.hpp"
#include "demo/demo.hpp"

namespace boxoffice::demo
{

Catalogue make_catalogue(const Options& options)
{
    const Asset* towns = find_asset("demo/towns.tsv");
    if (towns == nullptr) throw std::runtime_error("this binary carries no towns (demo/towns.tsv)");
    return make_catalogue(options, towns->bytes);
}

}  // namespace boxoffice::demo
