#pragma once

namespace rqfs::tests {

// Whether this is built with a sanitizer, under which code is several times slower and takes several times the memory:
// promises of time and memory are kept without.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace rqfs::tests
