#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/rules.hpp"

namespace boxoffice
{

/// "body.venue.latitude:missing body.title:string_type", in order of place.
inline std::string faults(const Error& error)
{
    std::vector<std::string> words;
    for (const auto& field : error.fields) {
        std::string word;
        for (const auto& step : field.loc) word += (word.empty() ? "" : ".") + step;
        words.push_back(word + ":" + field.type);
    }
    std::sort(words.begin(), words.end());
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
}

template <class T>
std::string faults(const Result<T>& result)
{
    if (result) return "none";
    return result.error().code == Code::invalid ? faults(result.error()) : std::string(code_word(result.error().code));
}

}  // namespace boxoffice
