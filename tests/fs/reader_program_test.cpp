#include "fs/reader_program.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>

namespace rqfs::fs {
namespace {

TEST(ReaderProgram, IsTheProgramOfTheThread) {
    auto const program = read_reader_program(::gettid());

    EXPECT_EQ(program.process_id, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(program.name, "test_fs");
    EXPECT_EQ(read_reader_program(0).process_id, 0u);
    EXPECT_EQ(read_reader_program(0x7FFF'FFF0).name, "");
}

}  // namespace
}  // namespace rqfs::fs
