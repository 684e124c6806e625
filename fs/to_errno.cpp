#include "fs/to_errno.h"

#include "torrent/error.h"

#include <boost/asio/error.hpp>
#include <boost/system/generic_category.hpp>
#include <boost/system/system_error.hpp>

#include <cerrno>
#include <new>

namespace rqfs::fs {

namespace {

int of_engine(torrent::Errc code, OnTimeout on_timeout) {
    switch (code) {
        case torrent::Errc::not_found: return ENOENT;
        case torrent::Errc::removed: return ESTALE;
        case torrent::Errc::timed_out: return on_timeout == OnTimeout::eagain ? EAGAIN : EIO;
        default: return EIO;
    }
}

int of_code(boost::system::error_code const& code, OnTimeout on_timeout) {
    if (code.category() == torrent::torrent_category())
        return of_engine(static_cast<torrent::Errc>(code.value()), on_timeout);
    if (code == boost::asio::error::operation_aborted) return EINTR;
    if (code.category() == boost::system::generic_category()) return code.value();  // throw_errno
    return EIO;
}

}  // namespace

int to_errno(std::exception_ptr const& error, OnTimeout on_timeout) {
    try {
        std::rethrow_exception(error);
    } catch (boost::system::system_error const& e) {
        return of_code(e.code(), on_timeout);
    } catch (std::bad_alloc const&) {
        return ENOMEM;
    } catch (...) {
        return EIO;
    }
}

void throw_errno(int error) { throw boost::system::system_error(error, boost::system::generic_category()); }

}  // namespace rqfs::fs
