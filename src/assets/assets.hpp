#pragma once
#include <span>
#include <string_view>

/// Files that are part of the binary: migrations, the OpenAPI document, pages, the towns of the demo catalogue.
/// cmake/Embed.cmake puts them there with .incbin; nothing is read from disk at run time.
namespace boxoffice
{

struct Asset {
    std::string_view name;  // "migrations/sqlite/0001_the_box_office.sql", "docs/swagger-ui-bundle.js"
    std::string_view bytes;
    std::string_view gzip;  // the same, compressed; empty where it would not be smaller
};

/// All of them, ordered by name.
[[nodiscard]] std::span<const Asset> assets();

/// The asset of that name, or nullptr.
[[nodiscard]] const Asset* find_asset(std::string_view name);

}  // namespace boxoffice
