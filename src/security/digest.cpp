#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "security/security.hpp"

namespace boxoffice
{
namespace
{

constexpr std::size_t kPoolBytes = 512;  // one trip into the kernel for 32 request ids
constexpr std::size_t kPooledMax = 32;

std::string hex(const unsigned char* bytes, std::size_t count)
{
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text(count * 2, '\0');
    for (std::size_t i = 0; i < count; ++i) {
        text[2 * i] = kDigits[bytes[i] >> 4U];
        text[2 * i + 1] = kDigits[bytes[i] & 0xFU];
    }
    return text;
}

void fill_random(unsigned char* bytes, std::size_t count)
{
    while (count > 0) {
        const ssize_t got = ::getrandom(bytes, count, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw std::system_error(errno, std::generic_category(), "no random bytes from the kernel");
        bytes += got;
        count -= static_cast<std::size_t>(got);
    }
}

}  // namespace

std::string sha256_hex(std::string_view bytes)
{
    // Looked up once: a lookup by name costs as much as hashing a kilobyte. Never freed, for it may be used while the process
    // ends.
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    std::array<unsigned char, 32> digest{};
    unsigned length = 0;
    if (sha256 == nullptr || EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, sha256, nullptr) != 1 ||
        length != digest.size()) {
        throw std::runtime_error("OpenSSL could not compute a SHA-256");
    }
    return hex(digest.data(), digest.size());
}

std::string random_hex(std::size_t bytes)
{
    if (bytes > kPooledMax) {
        std::vector<unsigned char> fresh(bytes);
        fill_random(fresh.data(), bytes);
        std::string text = hex(fresh.data(), bytes);
        OPENSSL_cleanse(fresh.data(), bytes);
        return text;
    }
    // A child process would hand out the same bytes as its parent; this one has no children that call it.
    thread_local std::array<unsigned char, kPoolBytes> pool{};
    thread_local std::size_t used = kPoolBytes;
    if (used + bytes > kPoolBytes) {
        fill_random(pool.data(), kPoolBytes);
        used = 0;
    }
    unsigned char* const mine = pool.data() + used;
    used += bytes;
    std::string text = hex(mine, bytes);
    OPENSSL_cleanse(mine, bytes);
    return text;
}

}  // namespace boxoffice
