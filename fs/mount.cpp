#include "fs/mount.h"

#include "fs/mount_point.h"
#include "torrent/error.h"

#include <utility>

namespace rqfs::fs {

namespace asio = boost::asio;

Mount::Mount(asio::any_io_executor executor, torrent::Library& library, torrent::Clock& clock,
             torrent::Workers& workers, Settings const& settings)
    : workers_(workers),
      filesystem_(library, clock, workers, settings),
      session_(std::move(executor), filesystem_, clock, workers) {}

asio::awaitable<void> Mount::mount(std::string mount_point) {
    auto prepared = co_await workers_.run(torrent::Workers::Lane::disk, &prepare_mount_point, std::move(mount_point),
                                          filesystem_.settings().allow_other);
    if (!prepared) torrent::throw_error(prepared.error());
    mount_point_ = std::move(*prepared);
    co_await session_.mount(mount_point_);
}

std::string Mount::directory_path(torrent::InfoHash const& info_hash) const {
    auto const name = filesystem_.directory(info_hash);
    return name.empty() ? std::string() : mount_point_ + "/" + name;
}

}  // namespace rqfs::fs
