#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/cursor.hpp"
#include "api/query.hpp"
#include "core/queries.hpp"
#include "net/net.hpp"

namespace boxoffice::http
{

/// Where a page stands in its list.
struct PageEnds {
    std::optional<Direction> from;  // of the cursor that it was asked for with
    bool more = false;              // there is more in that direction; without a cursor, `total` tells
    std::string before_first;       // the cursor to what precedes it; empty where the list has no cursors or the page no items
    std::string after_last;         // to what follows it
};

/// The Link header (RFC 8288) of one page of a list of `total` items: rel="next" and rel="prev" where there are such pages, with
/// every other parameter of `target` as it was; neither shows an item of this page. Next goes by cursor where the list has them,
/// as does whatever leads on from a page that was asked for by one. Empty when all fits one page.
[[nodiscard]] std::string page_links(std::string_view target, const Slice& slice, std::int64_t total, const PageEnds& ends = {});

/// Adds X-Total-Count and, where there is one, Link.
void add_paging(Reply& reply, std::string_view target, const Slice& slice, std::int64_t total, const PageEnds& ends = {});

/// `key_of(item)`: the key that the list's cursors have.
template <class Item, class Key, class KeyOf>
[[nodiscard]] PageEnds ends_of(const Page<Item>& page, const std::optional<Cursor<Key>>& from, KeyOf key_of)
{
    PageEnds ends;
    ends.more = page.more;
    if (from) ends.from = from->direction;
    if (!page.items.empty()) {
        ends.before_first = write_cursor(Cursor<Key>{key_of(page.items.front()), Direction::before});
        ends.after_last = write_cursor(Cursor<Key>{key_of(page.items.back()), Direction::after});
    }
    return ends;
}

}  // namespace boxoffice::http
