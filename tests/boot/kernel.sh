# shellcheck shell=bash
# Debian's kernels for virtual machines, and initramfs archives to go with them.
# Sourced by the scripts that start QEMU; wants scripts/debian-package.sh.

# Which of Debian's kernels has what QEMU's machine needs.
kernel_package() { # kernel_package DEBIAN-ARCHITECTURE
    case $1 in
    amd64) echo linux-image-cloud-amd64 ;;
    armhf) echo linux-image-armmp ;;
    esac
}

# FOLDER gets boot/vmlinuz-VERSION and lib/modules/VERSION; one that has them is left
# alone, so a kernel can be put there by hand.
get_kernel() { # get_kernel DEBIAN-ARCHITECTURE FOLDER
    local version
    if [ ! -d "$2/boot" ]; then
        unpack_debian_package "$1" "$(kernel_package "$1")" "$2" || return
    fi
    version=$(kernel_version "$2")
    [ -f "$2/lib/modules/$version/modules.dep" ] || depmod -b "$2" "$version" 2>/dev/null
}
kernel_version() { # kernel_version FOLDER
    local one
    for one in "$1"/boot/vmlinuz-*; do echo "${one##*/vmlinuz-}"; done | head -n 1
}

# Copies modules, and what each needs, to FOLDER/modules, beside a list of the order in
# which they are loaded. What is part of the kernel itself is passed over.
copy_modules() { # copy_modules KERNEL FOLDER MODULE...
    local kernel=$1 folder=$2 file
    shift 2
    mkdir -p "$folder/modules"
    modprobe -d "$(cd "$kernel" && pwd)" -S "$(kernel_version "$kernel")" --show-depends -a "$@" |
        sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$folder/modules/order.new"
    while read -r file; do
        cp "$file" "$folder/modules/"
        echo "${file##*/}"
    done <"$folder/modules/order.new" >"$folder/modules/order"
    rm "$folder/modules/order.new"
    [ -s "$folder/modules/order" ]
}

# Everything in FOLDER belongs to root in the archive.
pack_initramfs() { # pack_initramfs FOLDER ARCHIVE
    (cd "$1" && find . | busybox cpio -o -H newc -R 0:0 2>/dev/null | gzip -9) >"$2"
}
