# shellcheck shell=bash
# Packages of Debian of any architecture, unpacked into a folder: for a C library or a
# kernel that this machine does not have. Nothing of this machine is changed, and root
# is not needed. Sourced by the scripts.

# One that only names another one (linux-image-armmp) brings the other one.
unpack_debian_package() { # unpack_debian_package ARCHITECTURE PACKAGE FOLDER
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
    local package=$2 here=$3.tmp named options
    rm -rf "$here"
    mkdir -p "$here/state/lists/partial" "$here/cache/archives/partial" "$3"
    options=(-o "Dir::State=$here/state" -o "Dir::Cache=$here/cache" -o Dir::State::status=/dev/null
        -o Acquire::Languages=none -o "APT::Architecture=$1" -o "APT::Architectures=$1" -o APT::Sandbox::User=root)
    # One source of several may be out of order: what counts is the package.
    apt-get -qq "${options[@]}" update >/dev/null 2>&1 || true
    case $package in
    linux-image-*)
        named=$(apt-cache "${options[@]}" depends "$package" 2>/dev/null | sed -n 's/.*Depends: \(linux-image-\)/\1/p' | head -n 1)
        package=${named:-$package}
        ;;
    esac
    (cd "$here" && apt-get -qq "${options[@]}" download "$package" >/dev/null 2>&1) || return
    dpkg-deb -x "$here/${package}"_*.deb "$3" && rm -rf "$here"
}
