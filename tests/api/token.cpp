#include "token.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace blackbox
{

namespace
{

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(std::string_view bytes)
{
    std::string out;
    unsigned held = 0;
    int bits = 0;
    for (const char c : bytes) {
        held = (held << 8) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6) out += kAlphabet[(held >> (bits - 6)) & 63];
    }
    if (bits > 0) out += kAlphabet[(held << (6 - bits)) & 63];
    return out;
}

std::string decode(std::string_view text)
{
    std::string out;
    unsigned held = 0;
    int bits = 0;
    for (const char c : text) {
        const auto value = kAlphabet.find(c);
        if (value == std::string_view::npos) throw std::runtime_error("not base64url: " + std::string(text));
        held = (held << 6) | static_cast<unsigned>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out += static_cast<char>((held >> bits) & 255);
        }
    }
    return out;
}

std::string mac(std::string_view bytes, std::string_view key, const EVP_MD* digest)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    const std::vector<unsigned char> input(bytes.begin(), bytes.end());
    HMAC(digest, key.data(), static_cast<int>(key.size()), input.data(), input.size(), out.data(), &size);
    return {out.begin(), out.begin() + size};
}

}  // namespace

Token take_apart(std::string_view text)
{
    const auto first = text.find('.');
    const auto second = text.find('.', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos)
        throw std::runtime_error("not a token: " + std::string(text));
    return {nlohmann::json::parse(decode(text.substr(0, first))),
            nlohmann::json::parse(decode(text.substr(first + 1, second - first - 1))), std::string(text.substr(0, second)),
            decode(text.substr(second + 1))};
}

std::string forge(const nlohmann::json& header, const nlohmann::json& claims, std::string_view key, Digest digest)
{
    const std::string part = encode(header.dump()) + "." + encode(claims.dump());
    if (digest == Digest::none) return part + ".";
    return part + "." + encode(mac(part, key, digest == Digest::sha256 ? EVP_sha256() : EVP_sha512()));
}

std::optional<std::string> find_key(std::string_view token, const std::string& secret)
{
    std::string spelled;
    for (std::size_t i = 0; i + 1 < secret.size(); i += 2)
        spelled += static_cast<char>(std::stoi(secret.substr(i, 2), nullptr, 16));
    const Token parts = take_apart(token);
    for (const std::string& key : {secret, spelled}) {
        if (mac(parts.signed_part, key, EVP_sha256()) == parts.signature) return key;
    }
    return std::nullopt;
}

}  // namespace blackbox
