#include "tools/rqfsctl/table.h"

#include "tools/control/text.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rqfs::tools {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<std::string> cells) {
    assert(cells.size() == columns_.size());
    for (auto& cell : cells) cell = printable(cell);
    rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out) const {
    std::vector<std::string> titles;
    std::vector<std::size_t> widths;
    for (auto const& column : columns_) {
        titles.push_back(column.title);
        widths.push_back(display_width(column.title));
    }
    for (auto const& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
    print_row(out, titles, widths);
    for (auto const& row : rows_) print_row(out, row, widths);
}

void Table::print_row(std::ostream& out, std::vector<std::string> const& cells,
                      std::vector<std::size_t> const& widths) const {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        std::string const padding(widths[i] - display_width(cells[i]), ' ');
        if (i > 0) line += "  ";
        line += columns_[i].align == Align::right ? padding + cells[i] : cells[i] + padding;
    }
    line.resize(line.find_last_not_of(' ') + 1);
    out << line << '\n';
}

std::string progress_bar(double fraction, std::size_t width) {
    auto const share = std::clamp(fraction, 0.0, 1.0);
    auto const filled = std::min(width, static_cast<std::size_t>(share * static_cast<double>(width)));
    return "[" + std::string(filled, '#') + std::string(width - filled, '-') + "]";
}

}  // namespace rqfs::tools
