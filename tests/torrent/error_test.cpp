#include "torrent/error.h"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>

#include <set>
#include <string>

namespace rqfs::torrent {
namespace {

constexpr Errc kLast = Errc::stopping;

TEST(Error, HasAMessageOfItsOwnForEveryCode) {
    std::set<std::string> messages;
    for (int code = 1; code <= static_cast<int>(kLast); ++code) {
        auto const message = torrent_category().message(code);
        EXPECT_NE(message, "unknown error") << code;
        EXPECT_TRUE(messages.insert(message).second) << message;
    }

    EXPECT_EQ(torrent_category().message(static_cast<int>(kLast) + 1), "unknown error");
    EXPECT_EQ(torrent_category().message(0), "unknown error");
}

TEST(Error, CodesCompareWithErrorCodes) {
    boost::system::error_code const code = Errc::timed_out;

    EXPECT_EQ(code, Errc::timed_out);
    EXPECT_NE(code, Errc::refused);
    EXPECT_TRUE(code.failed());
    EXPECT_EQ(&code.category(), &torrent_category());
}

TEST(Error, ThrowsItsKindAndItsSentence) {
    try {
        throw_error(Errc::busy, "the store is in use by process 7");
        FAIL() << "nothing was thrown";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(e.code(), Errc::busy);
        EXPECT_EQ(sentence(e), "the store is in use by process 7");
    }
}

TEST(Error, ResultsThrowTheSameWhenTheirValueIsTaken) {
    Result<int> const result = error(Errc::malformed, "no number");

    try {
        (void)result.value();
        FAIL() << "nothing was thrown";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(e.code(), Errc::malformed);
        EXPECT_EQ(sentence(e), "no number");
    }
}

TEST(Error, SaysTheMessageOfACodeThatHasNoSentence) {
    EXPECT_EQ(sentence(boost::system::system_error(make_error_code(Errc::no_space))), "no space left on disk");
}

TEST(Error, AddsTheMessageOfForeignCodes) {
    boost::system::system_error const foreign(boost::asio::error::connection_refused, "tracker t.example");

    EXPECT_EQ(sentence(foreign), "tracker t.example: Connection refused");
}

TEST(Error, SaysTheMessageOfForeignCodesAlone) {
    EXPECT_EQ(sentence(boost::system::system_error(boost::asio::error::connection_refused)), "Connection refused");
}

}  // namespace
}  // namespace rqfs::torrent
