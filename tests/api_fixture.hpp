#pragma once
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

#include "api/api.hpp"
#include "api_fakes.hpp"

namespace boxoffice::http
{

using namespace std::chrono_literals;

/// The REST API over real lanes and ports in memory; a test may open another one with parts of its own in `api_`.
class ApiFixture : public testing::Test
{
protected:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    /// All of them stop before the first is destroyed, as in serve(): an answer may be there before the thread of one lane is out
    /// of the next one's submit().
    void TearDown() override
    {
        live_.stop();
        passwords_.stop();
        reads_.stop();
        writes_.stop();
    }

    std::future<Reply> start(Method method, std::string target, std::string body = {}, Headers headers = {})
    {
        auto request = std::make_shared<Request>();
        request->method = method;
        request->target = std::move(target);
        request->headers = std::move(headers);
        request->body = std::move(body);
        request->peer = peer_;
        auto answer = std::make_shared<std::promise<Reply>>();
        api_->handle(std::move(request), [answer](Reply reply) { answer->set_value(std::move(reply)); });
        return answer->get_future();
    }
    Reply send(Method method, std::string target, std::string body = {}, Headers headers = {})
    {
        auto answer = start(method, std::move(target), std::move(body), std::move(headers));
        if (answer.wait_for(10s) != std::future_status::ready) throw std::runtime_error("no answer");
        return answer.get();
    }
    static Headers as(int user, Headers more = {})
    {
        more.emplace_back("authorization", "Bearer u" + std::to_string(user));
        return more;
    }
    static std::string header(const Reply& reply, std::string_view name)
    {
        for (const auto& [key, value] : reply.headers) {
            if (key == name) return value;
        }
        return "-";
    }
    static std::string code(const Reply& reply)
    {
        const auto body = nlohmann::json::parse(reply.body);
        EXPECT_EQ(reply.content_type, "application/problem+json");
        EXPECT_EQ(body.at("status"), reply.status);
        EXPECT_EQ(body.at("instance"), header(reply, "X-Request-Id"));
        EXPECT_EQ(reply.body.find("secret"), std::string::npos);
        return std::to_string(reply.status) + " " + body.at("code").get<std::string>();
    }

    fakes::MemoryStore store_;
    fakes::SetClock clock_;
    fakes::UtcOnly zones_;
    fakes::PlainHasher hasher_;
    fakes::PlainSigner signer_;
    Metrics metrics_;
    LocalArrivals arrivals_;
    std::atomic<bool> draining_{false};
    WriteLane writes_{store_, {}, metrics_};
    WorkLane reads_{{.name = "reads", .threads = 2, .depth_max = 64, .nice = 0}, metrics_};
    WorkLane passwords_{{.name = "passwords", .threads = 1, .depth_max = 64, .nice = 0}, metrics_};
    LiveHub live_{store_, clock_, nullptr, metrics_, {}};
    std::string peer_ = "127.0.0.1";

    Dependencies parts() { return parts(store_, hasher_); }
    Dependencies parts(Store& store, const PasswordHasher& hasher)
    {
        return {store,
                writes_,
                reads_,
                passwords_,
                clock_,
                zones_,
                hasher,
                signer_,
                metrics_,
                arrivals_,
                120s,
                fakes::fnv_hex,
                [](std::size_t bytes) { return std::string(bytes * 2, '5'); },
                draining_,
                live_};
    }

    std::unique_ptr<Handler> api_ = make_api(parts());
};

}  // namespace boxoffice::http
