#include "table.hpp"

#include <algorithm>
#include <cstdio>

namespace boxoffice::bench
{
namespace
{

constexpr int kNarrowest = 9;

int width_of(const Column& column) { return std::max(kNarrowest, static_cast<int>(column.name.size())) + 2; }

}  // namespace

Table::Table(const std::string& title, std::vector<Column> columns) : columns_(std::move(columns))
{
    std::printf("\n%s\n%-8s", title.c_str(), "");
    for (const Column& column : columns_) std::printf("%*s", width_of(column), column.name.c_str());
    std::printf("\n");
    std::fflush(stdout);
}

void Table::print(const std::string& label, const std::vector<double>& values) const
{
    std::printf("%-8s", label.c_str());
    for (std::size_t i = 0; i < columns_.size(); ++i)
        std::printf("%*.*f", width_of(columns_[i]), columns_[i].decimals, values[i]);
    std::printf("\n");
    std::fflush(stdout);
}

void Table::add(const std::vector<double>& values)
{
    rows_.push_back(values);
    print("run " + std::to_string(rows_.size()), values);
}

std::vector<double> Table::close()
{
    std::vector<double> medians;
    for (std::size_t i = 0; i < columns_.size() && !rows_.empty(); ++i) {
        std::vector<double> values;
        for (const auto& row : rows_) values.push_back(row[i]);
        std::sort(values.begin(), values.end());
        const std::size_t middle = values.size() / 2;
        medians.push_back(values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2);
    }
    if (!medians.empty()) print("median", medians);
    return medians;
}

}  // namespace boxoffice::bench
