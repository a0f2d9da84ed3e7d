#include "api/idempotency.hpp"

#include <algorithm>

#include "api/router.hpp"
#include "core/limits.hpp"

namespace boxoffice::http
{

std::optional<std::string_view> idempotency_key(const Request& request)
{
    for (const auto& [name, value] : request.headers) {
        if (name == "idempotency-key") return value;
    }
    return std::nullopt;
}

std::optional<FieldError> key_error(std::string_view key)
{
    const bool visible = std::all_of(key.begin(), key.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
    if (!key.empty() && key.size() <= kIdempotencyKeyCharsMax && visible) return std::nullopt;
    return FieldError{{"header", "Idempotency-Key"}, "A key has 1 to 255 visible ASCII characters", "idempotency_key"};
}

std::string fingerprint(const Request& request, std::string (*digest)(std::string_view))
{
    std::string_view path(request.target);
    path = path.substr(0, path.find('?'));
    if (path.ends_with('/')) path.remove_suffix(1);
    std::string all;
    all.reserve(16 + path.size() + request.body.size());
    all += method_word(request.method);
    all += '\n';
    all += path;
    all += '\n';
    all += request.body;
    return digest(all);
}

}  // namespace boxoffice::http
