#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/body_reader.hpp"
#include "net/read_fields.hpp"

/// Any bytes, as one connection's input: nothing may crash, and how the bytes are cut into packets must not change what is
/// understood. The first byte chooses the cut.
namespace boxoffice::http
{

namespace
{

enum class Verdict : std::uint8_t { more, whole, refused };

struct Reading {
    Verdict verdict = Verdict::more;
    std::size_t bytes = 0;
    std::string target;
    std::string body;
    bool operator==(const Reading&) const = default;
};

void require(bool holds)
{
    if (!holds) std::abort();
}

[[nodiscard]] Reading refused()
{
    Reading reading;
    reading.verdict = Verdict::refused;
    return reading;
}

[[nodiscard]] Reading read(std::string_view input, std::size_t step)
{
    const Limits limits{512, 128, 256};
    HeadScanner scanner;
    std::size_t given = 0;
    auto state = HeadScanner::State::more;
    while (state == HeadScanner::State::more && given < input.size()) {
        given = std::min(given + step, input.size());
        state = scanner.scan(input.substr(0, given), limits);
    }
    if (state == HeadScanner::State::more) return {};
    if (state == HeadScanner::State::refused) return refused();

    Head head;
    const auto block = input.substr(scanner.skipped(), scanner.size() - scanner.skipped());
    if (check_head(block, limits, head)) return refused();
    require(head.target == "*" || head.target.starts_with('/'));
    Request request;
    if (read_fields(block, head, request)) return refused();
    auto at = scanner.size();
    given = std::max(given, at);
    BodyReader reader;
    reader.begin(head, limits.body_bytes_max);
    while (head.framing != Framing::none) {
        auto bytes = input.substr(at, given - at);
        const auto body = reader.feed(bytes);
        if (body == BodyReader::State::refused) return refused();
        at = given - bytes.size();
        if (body == BodyReader::State::whole) break;
        if (given == input.size()) return {};
        given = std::min(given + step, input.size());
    }
    Reading reading;
    reading.verdict = Verdict::whole;
    reading.bytes = at;
    reading.target = head.target;
    reading.body = reader.take();
    require(reading.body.size() <= limits.body_bytes_max);
    require(head.framing != Framing::length || reading.body.size() == head.body_bytes);
    return reading;
}

}  // namespace

}  // namespace boxoffice::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace boxoffice::http;
    if (size == 0) return 0;
    std::string input(size - 1, '\0');
    std::copy(data + 1, data + size, input.begin());
    const auto whole = read(input, input.size() + 1);
    const auto cut = read(input, data[0] % 16U + 1U);
    require(whole == cut);
    return 0;
}
