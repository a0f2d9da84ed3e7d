#include "demo/people.hpp"

#include <array>

#include "demo/compose.hpp"

namespace boxoffice::demo
{

namespace
{

constexpr std::size_t kLocalPartMax = 56;  // of the 64 octets of RFC 5321, so that a number has room

struct Folded {
    std::string_view letter;
    std::string_view ascii;
};

constexpr std::array kFolds = {
    Folded{"á", "a"},  Folded{"à", "a"},  Folded{"â", "a"},  Folded{"ã", "a"}, Folded{"ä", "ae"}, Folded{"å", "a"},
    Folded{"ç", "c"},  Folded{"ć", "c"},  Folded{"č", "c"},  Folded{"é", "e"}, Folded{"è", "e"},  Folded{"ê", "e"},
    Folded{"ë", "e"},  Folded{"É", "e"},  Folded{"í", "i"},  Folded{"ï", "i"}, Folded{"î", "i"},  Folded{"ı", "i"},
    Folded{"ł", "l"},  Folded{"ñ", "n"},  Folded{"ń", "n"},  Folded{"ó", "o"}, Folded{"ô", "o"},  Folded{"õ", "o"},
    Folded{"ö", "oe"}, Folded{"Ö", "oe"}, Folded{"ø", "o"},  Folded{"ř", "r"}, Folded{"š", "s"},  Folded{"ş", "s"},
    Folded{"Ş", "s"},  Folded{"ś", "s"},  Folded{"ü", "ue"}, Folded{"ú", "u"}, Folded{"ð", "d"},  Folded{"Ç", "c"},
};

std::string local_part(std::string_view name)
{
    std::string local;
    while (!name.empty() && local.size() < kLocalPartMax) {
        std::size_t taken = 1;
        const char letter = name[0];
        if ((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9')) {
            local += letter;
        } else if (letter >= 'A' && letter <= 'Z') {
            local += static_cast<char>(letter - 'A' + 'a');
        } else if (static_cast<unsigned char>(letter) < 0x80) {
            if (letter == ' ' && !local.empty() && local.back() != '.') local += '.';
        } else {
            for (const Folded& fold : kFolds) {
                if (!name.starts_with(fold.letter)) continue;
                local += fold.ascii;
                taken = fold.letter.size();
                break;
            }
        }
        name.remove_prefix(taken);
    }
    while (!local.empty() && local.back() == '.') local.pop_back();
    return local.empty() ? "someone" : local;
}

}  // namespace

std::string Mailboxes::open(std::string_view name)
{
    const std::string wanted = local_part(name);
    std::string local = wanted;
    // A person may be called like another one's name and number.
    while (!taken_.insert(local).second) {
        int& last = last_of_[wanted];
        last = last == 0 ? 2 : last + 1;
        local = wanted + std::to_string(last);
    }
    return local + "@example.org";
}

DemoPerson draw_buyer(const Town& town, Mailboxes& mailboxes, Dice& dice)
{
    DemoPerson person;
    person.name = draw_person(town.country, dice);
    person.email = mailboxes.open(person.name);
    person.home = degrees(draw_point_near(town, dice));
    return person;
}

DemoPerson draw_organizer(const Town& town, Mailboxes& mailboxes, Dice& dice)
{
    const std::string person = draw_person(town.country, dice);
    const std::string brand(dice.pick(act_adjectives()));
    const std::string company = ' ' + std::string(dice.pick(company_suffixes()));
    DemoPerson organizer;
    switch (dice.below(4)) {
        case 0:
            organizer.name = person;
            break;
        case 1:
            organizer.name = std::string(town.name) + company;
            break;
        case 2:
            organizer.name = brand + company;
            break;
        default:
            organizer.name = person.substr(person.find(' ') + 1) + company;
            break;
    }
    organizer.email = mailboxes.open(organizer.name);
    organizer.home = degrees(draw_point_near(town, dice));
    return organizer;
}

}  // namespace boxoffice::demo
