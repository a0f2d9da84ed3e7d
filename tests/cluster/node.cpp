#include "cluster/node.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

namespace cluster
{

using namespace std::chrono_literals;

namespace
{

constexpr Millis kStart = 30s;  // with migrations, ten at once, on two cores
constexpr int kPortTries = 5;   // another process may take the port that was just found free

std::vector<std::string> all_words(std::vector<std::string> words, const Address& address)
{
    words.insert(words.begin(), binary());
    words.insert(words.end(), {"--listen", address.host + ":" + std::to_string(address.port)});
    return words;
}

}  // namespace

std::string binary()
{
    if (const char* given = std::getenv("BOXOFFICE_BINARY")) return given;
    throw std::runtime_error("set BOXOFFICE_BINARY to the server to be tested");
}

Node::Node(const std::filesystem::path& home, std::string name, std::vector<std::string> words,
           std::vector<std::string> environment)
    : home_(home), log_(home / (name + ".log")), words_(std::move(words)), environment_(std::move(environment))
{
    address_.port = boxoffice::free_port();
}

void Node::launch()
{
    process_.reset();
    boxoffice::Launch launch{.words = all_words(words_, address_),
                             .environment = boxoffice::environment_with(environment_, {"BOXOFFICE_", "PG"})};
    launch.folder = home_;
    launch.log = log_;
    process_.emplace(launch);
}

void Node::await_ready()
{
    const auto deadline = std::chrono::steady_clock::now() + kStart;
    int tries = 1;
    while (health().status != 200) {
        const bool ended = process_->ends_within(20ms);
        if (!ended && std::chrono::steady_clock::now() < deadline) continue;
        if (ended && !was_ready_ && tries++ < kPortTries && last_words().find("ddress already in use") != std::string::npos) {
            address_.port = boxoffice::free_port();
            launch();
            continue;
        }
        throw std::runtime_error((ended ? "it ended at its start: " : "it does not become ready: ") + last_words());
    }
    was_ready_ = true;
}

int Node::stop()
{
    process_->signal(SIGTERM);
    const int code = process_->wait(20s);
    process_.reset();
    return code;
}

Node::Health Node::health() const
{
    try {
        const blackbox::Answer answer = blackbox::Client(address_, 3s).get("/health/ready");
        const blackbox::Json body = blackbox::Json::parse(answer.body, nullptr, false);
        const bool has_word = body.is_object() && body.contains("status") && body["status"].is_string();
        return {answer.status, has_word ? body["status"].get<std::string>() : std::string()};
    } catch (const blackbox::NoAnswer&) {
        return {};
    }
}

void Node::expect_health(const Health& wanted, Millis within) const
{
    const auto deadline = std::chrono::steady_clock::now() + within;
    for (;;) {
        const Health now = health();
        if (now.status == wanted.status && (wanted.word.empty() || now.word == wanted.word)) return;
        if (std::chrono::steady_clock::now() > deadline) {
            ADD_FAILURE() << "ready says " << now.status << " " << now.word << ", wanted " << wanted.status << " " << wanted.word
                          << "\n"
                          << last_words();
            return;
        }
        if (process_) (void)process_->ends_within(10ms);
    }
}

std::string Node::last_words() const { return boxoffice::read_text(log_); }

}  // namespace cluster
