#include <regex>
#include <set>
#include <sstream>

#include "scene.hpp"

using namespace blackbox;
using namespace std::chrono_literals;

namespace
{

Answer get(const std::string& target)
{
    Client client(box_office());
    return client.get(target);
}

/// The targets that a page makes a browser load: scripts, styles, pictures, frames.
std::vector<std::string> loads_of(const std::string& html)
{
    static const std::regex tag(R"re(<(script|link|img|iframe|source|object|embed|use|video|audio)\b[^>]*>)re",
                                std::regex::icase);
    static const std::regex target(R"re(\b(src|href|data|srcset)\s*=\s*["']?([^"'\s>]+))re", std::regex::icase);
    std::vector<std::string> targets;
    for (std::sregex_iterator it(html.begin(), html.end(), tag), end; it != end; ++it) {
        const std::string text = it->str();
        for (std::sregex_iterator in(text.begin(), text.end(), target); in != end; ++in) targets.push_back((*in)[2].str());
    }
    return targets;
}

bool is_elsewhere(const std::string& target) { return target.starts_with("//") || target.find("://") != std::string::npos; }

double metric(const std::string& name)
{
    const std::string text = "\n" + get("/metrics").body;
    const auto at = text.find("\n" + name + " ");
    if (at == std::string::npos) throw std::runtime_error("no metric " + name);
    return std::stod(text.substr(at + name.size() + 2));
}

}  // namespace

TEST(Health, IsAlwaysGoodWhileTheServerLives)
{
    const Answer answer = get("/health");
    EXPECT_TRUE(has_status(answer, 200));
    EXPECT_EQ(answer.body, get("/health").body);
}

TEST(Health, SaysWhetherItIsReady)
{
    const Answer answer = get("/health/ready");
    EXPECT_TRUE(has_status(answer, 200));
    EXPECT_TRUE(answer.json().is_object());
}

TEST(Metrics, AreInThePrometheusTextFormat)
{
    Person anna = sign_up();
    reserve(anna, make_event(anna)["id"]);
    const Answer answer = get("/metrics");
    ASSERT_TRUE(has_status(answer, 200));
    EXPECT_TRUE(answer.header("content-type").starts_with("text/plain")) << answer.header("content-type");
    static const std::regex sample(R"re([a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*(\{[^}]*\}[^}]*)*\})? (NaN|[+-]Inf|[-+0-9.eE]+))re");
    std::istringstream lines(answer.body);
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && line[0] != '#') EXPECT_TRUE(std::regex_match(line, sample)) << line;
    }
    for (const char* name : {"boxoffice_http_requests_total{", "boxoffice_holds_active", "boxoffice_hold_release_lag_seconds",
                             "# TYPE ", "# HELP "}) {
        EXPECT_NE(answer.body.find(name), std::string::npos) << name;
    }
}

TEST(Metrics, CountTheHoldsThatAreLive)
{
    Person anna = sign_up();
    reserve(anna, make_event(anna)["id"]);
    const auto deadline = std::chrono::steady_clock::now() + 3s;
    while (metric("boxoffice_holds_active") < 1) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
}

TEST(Metrics, NameRoutesAndNeverWhatWasAskedFor)
{
    const std::string word = fresh_word();
    Person anna = sign_up();
    (void)get("/api/v1/events/771122334455");
    (void)get("/" + word);
    (void)get("/api/v1/events/?q=" + word);
    const std::string text = get("/metrics").body;
    EXPECT_EQ(text.find("771122334455"), std::string::npos);
    EXPECT_EQ(text.find(word), std::string::npos);
    EXPECT_EQ(text.find(anna.email), std::string::npos);
}

TEST(OpenApi, IsVersion31AndKnowsEveryRouteOfTheContract)
{
    const Answer answer = get("/openapi.json");
    ASSERT_TRUE(has_status(answer, 200));
    EXPECT_TRUE(answer.header("content-type").find("json") != std::string::npos) << answer.header("content-type");
    const Json document = answer.json();
    EXPECT_TRUE(document["openapi"].get<std::string>().starts_with("3.1"));
    using Row = std::pair<const char*, std::vector<const char*>>;
    for (const auto& [path, methods] :
         {Row{"/auth/register", {"post"}}, Row{"/auth/login", {"post"}}, Row{"/auth/me", {"get", "patch"}},
          Row{"/events/", {"get", "post"}}, Row{"/events/{id}", {"get", "patch", "delete"}}, Row{"/tickets/", {"post"}},
          Row{"/tickets/{id}", {"get"}}, Row{"/tickets/user/{user_id}", {"get"}}, Row{"/tickets/{id}/pay", {"post"}},
          Row{"/tickets/{id}/cancel", {"post"}}, Row{"/for-you/events/nearby", {"get"}},
          Row{"/for-you/events/recommended", {"get"}}}) {
        // A path's parameters may bear other names, and the prefix may stand with the servers.
        const std::regex wanted("(/api/v1)?" + std::regex_replace(std::string(path), std::regex(R"(\{\w+\})"), R"(\{\w+\})"));
        bool found = false;
        for (const auto& [name, item] : document["paths"].items()) {
            if (!std::regex_match(name, wanted)) continue;
            found = true;
            for (const char* method : methods) EXPECT_TRUE(item.contains(method)) << method << " " << name;
        }
        EXPECT_TRUE(found) << path;
    }
}

TEST(OpenApi, DescribesThePasswordFlowSoThatAuthorizeWorks)
{
    const Json document = get("/openapi.json").json();
    bool found = false;
    for (const auto& [name, scheme] : document["components"]["securitySchemes"].items()) {
        if (scheme.value("type", "") != "oauth2") continue;
        const std::string target = scheme["flows"]["password"]["tokenUrl"];
        EXPECT_TRUE(target.ends_with("/auth/login") && !is_elsewhere(target)) << target;
        found = true;
    }
    EXPECT_TRUE(found);
}

TEST(OpenApi, IsThereAsYamlToo)
{
    const Answer answer = get("/openapi.yaml");
    ASSERT_TRUE(has_status(answer, 200));
    EXPECT_NE(answer.header("content-type").find("yaml"), std::string::npos) << answer.header("content-type");
    EXPECT_TRUE(std::regex_search(answer.body.substr(0, 2000), std::regex(R"(openapi:\s*["']?3\.1)")));
}

TEST(Pages, LoadNothingFromAnotherHost)
{
    for (const char* page : {"/", "/docs", "/redoc"}) {
        const Answer answer = get(page);
        ASSERT_TRUE(has_status(answer, 200)) << page;
        EXPECT_TRUE(answer.header("content-type").starts_with("text/html")) << page;
        EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << page;
        for (const std::string& target : loads_of(answer.body)) {
            EXPECT_FALSE(is_elsewhere(target)) << page << " loads " << target;
            if (!target.starts_with('/')) continue;
            const Answer part = get(target.substr(0, target.find('#')));
            EXPECT_TRUE(has_status(part, 200)) << page << " loads " << target;
            EXPECT_FALSE(part.body.empty()) << target;
            if (target.ends_with(".js")) EXPECT_NE(part.header("content-type").find("javascript"), std::string::npos) << target;
            if (!target.ends_with(".css")) continue;
            EXPECT_TRUE(part.header("content-type").starts_with("text/css")) << target;
            for (const char* way_out : {"url(http", "url(//", "url(\"http", "url('http", "@import"}) {
                EXPECT_EQ(part.body.find(way_out), std::string::npos) << target << " has " << way_out;
            }
        }
    }
}

TEST(Pages, HaveAStrictContentSecurityPolicy)
{
    for (const char* page : {"/", "/docs", "/redoc"}) {
        const std::string policy = get(page).header("content-security-policy");
        EXPECT_NE(policy.find("default-src"), std::string::npos) << page;
        std::istringstream directives(policy);
        for (std::string directive; std::getline(directives, directive, ';');) {
            std::istringstream words(directive);
            std::string name;
            words >> name;
            for (std::string source; words >> source;) {
                const bool lets_out = source == "*" || source.find("http") == 0 || source.find('.') != std::string::npos;
                EXPECT_FALSE(lets_out) << page << ": " << directive;
                EXPECT_FALSE(source == "'unsafe-eval'" || (name == "script-src" && source == "'unsafe-inline'"))
                    << page << ": " << directive;
            }
        }
    }
}

TEST(Pages, AnswerTheSameWithASlashAtTheEnd)
{
    for (const char* page : {"/docs", "/redoc"}) EXPECT_EQ(get(std::string(page) + "/").body, get(page).body);
}
