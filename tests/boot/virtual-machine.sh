# shellcheck shell=bash disable=SC2034 # what is set is for those that source this
# A virtual machine of QEMU, with Debian's kernel and an init as process 1. Sourced by
# the scripts that test on one; in a network of their own, for its ports are those of
# the loopback there.

. tests/boot/service.sh

DOOR=7007
# A processor that is emulated needs its time.
PATIENCE_S=240
PAUSE_S=0.3
vm=$PWD/target/vm
arch=amd64 memory_mib=256 accelerator=tcg
ports=() # of the guest, the same on both sides
qemu_pid=''

# Kernel and initramfs of an architecture, once.
make_initramfs() { # make_initramfs DEBIAN-ARCHITECTURE BUSYBOX
    local guest=$vm/$1/guest
    get_kernel "$1" "$vm/$1/kernel" || return
    rm -rf "$guest"
    mkdir -p "$guest"/{bin,dev,proc,sys}
    cp "$2" "$guest/bin/busybox"
    cp tests/boot/guest-init "$guest/init"
    case $1 in
    amd64) copy_modules "$vm/$1/kernel" "$guest" virtio_pci virtio_blk virtio_net ext4 ;;
    armhf) copy_modules "$vm/$1/kernel" "$guest" virtio_mmio virtio_blk virtio_net ext4 ;;
    esac || return
    pack_initramfs "$guest" "$vm/$1/initramfs"
    cp "$vm/$1/kernel/boot/vmlinuz-$(kernel_version "$vm/$1/kernel")" "$vm/$1/vmlinuz"
}

make_disk() { # make_disk FOLDER IMAGE FREE-MIB
    local used
    used=$(du -sm "$1" | cut -f1)
    rm -f "$2"
    truncate -s "$((used * 5 / 4 + $3))M" "$2"
    mkfs.ext4 -q -d "$1" "$2"
}

switch_on() {
    local bus=pci command serial=ttyS0 without_rom=,romfile=
    case $arch in
    amd64) command=(qemu-system-x86_64 -machine pc -accel "$accelerator") ;;
    armhf)
        command=(qemu-system-arm -machine virt -cpu cortex-a15)
        bus=device serial=ttyAMA0 without_rom=''
        ;;
    esac
    "${command[@]}" -m "$memory_mib" -no-reboot -display none -monitor none -serial stdio \
        -kernel "$vm/$arch/vmlinuz" -initrd "$vm/$arch/initramfs" \
        -append "console=$serial quiet panic=-1 nokaslr no_timer_check systemd.getty_auto=no machine=$init" \
        -netdev "user,id=net,restrict=on$(forwards)" -device "virtio-net-$bus,netdev=net$without_rom" \
        -drive "if=none,id=root,format=raw,cache=unsafe,file=$work/$init/root" -device "virtio-blk-$bus,drive=root,serial=root" \
        -drive "if=none,id=tools,format=raw,readonly=on,file=$work/$init/tools" -device "virtio-blk-$bus,drive=tools,serial=tools" \
        </dev/null >>"$work/$init/console" 2>&1 &
    qemu_pid=$!
}
forwards() {
    local port
    for port in $DOOR "${ports[@]}"; do printf ',hostfwd=tcp:127.0.0.1:%s-:%s' "$port" "$port"; done
}
power_off() {
    [ -n "$qemu_pid" ] || return 0
    kill -9 "$qemu_pid" 2>/dev/null || true
    wait "$qemu_pid" 2>/dev/null || true
    qemu_pid=''
}
is_on() { kill -0 "$qemu_pid" 2>/dev/null; }

# Runs a command in the machine; what it says comes together.
door_patience_s=$PATIENCE_S
inside() {
    local words='' word door reply
    for word in "$@"; do words+=" '${word//\'/\'\\\'\'}'"; done
    { exec {door}<>"/dev/tcp/127.0.0.1/$DOOR"; } 2>/dev/null || return 255
    reply=$(
        # One that the machine does not take shall neither end this nor be told.
        trap '' PIPE
        exec 2>/dev/null
        printf '{ %s\n} </dev/null 2>&1; printf "\\nended %%d" $?; exit\n' "$words" >&"$door"
        timeout "$door_patience_s" cat <&"$door"
    ) || true
    exec {door}>&-
    word=${reply##*$'\n'ended }
    case $word in
    '' | *[!0-9]*) return 255 ;;
    esac
    printf '%s' "${reply%$'\n'ended *}"
    return "$word"
}

boot() {
    local first
    switch_on
    until_done "an answer of the machine" answers_or_is_off || return
    is_on || { tail -n 20 "$work/$init/console" >&2 && return 1; }
    first=$took
    until_done "the init being up" is_up || return
    took=$((took + first))
}

answers_or_is_off() { answers || ! is_on; }
# What is sent to one that is not up yet hangs longer than it takes to be up.
answers() { door_patience_s=2 inside true; }

# As a person does it: the init ends what runs, and resets the machine. QEMU ends with
# that, and is started anew: its own reset takes long where the processor is emulated.
reboot() {
    local farewell=reboot
    case $init in
    systemd) farewell='systemctl reboot' ;;
    s6) farewell='s6-svscanctl -t /etc/s6/service' ;;
    esac
    inside sh -c "(sleep 1; $farewell) >/dev/null 2>&1 &" || return
    until_done "a reset of the machine" is_off || return
    power_off
    boot
}
is_off() { ! is_on; }

# The least memory in which the kernel starts the init of $init, in steps of 4 MiB.
# It does not lay itself out by chance (nokaslr), so that a second boot does as well.
find_least_memory() {
    local fails=8 works=256
    while [ $((works - fails)) -gt 4 ]; do
        memory_mib=$(((works + fails) / 2 & ~3))
        if comes_up 60; then works=$memory_mib; else fails=$memory_mib; fi
    done
    memory_mib=$works
}
comes_up() { # comes_up PATIENCE-S
    local deadline=$((EPOCHSECONDS + $1)) up=1
    switch_on
    while is_on && [ $EPOCHSECONDS -lt "$deadline" ]; do
        if answers && is_up; then
            up=0
            break
        fi
        sleep $PAUSE_S
    done
    power_off
    return $up
}
