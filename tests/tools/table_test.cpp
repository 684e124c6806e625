#include "tools/rqfsctl/table.h"

#include <gtest/gtest.h>

#include <clocale>
#include <sstream>
#include <string>

namespace {

using namespace rqfs::tools;

TEST(Table, AlignsColumnsByWidth) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
    Table table({{"NAME"}, {"SIZE", Table::Align::right}, {"LAST"}});
    table.add({"電影", "1", "x"});
    table.add({"abc", "1000", ""});
    std::ostringstream out;

    table.print(out);

    EXPECT_EQ(out.str(), "NAME  SIZE  LAST\n電影     1  x\nabc   1000\n");
}

TEST(Table, KeepsARowOnOneLine) {
    Table table({{"NAME"}});
    table.add({"evil\nROOT\x1b[2J"});
    std::ostringstream out;

    table.print(out);

    EXPECT_EQ(out.str(), "NAME\nevil\\x0aROOT\\x1b[2J\n");
}

TEST(ProgressBar, IsFullOnlyAtTheEnd) {
    EXPECT_EQ(progress_bar(0, 4), "[----]");
    EXPECT_EQ(progress_bar(0.5, 4), "[##--]");
    EXPECT_EQ(progress_bar(0.999, 4), "[###-]");
    EXPECT_EQ(progress_bar(1, 4), "[####]");
    EXPECT_EQ(progress_bar(7, 4), "[####]");
    EXPECT_EQ(progress_bar(-7, 4), "[----]");
}

}  // namespace
