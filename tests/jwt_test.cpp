#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "security/security.hpp"

namespace boxoffice
{
namespace
{

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr std::string_view kSecret = "an independent key of 40 bytes, no less.";
constexpr Instant kNow = Instant(1'790'000'100s);
constexpr UserId kUser{42};

// Spelled out a second time with other calls, so that a slip in the code under test does not check itself.
std::string base64url(std::string_view bytes)
{
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), in, static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    while (!text.empty() && text.back() == '=') text.pop_back();
    for (char& c : text) {
        if (c == '+') c = '-';
        if (c == '/') c = '_';
    }
    return text;
}

std::string hmac_sha256(std::string_view text, std::string_view key = kSecret, const EVP_MD* digest = EVP_sha256())
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned length = 0;
    HMAC(digest, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         mac.data(), &length);
    return {reinterpret_cast<const char*>(mac.data()), length};
}

std::string signed_parts(const std::string& first_two) { return first_two + "." + base64url(hmac_sha256(first_two)); }

const std::string kGoodHeader = R"({"alg":"HS256","typ":"JWT"})";
const std::string kGoodClaims = R"({"sub":"42","iat":1790000000,"exp":1790001800,"iss":"boxoffice","jti":"1"})";

std::string token_of(const std::string& header, const std::string& claims)
{
    return signed_parts(base64url(header) + "." + base64url(claims));
}

std::unique_ptr<TokenSigner> signer() { return make_jwt(kSecret, 30min); }

std::string refusal_of(std::string_view token, Instant now = kNow)
{
    const auto believed = signer()->verify(token, now);
    if (believed) return "believed";
    EXPECT_EQ(believed.error().code, Code::unauthenticated);
    EXPECT_FALSE(believed.error().message.empty());
    return believed.error().detail;
}

TEST(Jwt, BelievesWhatItSigned)
{
    const auto jwt = signer();
    const auto claims = jwt->verify(jwt->sign(kUser, kNow), kNow);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->user, kUser);
    EXPECT_EQ(claims->issued_at, kNow);
    EXPECT_EQ(claims->expires_at, kNow + 30min);
    EXPECT_EQ(jwt->lifetime(), 30min);
}

TEST(Jwt, GivesEveryTokenAnotherName)
{
    const auto jwt = signer();
    std::set<std::string> tokens;
    for (int i = 0; i < 1000; ++i) tokens.insert(jwt->sign(kUser, kNow));
    EXPECT_EQ(tokens.size(), 1000U);
}

TEST(Jwt, BelievesATokenMadeByAnotherImplementation)  // Python's hmac
{
    const auto claims = signer()->verify(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJzdWIiOiI5MjIzMzcyMDM2ODU0Nzc1ODA3IiwiaWF0IjoxNzkwMDAwMDAwLCJleHAiOjE3OTAwMDE4MDAsImlzcyI6ImJveG9mZmljZSIsImp0aSI6IjAw"
        "MTEyMjMzNDQ1NTY2Nzc4ODk5YWFiYmNjZGRlZWZmIn0."
        "hj3bUZS1GXagbXOmThbtz3fLH3RYgiaOzLR-xnoASQM",
        kNow);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->user.value, 9223372036854775807);
}

TEST(Jwt, ComputesTheSignatureOfRfc7515)  // appendix A.1: signed well, by an issuer that is not us
{
    const std::string token =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const std::array<unsigned char, 64> key = {3,   35,  53, 75,  43,  15, 165, 188, 131, 126, 6,   101, 119, 123, 166, 143,
                                               90,  179, 40, 230, 240, 84, 201, 40,  169, 15,  132, 178, 210, 80,  46,  191,
                                               211, 251, 90, 146, 210, 6,  71,  239, 150, 138, 180, 195, 119, 98,  61,  34,
                                               61,  46,  33, 114, 5,   46, 79,  8,   192, 205, 154, 245, 103, 208, 128, 163};
    const auto jwt = make_jwt({reinterpret_cast<const char*>(key.data()), key.size()}, 30min);
    EXPECT_EQ(jwt->verify(token, kNow).error().detail, "token: issuer");
    std::string tampered = token;
    tampered[45] = 'X';
    EXPECT_EQ(jwt->verify(tampered, kNow).error().detail, "token: signature");
}

TEST(Jwt, ExpiresAtTheInstantNotBefore)
{
    const std::string token = token_of(kGoodHeader, kGoodClaims);
    EXPECT_EQ(refusal_of(token, Instant(1'790'001'800s) - 1us), "believed");
    EXPECT_EQ(refusal_of(token, Instant(1'790'001'800s)), "token: expired");
}

TEST(Jwt, ForgivesAMinuteBetweenTwoClocksAndNoMore)
{
    const std::string token = token_of(kGoodHeader, kGoodClaims);
    EXPECT_EQ(refusal_of(token, Instant(1'790'000'000s) - 60s), "believed");
    EXPECT_EQ(refusal_of(token, Instant(1'790'000'000s) - 60s - 1us), "token: issue time");
}

TEST(Jwt, RefusesAnotherSecret)
{
    const auto other = make_jwt("another key, which is long enough as well", 30min);
    EXPECT_EQ(refusal_of(other->sign(kUser, kNow)), "token: signature");
}

TEST(Jwt, RefusesEverySingleChangedCharacter)
{
    const std::string token = signer()->sign(kUser, kNow);
    const auto jwt = signer();
    for (std::size_t i = 0; i < token.size(); ++i) {
        for (const char c : {'A', '-', '.', '=', ' ', '\0', '\xFF'}) {
            if (token[i] == c) continue;
            std::string changed = token;
            changed[i] = c;
            ASSERT_FALSE(jwt->verify(changed, kNow)) << i << ' ' << changed;
        }
    }
}

TEST(Jwt, RefusesEveryBeginningOfAToken)
{
    const std::string token = signer()->sign(kUser, kNow);
    const auto jwt = signer();
    for (std::size_t length = 0; length < token.size(); ++length)
        ASSERT_FALSE(jwt->verify(token.substr(0, length), kNow)) << length;
}

TEST(Jwt, RefusesAnotherShape)
{
    const std::string token = token_of(kGoodHeader, kGoodClaims);
    const std::size_t last = token.rfind('.');
    const std::string two = token.substr(0, last);
    for (const std::string& bad :
         {""s, "."s, ".."s, "..."s, two, two + ".", token + ".", "." + token, token + "." + token, token + "=", token + "A",
          token + "\n", " " + token, token + " ", token + "\0"s, two + "=" + token.substr(last), "Bearer " + token,
          two + "." + base64url(hmac_sha256(two)).substr(0, 42)}) {
        EXPECT_NE(refusal_of(bad), "believed") << bad;
    }
}

TEST(Jwt, RefusesASecondSpellingOfTheSameSignature)  // 43 characters carry two bits more than 256
{
    const std::string token = token_of(kGoodHeader, kGoodClaims);
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const std::size_t sextet = kAlphabet.find(token.back());
    ASSERT_EQ(sextet % 4, 0U);
    for (std::size_t extra = 1; extra < 4; ++extra) {
        std::string again = token;
        again.back() = kAlphabet[sextet + extra];
        EXPECT_EQ(refusal_of(again), "token: signature");
    }
}

TEST(Jwt, RefusesLooseBase64EvenWhenItIsSigned)
{
    const std::string header = base64url(kGoodHeader);
    const std::string claims = base64url(kGoodClaims);
    for (const std::string& loose :
         {claims + "=", claims + "==", claims + "\n", claims.substr(0, 8) + " " + claims.substr(8), claims + "A",
          claims.substr(0, 8) + "+" + claims.substr(9), claims.substr(0, 8) + "/" + claims.substr(9)}) {
        EXPECT_EQ(refusal_of(signed_parts(header + "." + loose)), "token: claims") << loose;
    }
    const std::string spare = base64url(kGoodClaims + "  ");  // now one character carries four bits too many
    ASSERT_EQ(refusal_of(signed_parts(header + "." + base64url(kGoodClaims + " "))), "believed");
    ASSERT_EQ(refusal_of(signed_parts(header + "." + spare)), "believed");
    for (const std::string& text : {base64url(kGoodClaims + " "), spare}) {
        if (text.size() % 4 == 0) continue;
        std::string other = text;
        other.back() = static_cast<char>(other.back() + 1);
        EXPECT_EQ(refusal_of(signed_parts(header + "." + other)), "token: claims");
    }
}

TEST(Jwt, RefusesEveryAlgorithmButItsOwn)
{
    for (const std::string alg : {"none", "None", "NONE", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA",
                                  "hs256", "HS256 ", "HS256\\u0000", "HS25\\u0037"}) {
        EXPECT_EQ(refusal_of(token_of(R"({"alg":")" + alg + R"(","typ":"JWT"})", kGoodClaims)), "token: algorithm") << alg;
    }
    EXPECT_EQ(refusal_of(token_of(R"({"typ":"JWT"})", kGoodClaims)), "token: algorithm");
    EXPECT_EQ(refusal_of(token_of(R"({"alg":null})", kGoodClaims)), "token: algorithm");
    EXPECT_EQ(refusal_of(token_of(R"({"alg":["HS256"]})", kGoodClaims)), "token: algorithm");
    EXPECT_EQ(refusal_of(token_of(R"({"ALG":"HS256"})", kGoodClaims)), "token: algorithm");
}

TEST(Jwt, RefusesATokenWithoutASignature)  // alg none, as forgers write it
{
    const std::string unsigned_token = base64url(R"({"alg":"none"})") + "." + base64url(kGoodClaims);
    EXPECT_EQ(refusal_of(unsigned_token + "."), "token: signature");
    EXPECT_EQ(refusal_of(unsigned_token), "token: not three parts");
    EXPECT_EQ(refusal_of(base64url(kGoodHeader) + "." + base64url(kGoodClaims) + "."), "token: signature");
}

TEST(Jwt, RefusesALongerMacUnderTheSameKey)
{
    const std::string two = base64url(R"({"alg":"HS512"})") + "." + base64url(kGoodClaims);
    EXPECT_EQ(refusal_of(two + "." + base64url(hmac_sha256(two, kSecret, EVP_sha512()))), "token: signature");
}

TEST(Jwt, ReadsAnyHeaderThatMeansTheSame)
{
    for (const char* header :
         {R"({"typ":"JWT","alg":"HS256"})", R"({"alg":"HS256"})", R"( { "alg" : "HS256" } )", R"({"alg":"HS25\u0036"})",
          R"({"alg":"HS256","kid":"../../dev/null","jku":"http://example.com"})"}) {
        EXPECT_EQ(refusal_of(token_of(header, kGoodClaims)), "believed") << header;
    }
}

TEST(Jwt, RefusesHeadersItDoesNotUnderstand)
{
    EXPECT_EQ(refusal_of(token_of(R"({"alg":"HS256","crit":["b64"],"b64":false})", kGoodClaims)), "token: critical header");
    EXPECT_EQ(refusal_of(token_of(R"({"alg":"HS256","crit":[]})", kGoodClaims)), "token: critical header");
    EXPECT_EQ(refusal_of(token_of(R"({"alg":"HS256","typ":"JOSE"})", kGoodClaims)), "token: type");
    EXPECT_EQ(refusal_of(token_of(R"({"alg":"HS256","typ":null})", kGoodClaims)), "token: type");
    for (const char* header :
         {R"({"alg":"HS256","alg":"HS256"})", R"({"alg":"none","alg":"HS256"})", R"({"alg":"HS256","al\u0067":"none"})", "", "{",
          "[]", "null", R"("HS256")", R"({"alg":"HS256"}{})", R"({"alg":"HS256"} x)", R"({"alg":"HS256",})", R"({'alg':'HS256'})",
          "{\"alg\":\"HS256\",\"x\":\"\xFF\"}", "\xEF\xBB\xBF[]"}) {
        EXPECT_EQ(refusal_of(token_of(header, kGoodClaims)), "token: header") << header;
    }
}

TEST(Jwt, RefusesClaimsThatAreNotItsOwn)
{
    const std::string rest = R"("iat":1790000000,"exp":1790001800,"iss":"boxoffice")";
    for (const char* sub :
         {R"("")", R"("0")", R"("-1")", R"("+1")", R"(" 1")", R"("1 ")", R"("01")", R"("1.0")", R"("1e3")", R"("0x1")",
          R"("9223372036854775808")", R"("99999999999999999999")", R"("one")", "42", "null", R"(["42"])", R"("4\u00002")"}) {
        EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":)"s + sub + "," + rest + "}")), "token: subject") << sub;
    }
    EXPECT_EQ(refusal_of(token_of(kGoodHeader, "{" + rest + "}")), "token: subject");

    for (const char* issuer : {R"("joe")", R"("boxoffice2")", R"("Boxoffice")", R"(["boxoffice"])", "null", "1"}) {
        EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":"42","iat":1790000000,"exp":1790001800,"iss":)"s + issuer + "}")),
                  "token: issuer")
            << issuer;
    }
    EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":"42","iat":1790000000,"exp":1790001800})")), "token: issuer");

    for (const char* time : {R"("1790001800")", "1790001800.0", "1.7900018e9", "-1", "null", "true", "253402300800",
                             "9223372036854775807", "18446744073709551615"}) {
        EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":"42","iat":1790000000,"iss":"boxoffice","exp":)"s + time + "}")),
                  "token: expiry")
            << time;
        EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":"42","exp":1790001800,"iss":"boxoffice","iat":)"s + time + "}")),
                  "token: issue time")
            << time;
    }
    EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":"42","iat":1790000000,"iss":"boxoffice"})")), "token: expiry");
    EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":"42","exp":1790001800,"iss":"boxoffice"})")), "token: issue time");
    EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":"42","aud":"other",)" + rest + "}")), "token: audience");
    EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":"42","nbf":1790009999,)" + rest + "}")), "token: not valid yet");
    EXPECT_EQ(refusal_of(token_of(kGoodHeader, R"({"sub":"42","nbf":1790000000,"scope":{"a":[1]},)" + rest + "}")), "believed");
    for (const std::string& claims :
         {R"({"sub":"42","sub":"43",)" + rest + "}", R"({"sub":"42","s\u0075b":"43",)" + rest + "}",
          R"({"sub":"42","x":1,"x":1,)" + rest + "}", "[" + kGoodClaims + "]", kGoodClaims + kGoodClaims, "{}}"s,
          R"({"sub":"42","exp":18446744073709551616,"iat":1790000000,"iss":"boxoffice"})"s, ""s, "x"s}) {
        EXPECT_EQ(refusal_of(token_of(kGoodHeader, claims)), "token: claims") << claims;
    }
}

TEST(Jwt, RefusesAHugeTokenBeforeHashingIt)
{
    EXPECT_EQ(refusal_of(std::string(100'000, 'A')), "token: too long");
    EXPECT_EQ(refusal_of(std::string(4097, '.')), "token: too long");
    EXPECT_EQ(refusal_of(std::string(4096, '.')), "token: not three parts");
    const std::string claims = kGoodClaims.substr(0, kGoodClaims.size() - 1) + R"(,"pad":")" + std::string(2880, 'x') + R"("})";
    const std::string token = token_of(kGoodHeader, claims);
    ASSERT_GT(token.size(), 3900U);
    ASSERT_LE(token.size(), 4096U);
    EXPECT_EQ(refusal_of(token), "believed");
}

TEST(Jwt, RefusesDeepNesting) { EXPECT_EQ(refusal_of(token_of(kGoodHeader, std::string(2000, '['))), "token: claims"); }

TEST(Jwt, IsRefusedASecretShorterThanItsHash)
{
    EXPECT_THROW((void)make_jwt(std::string(31, 'x'), 30min), std::invalid_argument);
    EXPECT_NO_THROW((void)make_jwt(std::string(32, 'x'), 30min));
}

StoreOfTokens of_store(std::string id, std::int64_t generation, Instant plain_until = {})
{
    return
        [store = std::make_shared<const StoreIdentity>(StoreIdentity{std::move(id), generation, plain_until})] { return store; };
}

TEST(Jwt, BelievesATokenOfItsStoreAndItsLifeOnly)
{
    const auto jwt = make_jwt(kSecret, 30min, of_store("ab12", 7));
    const std::string token = jwt->sign(kUser, kNow);
    EXPECT_TRUE(jwt->verify(token, kNow));
    EXPECT_TRUE(make_jwt(kSecret, 30min, of_store("ab12", 7, kNow + 10min))->verify(token, kNow));
    for (const StoreOfTokens& other :
         {of_store("ab12", 8, kNow + 10min), of_store("ab12", 6), of_store("cd34", 7, kNow + 10min)}) {
        const auto refused = make_jwt(kSecret, 30min, other)->verify(token, kNow);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::unauthenticated);
    }
}

TEST(Jwt, BelievesATokenThatNamesNoStoreOnlyForAWhileAfterTheUpgrade)
{
    const std::string plain = signer()->sign(kUser, kNow);
    const auto jwt = make_jwt(kSecret, 30min, of_store("ab12", 1, kNow + 10min));
    EXPECT_TRUE(jwt->verify(plain, kNow));
    EXPECT_TRUE(jwt->verify(plain, kNow + 10min - 1us));
    EXPECT_FALSE(jwt->verify(plain, kNow + 10min));
    EXPECT_FALSE(make_jwt(kSecret, 30min, of_store("ab12", 2))->verify(plain, kNow)) << "a restore ends the while";
}

TEST(Jwt, IsNotDeceivedByHalfAnIdentity)
{
    const auto jwt = make_jwt(kSecret, 30min, of_store("ab12", 1, kNow + 10min));
    const auto with = [](const std::string& more) {
        return token_of(kGoodHeader, kGoodClaims.substr(0, kGoodClaims.size() - 1) + more + "}");
    };
    EXPECT_TRUE(jwt->verify(with(R"(,"sid":"ab12","gen":1)"), kNow));
    for (const char* const half : {R"(,"sid":"ab12")", R"(,"gen":1)", R"(,"sid":"ab12","gen":"1")", R"(,"sid":"ab12","gen":1.0)",
                                   R"(,"sid":"","gen":1)", R"(,"sid":null,"gen":null)", R"(,"sid":12,"gen":1)"}) {
        EXPECT_FALSE(jwt->verify(with(half), kNow)) << half;
    }
}

TEST(Jwt, NoticesWhenItsStoreBeginsAnotherLife)
{
    auto store = std::make_shared<const StoreIdentity>(StoreIdentity{"ab12", 1, {}});
    const auto jwt = make_jwt(kSecret, 30min, [&store] { return store; });
    const std::string before = jwt->sign(kUser, kNow);
    store = std::make_shared<const StoreIdentity>(StoreIdentity{"ab12", 2, {}});
    EXPECT_FALSE(jwt->verify(before, kNow));
    EXPECT_TRUE(jwt->verify(jwt->sign(kUser, kNow), kNow));
}

TEST(Jwt, ServesManyThreads)
{
    const auto jwt = signer();
    std::atomic<int> believed = 0;
    std::vector<std::thread> threads;
    for (int t = 1; t <= 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i) {
                const auto claims = jwt->verify(jwt->sign(UserId{t}, kNow), kNow);
                if (claims && claims->user == UserId{t}) ++believed;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(believed, 2000);
}

}  // namespace
}  // namespace boxoffice
