#include "tools/control/text.h"

#include <gtest/gtest.h>

#include <clocale>
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

}  // namespace
