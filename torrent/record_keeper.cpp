#include "torrent/record_keeper.h"

#include "torrent/error.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

asio::awaitable<void> RecordKeeper::save() {
    unsaved_ = false;
    co_await store_.save(record_);
}

void RecordKeeper::save_soon() {
    unsaved_ = true;
    if (!saving_) tasks_.spawn(save_in_background());
    saving_ = true;
}

asio::awaitable<void> RecordKeeper::save_in_background() {
    try {
        while (unsaved_) co_await save();
    } catch (boost::system::system_error const& e) {
        unsaved_ = true;  // tried again with the traffic
        if (e.code() != asio::error::operation_aborted)
            logger_->warn("torrent not saved torrent={} error={}", record_.info_hash.short_hex(), sentence(e));
    }
    saving_ = false;
}

void RecordKeeper::count(std::uint64_t uploaded_bytes, std::uint64_t downloaded_bytes) {
    unsaved_ = unsaved_ || uploaded_bytes != counted_uploaded_bytes_ || downloaded_bytes != counted_downloaded_bytes_;
    record_.uploaded_bytes += uploaded_bytes - std::exchange(counted_uploaded_bytes_, uploaded_bytes);
    record_.downloaded_bytes += downloaded_bytes - std::exchange(counted_downloaded_bytes_, downloaded_bytes);
}

}  // namespace rqfs::torrent
