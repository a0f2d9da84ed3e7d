#pragma once
#include <functional>
#include <vector>

#include "core/core.hpp"
#include "postgres/connection.hpp"

namespace boxoffice::postgres
{

/// What reads the answers of a pipeline once they are there.
using Later = std::vector<std::function<void(const std::vector<Rows>&)>>;

/// Adds the statements of an act that the server answers by itself, on the outbox, the mails sent, and what is only kept for a
/// time; and what reads its outcome.
class ServerActs
{
public:
    ServerActs(Pipeline& pipeline, Later& later) : pipeline_(pipeline), later_(later) {}

    void add(WriteJob& job, const ForgetAnswers& act);
    void add(WriteJob& job, const TakeEffects& act);
    void add(WriteJob& job, const SettleEffects& act);
    void add(WriteJob& job, const PostponeEffect& act);
    void add(WriteJob& job, const TakeMailTurn& act);
    void add(WriteJob& job, const MarkMailSent& act);

private:
    Pipeline& pipeline_;
    Later& later_;
};

}  // namespace boxoffice::postgres
