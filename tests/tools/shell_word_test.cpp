#include "tools/rqfsctl/shell_word.h"

#include "tests/support/program.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using rqfs::tests::run_program;
using rqfs::tools::shell_word;

TEST(ShellWord, LeavesAloneWhatAShellDoes) {
    EXPECT_EQ(shell_word("Film"), "Film");
    EXPECT_EQ(shell_word("/mnt/films/Amélie.2001/a_b-c,d+e@f:1%"), "/mnt/films/Amélie.2001/a_b-c,d+e@f:1%");
}

TEST(ShellWord, QuotesBlanksAndQuotes) {
    EXPECT_EQ(shell_word("My Film"), "'My Film'");
    EXPECT_EQ(shell_word("Ocean's"), "'Ocean'\\''s'");
    EXPECT_EQ(shell_word(""), "''");
}

TEST(ShellWord, AShellHasEveryTextBackAsItWas) {
    std::string all;
    for (int c = 1; c < 128; ++c) {
        auto const one = std::string(1, static_cast<char>(c)) + "x";
        EXPECT_EQ(run_program("/bin/sh", {"-c", "printf %s " + shell_word(one)}).out, one) << c;
        all += static_cast<char>(c);
    }
    EXPECT_EQ(run_program("/bin/sh", {"-c", "printf %s " + shell_word(all)}).out, all);
    EXPECT_EQ(run_program("/bin/sh", {"-c", "cd / && printf %s " + shell_word("~") + shell_word("*")}).out, "~*");
}

}  // namespace
