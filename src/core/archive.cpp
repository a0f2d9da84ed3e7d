#include "core/archive.hpp"

#include <algorithm>

namespace boxoffice
{

namespace
{

std::string word(std::int64_t value) { return std::to_string(value); }

template <class Tag>
std::string word(Id<Tag> id)
{
    return std::to_string(id.value);
}

std::string word(std::string text)
{
    std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    return text;
}

}  // namespace

std::string name_of_row(const ArchivePage& rows, std::size_t index)
{
    return std::visit(
        [&]<class Row>(const std::vector<Row>& typed) {
            std::string name(Row::kTable);
            for_each_column<Row, Row::kKeyColumns>(
                [&](const auto& column) { name.append(" ").append(word(typed[index].*column.at)); });
            return name;
        },
        rows);
}

bool may_have_become(const UserRow& earlier, const UserRow& now)
{
    return earlier.email == now.email && earlier.created_at == now.created_at && earlier.updated_at <= now.updated_at;
}

bool may_have_become(const EventRow& earlier, const EventRow& now)
{
    return earlier.organizer_id == now.organizer_id && earlier.created_at == now.created_at &&
           earlier.updated_at <= now.updated_at && earlier.version <= now.version &&
           (!earlier.removed_at || earlier.removed_at == now.removed_at);
}

bool may_have_become(const InventoryRow& earlier, const InventoryRow& now) { return earlier.paced_at <= now.paced_at; }

bool may_have_become(const TicketRow& earlier, const TicketRow& now)
{
    const bool same_hold = earlier.event_id == now.event_id && earlier.user_id == now.user_id &&
                           earlier.created_at == now.created_at && earlier.expires_at == now.expires_at;
    const bool open = earlier.status == static_cast<std::int64_t>(TicketStatus::reserved);
    return same_hold && (open || (earlier.status == now.status && earlier.paid_at == now.paid_at &&
                                  earlier.payment_reference == now.payment_reference));
}

// A key may be forgotten and used again.
bool may_have_become(const KeptAnswerRow& earlier, const KeptAnswerRow& now) { return earlier.kept_at <= now.kept_at; }

bool may_have_become(const OutboxRow& earlier, const OutboxRow& now)
{
    return earlier.kind == now.kind && earlier.event_id == now.event_id && earlier.tickets == now.tickets &&
           earlier.made_at == now.made_at && earlier.tries <= now.tries;
}

bool may_have_become(const MailRow& earlier, const MailRow& now) { return !earlier.sent_at || earlier.sent_at <= now.sent_at; }

bool may_have_become(const IdentityRow&, const IdentityRow&) { return true; }

}  // namespace boxoffice
