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

# The page is built with Node and taken into the server when that is built. Without
# Node the server has none, which nobody shall find out by looking at it.
build_page_for_server() {
    local built=server/web/dist/index.html
    if [ -f $built ] && [ -z "$(find server/web \( -name node_modules -o -name dist \) -prune \
        -o -type f -newer $built -print -quit)" ]; then
        return
    fi
    scripts/build-page && return
    if [ -f $built ]; then
        printf 'The page could not be built anew: the server has that of an earlier build.\n' >&2
    else
        without_page pattood
    fi
}

has_page() { # has_page BINARY: the program holds the files of the page, by their names
    grep -aqE 'assets/[A-Za-z0-9_.-]+\.js' "$1"
}

without_page() { # without_page WHAT
    printf '\n*** WITHOUT ITS PAGE: %s shows nothing at /pattoo/ but how to get it.\n' "$1" >&2
    printf '*** To get it: install Node.js 18 or newer and npm, and run scripts/build-static again.\n\n' >&2
}
