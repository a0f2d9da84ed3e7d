#include "token.hpp"

#include <chrono>

#include "scene.hpp"

using namespace blackbox;

namespace
{

const Json kHs256{{"alg", "HS256"}, {"typ", "JWT"}};
const Json kSame = Json::object();

Answer me_with(const std::string& authorization)
{
    Caller anonymous;
    return anonymous.get("/auth/me", {{"Authorization", authorization}});
}

/// A user's token taken apart, and the key to sign others like it; the key only when the server is our own.
struct Forger {
    Person anna = sign_up();
    Token token = take_apart(anna.token());
    std::string key = is_foreign() ? std::string() : find_key(anna.token(), known_secret()).value_or("");

    [[nodiscard]] Answer try_claims(const Json& changes, const Json& header = kHs256, Digest digest = Digest::sha256) const
    {
        Json claims = token.claims;
        claims.merge_patch(changes);
        return me_with("Bearer " + forge(header, claims, key, digest));
    }
};

/// 64-bit seconds since 1970.
std::int64_t now_seconds()
{
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

#define NEEDS_THE_KEY(forger)                                                      \
    if (is_foreign()) GTEST_SKIP() << "needs the secret of the server under test"; \
    ASSERT_FALSE((forger).key.empty()) << "the given secret does not sign with HS256"

}  // namespace

TEST(Tokens, SayWhoForHowLongAndFromWhom)
{
    const Person anna = sign_up();
    const Token token = take_apart(anna.token());
    EXPECT_EQ(token.header["alg"], "HS256");
    EXPECT_EQ(token.claims["sub"], std::to_string(anna.id));
    EXPECT_TRUE(token.claims["iss"].is_string());
    EXPECT_TRUE(token.claims["jti"].is_string());
    EXPECT_NEAR(token.claims["iat"].get<double>(), static_cast<double>(now_seconds()), 60);
    if (!is_foreign()) EXPECT_EQ(token.claims["exp"].get<std::int64_t>() - token.claims["iat"].get<std::int64_t>(), 30 * 60);
}

TEST(Tokens, AreNeverTheSameTwice)
{
    const Person anna = sign_up();
    Caller anonymous;
    const Json login = must(anonymous.post("/auth/login", Json{{"email", anna.email}, {"password", anna.password}}), 200);
    EXPECT_NE(take_apart(anna.token()).claims["jti"], take_apart(std::string(login["access_token"])).claims["jti"]);
}

TEST(Tokens, HoldNothingPrivate)
{
    const Person anna = sign_up();
    const Token token = take_apart(anna.token());
    EXPECT_EQ(token.claims.dump().find(anna.email), std::string::npos);
    EXPECT_EQ(token.claims.dump().find(anna.password), std::string::npos);
}

TEST(Tokens, AreAskedForByNameWhenThereIsNone)
{
    Caller anonymous;
    const Answer answer = anonymous.get("/auth/me");
    EXPECT_TRUE(is_problem(answer, 401, "unauthenticated"));
    EXPECT_TRUE(answer.header("www-authenticate").starts_with("Bearer"));
}

TEST(Tokens, AreTakenWithTheSchemeInAnyCase)
{
    const Person anna = sign_up();
    EXPECT_TRUE(has_status(me_with("Bearer " + anna.token()), 200));
    EXPECT_TRUE(has_status(me_with("bearer " + anna.token()), 200));
}

TEST(Tokens, AreRefusedWhenMaimed)
{
    const Person anna = sign_up();
    const std::string good = anna.token();
    std::string flipped = good;
    char& in_signature = flipped[flipped.rfind('.') + 5];
    in_signature = in_signature == 'A' ? 'B' : 'A';
    std::string other_claims = good;
    char& in_claims = other_claims[good.find('.') + 12];
    in_claims = in_claims == 'A' ? 'B' : 'A';
    const std::string unsigned_one = good.substr(0, good.rfind('.'));
    for (const std::string& header :
         {"Bearer " + flipped, "Bearer " + other_claims, "Bearer " + unsigned_one, "Bearer " + unsigned_one + ".",
          "Bearer " + good + "A", "Bearer " + good + "." + "e30", "Bearer " + good.substr(0, good.size() - 4),
          std::string("Bearer"), std::string("Bearer "), std::string("Bearer null"), std::string("Bearer a.b.c"),
          std::string("Bearer ..."), "Basic " + good, good, "Bearer " + std::string(5000, 'x'), "Bearer " + good + "=="}) {
        EXPECT_TRUE(is_problem(me_with(header), 401, "unauthenticated")) << header;
    }
}

TEST(Tokens, AreRefusedWhenTheirLifeWasProlongedWithoutTheKey)
{
    const Forger forger;
    const std::string good = forger.anna.token();
    Json claims = forger.token.claims;
    claims["exp"] = claims["exp"].get<std::int64_t>() + 3600;
    const std::string forged = forge(kHs256, claims, "", Digest::none) + good.substr(good.rfind('.') + 1);
    EXPECT_TRUE(is_problem(me_with("Bearer " + forged), 401, "unauthenticated"));
    EXPECT_TRUE(
        is_problem(me_with("Bearer " + forge(kHs256, claims, "a guess of the key, as long as one")), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(me_with("Bearer " + forge(kHs256, claims, "")), 401, "unauthenticated"));
}

TEST(Tokens, AreRefusedWithoutASignatureWhateverTheirHeaderSays)
{
    const Forger forger;
    for (const char* name : {"none", "None", "NONE", "nOnE", "HS256", ""}) {
        EXPECT_TRUE(is_problem(forger.try_claims(kSame, {{"alg", name}, {"typ", "JWT"}}, Digest::none), 401, "unauthenticated"))
            << name;
    }
}

TEST(Tokens, AreGoodWhenTheKeySignedThemAnew)
{
    const Forger forger;
    NEEDS_THE_KEY(forger);
    EXPECT_TRUE(has_status(forger.try_claims({{"jti", fresh_word()}}), 200));
}

TEST(Tokens, AreRefusedWithAnotherAlgorithmEvenWhenTheKeySignedThem)
{
    const Forger forger;
    NEEDS_THE_KEY(forger);
    EXPECT_TRUE(is_problem(forger.try_claims(kSame, {{"alg", "HS512"}, {"typ", "JWT"}}, Digest::sha512), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(forger.try_claims(kSame, kHs256, Digest::sha512), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(forger.try_claims(kSame, {{"alg", "HS512"}, {"typ", "JWT"}}), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(forger.try_claims(kSame, {{"alg", "none"}}), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(forger.try_claims(kSame, {{"alg", {"HS256"}}}), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(forger.try_claims(kSame, {{"typ", "JWT"}}), 401, "unauthenticated"));
    EXPECT_TRUE(
        is_problem(forger.try_claims(kSame, {{"alg", "HS256"}, {"crit", {"b64"}}, {"b64", false}}), 401, "unauthenticated"));
}

TEST(Tokens, AreRefusedOnceExpiredOrWithoutAnEnd)
{
    const Forger forger;
    NEEDS_THE_KEY(forger);
    const std::int64_t now = now_seconds();
    EXPECT_TRUE(is_problem(forger.try_claims({{"iat", now - 3600}, {"exp", now - 1}}), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(forger.try_claims({{"exp", nullptr}}), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(forger.try_claims({{"exp", "tomorrow"}}), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(forger.try_claims({{"exp", -1}}), 401, "unauthenticated"));
}

TEST(Tokens, AreRefusedFromAnotherIssuerAndForNobody)
{
    const Forger forger;
    NEEDS_THE_KEY(forger);
    EXPECT_TRUE(is_problem(forger.try_claims({{"iss", "somebody-else"}}), 401, "unauthenticated"));
    for (const Json& sub : {Json(""), Json("0"), Json("-1"), Json("abc"), Json("1 OR 1=1"), Json("99999999999999999999"),
                            Json(nullptr), Json("9223372036854775807")}) {
        EXPECT_TRUE(is_problem(forger.try_claims({{"sub", sub}}), 401, "unauthenticated")) << sub;
    }
}
