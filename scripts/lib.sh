# Shared by the scripts of this folder: where things are and how cargo is called. Source it, also in a
# shell of your own: it sets variables and functions, and no shell options.
# shellcheck shell=bash

root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() { printf '%s\n' "$*" >&2; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
# The browser in which the web app is tested; nothing where there is none. Chromium without windows takes a third less of
# the processor than Chromium that hides them.
find_chromium() {
    command -v chromium-headless-shell || command -v chromium || command -v chromium-browser ||
        command -v google-chrome || true
}

# Rust installed by rustup may not be on the PATH of a fresh shell.
[ -d "${CARGO_HOME:-$HOME/.cargo}/bin" ] && PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

# Everything that is downloaded or built lies outside the checkout, so that clones share it.
export OPENLEDGER_CACHE=${OPENLEDGER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/openledger}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$OPENLEDGER_CACHE/target}
# Where the programs are once they are built; read by the scripts that source this file.
# shellcheck disable=SC2034
bin_dir=$CARGO_TARGET_DIR/debug

# clippy-driver is rustc with lints: one build compiles and lints, and no dependency is compiled
# twice (docs/build.md). A warning is an error.
export RUSTC_WORKSPACE_WRAPPER=clippy-driver
export CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__

# The system's OpenSSL instead of eight minutes of compiling one.
if has pkg-config && pkg-config --exists openssl 2>/dev/null; then
    export OPENSSL_NO_VENDOR=1
fi
# Left by scripts/setup where no package manager could install protoc.
if ! has protoc && [ -x "$OPENLEDGER_CACHE/protoc/protoc" ]; then
    export PROTOC=$OPENLEDGER_CACHE/protoc/protoc
fi

# A linker or rustc of the node's size takes up to 2 GiB.
if [ -z "${CARGO_BUILD_JOBS:-}" ]; then
    cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    memory_kib=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo 2>/dev/null || echo 8388608)
    jobs=$((${memory_kib:-8388608} / 2097152))
    [ "$jobs" -ge 1 ] || jobs=1
    [ "$jobs" -le "$cores" ] || jobs=$cores
    export CARGO_BUILD_JOBS=$jobs
fi

# Who sources this to call cargo by hand is told once where the programs will be; a script of this folder
# says what it builds by itself.
if [ "$(cd "$(dirname "${BASH_SOURCE[1]:-/}")" && pwd -P)" != "$root/scripts" ] &&
    [ "${OPENLEDGER_SAID:-}" != "$CARGO_TARGET_DIR" ]; then
    say "cargo builds in $CARGO_TARGET_DIR; programs: $bin_dir"
    export OPENLEDGER_SAID=$CARGO_TARGET_DIR
fi

# Clones share one target folder, and cargo tells fresh from stale by the time of each file. A clone
# that is built after another one's newer build would be given that one's programs, so its sources
# are made newer first. Call it before the first cargo build of a script.
claim_target() {
    local mark=$CARGO_TARGET_DIR/openledger-checkout
    [ "$(cat "$mark" 2>/dev/null)" = "$root" ] && return
    mkdir -p "$CARGO_TARGET_DIR" ||
        fail "cannot write to $CARGO_TARGET_DIR; set CARGO_TARGET_DIR to a folder of yours"
    find "$root" \( -name .git -o -path "$CARGO_TARGET_DIR" \) -prune -o -type f \
        \( -name '*.rs' -o -name '*.toml' -o -name '*.scale' \) -exec touch {} +
    printf '%s' "$root" >"$mark" || fail "cannot write to $mark; is the disk full?"
}
