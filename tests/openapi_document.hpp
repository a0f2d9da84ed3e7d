#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "assets/assets.hpp"

/// api/openapi.yaml as the binary carries it.
namespace boxoffice
{

inline const nlohmann::json& openapi_document()
{
    static const nlohmann::json parsed = [] {
        const Asset* const asset = find_asset("openapi.json");
        return asset == nullptr ? nlohmann::json() : nlohmann::json::parse(asset->bytes);
    }();
    return parsed;
}

/// What a `$ref` stands for.
inline const nlohmann::json& resolve(const nlohmann::json& json)
{
    if (!json.contains("$ref")) return json;
    return openapi_document().at(nlohmann::json::json_pointer(json["$ref"].get<std::string>().substr(1)));
}

}  // namespace boxoffice
