#pragma once
#include <functional>
#include <vector>

#include "core/core.hpp"
#include "postgres/connection.hpp"

namespace boxoffice::postgres
{

/// What reads the answers of a flight once they are there.
using Later = std::vector<std::function<void(const std::vector<Rows>&)>>;

/// Adds the statements of an act on the outbox or on the mails sent, which the server decides by itself, and what reads its
/// outcome. Of any other act: nothing.
void add_outbox_act(Flight& flight, WriteJob& job, Later& later);

}  // namespace boxoffice::postgres
