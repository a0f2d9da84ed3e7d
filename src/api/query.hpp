#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/cursor.hpp"
#include "api/form.hpp"
#include "core/limits.hpp"
#include "core/model.hpp"
#include "core/result.hpp"
#include "json/json.hpp"

namespace boxoffice::http
{

/// One page of a list, as asked for.
struct Slice {
    std::int64_t skip = 0;
    std::int64_t limit = kPageMax;
};

/// Reads query parameters by type and notes every one that is wrong under {"query", name}; reading goes on with
/// the fallback.
class Query
{
public:
    /// Notes every parameter that is not among `known`, names with spaces between. Error malformed when the text cannot be
    /// decoded or gives a parameter twice, which two readers could read in two ways.
    [[nodiscard]] static Result<Query> parse(std::string_view encoded, std::string_view known);

    [[nodiscard]] bool has(std::string_view name) const { return find_field(fields_, name) != nullptr; }
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name);
    /// An id is at least 1.
    [[nodiscard]] std::optional<std::int64_t> id(std::string_view name);
    [[nodiscard]] std::optional<double> number(std::string_view name);
    /// true, 1, yes or on, or their opposites, in any case; false when left out.
    [[nodiscard]] bool flag(std::string_view name);
    [[nodiscard]] std::string text(std::string_view name);
    /// Words to search for: refused when it is there and has none.
    [[nodiscard]] std::string words(std::string_view name);
    /// A time without an offset is UTC: a list has no zone of its own. A space where the offset's '+' would be is that '+',
    /// which forms decode so.
    [[nodiscard]] std::optional<Instant> time(std::string_view name);
    [[nodiscard]] std::optional<TicketStatus> status(std::string_view name);
    /// `skip` and `limit`.
    [[nodiscard]] Slice slice(std::int64_t limit_unless_given);
    /// `after`: what a link of the same list gave.
    template <class Key>
    [[nodiscard]] std::optional<Cursor<Key>> after(const Slice& slice)
    {
        Cursor<Key> cursor;
        const std::string* text = find_field(fields_, "after");
        if (text == nullptr) return std::nullopt;
        if (!read_cursor(*text, cursor)) {
            refuse("after", "Input should be what a Link of this list gave", "cursor");
        } else if (slice.skip > 0) {
            refuse("skip", "Input should be left out beside after", "cursor");
        }
        return cursor;
    }
    /// `fields`.
    [[nodiscard]] Fields fields();

    void refuse(std::string_view name, std::string msg, std::string_view type);
    [[nodiscard]] bool good() const { return errors_.empty(); }
    [[nodiscard]] std::vector<FieldError>& errors() { return errors_; }
    /// Error invalid with everything that was noted.
    [[nodiscard]] Error error();

private:
    explicit Query(FormFields fields) : fields_(std::move(fields)) {}

    FormFields fields_;
    std::vector<FieldError> errors_;
};

}  // namespace boxoffice::http
