#include "torrent/error.h"

namespace rqfs::torrent {

namespace {

// Boost keeps its categories for ever, so their destructor is not virtual.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
public:
    char const* name() const noexcept override { return "rqfs"; }

    std::string message(int code) const override {
        switch (static_cast<Errc>(code)) {
            case Errc::malformed: return "malformed data";
            case Errc::too_large: return "over a limit";
            case Errc::unsupported: return "not supported";
            case Errc::not_found: return "not found";
            case Errc::exists: return "already there";
            case Errc::timed_out: return "timed out";
            case Errc::refused: return "refused";
            case Errc::closed: return "closed by the other side";
            case Errc::not_allowed: return "not allowed";
            case Errc::paused: return "the torrent is paused";
            case Errc::removed: return "the torrent was removed";
            case Errc::failed: return "the torrent failed";
            case Errc::corrupt: return "stored data is damaged";
            case Errc::io: return "disk error";
            case Errc::no_space: return "no space left on disk";
            case Errc::busy: return "in use";
            case Errc::stopping: return "the daemon is stopping";
        }
        return "unknown error";
    }
};
#pragma GCC diagnostic pop

}  // namespace

boost::system::error_category const& torrent_category() {
    static Category const category;
    return category;
}

boost::system::error_code make_error_code(Errc code) { return {static_cast<int>(code), torrent_category()}; }

void throw_error(Errc code, std::string const& what) { throw boost::system::system_error(make_error_code(code), what); }

void throw_error(Error const& error) { throw_error(error.code, error.what); }

void throw_exception_from_error(Error const& error, boost::source_location const&) { throw_error(error); }

std::string sentence(boost::system::system_error const& error) {
    std::string text = error.what();
    std::string const detail = ": " + error.code().what();
    if (text.size() > detail.size() && text.ends_with(detail)) {
        text.resize(text.size() - detail.size());
        if (error.code().category() != torrent_category()) text += ": " + error.code().message();
        return text;
    }
    return error.code().message();
}

}  // namespace rqfs::torrent
