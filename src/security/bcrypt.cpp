#include <crypt.h>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/limits.hpp"
#include "security/security.hpp"

namespace boxoffice
{
namespace
{

constexpr int kCostMin = 4;   // the least that bcrypt knows
constexpr int kCostMax = 15;  // two seconds; a stored hash that asks for more would hold a thread of the password pool hostage
constexpr std::size_t kHashBytes = 60;
constexpr std::size_t kCostAt = 4;
constexpr std::string_view kSomeSalt = "abcdefghijklmnopqrstuu";  // 128 bits; only ever salts what is thrown away

// 32 KiB that hold the password and what is derived from it: on the heap, and wiped.
class Scratch
{
public:
    Scratch() : data_(std::make_unique<crypt_data>()) {}
    ~Scratch() { OPENSSL_cleanse(data_.get(), sizeof(crypt_data)); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    // Empty when libxcrypt cannot read the setting. Of the password bcrypt reads what comes before a NUL, and of that 72 bytes.
    // The answer lives as long as this does.
    std::string_view run(std::string_view password, const std::string& setting)
    {
        const std::size_t length = std::min(password.size(), sizeof data_->input - 1);
        std::memcpy(data_->input, password.data(), length);
        data_->input[length] = '\0';
        const char* hash = crypt_rn(data_->input, setting.c_str(), data_.get(), sizeof(crypt_data));
        return hash == nullptr ? std::string_view() : std::string_view(hash);
    }

private:
    std::unique_ptr<crypt_data> data_;
};

bool is_whole(std::string_view password)
{
    return password.size() <= kPasswordBytesMax && password.find('\0') == std::string_view::npos;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int cost_of(std::string_view hash) { return (hash[kCostAt] - '0') * 10 + (hash[kCostAt + 1] - '0'); }

// $2a$, $2b$ and $2y$ name the same sound algorithm; $2x$ is a buggy one.
bool is_readable(std::string_view hash)
{
    if (hash.size() != kHashBytes || hash.find('\0') != std::string_view::npos) return false;
    if (!hash.starts_with("$2a$") && !hash.starts_with("$2b$") && !hash.starts_with("$2y$")) return false;
    if (!is_digit(hash[kCostAt]) || !is_digit(hash[kCostAt + 1]) || hash[kCostAt + 2] != '$') return false;
    const int cost = cost_of(hash);
    return cost >= kCostMin && cost <= kCostMax;
}

std::string setting_of(int cost) { return fmt::format("$2b${:02}${}", cost, kSomeSalt); }

class Bcrypt final : public PasswordHasher
{
public:
    explicit Bcrypt(int cost) : cost_(cost)
    {
        if (cost < kCostMin || cost > kCostMax) {
            throw std::invalid_argument(fmt::format("bcrypt's cost must be between {} and {}, not {}", kCostMin, kCostMax, cost));
        }
    }

    std::string hash(std::string_view password) const override
    {
        // Cut short in silence, two different passwords would open the same account.
        if (!is_whole(password)) throw std::invalid_argument("a password with a NUL or of more than 72 bytes cannot be hashed");
        char salt[CRYPT_GENSALT_OUTPUT_SIZE] = {};
        if (crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost_), nullptr, 0, salt, sizeof salt) == nullptr) {
            throw std::runtime_error("libxcrypt could not make a salt");
        }
        Scratch scratch;
        const std::string_view made = scratch.run(password, salt);
        if (!is_readable(made)) throw std::runtime_error("libxcrypt could not hash a password");
        return std::string(made);
    }

    bool matches(std::string_view password, std::string_view hash) const override
    {
        if (!is_readable(hash)) {
            waste(password);
            return false;
        }
        Scratch scratch;
        const std::string_view made = scratch.run(password, std::string(hash));
        if (made.size() != hash.size()) {  // a salt outside bcrypt's alphabet: libxcrypt gave up at once
            waste(password);
            return false;
        }
        return CRYPTO_memcmp(made.data(), hash.data(), hash.size()) == 0 && is_whole(password);
    }

    void waste(std::string_view password) const override { spend(password, cost_); }

    void even_out(std::string_view password, std::string_view compared, std::string_view dearest) const override
    {
        const int wanted = is_readable(dearest) ? std::max(cost_, cost_of(dearest)) : cost_;
        if (compared.empty()) return spend(password, wanted);
        // Each cost is twice the one below, so that those from the one spent up to below the wanted one make up the difference.
        for (int cost = is_readable(compared) ? cost_of(compared) : cost_; cost < wanted; ++cost) spend(password, cost);
    }

    bool is_outdated(std::string_view hash) const override
    {
        return !is_readable(hash) || cost_of(hash) != cost_ || !hash.starts_with("$2b$");
    }

private:
    static void spend(std::string_view password, int cost)
    {
        Scratch scratch;
        if (scratch.run(password, setting_of(cost)).empty()) throw std::runtime_error("libxcrypt could not hash a password");
    }

    int cost_;
};

}  // namespace

std::unique_ptr<PasswordHasher> make_bcrypt(int cost) { return std::make_unique<Bcrypt>(cost); }

}  // namespace boxoffice
