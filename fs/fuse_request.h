#pragma once

#include "fs/filesystem.h"

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

struct fuse_req;
struct fuse_entry_param;
struct stat;

namespace rqfs::fs {

// stat and lookup replies as libfuse wants them.
struct stat to_stat(Attributes const& attributes);
fuse_entry_param to_entry(Attributes const& attributes);

// One request of the kernel, answered exactly once: by one of the functions below, else with EIO when it is destroyed.
// Engine thread. The functions that return bool say whether the answer reached the kernel; it does not when the mount
// or the asking program is gone.
class FuseRequest {
public:
    explicit FuseRequest(fuse_req* request) : request_(request) {}
    FuseRequest(FuseRequest&& other) noexcept;
    FuseRequest& operator=(FuseRequest&&) = delete;
    ~FuseRequest();

    bool answered() const { return request_ == nullptr; }
    pid_t thread() const;  // who asks; 0 when in another PID namespace
    fuse_req* raw() const { return request_; }

    // Calls `interrupted(data)` at most once, when the kernel gives the request up; true when it has already, and then
    // never.
    bool on_interrupt(void (*interrupted)(void* data), void* data);

    void error(int error);  // 0: success without data
    void nothing();         // for forget, which has no answer
    bool entry(Attributes const& attributes);
    void attributes(Attributes const& attributes);
    void link(std::string const& target);
    bool opened(Handle handle);
    void data(Slices const& slices);
    bool bytes(std::span<char const> bytes);
    // An xattr or their list: the size alone when the caller brings no room, ERANGE when too little.
    void sized(std::string const& value, std::size_t room);
    void space(torrent::DiskSpace const& space, std::size_t files);

private:
    fuse_req* take();

    fuse_req* request_;
    void (*interrupted_)(void*) = nullptr;
    void* interrupt_data_ = nullptr;
};

}  // namespace rqfs::fs
