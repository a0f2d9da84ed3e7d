#include <libpq-fe.h>

#include <cstring>

#include "postgres/postgres.hpp"

namespace boxoffice
{

std::string why_bad_postgres_url(std::string_view url)
{
    if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) return "it does not begin with postgresql://";
    // What was meant for a password would be taken for a port and a database, and quoted in messages.
    const std::string_view place = url.substr(0, url.find('?'));
    const auto path = place.find('/', place.find("://") + 3);
    if (path != std::string_view::npos && place.find('@', path) != std::string_view::npos)
        return "an @ follows its first /; write a / in a password as %2F, and an @ as %40";
    const std::string text(url);
    char* complaint = nullptr;
    PQconninfoOption* const options = PQconninfoParse(text.c_str(), &complaint);
    std::string why;
    if (!options) {
        // The complaint quotes the URL, and with it the password.
        why = "PostgreSQL's library cannot read it; it looks like postgresql://USER:PASSWORD@HOST:PORT/DATABASE";
        if (complaint && std::strstr(complaint, "invalid percent-encoded"))
            why = "a % in it is not followed by two hexadecimal digits";
    }
    PQfreemem(complaint);
    PQconninfoFree(options);
    return why;
}

std::string hide_password(std::string_view url)
{
    std::string shown(url);
    const auto scheme = shown.find("://");
    if (scheme != std::string::npos) {
        const auto begin = scheme + 3;
        const auto end = std::min(shown.find('/', begin), shown.size());  // a ? before it is the password's, to libpq too
        const auto at = shown.rfind('@', end);
        const auto colon = at == std::string::npos || at < begin ? std::string::npos : shown.find(':', begin);
        if (colon != std::string::npos && colon < at) shown.replace(colon + 1, at - colon - 1, "***");
    }
    constexpr std::string_view kParameter = "password=";
    // Also the end of sslpassword; a URL that says it twice has told two.
    for (auto at = shown.find(kParameter); at != std::string::npos; at = shown.find(kParameter, at)) {
        at += kParameter.size();
        shown.replace(at, std::min(shown.find('&', at), shown.size()) - at, "***");
    }
    return shown;
}

}  // namespace boxoffice
