#include "net/framing.hpp"

#include <algorithm>
#include <array>

#include "net/field_bytes.hpp"

namespace boxoffice::http
{

namespace
{

constexpr std::string_view kCrlf = "\r\n";

constexpr auto kHostBytes = [] {  // RFC 3986, 3.2.2, but for the comma, which is how a proxy joins two Host fields
    std::array<bool, 256> table{};
    for (const char c : std::string_view("-._~!$&'()*+;=%:[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}();

[[nodiscard]] bool all_in(const std::array<bool, 256>& table, std::string_view text)
{
    return std::ranges::all_of(text, [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

[[nodiscard]] bool is_digit(char c) { return c >= '0' && c <= '9'; }

[[nodiscard]] char lower(char c)
{
    if (c < 'A' || c > 'Z') return c;
    return static_cast<char>(c - 'A' + 'a');
}

[[nodiscard]] bool same_word(std::string_view text, std::string_view lower_case)
{
    return std::ranges::equal(text, lower_case, [](char a, char b) { return lower(a) == b; });
}

[[nodiscard]] bool begins_with(std::string_view text, std::string_view lower_case)
{
    return text.size() >= lower_case.size() && same_word(text.substr(0, lower_case.size()), lower_case);
}

[[nodiscard]] std::string_view trim(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Cuts the first element off a comma-separated list.
[[nodiscard]] std::string_view next_element(std::string_view& list)
{
    const auto comma = list.find(',');
    const auto element = trim(list.substr(0, comma));
    if (comma == std::string_view::npos) {
        list = {};
    } else {
        list.remove_prefix(comma + 1);
    }
    return element;
}

[[nodiscard]] Method method_of(std::string_view word)
{
    if (word == "GET") return Method::get;
    if (word == "POST") return Method::post;
    if (word == "HEAD") return Method::head;
    if (word == "PUT") return Method::put;
    if (word == "PATCH") return Method::patch;
    if (word == "DELETE") return Method::del;
    if (word == "OPTIONS") return Method::options;
    return Method::other;
}

/// What the fields say together; each may be repeated, so they are judged at the end.
struct Facts {
    int hosts = 0;
    std::string_view host;
    int lengths = 0;
    std::string_view length;
    int codings = 0;
    std::string_view coding;
    std::string_view expect;
    unsigned once = 0;  // a bit for each field of kOnce that was given
    bool says_close = false;
    bool says_keep_alive = false;
};

[[nodiscard]] Refusal check_version(std::string_view version, Head& head)
{
    if (version == "HTTP/1.1") return {};
    if (version == "HTTP/1.0") {
        head.minor_version = 0;
        return {};
    }
    if (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
        is_digit(version[7])) {
        return {505, "Only HTTP/1.0 and HTTP/1.1 are spoken here."};
    }
    return {400, "The request line does not end in an HTTP version."};
}

/// Origin form as it is, absolute form cut down to it, `*` for OPTIONS.
[[nodiscard]] Refusal check_target(std::string_view target, std::string_view method, Head& head)
{
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (target.empty() || !std::ranges::all_of(target, visible)) {
        return {400, "The request target holds bytes that must be percent-encoded."};
    }
    if (method == "CONNECT") return {501, "This server is not a proxy."};
    if (target == "*" && head.method == Method::options) {
        head.target = target;
        return {};
    }
    if (target.front() == '/') {
        head.target = target;
        return {};
    }
    std::size_t scheme_bytes = 0;
    if (begins_with(target, "http://")) scheme_bytes = 7;
    if (begins_with(target, "https://")) scheme_bytes = 8;
    if (scheme_bytes == 0) return {400, "The request target is neither a path nor an address."};
    const auto rest = target.substr(scheme_bytes);
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    if (authority.empty() || !all_in(kHostBytes, authority)) return {400, "The address in the request line names no host."};
    const auto path = rest.substr(authority.size());
    if (path.empty() && head.method == Method::options) {
        head.target = "*";  // RFC 9112, 3.2.4: OPTIONS for a server as a whole, seen through a proxy
    } else {
        head.target.clear();
        if (!path.starts_with('/')) head.target = "/";
        head.target += path;
    }
    return {};
}

[[nodiscard]] Refusal check_request_line(std::string_view line, const Limits& limits, Head& head)
{
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return {400, "The request line is not method, target and version."};
    const auto method = line.substr(0, first);
    const auto target = line.substr(first + 1, last - first - 1);
    if (method.empty() || !all_in(kTokenBytes, method)) return {400, "The request method is not a word."};
    head.method = method_of(method);
    if (target.size() > limits.target_bytes_max) return {414, "The request target is too long."};
    if (auto refusal = check_version(line.substr(last + 1), head)) return refusal;
    return check_target(target, method, head);
}

void note_connection(std::string_view list, Facts& facts)
{
    while (!list.empty()) {
        const auto option = next_element(list);
        if (same_word(option, "close")) facts.says_close = true;
        if (same_word(option, "keep-alive")) facts.says_keep_alive = true;
    }
}

/// Fields that one value is taken from: given twice, one reader takes the first and another the last. Host, Content-Length and
/// Transfer-Encoding have their own words below.
constexpr std::string_view kOnce[] = {"authorization",
                                      "content-type",
                                      "content-encoding",
                                      "content-range",
                                      "date",
                                      "expect",
                                      "from",
                                      "idempotency-key",
                                      "if-modified-since",
                                      "if-range",
                                      "if-unmodified-since",
                                      "last-event-id",
                                      "max-forwards",
                                      "origin",
                                      "proxy-authorization",
                                      "range",
                                      "referer",
                                      "user-agent",
                                      "x-request-id"};

/// The lengths of their names, so that most fields are compared with none of them.
constexpr std::uint32_t kOnceSizes = [] {
    std::uint32_t sizes = 0;
    for (const auto name : kOnce) sizes |= std::uint32_t{1} << name.size();
    return sizes;
}();

[[nodiscard]] Refusal note_once(std::string_view name, Facts& facts)
{
    if (name.size() >= 32 || (kOnceSizes >> name.size() & 1U) == 0) return {};
    for (std::size_t i = 0; i < std::size(kOnce); ++i) {
        if (name.size() != kOnce[i].size() || !same_word(name, kOnce[i])) continue;
        const unsigned bit = 1U << i;
        if ((facts.once & bit) != 0) return {400, "A header field that may come once is given twice."};
        facts.once |= bit;
        break;
    }
    return {};
}

void note_field(std::string_view name, std::string_view value, Facts& facts)
{
    switch (name.size()) {  // most names are told apart by their length alone
        case 4:
            if (same_word(name, "host")) ++facts.hosts, facts.host = value;
            break;
        case 6:
            if (same_word(name, "expect")) facts.expect = value;
            break;
        case 10:
            if (same_word(name, "connection")) note_connection(value, facts);
            break;
        case 14:
            if (same_word(name, "content-length")) ++facts.lengths, facts.length = value;
            break;
        case 17:
            if (same_word(name, "transfer-encoding")) ++facts.codings, facts.coding = value;
            break;
        default:
            break;
    }
}

[[nodiscard]] Refusal check_field(std::string_view line, Facts& facts)
{
    if (line.front() == ' ' || line.front() == '\t') return {400, "A header field is folded over two lines."};
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return {400, "A header line has no colon."};
    const auto name = line.substr(0, colon);
    if (name.empty() || !all_in(kTokenBytes, name)) return {400, "A header field's name is not a word followed by its colon."};
    const auto value = trim(line.substr(colon + 1));
    if (!std::ranges::all_of(value, is_value_byte)) return {400, "A header field holds a control character."};
    note_field(name, value, facts);
    return note_once(name, facts);
}

[[nodiscard]] Refusal check_host(const Facts& facts, const Head& head)
{
    if (facts.hosts > 1) return {400, "The Host field is given more than once."};
    if (facts.hosts == 0) {
        if (head.minor_version == 0) return {};
        return {400, "The Host field is missing."};
    }
    auto name = facts.host;
    if (const auto colon = name.rfind(':'); colon != std::string_view::npos && name.find(']', colon) == std::string_view::npos) {
        if (!std::ranges::all_of(name.substr(colon + 1), is_digit)) return {400, "The Host field's port is not a number."};
        name = name.substr(0, colon);
    }
    if (name.empty() || !all_in(kHostBytes, name)) return {400, "The Host field names no host."};
    return {};
}

[[nodiscard]] Refusal check_coding(const Facts& facts, const Head& head)
{
    if (facts.lengths > 0) return {400, "Content-Length and Transfer-Encoding are both given."};
    if (facts.codings > 1) return {400, "Transfer-Encoding is given more than once."};
    if (head.minor_version == 0) return {400, "HTTP/1.0 knows no Transfer-Encoding."};
    if (same_word(facts.coding, "chunked")) return {};
    int chunked = 0;
    auto list = facts.coding;
    while (!list.empty()) {
        const auto coding = next_element(list);
        if (coding.empty() || !all_in(kTokenBytes, coding)) return {400, "The Transfer-Encoding is malformed."};
        if (same_word(coding, "chunked")) ++chunked;
        if (chunked > 1 || (chunked == 1 && !list.empty())) return {400, "The last transfer coding must be chunked, once."};
    }
    if (facts.coding.empty()) return {400, "The Transfer-Encoding is empty."};
    return {501, "Of the transfer codings only chunked is understood."};
}

[[nodiscard]] Refusal check_length(const Facts& facts, Head& head)
{
    if (facts.lengths > 1) return {400, "Content-Length is given more than once."};
    if (facts.length.empty() || !std::ranges::all_of(facts.length, is_digit)) return {400, "Content-Length is not a number."};
    constexpr std::uint64_t kEnough = 1'000'000'000'000'000;  // far over any limit, far under an overflow
    std::uint64_t bytes = 0;
    for (const char digit : facts.length)
        bytes = std::min<std::uint64_t>(bytes * 10 + static_cast<std::uint64_t>(digit - '0'), kEnough);
    head.body_bytes = bytes;
    return {};
}

}  // namespace

HeadScanner::State HeadScanner::refuse(int status, std::string_view reason)
{
    refusal_ = {status, reason};
    return State::refused;
}

HeadScanner::State HeadScanner::judge_length(std::string_view bytes, const Limits& limits)
{
    const auto looked_at = at_ - begin_;
    if (lines_ == 0 && looked_at > limits.target_bytes_max) {
        const auto line = bytes.substr(begin_, looked_at);
        const auto space = line.find(' ');
        if (space > limits.target_bytes_max) return refuse(400, "The request method is not a word.");  // or not there
        const auto target = line.substr(space + 1);
        if (std::min(target.find(' '), target.size()) > limits.target_bytes_max)
            return refuse(414, "The request target is too long.");
    }
    if (looked_at > limits.header_bytes_max) return refuse(431, "The header fields are too large.");
    return State::more;
}

HeadScanner::State HeadScanner::scan(std::string_view bytes, const Limits& limits)
{
    if (refusal_) return State::refused;
    if (at_ == 0 && bytes.starts_with(kCrlf)) begin_ = at_ = line_begin_ = kCrlf.size();
    for (; at_ < bytes.size(); ++at_) {
        const auto byte = static_cast<unsigned char>(bytes[at_]);
        if (byte > '\r') continue;
        if (byte == '\0') return refuse(400, "The header holds a NUL.");
        if (byte == '\n') return refuse(400, "A header line ends in a bare LF.");
        if (byte != '\r') continue;
        if (at_ + 1 == bytes.size()) break;  // looked at again once its LF is here
        if (bytes[at_ + 1] != '\n') return refuse(400, "The header holds a bare CR.");
        if (judge_length(bytes, limits) == State::refused) return State::refused;
        const bool is_empty = at_ == line_begin_;
        ++at_;
        if (is_empty) {
            if (lines_ == 0) return refuse(400, "The request line is empty.");
            ++at_;
            if (at_ - begin_ > limits.header_bytes_max) return refuse(431, "The header fields are too large.");
            return State::whole;
        }
        ++lines_;
        line_begin_ = at_ + 1;
    }
    return judge_length(bytes, limits);
}

Refusal check_head(std::string_view block, const Limits& limits, Head& head)
{
    head = Head{};
    Facts facts;
    auto end = block.find(kCrlf);
    if (end == std::string_view::npos) return {400, "The header does not end."};
    if (auto refusal = check_request_line(block.substr(0, end), limits, head)) return refusal;
    for (block.remove_prefix(end + kCrlf.size()); !block.starts_with(kCrlf); block.remove_prefix(end + kCrlf.size())) {
        end = block.find(kCrlf);
        if (end == std::string_view::npos) return {400, "The header does not end."};
        if (auto refusal = check_field(block.substr(0, end), facts)) return refusal;
    }
    if (facts.says_close || (head.minor_version == 0 && !facts.says_keep_alive)) head.afterwards = Afterwards::close;
    if (auto refusal = check_host(facts, head)) return refusal;
    if (facts.codings > 0) {
        if (auto refusal = check_coding(facts, head)) return refusal;
        head.framing = Framing::chunked;
    } else if (facts.lengths > 0) {
        if (auto refusal = check_length(facts, head)) return refusal;
        if (head.body_bytes > limits.body_bytes_max) return {413, "The body is too large."};
        if (head.body_bytes > 0) head.framing = Framing::length;
    }
    if (!facts.expect.empty() && head.minor_version > 0) {  // RFC 9110, 10.1.1: an HTTP/1.0 client's is ignored
        if (!same_word(facts.expect, "100-continue")) return {417, "Of the expectations only 100-continue is understood."};
        if (head.framing != Framing::none) head.expectation = Expectation::go_on;
    }
    return {};
}

Refusal check_trailer(std::string_view line)
{
    Facts facts;
    if (auto refusal = check_field(line, facts)) return refusal;
    if (facts.hosts + facts.lengths + facts.codings > 0) return {400, "A trailer frames or routes the request."};
    return {};
}

std::string_view request_id_in(std::string_view block)
{
    for (auto end = block.find("\r\n"); end != std::string_view::npos && end > 0; end = block.find("\r\n")) {
        const auto line = block.substr(0, end);
        const auto colon = line.find(':');
        if (colon != std::string_view::npos && same_word(line.substr(0, colon), "x-request-id"))
            return trim(line.substr(colon + 1));
        block.remove_prefix(end + 2);
    }
    return {};
}

}  // namespace boxoffice::http
