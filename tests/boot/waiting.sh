# shellcheck shell=bash disable=SC2034 # what is set is for those that source this
# What the scripts that boot machines start from, and how they wait. Sourced by them;
# $init is the init, $work/$init/console what its machine has said, and inside
# COMMAND... runs a command in that machine.

init='' work='' took=0
PATIENCE_S=60
PAUSE_S=0.02
# How long a mirror of Debian may take.
MAKING_S=600
# Roots that tests/boot/make-root has made, and what scripts/build-static has made.
cache=${PATTOO_BOOT_CACHE:-$PWD/target/boot}
binaries=${PATTOO_BOOT_BINARIES:-$PWD/target/$(uname -m)-unknown-linux-musl/release}

skip() { # skip NAME WHAT-IS-MISSING
    printf 'SKIPPED %s: %s\n' "$1" "$2" >&2
    exit 77
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# Waits until a command succeeds; its time in ms is in $took.
until_done() { # until_done WHAT COMMAND...
    local what=$1 begun deadline
    shift
    begun=$(now_ms)
    deadline=$((begun + PATIENCE_S * 1000))
    until "$@" >"$work/last" 2>&1; do
        if [ "$(now_ms)" -gt "$deadline" ]; then
            printf '%s: %s did not happen within %s s\n' "$init" "$what" "$PATIENCE_S" >&2
            inside sh -c 'tail -n 5 /var/log/pattoo/*.log; journalctl -q -n 15' >&2 2>/dev/null
            tail -n 20 "$work/last" "$work/$init/console" >&2
            return 1
        fi
        sleep "$PAUSE_S"
    done
    took=$(($(now_ms) - begun))
}

expect() { # expect WHAT COMMAND...
    local what=$1
    shift
    "$@" >"$work/last" 2>&1 && return
    printf '%s: not so: %s\n' "$init" "$what" >&2
    cat "$work/last" >&2
    return 1
}
