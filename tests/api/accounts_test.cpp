#include <set>

#include "scene.hpp"

using namespace blackbox;

namespace
{

Json newcomer() { return {{"email", fresh_word() + "@example.org"}, {"name", "Anna"}, {"password", kPassword}}; }

Json newcomer(const char* field, const Json& value)
{
    Json body = newcomer();
    body[field] = value;
    return body;
}

std::string repeated(std::string_view piece, int times)
{
    std::string text;
    for (int i = 0; i < times; ++i) text += piece;
    return text;
}

Answer log_in_by_form(Caller& caller, const std::string& user, const std::string& password)
{
    return caller.send("POST", "/auth/login", {{"Content-Type", "application/x-www-form-urlencoded"}},
                       "username=" + percent_encode(user) + "&password=" + percent_encode(password));
}

}  // namespace

TEST(AccountsRegister, AnswersTheUserAndNothingOfThePassword)
{
    Caller anonymous;
    const Json body = newcomer();
    const Answer answer = anonymous.post("/auth/register", body);
    ASSERT_TRUE(has_status(answer, 201));
    const Json user = answer.json();
    std::set<std::string> names;
    for (const auto& [name, value] : user.items()) names.insert(name);
    EXPECT_EQ(names, (std::set<std::string>{"id", "name", "email", "location", "created_at"})) << answer;
    EXPECT_GT(user["id"].get<std::int64_t>(), 0);
    EXPECT_EQ(user["name"], "Anna");
    EXPECT_EQ(user["email"], body["email"]);
    EXPECT_TRUE(user["location"].is_null());
    EXPECT_NO_THROW((void)parse_time(user["created_at"]));
    EXPECT_EQ(answer.body.find(kPassword), std::string::npos);
}

TEST(AccountsRegister, KeepsTheLocation)
{
    Caller anonymous;
    const Json place{{"latitude", -33.8567844}, {"longitude", 151.2152967}};
    EXPECT_EQ(must(anonymous.post("/auth/register", newcomer("location", place)), 201)["location"], place);
}

TEST(AccountsRegister, RefusesATakenAddressWithoutRegardToCase)
{
    Caller anonymous;
    Json body = newcomer();
    must(anonymous.post("/auth/register", body), 201);
    EXPECT_TRUE(is_problem(anonymous.post("/auth/register", body), 409, "email_taken"));
    std::string email = body["email"];
    email[0] = 'W';
    email.replace(email.find("example"), 7, "EXAMPLE");
    body["email"] = email;
    EXPECT_TRUE(is_problem(anonymous.post("/auth/register", body), 409, "email_taken"));
}

TEST(AccountsRegister, TakesPasswordsOf8To72Bytes)
{
    Caller anonymous;
    EXPECT_TRUE(has_status(anonymous.post("/auth/register", newcomer("password", "12345678")), 201));
    EXPECT_TRUE(has_status(anonymous.post("/auth/register", newcomer("password", std::string(72, 'x'))), 201));
    EXPECT_TRUE(has_status(anonymous.post("/auth/register", newcomer("password", repeated("€", 24))), 201));
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", newcomer("password", "1234567")), {"body.password"}));
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", newcomer("password", std::string(73, 'x'))), {"body.password"}));
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", newcomer("password", repeated("€", 25))), {"body.password"}));
}

TEST(AccountsRegister, TakesNamesOf1To200Characters)
{
    Caller anonymous;
    EXPECT_TRUE(has_status(anonymous.post("/auth/register", newcomer("name", "å")), 201));
    EXPECT_TRUE(has_status(anonymous.post("/auth/register", newcomer("name", repeated("é", 200))), 201));
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", newcomer("name", repeated("é", 201))), {"body.name"}));
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", newcomer("name", "")), {"body.name"}));
}

TEST(AccountsRegister, RefusesWhatIsNoAddress)
{
    Caller anonymous;
    for (const char* email :
         {"", "plain", "@example.org", "anna@", "an na@example.org", "anna@example.org\nBcc: all@example.org", "a>b@example.org",
          "u@[127.0.0.1]", "u@127.0.0.1", "x@y.z:25", "\"a b\"@example.org", "zoë@example.org", "a..b@example.org", "a@localhost",
          "a@example.org.", "a@exa_mple.org", "a@example.org\u202e"}) {
        EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", newcomer("email", email)), {"body.email"})) << email;
    }
}

TEST(AccountsRegister, ListsEveryBadFieldAtOnce)
{
    Caller anonymous;
    const Json body{
        {"email", "plain"}, {"name", ""}, {"password", "short"}, {"location", {{"latitude", 91}, {"longitude", -181}}}};
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", body),
                           {"body.email", "body.name", "body.password", "body.location.latitude", "body.location.longitude"}));
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", Json::object()), {"body.email", "body.name", "body.password"}));
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", Json{{"email", 1}, {"name", true}, {"password", Json::array()}}),
                           {"body.email", "body.name", "body.password"}));
}

TEST(AccountsRegister, RefusesHalfALocation)
{
    Caller anonymous;
    EXPECT_TRUE(
        is_invalid(anonymous.post("/auth/register", newcomer("location", {{"latitude", 1}})), {"body.location.longitude"}));
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", newcomer("location", "here")), {"body.location"}));
}

TEST(AccountsRegister, BindsNoFieldItDoesNotAskFor)
{
    Caller anonymous;
    Json body = newcomer("id", 1);
    body["created_at"] = "2001-01-01T00:00:00Z";
    body["role"] = "admin";
    const Json user = must(anonymous.post("/auth/register", body), 201);
    EXPECT_NE(user["id"], 1);
    EXPECT_GT(parse_time(user["created_at"]), parse_time("2020-01-01T00:00:00Z"));
    EXPECT_FALSE(user.contains("role"));
}

TEST(AccountsLogin, TakesTheFormOfTheOAuth2PasswordFlow)
{
    Caller anonymous;
    Json body = newcomer("password", "p&ss=w+rd %é\"'");
    must(anonymous.post("/auth/register", body), 201);
    const std::string fields = "grant_type=password&username=" + percent_encode(std::string(body["email"])) +
                               "&password=" + percent_encode(std::string(body["password"])) + "&scope=&client_id=&client_secret=";
    const Answer answer = anonymous.send(
        "POST", "/auth/login",
        {{"Content-Type", "application/x-www-form-urlencoded"}, {"Authorization", "Basic c3dhZ2dlcjp1aQ=="}}, fields);
    ASSERT_TRUE(has_status(answer, 200));
    const Json login = answer.json();
    EXPECT_EQ(login["token_type"], "bearer");
    EXPECT_TRUE(login["access_token"].is_string());
    EXPECT_GT(login["expires_in"].get<int>(), 0);
    if (!is_foreign()) EXPECT_EQ(login["expires_in"], 1800);
}

TEST(AccountsRegister, GivesAMailboxOneAccountHoweverItsAddressIsTyped)
{
    Caller anonymous;
    const std::string word = fresh_word();
    const Json user = must(anonymous.post("/auth/register", newcomer("email", " \u00a0" + word + "@B\u00fccher.example\t")), 201);
    EXPECT_EQ(user["email"], word + "@B\u00fccher.example");
    for (const std::string& same :
         {word + "@bu\u0308cher.example", word + "@XN--BCHER-KVA.example", " " + word + "@b\u00fccher.EXAMPLE"}) {
        EXPECT_TRUE(is_problem(anonymous.post("/auth/register", newcomer("email", same)), 409, "email_taken")) << same;
        EXPECT_TRUE(has_status(anonymous.post("/auth/login", Json{{"email", same}, {"password", kPassword}}), 200)) << same;
        EXPECT_TRUE(has_status(log_in_by_form(anonymous, same, std::string(kPassword)), 200)) << same;
    }
}

TEST(AccountsRegister, RefusesNamesInWhichNothingCanBeSeenOrThatTurnThingsRound)
{
    Caller anonymous;
    Person anna = sign_up();
    for (const char* name :
         {" ", "\u3000", "\u200b\u2060", "\u3164", "\u2800", "a\nb", "a\u0007", "a\u0085b", "\u202eanna", "\u2067a"}) {
        EXPECT_TRUE(is_invalid(anonymous.post("/auth/register", newcomer("name", name)), {"body.name"})) << name;
        EXPECT_TRUE(is_invalid(anna.patch("/auth/me", Json{{"name", name}}), {"body.name"})) << name;
    }
    EXPECT_TRUE(has_status(anonymous.post("/auth/register", newcomer("name", " Zo\u00eb\u200d ")), 201));
}

TEST(AccountsLogin, KnowsAPasswordFromEveryKeyboard)
{
    Caller anonymous;
    const Json body = newcomer("password", "cafe\u0301\u00a01234");
    must(anonymous.post("/auth/register", body), 201);
    for (const char* typed : {"cafe\u0301\u00a01234", "caf\u00e9 1234", "caf\u00e9\u30001234"}) {
        EXPECT_TRUE(has_status(log_in_by_form(anonymous, body["email"], typed), 200)) << typed;
        EXPECT_TRUE(has_status(anonymous.post("/auth/login", Json{{"email", body["email"]}, {"password", typed}}), 200)) << typed;
    }
    EXPECT_TRUE(has_status(log_in_by_form(anonymous, body["email"], "cafe 1234"), 401));
}

TEST(AccountsLogin, ReadsAPlusInTheFormAsASpace)
{
    Caller anonymous;
    const Json body = newcomer("password", "with a space");
    must(anonymous.post("/auth/register", body), 201);
    const std::string fields = "password=with+a+space&username=" + percent_encode(std::string(body["email"]));
    EXPECT_TRUE(has_status(
        anonymous.send("POST", "/auth/login", {{"Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"}}, fields),
        200));
}

TEST(AccountsLogin, TakesJsonToo)
{
    const Person anna = sign_up();
    Caller anonymous;
    const Json login = must(anonymous.post("/auth/login", Json{{"email", anna.email}, {"password", anna.password}}), 200);
    Caller signed_in(box_office(), login["access_token"]);
    EXPECT_EQ(must(signed_in.get("/auth/me"), 200)["id"], anna.id);
}

TEST(AccountsLogin, KnowsTheAddressWithoutRegardToCase)
{
    const Person anna = sign_up();
    Caller anonymous;
    std::string shouted = anna.email;
    for (char& c : shouted) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_TRUE(has_status(log_in_by_form(anonymous, shouted, anna.password), 200));
}

TEST(AccountsLogin, TellsAWrongPasswordAndAnUnknownAddressInTheSameWords)
{
    const Person anna = sign_up();
    Caller anonymous;
    const Answer wrong = log_in_by_form(anonymous, anna.email, "not the password");
    const Answer unknown = log_in_by_form(anonymous, fresh_word() + "@example.org", "not the password");
    EXPECT_TRUE(is_problem(wrong, 401, "bad_credentials"));
    EXPECT_TRUE(is_problem(unknown, 401, "bad_credentials"));
    EXPECT_TRUE(are_alike(wrong, unknown));
}

TEST(AccountsLogin, KnowsNoAddressThatNobodyCanHave)
{
    Caller anonymous;
    for (const std::size_t chars : {100U, 1'001U, 20'000U}) {
        std::string host;
        for (std::size_t i = 0; i < chars; ++i) host += "\u00e9";
        const Answer answer = anonymous.post("/auth/login", Json{{"email", "a@" + host + ".example"}, {"password", kPassword}});
        EXPECT_TRUE(is_problem(answer, 401, "bad_credentials")) << chars;
    }
}

TEST(AccountsLogin, NeverMatchesAPasswordCutShortOrInAnotherCase)
{
    Caller anonymous;
    const Json body = newcomer("password", std::string(72, 'x'));
    must(anonymous.post("/auth/register", body), 201);
    const std::string email = body["email"];
    for (const auto& guess : {std::string(73, 'x'), std::string(71, 'x'), std::string(72, 'X'), std::string(72, 'x') + '\0'}) {
        const Answer answer = anonymous.post("/auth/login", Json{{"email", email}, {"password", guess}});
        EXPECT_TRUE(answer.status == 401 || answer.status == 422) << answer;
    }
}

TEST(AccountsLogin, IsNotFooledByANulInAPassword)
{
    Caller anonymous;
    const Json body = newcomer("password", std::string("longenough\0secret", 17));
    const Answer made = anonymous.post("/auth/register", body);
    if (made.status != 201) {
        EXPECT_TRUE(is_bad_input(made));
        return;
    }
    const Answer answer =
        anonymous.post("/auth/login", Json{{"email", body["email"]}, {"password", std::string("longenough\0other!", 17)}});
    EXPECT_TRUE(is_problem(answer, 401, "bad_credentials"));
}

TEST(AccountsLogin, RefusesARequestThatLacksHalf)
{
    Caller anonymous;
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/login", Json{{"email", "anna@example.org"}}), {"body.password"}));
    EXPECT_TRUE(is_invalid(anonymous.post("/auth/login", Json{{"password", "whatever it is"}}), {"body.email"}));
    EXPECT_TRUE(is_invalid(anonymous.send("POST", "/auth/login", {{"Content-Type", "application/x-www-form-urlencoded"}},
                                          "username=anna%40example.org"),
                           {"body.password"}));
    EXPECT_TRUE(is_bad_input(anonymous.send("POST", "/auth/login", {{"Content-Type", "application/x-www-form-urlencoded"}},
                                            "username=%ZZ&password=%")));
}

TEST(AccountsMe, IsTheCaller)
{
    Person anna = sign_up(box_office(), {{"latitude", 1.5}, {"longitude", 2.5}});
    EXPECT_EQ(must(anna.get("/auth/me"), 200), anna.user);
}

TEST(AccountsMe, ChangesWhatIsNamedAndLeavesTheRest)
{
    Person anna = sign_up();
    const Json place{{"latitude", 48.8584}, {"longitude", 2.2945}};
    Json user = must(anna.patch("/auth/me", Json{{"location", place}}), 200);
    EXPECT_EQ(user["location"], place);
    EXPECT_EQ(user["name"], anna.name);
    user = must(anna.patch("/auth/me", Json{{"name", "Another"}}), 200);
    EXPECT_EQ(user["location"], place);
    EXPECT_EQ(user["name"], "Another");
    EXPECT_EQ(must(anna.get("/auth/me"), 200), user);
    user = must(anna.patch("/auth/me", Json{{"location", nullptr}}), 200);
    EXPECT_TRUE(user["location"].is_null());
    EXPECT_EQ(user["name"], "Another");
    EXPECT_EQ(must(anna.patch("/auth/me", Json::object()), 200), user);
}

TEST(AccountsMe, DoesNotChangeWhatItDoesNotName)
{
    Person anna = sign_up();
    const Json user = must(anna.patch("/auth/me", Json{{"id", 1}, {"created_at", "2001-01-01T00:00:00Z"}}), 200);
    EXPECT_EQ(user, anna.user);
}

TEST(AccountsMe, RefusesWhatWouldBeTakenForDone)
{
    Person anna = sign_up();
    EXPECT_TRUE(
        is_invalid(anna.patch("/auth/me", Json{{"email", "other@example.org"}, {"password", "another password"}, {"name", "N"}}),
                   {"body.email", "body.password"}));
    EXPECT_EQ(must(anna.get("/auth/me"), 200), anna.user);
    must(anna.post("/auth/login", Json{{"username", anna.email}, {"password", anna.password}}), 200);
}

TEST(AccountsMe, RefusesBadFieldsAllAtOnceAndChangesNothing)
{
    Person anna = sign_up();
    EXPECT_TRUE(is_invalid(anna.patch("/auth/me", Json{{"name", ""}, {"location", {{"latitude", -90.5}, {"longitude", 200}}}}),
                           {"body.name", "body.location.latitude", "body.location.longitude"}));
    EXPECT_TRUE(is_invalid(anna.patch("/auth/me", Json{{"location", {{"latitude", 1}}}}), {"body.location.longitude"}));
    EXPECT_EQ(must(anna.get("/auth/me"), 200), anna.user);
}

TEST(AccountsMe, AsksForAToken)
{
    Caller anonymous;
    EXPECT_TRUE(is_problem(anonymous.get("/auth/me"), 401, "unauthenticated"));
    EXPECT_TRUE(is_problem(anonymous.patch("/auth/me", Json{{"name", "Nobody"}}), 401, "unauthenticated"));
}
