# shellcheck shell=bash
# What a build needs, said plainly where it is missing. Sourced by the scripts.

require() { # require COMMAND WHAT-IT-IS HOW-TO-GET-IT
    command -v "$1" >/dev/null && return
    printf 'Missing: %s (%s).\nTo get it: %s\n' "$1" "$2" "$3" >&2
    exit 1
}

require_rust() {
    require cargo "the Rust build tool, 1.95 or newer" "https://rustup.rs, or your distribution's package"
    require cc "a C compiler, which links the programs" "apt-get install gcc, dnf install gcc, or apk add build-base"
    local version
    version=$(cargo --version | sed -E 's/^cargo ([0-9]+)\.([0-9]+).*/\1 \2/')
    # shellcheck disable=SC2086 # two words on purpose
    set -- $version
    if [ "$1" -lt 1 ] || { [ "$1" -eq 1 ] && [ "$2" -lt 95 ]; }; then
        printf 'Rust %s.%s is too old: 1.95 or newer is wanted.\nTo get it: rustup update stable\n' "$1" "$2" >&2
        exit 1
    fi
}
