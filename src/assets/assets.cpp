#include "assets/assets.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

// asset_table.inc is made by the build (cmake/Embed.cmake): BLOB(size), then ASSET(name, offset, size, gzip offset, gzip size) in
// the order of names.
namespace boxoffice
{

namespace
{

#define BLOB(size) constexpr std::size_t kBlobBytes = size;
#define ASSET(name, offset, size, gzip_offset, gzip_size)
#include "asset_table.inc"
#undef BLOB
#undef ASSET

}  // namespace

extern "C" const char boxoffice_assets_blob[kBlobBytes];

namespace
{

constexpr std::array kAssets = {
#define BLOB(size)
#define ASSET(name, offset, size, gzip_offset, gzip_size) \
    Asset{name, {boxoffice_assets_blob + (offset), size}, {boxoffice_assets_blob + (gzip_offset), gzip_size}},
#include "asset_table.inc"
#undef BLOB
#undef ASSET
};

static_assert(std::ranges::is_sorted(kAssets, {}, &Asset::name));

}  // namespace

std::span<const Asset> assets() { return kAssets; }

const Asset* find_asset(std::string_view name)
{
    const auto found = std::ranges::lower_bound(kAssets, name, {}, &Asset::name);
    return found != kAssets.end() && found->name == name ? &*found : nullptr;
}

}  // namespace boxoffice
