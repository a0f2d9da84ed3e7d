#include "app/copy.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace boxoffice
{

namespace
{

/// Rows per transaction: large enough that its sync costs little, small enough that little is done again after a failure.
constexpr std::size_t kPageRows = 1000;
/// Of the differences that are told; the rest is counted.
constexpr std::size_t kDifferencesReported = 10;

template <class Row>
std::vector<Row> rows_of(ArchivePage page)
{
    return std::get<std::vector<Row>>(std::move(page));
}

/// The rows of a page by their keys.
template <class Row>
class ByKey
{
public:
    explicit ByKey(ArchivePage page) : rows_(rows_of<Row>(std::move(page)))
    {
        for (const Row& row : rows_) places_.emplace(key_of(row), &row);
    }
    ~ByKey() = default;
    ByKey(const ByKey&) = delete;
    ByKey& operator=(const ByKey&) = delete;

    [[nodiscard]] const Row* find(const Row& like) const
    {
        const auto found = places_.find(key_of(like));
        return found == places_.end() ? nullptr : found->second;
    }

private:
    std::vector<Row> rows_;
    std::map<decltype(key_of(std::declval<Row>())), const Row*> places_;
};

class Copy
{
public:
    Copy(ArchiveSource& source, ArchiveTarget& target, const CopyProgress& progress)
        : source_(source), target_(target), progress_(progress)
    {
    }

    Result<CopyReport> run()
    {
        for_each_table([&]<class Row>() { count<Row>(); });
        std::optional<std::string> why;
        for_each_table([&]<class Row>() {
            if (!why) why = why_not<Row>();
        });
        if (why) return Error{Code::invalid, std::move(*why)};
        // Before any row: what a server sells that is started meanwhile has numbers that no row of the source has.
        for_each_table([&]<class Row>() { give_ids<Row>(); });
        for_each_table([&]<class Row>() { copy<Row>(); });
        for_each_table([&]<class Row>() { verify<Row>(); });
        report_.counters = target_.wrong_counters();
        target_.finish_copy();
        // Last, so that no copy is called a success while another process writes into the target.
        target_.still_alone();
        step(0);
        return std::move(report_);
    }

private:
    template <class Row>
    static ArchivePage table()
    {
        return std::vector<Row>{};
    }

    template <class Row>
    CopiedTable& line()
    {
        return report_.tables[ArchivePage(std::vector<Row>{}).index()];
    }

    /// Calls work(page) for each page of a table.
    template <class Row, class Work>
    static void walk(ArchiveSource& store, const Work& work)
    {
        for (ArchivePage page = store.next(table<Row>(), kPageRows); !std::get<std::vector<Row>>(page).empty();
             page = store.next(page, kPageRows))
            work(page);
    }

    template <class Row>
    void count()
    {
        CopiedTable line{.table = Row::kTable};
        line.rows = source_.count(table<Row>());
        total_ += target_.count(table<Row>()) + 2 * line.rows;  // looked at, copied, compared
        report_.tables.push_back(line);
    }

    void step(std::size_t rows)
    {
        done_ += static_cast<std::int64_t>(rows);
        progress_(std::min(done_, total_), total_);
    }

    /// A sentence when the target's table holds what no earlier copy of this source can have put there.
    template <class Row>
    std::optional<std::string> why_not()
    {
        constexpr std::string_view kCure =
            " The target has been used by a server of its own, or for another store, and what it holds would be lost: copy into "
            "an "
            "empty database.";
        std::optional<std::string> why;
        const std::int64_t last_effect = source_.last_id(table<OutboxRow>());
        const UserId last_user{source_.last_id(table<UserRow>())};
        // Whether the source can have had the row and dropped it: a number that it has never given it has not had.
        const auto dropped = [&](const Row& row) {
            if constexpr (std::is_same_v<Row, OutboxRow>) return row.id <= last_effect;
            if constexpr (std::is_same_v<Row, KeptAnswerRow>) return row.user_id <= last_user;
            return Row::kLife == RowLife::passing;
        };
        walk<Row>(target_, [&](const ArchivePage& page) {
            if (why) return;
            const ByKey<Row> there(source_.find(page));
            for (const Row& row : std::get<std::vector<Row>>(page)) {
                const Row* const now = there.find(row);
                if (now ? may_have_become(row, *now) : dropped(row)) continue;
                why = now ? "The target's " + name_of_row(row) + " is not what the source's has been." + std::string(kCure)
                          : "The target has " + name_of_row(row) + ", which the source does not have." + std::string(kCure);
                return;
            }
            step(std::get<std::vector<Row>>(page).size());
        });
        return why;
    }

    template <class Row>
    void give_ids()
    {
        if (Row::kGivesIds) target_.give_ids_after(table<Row>(), source_.last_id(table<Row>()));
    }

    template <class Row>
    void copy()
    {
        CopiedTable& line = this->line<Row>();
        walk<Row>(source_, [&](const ArchivePage& page) {
            const ByKey<Row> there(target_.find(page));
            std::vector<Row> changed;
            for (const Row& row : std::get<std::vector<Row>>(page)) {
                const Row* const old = there.find(row);
                if (!old || !differing_columns(row, *old).empty()) changed.push_back(row);
            }
            const std::size_t rows = std::get<std::vector<Row>>(page).size();
            line.copied += static_cast<std::int64_t>(changed.size());
            line.there += static_cast<std::int64_t>(rows - changed.size());
            if (!changed.empty()) target_.put(std::move(changed));
            step(rows);
        });
        if (target_.count(table<Row>()) > line.rows) remove_dropped<Row>(line);
    }

    /// Only ever rows that come and go: of all others why_not() has seen that the source has them.
    template <class Row>
    void remove_dropped(CopiedTable& line)
    {
        if (Row::kLife != RowLife::passing) return;
        walk<Row>(target_, [&](const ArchivePage& page) {
            const ByKey<Row> there(source_.find(page));
            std::vector<Row> dropped;
            for (const Row& row : std::get<std::vector<Row>>(page))
                if (!there.find(row)) dropped.push_back(row);
            line.removed += static_cast<std::int64_t>(dropped.size());
            if (!dropped.empty()) target_.remove(std::move(dropped));
        });
    }

    void differs(CopiedTable& line, std::string sentence)
    {
        ++line.differing;
        if (report_.differences.size() < kDifferencesReported) report_.differences.push_back(std::move(sentence));
    }

    template <class Row>
    void verify()
    {
        CopiedTable& line = this->line<Row>();
        walk<Row>(source_, [&](const ArchivePage& page) {
            const ByKey<Row> there(target_.find(page));
            for (const Row& row : std::get<std::vector<Row>>(page)) {
                const Row* const copied = there.find(row);
                const std::string columns = copied ? differing_columns(row, *copied) : "";
                if (!copied)
                    differs(line, name_of_row(row) + " is missing in the target");
                else if (!columns.empty())
                    differs(line, name_of_row(row) + " differs in " + columns);
            }
            step(std::get<std::vector<Row>>(page).size());
        });
        // The other way round: with every row of the source found and as many in the target, there is no other.
        if (line.differing == 0 && target_.count(table<Row>()) == line.rows) return;
        walk<Row>(target_, [&](const ArchivePage& page) {
            const ByKey<Row> there(source_.find(page));
            for (const Row& row : std::get<std::vector<Row>>(page))
                if (!there.find(row)) differs(line, name_of_row(row) + " is in the target only");
        });
    }

    ArchiveSource& source_;
    ArchiveTarget& target_;
    const CopyProgress& progress_;
    CopyReport report_;
    std::int64_t done_ = 0;
    std::int64_t total_ = 0;
};

}  // namespace

Result<CopyReport> copy_archive(ArchiveSource& source, ArchiveTarget& target, const CopyProgress& progress)
{
    return Copy(source, target, progress).run();
}

}  // namespace boxoffice
