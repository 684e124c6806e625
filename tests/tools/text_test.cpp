#include "tools/control/text.h"
#include "tools/control/request_target.h"
#include "tools/rqfsctl/table.h"

#include <gtest/gtest.h>

#include <clocale>
#include <sstream>
#include <string>

namespace {

using namespace rqfs::tools;

TEST(Text, ReplacesWhatIsNoUtf8) {
    EXPECT_EQ(to_utf8("plain ä 電影 😀"), "plain ä 電影 😀");
    EXPECT_EQ(to_utf8("a\xFF"
                      "b"),
              "a\xEF\xBF\xBD"
              "b");
    EXPECT_EQ(to_utf8("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");        // overlong
    EXPECT_EQ(to_utf8("\xED\xA0\x80").size(), 9u);                     // surrogate
    EXPECT_EQ(to_utf8("\xF4\x90\x80\x80").size(), 12u);                // above U+10FFFF
    EXPECT_EQ(to_utf8("end\xE2\x82"), "end\xEF\xBF\xBD\xEF\xBF\xBD");  // cut short
}

TEST(Text, EscapesWhatATerminalWouldObey) {
    EXPECT_EQ(printable("a\x1b[31mb"), "a\\x1b[31mb");
    EXPECT_EQ(printable("two\nlines\t"), "two\\x0alines\\x09");
    EXPECT_EQ(printable("\xC2\x9b"
                        "31m"),
              "\\x9b31m");
    EXPECT_EQ(printable("exe.\xE2\x80\xAE"
                        "4pm"),
              "exe.\\u{202e}4pm");
    EXPECT_EQ(printable("Amélie 電影"), "Amélie 電影");
}

TEST(Text, KnowsWideCharacters) {
    std::setlocale(LC_CTYPE, "C.UTF-8");

    EXPECT_EQ(display_width("abc"), 3u);
    EXPECT_EQ(display_width("é"), 1u);
    EXPECT_EQ(display_width("電影"), 4u);
}

TEST(RequestTarget, SplitsPathAndQuery) {
    auto const target = RequestTarget::parse("/v1/torrents/a%20b%2Fc/?paused=true&name=x%3dy&flag").value();

    EXPECT_EQ(target.path, (std::vector<std::string>{"v1", "torrents", "a b/c"}));
    EXPECT_EQ(target.query, (std::map<std::string, std::string>{{"paused", "true"}, {"name", "x=y"}, {"flag", ""}}));
}

TEST(RequestTarget, RefusesBrokenEscapes) {
    for (std::string const text : {"", "v1", "http://x/", "/v1/%", "/v1/%4", "/v1/%zz", "/v1?a=%1"})
        EXPECT_FALSE(RequestTarget::parse(text)) << text;
}

TEST(RequestTarget, ReadsBackEveryByte) {
    std::string all;
    for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));

    auto const target = RequestTarget::parse("/" + percent_encode(all)).value();

    EXPECT_EQ(target.path, std::vector<std::string>{all});
}

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
