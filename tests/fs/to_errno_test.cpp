#include "fs/to_errno.h"

#include "torrent/error.h"

#include <gtest/gtest.h>
#include <boost/asio/error.hpp>

#include <cerrno>
#include <exception>
#include <new>
#include <stdexcept>

namespace rqfs::fs {
namespace {

using torrent::Errc;

int errno_of(Errc code, OnTimeout on_timeout = OnTimeout::eio) {
    return to_errno(std::make_exception_ptr(boost::system::system_error(torrent::make_error_code(code))), on_timeout);
}

TEST(ToErrno, KnowsEveryErrorOfTheEngine) {
    EXPECT_EQ(errno_of(Errc::not_found), ENOENT);
    EXPECT_EQ(errno_of(Errc::removed), ESTALE);
    EXPECT_EQ(errno_of(Errc::timed_out), EIO);
    EXPECT_EQ(errno_of(Errc::timed_out, OnTimeout::eagain), EAGAIN);
    for (auto const code :
         {Errc::malformed, Errc::paused, Errc::failed, Errc::corrupt, Errc::io, Errc::no_space, Errc::stopping})
        EXPECT_EQ(errno_of(code, OnTimeout::eagain), EIO);
}

TEST(ToErrno, KnowsEverythingElse) {
    using boost::system::system_error;

    EXPECT_EQ(to_errno(std::make_exception_ptr(system_error(boost::asio::error::operation_aborted))), EINTR);
    EXPECT_EQ(to_errno(std::make_exception_ptr(std::bad_alloc())), ENOMEM);
    EXPECT_EQ(to_errno(std::make_exception_ptr(std::runtime_error("x"))), EIO);
    EXPECT_EQ(to_errno(std::make_exception_ptr(7)), EIO);
    EXPECT_EQ(to_errno(std::make_exception_ptr(system_error(boost::asio::error::connection_refused))), EIO);
    try {
        throw_errno(EBADF);
    } catch (...) {
        EXPECT_EQ(to_errno(std::current_exception()), EBADF);
    }
}

}  // namespace
}  // namespace rqfs::fs
