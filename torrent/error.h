#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace rqfs::torrent {

// What kind of thing went wrong; the sentence beside it says what exactly.
enum class Errc {
    malformed = 1,   // bytes that break their format
    too_large,       // over a limit of limits.h
    unsupported,     // well formed, but nothing we can do
    not_found,       // no such torrent, file, peer
    exists,          // there already
    timed_out,       // the time allowed is over
    refused,         // the other side said no
    closed,          // the other side went away
    not_allowed,     // a rule of ours forbids it (address vetting, private torrents)
    paused,          // the torrent is paused
    removed,         // the torrent was removed while somebody waited
    failed,          // the torrent is in its error state
    corrupt,         // stored bytes do not match their checksum
    io,              // the disk said no
    no_space,        // the disk is full
    busy,            // in use by another process
    stopping,        // the daemon is going down
};

boost::system::error_category const& torrent_category();
boost::system::error_code make_error_code(Errc code);

// Why untrusted input was refused: its kind, and one sentence without a final stop that names what is wrong.
struct Error {
    Errc code = Errc::malformed;
    std::string what;
};

inline Error error(Errc code, std::string what) { return {code, std::move(what)}; }

// For what others send us: bytes from a stranger never throw.
template <class T>
using Result = boost::system::result<T, Error>;

// For coroutines: our error as the exception their owners catch.
[[noreturn]] void throw_error(Errc code, std::string const& what);
[[noreturn]] void throw_error(Error const& error);

// Found by boost::system::result<T, Error>::value(): the bridge from Result to exceptions.
[[noreturn]] void throw_exception_from_error(Error const& error, boost::source_location const& where);

// The sentence of an exception as a person should read it, without boost's decorations.
std::string sentence(boost::system::system_error const& error);

}  // namespace rqfs::torrent

template <>
struct boost::system::is_error_code_enum<rqfs::torrent::Errc> : std::true_type {};
