#include "api/pages.hpp"

#include <array>
#include <charconv>
#include <functional>
#include <string>
#include <unordered_map>

#include "api/etag.hpp"
#include "assets/assets.hpp"

namespace boxoffice::http
{

namespace
{

constexpr std::string_view kPlainPolicy =
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

// Swagger UI and ReDoc write style attributes and keep their icons in data: URLs; ReDoc searches in a worker made of a blob:.
constexpr std::string_view kSwaggerPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
constexpr std::string_view kRedocPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "worker-src blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

struct Named {
    std::string_view path;
    std::string_view asset;
};

constexpr std::array kPages = {
    Named{"/", "landing/index.html"},       Named{"/docs", "docs/swagger.html"}, Named{"/docs/", "docs/swagger.html"},
    Named{"/redoc", "docs/redoc.html"},     Named{"/redoc/", "docs/redoc.html"}, Named{"/openapi.json", "openapi.json"},
    Named{"/openapi.yaml", "openapi.yaml"},
};

struct Kind {
    std::string_view suffix;
    std::string_view content_type;
};

constexpr std::array kKinds = {
    Kind{".html", "text/html; charset=utf-8"},
    Kind{".js", "text/javascript; charset=utf-8"},
    Kind{".css", "text/css; charset=utf-8"},
    Kind{".json", "application/json"},
    Kind{".yaml", "application/yaml"},
    Kind{".svg", "image/svg+xml"},
    Kind{".png", "image/png"},
    Kind{".txt", "text/plain; charset=utf-8"},
};

const Asset* asset_at(std::string_view path)
{
    for (const auto& page : kPages) {
        if (page.path == path) return find_asset(page.asset);
    }
    // The names of these assets are their paths; no other asset begins so.
    if (path.starts_with("/docs/") || path.starts_with("/landing/")) return find_asset(path.substr(1));
    return nullptr;
}

std::string_view content_type(std::string_view name)
{
    for (const auto& kind : kKinds) {
        if (name.ends_with(kind.suffix)) return kind.content_type;
    }
    return "application/octet-stream";
}

std::string_view policy(std::string_view name)
{
    if (name == "docs/redoc.html") return kRedocPolicy;
    if (name.starts_with("docs/") && name.ends_with(".html")) return kSwaggerPolicy;
    return kPlainPolicy;
}

/// Sixteen hexadecimal digits of the content; the bytes are ours, so that no second text with the same ones can be looked for.
std::string_view digest(const Asset& asset)
{
    static const auto digests = [] {
        std::unordered_map<std::string_view, std::string> all;
        for (const auto& each : assets()) {
            std::array<char, 16> digits{};
            const auto end = std::to_chars(digits.begin(), digits.end(), std::hash<std::string_view>{}(each.bytes), 16).ptr;
            all.emplace(each.name, std::string(digits.begin(), end));
        }
        return all;
    }();
    return digests.at(asset.name);
}

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equals_ignoring_case(std::string_view a, std::string_view lower)
{
    if (a.size() != lower.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] - 'A' + 'a') : a[i];
        if (c != lower[i]) return false;
    }
    return true;
}

/// A weight is zero when it has no digit but 0: "0", "0.", "0.000".
bool has_weight(std::string_view parameters)
{
    const auto weight = trimmed(parameters);
    if (!weight.starts_with("q=") && !weight.starts_with("Q=")) return true;
    return weight.substr(2).find_first_of("123456789") != weight.npos;
}

}  // namespace

bool takes_gzip(std::string_view accept_encoding)
{
    bool any = false;
    while (!accept_encoding.empty()) {
        const auto comma = accept_encoding.find(',');
        const auto item = accept_encoding.substr(0, comma);
        accept_encoding.remove_prefix(comma == accept_encoding.npos ? accept_encoding.size() : comma + 1);
        const auto semicolon = item.find(';');
        const auto coding = trimmed(item.substr(0, semicolon));
        const bool wanted = semicolon == item.npos || has_weight(item.substr(semicolon + 1));
        if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip")) return wanted;
        if (coding == "*") any = wanted;
    }
    return any;
}

std::optional<Reply> find_page(const Request& request, std::string_view path)
{
    const Asset* asset = asset_at(path);
    if (asset == nullptr) return std::nullopt;

    const bool compressed = !asset->gzip.empty() && takes_gzip(request.header("accept-encoding"));
    // Another coding is another representation: a strong tag must tell them apart.
    std::string etag = '"' + std::string(digest(*asset)) + (compressed ? "-gzip\"" : "\"");

    Reply reply;
    reply.headers = {
        {"Cache-Control", "no-cache"},
        {"Content-Security-Policy", std::string(policy(asset->name))},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    if (!asset->gzip.empty()) reply.headers.emplace_back("Vary", "Accept-Encoding");
    const bool known = none_match_names(request, etag);
    reply.headers.emplace_back("ETag", std::move(etag));
    if (known) {
        reply.status = 304;
        return reply;
    }
    reply.content_type = content_type(asset->name);
    reply.static_body = compressed ? asset->gzip : asset->bytes;
    if (compressed) reply.headers.emplace_back("Content-Encoding", "gzip");
    return reply;
}

}  // namespace boxoffice::http
