#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace rqfs::tools {

// Rows of text in aligned columns, two spaces apart; the last column is not padded. Cells are made printable.
class Table {
public:
    enum class Align { left, right };
    struct Column {
        std::string title;
        Align align = Align::left;
    };

    explicit Table(std::vector<Column> columns);

    // As many cells as columns.
    void add(std::vector<std::string> cells);
    void print(std::ostream& out) const;

private:
    void print_row(std::ostream& out, std::vector<std::string> const& cells,
                   std::vector<std::size_t> const& widths) const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

// "[######----]": `fraction` of `width` places filled, all of them only for the whole.
std::string progress_bar(double fraction, std::size_t width);

}  // namespace rqfs::tools
