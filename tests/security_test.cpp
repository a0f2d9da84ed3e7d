#include "security/security.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace boxoffice
{
namespace
{

using namespace std::string_literals;

TEST(Bcrypt, ReadsAHashMadeByPasslib)
{
    const auto hasher = make_bcrypt(4);
    const std::string passlib = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
    EXPECT_TRUE(hasher->matches("secret", passlib));
    EXPECT_FALSE(hasher->matches("secret2", passlib));
    EXPECT_FALSE(hasher->matches("Secret", passlib));
}

TEST(Bcrypt, MatchesWhatItHashedAndNothingElse)
{
    const auto hasher = make_bcrypt(4);
    const std::string hash = hasher->hash("correct horse");
    EXPECT_EQ(hash.size(), 60U);
    EXPECT_TRUE(hash.starts_with("$2b$04$"));
    EXPECT_TRUE(hasher->matches("correct horse", hash));
    EXPECT_FALSE(hasher->matches("correct horsf", hash));
    EXPECT_FALSE(hasher->matches("correct hors", hash));
    EXPECT_FALSE(hasher->matches("", hash));
    EXPECT_NE(hasher->hash("correct horse"), hash) << "two hashes with one salt";
}

TEST(Bcrypt, MatchesTheOlderNamesOfTheSameAlgorithm)
{
    const auto hasher = make_bcrypt(4);
    std::string hash = hasher->hash("correct horse");
    for (const char minor : {'a', 'y'}) {
        hash[2] = minor;
        EXPECT_TRUE(hasher->matches("correct horse", hash)) << hash;
    }
    hash[2] = 'x';
    EXPECT_FALSE(hasher->matches("correct horse", hash)) << hash;
}

TEST(Bcrypt, NeverCutsAPasswordShort)
{
    const auto hasher = make_bcrypt(4);
    const std::string most(72, 'a');
    const std::string hash = hasher->hash(most);
    EXPECT_TRUE(hasher->matches(most, hash));
    EXPECT_FALSE(hasher->matches(most + "b", hash));
    EXPECT_FALSE(hasher->matches(most + std::string(10'000, 'b'), hash));
    EXPECT_FALSE(hasher->matches("correct\0horse"s, hasher->hash("correct")));
    EXPECT_THROW((void)hasher->hash(most + "b"), std::invalid_argument);
    EXPECT_THROW((void)hasher->hash("correct\0horse"s), std::invalid_argument);
}

TEST(Bcrypt, MatchesNoHashThatItCannotRead)
{
    const auto hasher = make_bcrypt(4);
    const std::string good = hasher->hash("secret12");
    for (const std::string& bad :
         {""s, "secret12"s, "*0"s, "*1"s, good.substr(0, 59), good + "x", "$1$abcdefgh$"s, "$2b$31$" + good.substr(7),
          "$2b$16$" + good.substr(7), "$2b$03$" + good.substr(7), "$2b$xx$" + good.substr(7), "$2b$04$" + std::string(53, '!'),
          "$2b$04$" + std::string(53, '\0')}) {
        EXPECT_FALSE(hasher->matches("secret12", bad)) << bad;
    }
}

// Of processor time, so that what else the machine does is not counted.
double seconds_of(const std::function<void()>& work)
{
    const auto spent = [] {
        timespec time{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    };
    double best = 1e9;
    for (int i = 0; i < 3; ++i) {
        const double begin = spent();
        work();
        best = std::min(best, spent() - begin);
    }
    return best;
}

TEST(Bcrypt, CostsTheSameWhetherOrNotThereIsAnythingToMatch)
{
    const auto hasher = make_bcrypt(9);
    const std::string hash = hasher->hash("secret12");
    const double match = seconds_of([&] { (void)hasher->matches("secret12", hash); });
    for (const auto& [what, time] : std::vector<std::pair<std::string, double>>{
             {"mismatch", seconds_of([&] { (void)hasher->matches("secret13", hash); })},
             {"NUL", seconds_of([&] { (void)hasher->matches("\0"s, hash); })},
             {"long", seconds_of([&] { (void)hasher->matches(std::string(5000, 'x'), hash); })},
             {"unreadable", seconds_of([&] { (void)hasher->matches("secret12", "x"); })},
             {"bad salt", seconds_of([&] { (void)hasher->matches("secret12", "$2b$09$" + std::string(53, '!')); })},
             {"nobody", seconds_of([&] { hasher->waste("secret12"); })},
         }) {
        EXPECT_GT(time, match * 0.5) << what;  // a shortcut would cost a thousandth
        EXPECT_LT(time, match * 2) << what;
    }
}

TEST(Bcrypt, EvensOutWhatARefusalCostsToTheDearestHashThereIs)
{
    const auto hasher = make_bcrypt(5);
    const std::string cheap = make_bcrypt(6)->hash("secret12");
    const std::string dear = make_bcrypt(9)->hash("secret12");
    const double dearest = seconds_of([&] { (void)hasher->matches("secret13", dear); });
    for (const auto& [what, time] : std::vector<std::pair<std::string, double>>{
             {"an old hash", seconds_of([&] {
                  (void)hasher->matches("secret13", cheap);
                  hasher->even_out("secret13", cheap, dear);
              })},
             {"the dearest", seconds_of([&] {
                  (void)hasher->matches("secret13", dear);
                  hasher->even_out("secret13", dear, dear);
              })},
             {"nobody", seconds_of([&] { hasher->even_out("secret13", "", dear); })},
             {"unreadable", seconds_of([&] {
                  (void)hasher->matches("secret13", "x");
                  hasher->even_out("secret13", "x", dear);
              })},
         }) {
        EXPECT_GT(time, dearest * 0.5) << what;
        EXPECT_LT(time, dearest * 2) << what;
    }
    const double own = seconds_of([&] { hasher->waste("secret13"); });
    EXPECT_LT(seconds_of([&] { hasher->even_out("secret13", "", ""); }), own * 2) << "there are no accounts";
}

TEST(Bcrypt, KnowsAHashThatIsToBeMadeAnew)
{
    const auto hasher = make_bcrypt(5);
    const std::string mine = hasher->hash("secret12");
    EXPECT_FALSE(hasher->is_outdated(mine));
    EXPECT_TRUE(hasher->is_outdated(make_bcrypt(4)->hash("secret12")));
    EXPECT_TRUE(hasher->is_outdated(make_bcrypt(6)->hash("secret12")));
    EXPECT_TRUE(hasher->is_outdated("$2y$" + mine.substr(4)));
    EXPECT_TRUE(hasher->is_outdated("!"));
}

TEST(Bcrypt, IsRefusedACostOutOfReason)
{
    for (const int cost : {-1, 0, 3, 16, 31}) EXPECT_THROW((void)make_bcrypt(cost), std::invalid_argument) << cost;
}

TEST(Bcrypt, ServesManyThreads)
{
    const auto hasher = make_bcrypt(4);
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            const std::string password = "password of " + std::to_string(t);
            for (int i = 0; i < 5; ++i) {
                const std::string hash = hasher->hash(password);
                if (hasher->matches(password, hash) && !hasher->matches(password + "x", hash)) ++good;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(good, 20);
}

TEST(Digest, KnowsTheVectorsOfFips180)
{
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(RandomHex, IsAsLongAsAskedAndNeverTheSame)
{
    for (const std::size_t bytes : {0U, 1U, 8U, 16U, 32U, 33U, 1000U}) {
        const std::string text = random_hex(bytes);
        EXPECT_EQ(text.size(), bytes * 2);
        EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
    }
    std::set<std::string> seen;
    std::array<std::vector<std::string>, 4> made;
    std::vector<std::thread> threads;
    for (auto& mine : made) {
        threads.emplace_back([&mine] {
            for (int i = 0; i < 1000; ++i) mine.push_back(random_hex(16));
        });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& mine : made) seen.insert(mine.begin(), mine.end());
    EXPECT_EQ(seen.size(), 4000U);
}

TEST(WhyWeak, RefusesWhatCanBeGuessed)
{
    for (const std::string& weak : {
             ""s,
             "secret"s,
             "changeme"s,
             "your-256-bit-secret"s,
             std::string(31, 'x'),
             std::string(64, 'a'),
             "a-string-secret-at-least-256-bits-long"s,
             "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"s,
             "09D25E094FAA6CA2556C818166B7A9563B93F7099F6F0F4CAA6CF63B88E8D3E7"s,
             "secretsecretsecretsecretsecretsecret"s,
             "please-change-this-key-in-production-now"s,
             "Change_Me_Before_You_Go_Live_0123456789"s,
             "0123456789abcdef0123456789abcdef"s,
             "abcdefghijklmnopqrstuvwxyz012345"s,
             "zyxwvutsrqponmlkjihgfedcba987654"s,
             "aabbccddeeffgghhiijjkkllmmnnooppqq"s,
             "1231231231231231231231231231231231"s,
             std::string(40, '\0'),
             "101001110100101011101010101101010010"s,
         }) {
        EXPECT_NE(why_weak(weak), "") << weak;
    }
}

TEST(WhyWeak, AcceptsWhatCannot)
{
    EXPECT_EQ(why_weak("3f1c9a7be04d52886e1fb0c3a9d47e25"), "");
    EXPECT_EQ(why_weak("qU3x0hZ5v9T1mKc8rWJ2eYb7LnGfA4sD6pXoEiHtVwM="), "");
    for (int i = 0; i < 200; ++i) ASSERT_EQ(why_weak(random_hex(32)), "");
}

class SecretFile : public ::testing::Test
{
protected:
    void SetUp() override
    {
        std::string name = (std::filesystem::temp_directory_path() / "boxoffice-secret-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path file() const { return folder_ / "secret"; }

    void put(std::string_view text, mode_t mode) const
    {
        std::ofstream(file()) << text;
        ASSERT_EQ(::chmod(file().c_str(), mode), 0);
    }

    std::string complaint() const
    {
        try {
            (void)load_or_make_secret(file());
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    }

    std::filesystem::path folder_;
};

TEST_F(SecretFile, IsMadeOnFirstUseForItsOwnerAlone)
{
    const std::string secret = load_or_make_secret(file());
    EXPECT_EQ(secret.size(), 64U);
    struct stat status{};
    ASSERT_EQ(::stat(file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(load_or_make_secret(file()), secret);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1) << "something was left lying about";
}

TEST_F(SecretFile, IsTheSameForAllWhoStartAtOnce)
{
    std::array<std::string, 8> secrets;
    std::vector<std::thread> threads;
    for (auto& secret : secrets) threads.emplace_back([this, &secret] { secret = load_or_make_secret(file()); });
    for (auto& thread : threads) thread.join();
    for (const auto& secret : secrets) EXPECT_EQ(secret, secrets.front());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(SecretFile, IsReadWithoutItsLastNewline)
{
    put("3f1c9a7be04d52886e1fb0c3a9d47e25\r\n", 0400);
    EXPECT_EQ(load_or_make_secret(file()), "3f1c9a7be04d52886e1fb0c3a9d47e25");
}

TEST_F(SecretFile, IsRefusedWhenOthersMayReadIt)
{
    for (const mode_t mode : {0604U, 0640U, 0660U, 0602U, 0644U}) {
        put("3f1c9a7be04d52886e1fb0c3a9d47e25", mode);
        EXPECT_NE(complaint().find("others may read"), std::string::npos) << complaint();
    }
}

TEST_F(SecretFile, IsRefusedWhenItIsWeakAndStaysAsItWas)
{
    put("changeme", 0600);
    EXPECT_NE(complaint().find("32 are needed"), std::string::npos) << complaint();
    EXPECT_EQ(complaint().find("changeme"), std::string::npos) << "the secret itself was told";
    put("", 0600);
    EXPECT_NE(complaint(), "");
    EXPECT_EQ(std::filesystem::file_size(file()), 0U);
    put(std::string(5000, 'x'), 0600);
    EXPECT_NE(complaint().find("too long"), std::string::npos) << complaint();
}

TEST_F(SecretFile, IsRefusedWhenItIsNoFile)
{
    std::filesystem::create_directory(file());
    EXPECT_NE(complaint().find("not a file"), std::string::npos) << complaint();
}

TEST_F(SecretFile, SaysWhichFolderIsMissing)
{
    EXPECT_THROW((void)load_or_make_secret(folder_ / "nowhere" / "secret"), std::runtime_error);
}

}  // namespace
}  // namespace boxoffice
