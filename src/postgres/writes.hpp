#pragma once
#include "postgres/batch.hpp"

/// What a batch gathers and writes of people, and for Reindex.
namespace boxoffice::postgres
{

void ask_people(const Wanted& wanted, Facts& facts, const Ask& ask);
void add_users(Flight& flight, const Plan& plan);
void change_users(Flight& flight, const Plan& plan, const Facts& facts);

/// Asks for what Reindex makes, at most `most` rows of a kind.
void ask_unindexed(std::size_t most, Facts& facts, const Ask& ask);
void reindex(Flight& flight, const Facts& facts);

}  // namespace boxoffice::postgres
