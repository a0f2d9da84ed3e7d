#include "sqlite/words.hpp"

#include <new>

namespace boxoffice::sqlite
{

namespace
{

/// A tokenizer of FTS5's that is given back. Asking SQLite for its own keeps a table of Unicode, which would differ from the
/// index's, out of this house.
class Tokenizer
{
public:
    explicit Tokenizer(Connection& db)
    {
        fts5_api* const fts5 = fts5_of(db);
        void* context = nullptr;
        check(fts5->xFindTokenizer(fts5, "unicode61", &context, &functions_));
        // As in the schema's tokenize = 'unicode61 remove_diacritics 2'.
        const char* options[] = {"remove_diacritics", "2"};
        check(functions_.xCreate(context, options, 2, &made_));
    }
    ~Tokenizer() { functions_.xDelete(made_); }
    Tokenizer(const Tokenizer&) = delete;
    Tokenizer& operator=(const Tokenizer&) = delete;

    void split(std::string_view text, std::set<std::string>& words)
    {
        check(functions_.xTokenize(made_, &words, FTS5_TOKENIZE_QUERY, text.data(), static_cast<int>(text.size()), keep));
    }

private:
    /// FTS5 hands its functions out through a pointer bound to a statement, and in no other way.
    static fts5_api* fts5_of(Connection& db)
    {
        fts5_api* fts5 = nullptr;
        sqlite3_stmt* statement = nullptr;
        int code = sqlite3_prepare_v2(db.handle(), "SELECT fts5(?1)", -1, &statement, nullptr);
        if (code == SQLITE_OK) code = sqlite3_bind_pointer(statement, 1, static_cast<void*>(&fts5), "fts5_api_ptr", nullptr);
        if (code == SQLITE_OK) sqlite3_step(statement);
        const int ended = sqlite3_finalize(statement);
        check(code == SQLITE_OK ? ended : code);
        if (!fts5) check(SQLITE_ERROR);
        return fts5;
    }

    static void check(int code)
    {
        if (code != SQLITE_OK) throw SqliteError(code, std::string("cannot cut a text into words: ") + sqlite3_errstr(code));
    }

    /// Called by C, through which nothing may be thrown.
    static int keep(void* words, int, const char* word, int bytes, int, int) noexcept
    {
        try {
            static_cast<std::set<std::string>*>(words)->emplace(word, static_cast<std::size_t>(bytes));
            return SQLITE_OK;
        } catch (const std::bad_alloc&) {
            return SQLITE_NOMEM;
        }
    }

    fts5_tokenizer functions_{};
    Fts5Tokenizer* made_ = nullptr;
};

}  // namespace

std::set<std::string> words_of(Connection& db, std::string_view text)
{
    std::set<std::string> words;
    if (!text.empty()) Tokenizer(db).split(text, words);
    return words;
}

}  // namespace boxoffice::sqlite
