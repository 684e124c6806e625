# Sourced by tools/run and tools/test: installs what is missing, and runs things as the person who called.
# shellcheck shell=bash

build_packages=(g++ cmake ninja-build ccache lld pkg-config git ca-certificates
    libfuse3-dev fuse3 libboost1.81-dev libboost-json1.81-dev libssl-dev libsqlite3-dev
    libyaml-cpp-dev libspdlog-dev libfmt-dev libcli11-dev zlib1g-dev
    libminiupnpc-dev libnatpmp-dev libc-ares-dev)
demo_packages=(ffmpeg attr python3)
test_packages=(libgtest-dev libgmock-dev clang-format
    python3 python3-libtorrent transmission-daemon transmission-cli aria2 opentracker mktorrent ffmpeg attr
    iproute2 util-linux e2fsprogs procps nftables miniupnpd-nftables dante-server microsocks tinyproxy strace openssl genisoimage zip)

# Who builds and runs: under sudo the one who called it, otherwise whoever we are.
as_caller() {
    if [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
        local runtime=() directory
        directory=/run/user/$(id -u "$SUDO_USER")
        [ -d "$directory" ] && runtime=(env "XDG_RUNTIME_DIR=$directory")  # their daemon's socket is there
        sudo -u "$SUDO_USER" --preserve-env=PATH,CCACHE_DIR,CI,CMAKE_CXX_COMPILER_LAUNCHER -H -- "${runtime[@]}" "$@"
    else
        "$@"
    fi
}

# Installs the packages that are not there; says nothing when all are.
install_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    [ ${#missing[@]} = 0 ] && return 0
    local root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "These packages are missing: ${missing[*]}. Install them as root, or install sudo, and call this again." >&2
            return 1
        }
        root=(sudo)
    fi
    echo "Installing: ${missing[*]}"
    # A daemon that a test starts by itself must not be started by its package.
    local guard=/usr/sbin/policy-rc.d made=
    if [ ! -e $guard ]; then
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee $guard >/dev/null && "${root[@]}" chmod +x $guard && made=1
    fi
    local status=0
    {
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" ||
            { "${root[@]}" apt-get update -qq &&
              "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"; }
    } >"${TMPDIR:-/tmp}/rqfs-packages.$$.log" 2>&1 || status=$?
    [ -n "$made" ] && "${root[@]}" rm -f $guard
    if [ $status != 0 ]; then
        tail -20 "${TMPDIR:-/tmp}/rqfs-packages.$$.log" >&2
        echo "The packages could not be installed." >&2
    fi
    rm -f "${TMPDIR:-/tmp}/rqfs-packages.$$.log"
    return $status
}

# A DHT of other people for the tests, from npm. Where that cannot be had, they are skipped, and it is said why.
install_node_modules() {
    local place=$PWD/build/npm why=
    [ -n "${RQFS_NODE_MODULES:-}" ] && return 0  # the caller has them somewhere
    if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
        why="npm and node are not both installed"
    elif [ ! -f "$place/node_modules/bittorrent-dht/index.js" ]; then
        as_caller npm install --prefix "$place" --silent --no-audit --no-fund --no-save --ignore-scripts bittorrent-dht@11 ||
            why="npm could not install bittorrent-dht"
    fi
    if [ -n "$why" ]; then
        echo "$why: the test among its nodes (scenario_dht_npm_test) is skipped." >&2
    else
        export RQFS_NODE_MODULES=$place/node_modules
    fi
}

# Builds one preset with at most two compilers; prints only what goes wrong, and how long it took.
build() {
    local preset=$1 log begin=$SECONDS
    shift
    log=$(mktemp)
    export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR="$PWD"
    if ! as_caller cmake --preset "$preset" >"$log" 2>&1 || ! as_caller cmake --build --preset "$preset" "$@" >"$log" 2>&1; then
        grep -E 'error|FAILED|Error' "$log" | head -40 >&2
        tail -20 "$log" >&2
        rm -f "$log"
        echo "The $preset build failed." >&2
        return 1
    fi
    rm -f "$log"
    [ $((SECONDS - begin)) -gt 5 ] && echo "Built $preset in $((SECONDS - begin)) s."
    return 0
}
