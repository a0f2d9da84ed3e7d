#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/queries.hpp"

namespace boxoffice
{

template <class Key>
[[nodiscard]] bool goes_back(const std::optional<Cursor<Key>>& from)
{
    return from && from->direction == Direction::before;
}

/// Makes a page of what was read for it, one item beyond its limit and in the direction of its cursor.
template <class Item, class Key>
void finish_page(Page<Item>& page, std::int64_t limit, const std::optional<Cursor<Key>>& from)
{
    const auto most = static_cast<std::size_t>(limit);
    page.more = page.items.size() > most;
    if (page.more) page.items.resize(most);
    if (goes_back(from)) std::reverse(page.items.begin(), page.items.end());
}

}  // namespace boxoffice
