#pragma once
#include <string>
#include <vector>

namespace boxoffice::bench
{

struct Column {
    std::string name;
    int decimals = 0;
};

/// Prints a line as each run ends and the median of every column at the close.
class Table
{
public:
    Table(const std::string& title, std::vector<Column> columns);
    void add(const std::vector<double>& values);
    /// Prints and returns the medians, column by column.
    std::vector<double> close();

private:
    void print(const std::string& label, const std::vector<double>& values) const;

    std::vector<Column> columns_;
    std::vector<std::vector<double>> rows_;
};

}  // namespace boxoffice::bench
