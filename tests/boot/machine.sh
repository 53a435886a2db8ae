# shellcheck shell=bash
# A small machine in namespaces of its own, with an init as process 1. Sourced by the
# scripts that test on one.

. tests/boot/service.sh

OUTSIDE=10.99.0.1
INSIDE=10.99.0.2

# Skips where the means are missing; else makes the roots and goes on with the same
# script in a network of its own, which ends with it; it gets --inside ARGUMENTS.
enter_own_network() { # enter_own_network NAME ARGUMENTS INIT...
    local name=$1 arguments=$2 tool maker makers=()
    shift 2
    [ "$(id -u)" = 0 ] || skip "$name" "only root can make namespaces with an init in them"
    for tool in debootstrap:debootstrap ip:iproute2 nsenter:util-linux setpriv:util-linux busybox:busybox-static; do
        command -v "${tool%:*}" >/dev/null || skip "$name" "apt-get install ${tool#*:}"
    done
    unshare --mount --net --pid --fork --propagation private sh -c '
        mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir lower upper work all &&
            mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work all' 2>/dev/null ||
        skip "$name" "this place gives root no namespaces, or no mounts in them"
    for tool in pattoo_agent_linux_spoked pattoo_agent_linux_hubd pattood pattoo_cli; do
        [ -x "$binaries/$tool" ] || skip "$name" "scripts/build-static $(uname -m) makes $tool"
    done
    mkdir -p "$cache"
    # What is made over and over is made at once; most of it waits for the network.
    timeout "$MAKING_S" tests/boot/make-root base "$cache/base" "$cache/base" || skip "$name" "debootstrap cannot make a Debian here"
    cp "$binaries/pattoo_agent_linux_spoked" "$cache/base/tmp/"
    chroot "$cache/base" /tmp/pattoo_agent_linux_spoked --version >/dev/null ||
        skip "$name" "$binaries wants a newer library than that Debian has; PATTOO_BOOT_BINARIES names static ones"
    rm "$cache/base/tmp/pattoo_agent_linux_spoked"
    for init in "$@"; do
        timeout "$MAKING_S" tests/boot/make-root "$init" "$cache/$init" "$cache/base" &
        makers+=($!)
    done
    for maker in "${makers[@]}"; do
        wait "$maker" || skip "$name" "not every root could be made"
    done
    exec unshare --mount --net --propagation private "$0" --inside "$arguments"
}

init_pid='' unshare_pid='' left_groups=()

tidy() {
    set +e
    [ -z "$unshare_pid" ] || { kill -9 "$unshare_pid" && wait "$unshare_pid"; } 2>/dev/null
    for group in "${left_groups[@]}"; do
        # Its processes are gone in a moment.
        for _ in $(seq 100); do
            find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
            [ -d "$group" ] || break
            sleep 0.02
        done
    done
    for one in "$work"/*/; do
        umount -l "$one/root" "$one" 2>/dev/null
    done
    rm -rf --one-file-system "$work"
}

# What a script does first once it is there.
inside_own_network() {
    work=$(mktemp -d)
    trap tidy EXIT
    trap 'exit 1' HUP INT TERM
    ip link set lo up
}

inside() { nsenter -t "$init_pid" --mount --uts --ipc --net --pid --cgroup --root --wd "$@"; }

# An own group in every hierarchy, so that what systemd does there stays there.
join_own_groups() {
    local controllers path folder
    while IFS=: read -r _ controllers path; do
        case $controllers in
        '') folder=/sys/fs/cgroup$path
            [ -e /sys/fs/cgroup/cgroup.controllers ] || folder=/sys/fs/cgroup/unified$path ;;
        *) folder=/sys/fs/cgroup/${controllers#name=}$path ;;
        esac
        folder=${folder%/}/pattoo-boot-$$-$init
        mkdir -p "$folder" 2>/dev/null || continue
        if [ -f "$folder/cpuset.cpus" ] && [ -z "$(cat "$folder/cpuset.cpus")" ]; then
            cat "$folder/../cpuset.cpus" >"$folder/cpuset.cpus"
            cat "$folder/../cpuset.mems" >"$folder/cpuset.mems"
        fi
        echo "$BASHPID" >"$folder/cgroup.procs" || true
        echo "$folder" >>"$work/groups"
    done </proc/self/cgroup
}

boot() {
    local first command
    case $init in
    s6) command=(/usr/bin/s6-svscan /etc/s6/service) ;;
    *) command=(/sbin/init) ;;
    esac
    : >"$work/groups"
    (
        join_own_groups
        exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child \
            setpriv --bounding-set=-sys_time,-sys_module tests/boot/enter "$work/$init/root" "${command[@]}"
    ) >"$work/$init/console" 2>&1 &
    unshare_pid=$!
    until_done "a first process" has_first_process || return
    mapfile -t left_groups < <(sort -u "$work/groups")
    read -r init_pid <"/proc/$unshare_pid/task/$unshare_pid/children"
    first=$took
    until_done "the init being up" is_up || return
    ip link add outside type veth peer name inside netns "$init_pid"
    ip addr add $OUTSIDE/24 dev outside
    ip link set outside up
    inside ip link set lo up
    inside ip addr add $INSIDE/24 dev inside
    inside ip link set inside up
    took=$((took + first))
}

# Before it becomes unshare that shell has other children.
has_first_process() {
    grep -q unshare "/proc/$unshare_pid/comm" &&
        grep -q . "/proc/$unshare_pid/task/$unshare_pid/children"
}

# The machine goes without a farewell, as when its power does.
power_off() {
    [ -n "$unshare_pid" ] || return 0
    kill -9 "$init_pid"
    wait "$unshare_pid" 2>/dev/null || true
    unshare_pid=''
    ip link del outside 2>/dev/null || true
}

# The root of the machine: what was made for its init, and all changes in memory.
prepare_root() { # prepare_root NAME: as tests/boot/make-root has it
    local here=$work/$init
    mkdir -p "$here"
    mount -t tmpfs tmpfs "$here"
    mkdir "$here/upper" "$here/overlay" "$here/root"
    mount -t overlay overlay -o "lowerdir=$cache/$1,upperdir=$here/upper,workdir=$here/overlay" "$here/root"
    [ "$init" != s6 ] || mkdir -p "$here/root/etc/s6/service"
    # A bare Debian has none.
    printf '127.0.0.1 localhost\n' >"$here/root/etc/hosts"
}
