#include "api/request_id.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>

namespace boxoffice::http
{

namespace
{

/// xoshiro256++ (Blackman and Vigna, prng.di.unimi.it).
class Generator
{
public:
    explicit Generator(const std::string& seed_hex)
    {
        for (std::size_t i = 0; i < state_.size(); ++i) {
            const char* first = seed_hex.data() + std::min(seed_hex.size(), i * 16);
            const char* last = seed_hex.data() + std::min(seed_hex.size(), i * 16 + 16);
            std::from_chars(first, last, state_[i], 16);
        }
        state_[0] |= 1;  // the one state it must never be in is all zeros
    }

    std::uint64_t next()
    {
        const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
        const std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

private:
    std::array<std::uint64_t, 4> state_{};
};

bool is_sane(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == ':' ||
           c == '-';
}

}  // namespace

bool is_sane_request_id(std::string_view id)
{
    constexpr std::size_t kCharsMax = 128;
    return !id.empty() && id.size() <= kCharsMax && std::all_of(id.begin(), id.end(), is_sane);
}

std::string make_request_id(std::string (*random_hex)(std::size_t))
{
    static constexpr char kHex[] = "0123456789abcdef";
    thread_local Generator generator(random_hex(32));
    std::string id(32, '0');
    for (std::size_t half = 0; half < 2; ++half) {
        std::uint64_t bits = generator.next();
        for (std::size_t i = 0; i < 16; ++i, bits >>= 4) id[half * 16 + i] = kHex[bits & 15];
    }
    return id;
}

std::string choose_request_id(std::string_view asked, std::string (*random_hex)(std::size_t))
{
    return is_sane_request_id(asked) ? std::string(asked) : make_request_id(random_hex);
}

}  // namespace boxoffice::http
