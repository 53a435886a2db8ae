# shellcheck shell=bash disable=SC2034 # what is set is for those that source this
# The programs as services of $init: how each init is asked, and what has to be so.
# Sourced by the scripts that boot machines.

. tests/boot/waiting.sh

SPOKE=pattoo_agent_linux_spoked
HUB=pattoo_agent_linux_hubd
SERVER=pattood
killed='' # the number of a process that was ended

is_up() {
    case $init in
    systemd) inside systemctl is-system-running 2>&1 | grep -Eq 'running|degraded' ;;
    sysv | cron) inside runlevel | grep -q ' 2$' ;;
    openrc) inside rc-status --runlevel | grep -q default ;;
    runit) inside sh -c 'cat /proc/[0-9]*/comm' | grep -q runsvdir ;;
    s6) inside test -p /etc/s6/service/.s6-svscan/control ;;
    busybox) inside test -d /run/sysinit-done ;;
    esac
}

# What is copied to a machine to install from there.
lay_out() { # lay_out FOLDER BINARIES PROGRAM...
    local folder=$1 from=$2 program
    shift 2
    mkdir -p "$folder/bin" "$folder/scripts"
    cp -r etc "$folder/etc"
    cp scripts/install "$folder/scripts/"
    mkdir "$folder/packaging"
    cp packaging/logrotate "$folder/packaging/"
    for program in "$@"; do cp "$from/$program" "$folder/bin/"; done
}
# The hub outside, which polls one device and posts to one server.
configure_hub() { # configure_hub ADDRESS POLL-TIMEOUT-S
    mkdir -p "$work/hub"
    cat >"$work/hub/pattoo.yaml" <<YAML
pattoo:
  log_directory: $work/hub
  cache_directory: $work/hub
  daemon_directory: $work/hub
pattoo_agent_api:
  ip_address: $1
YAML
    printf 'ip_devices:\n  - ip_address: %s\npoll_timeout: %s\n' "$1" "$2" >"$work/hub/$HUB.yaml"
}
polled() {
    PATTOO_CONFIGDIR=$work/hub "$binaries/$HUB" --once >"$work/once" 2>&1 &&
        grep -q '1 of 1 devices are up' "$work/once" && grep -q '^Posted' "$work/once"
}
spoke_pid() { inside cat "/var/lib/pattoo/pid/$SPOKE.pid"; }
back_again() { [ "$(spoke_pid)" != "$killed" ] && polled; }

status() { # status PROGRAM: as the init tells it
    case $init in
    systemd) inside systemctl is-active --quiet "$1" ;;
    sysv | openrc) inside "/etc/init.d/$1" status ;;
    runit) inside sv status "/etc/service/$1" | grep -q '^run:' ;;
    s6) inside s6-svstat "/etc/s6/service/$1" | grep -q '^up' ;;
    busybox | cron) inside "/usr/local/bin/$1" --status ;;
    esac
}
stop() { # stop PROGRAM
    case $init in
    systemd) inside systemctl stop "$1" ;;
    sysv | openrc) inside "/etc/init.d/$1" stop ;;
    runit) inside sv stop "/etc/service/$1" ;;
    s6) inside s6-svc -wD -d "/etc/s6/service/$1" ;;
    busybox)
        inside sed -i "/$1/d" /etc/inittab
        inside sh -c "kill -HUP 1"
        inside "/usr/local/bin/$1" --stop
        ;;
    cron)
        inside rm "/etc/cron.d/$1"
        inside "/usr/local/bin/$1" --stop
        ;;
    esac
}
restart() { # restart PROGRAM
    case $init in
    systemd) inside systemctl restart "$1" ;;
    sysv | openrc) inside "/etc/init.d/$1" restart ;;
    runit) inside sv restart "/etc/service/$1" ;;
    s6) inside s6-svc -r "/etc/s6/service/$1" ;;
    busybox) inside "/usr/local/bin/$1" --stop ;;
    cron) inside su -s /bin/sh pattoo -c "/usr/local/bin/$1 --restart" ;;
    esac
}
stopped() { [ "$(inside "/usr/local/bin/$SPOKE" --status >/dev/null && echo 0 || echo $?)" = 3 ] && ! polled; }

write_configuration() {
    inside mkdir -p /etc/pattoo
    inside sh -c 'printf "# This line is ours\npattoo:\n  log_level: debug\n" >/etc/pattoo/pattoo.yaml'
}
configuration_is_kept() { inside grep -q 'This line is ours' /etc/pattoo/pattoo.yaml; }
nothing_is_left() {
    inside find / -xdev -iname '*pattoo*' -not -path '/opt/*' >"$work/left"
    inside grep -sl pattoo /etc/passwd /etc/group /etc/inittab >>"$work/left" || true
    cat "$work/left"
    [ ! -s "$work/left" ]
}
right_user() { inside sh -c "[ \"\$(stat -c %U /proc/\$(cat /var/lib/pattoo/pid/$SPOKE.pid))\" = pattoo ]"; }
dead_for_sysv() {
    local code=0
    inside "/etc/init.d/$SPOKE" status || code=$?
    [ $code = 1 ]
}
