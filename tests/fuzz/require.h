#pragma once

#include <cstdio>
#include <cstdlib>

namespace rqfs::tests {

// What must hold for every input; unlike assert also where assertions are off.
inline void require(bool holds, char const* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

}  // namespace rqfs::tests
