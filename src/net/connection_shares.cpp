#include <utility>

#include "net/connection.hpp"

/// What a connection has of its client's share, and of the total.
namespace boxoffice::http
{

namespace
{

/// Of a request so much costs no more than the connection itself; nearly all are smaller.
constexpr std::size_t kUncountedBytes = 2 * 1024;
/// Long enough to tell a slow reader from one whose train is in a tunnel for a moment.
constexpr std::chrono::seconds kRateWindow{2};

[[nodiscard]] std::string_view reason_of(Shares::Grant grant, std::string_view client_full, std::string_view all_full)
{
    return grant == Shares::Grant::client_full ? client_full : all_full;
}

}  // namespace

std::optional<Connection::Clock::time_point> Connection::waiting_since() const
{
    if (is_proxy_ || streaming_ || deadline_ == Clock::time_point::max()) return std::nullopt;
    // One that has made way is gone as soon as its thread comes to it, and must not make way again; one that is only here to be
    // told so has no place to leave to another.
    if (abandoned_ || standing_ == Standing::refused) return std::nullopt;
    switch (phase_) {
        case Phase::idle:
            return deadline_ - shared_.options.idle_timeout;
        case Phase::head:
            return deadline_ - shared_.options.header_timeout;
        case Phase::body:
            return deadline_ - shared_.options.body_timeout;
        case Phase::writing:
            return deadline_ - kWriteTimeout;
        case Phase::answering:
        case Phase::streaming:
        case Phase::lingering:
            break;
    }
    return std::nullopt;
}

void Connection::make_way()
{
    made_way_ = true;
    place_ = {};
    abandon();
}

/// A proxy's connection brings the requests of many: each counts as one of the client it is for until it is answered.
std::optional<Refusal> Connection::admit_request()
{
    if (!is_proxy_) return std::nullopt;
    if (shared_.allowances.connections.take(turn_, client_, 1) == Shares::Grant::given) return std::nullopt;
    shared_.allowances.refused("request", "client_full", client_);
    return Refusal{503, "Too many requests of your address wait for their answers."};
}

bool Connection::remember_received()
{
    const auto bytes = in_.bytes().size() + body_.size();
    if (bytes <= kUncountedBytes || bytes <= received_.amount()) return true;
    const auto grant = shared_.allowances.received.take(received_, client_, bytes);
    if (grant == Shares::Grant::given) return true;
    shared_.allowances.refused("memory", reason_of(grant, "received_client_full", "received_full"), client_);
    return false;
}

/// The client has not taken all of it, so it stays in memory for a while.
bool Connection::remember_unsent()
{
    const auto bytes = out_.size() + tail_owner_.size();
    if (bytes <= unsent_.amount()) return true;
    const auto grant = shared_.allowances.unsent.take(unsent_, client_, bytes);
    if (grant == Shares::Grant::given) return true;
    shared_.allowances.refused("memory", reason_of(grant, "unsent_client_full", "unsent_full"), client_);
    return false;
}

void Connection::refuse_memory(Shares::Grant grant)
{
    shared_.allowances.refused("memory", reason_of(grant, "unsent_client_full", "unsent_full"), client_);
    std::string id;
    for (const auto& [name, value] : reply_->headers) {
        if (name == "X-Request-Id") id = value;
    }
    const Refusal refusal{503,
                          grant == Shares::Grant::client_full
                              ? "Large answers to your address wait to be taken; take them, or ask for fewer at a time."
                              : "Too many large answers wait to be taken; try again in a moment, or ask for fewer at a time."};
    reply_ = reply_to(refusal, id);
}

void Connection::look_at_rate(Clock::time_point now)
{
    const auto span = now - rate_mark_.at;
    if (span < kRateWindow) return;
    const std::chrono::duration<double> seconds = span;
    const bool slow =
        static_cast<double>(sent_ - rate_mark_.sent) < static_cast<double>(shared_.options.send_rate_min) * seconds.count();
    rate_mark_ = {now, sent_};
    const bool costs_memory = unsent_.amount() > 0 && shared_.allowances.unsent.is_short();
    const bool costs_place = !is_proxy_ && shared_.allowances.is_crowded();
    if (!slow || (!costs_memory && !costs_place)) return;
    shared_.allowances.refused(costs_memory ? "memory" : "connection", "slow_reader", client_);
    close();
}

bool Connection::may_stay() const { return standing_ == Standing::ordinary || signed_in_ || !shared_.allowances.is_crowded(); }

}  // namespace boxoffice::http
