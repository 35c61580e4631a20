#!/bin/bash
# SPDX-License-Identifier: MIT
# Undoes install.sh: registrations in Wine prefixes, the service, the files. Nothing else is removed.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=$HOME/.local force=no
# as installed it lies in PREFIX/share/tutti
[ ! -f "$here/installed" ] || prefix=$(cd "$here/../.." && pwd)

usage() {
    cat <<'END'
usage: uninstall.sh [--prefix DIR] [--force]

  --prefix DIR  where install.sh put it (default: where this script lies, else ~/.local)
  --force       remove the files even when a Wine prefix still refers to them
END
}

fail() {
    echo "uninstall.sh: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --prefix) [ $# -ge 2 ] || fail "--prefix needs a folder"; prefix=$2; shift ;;
    --prefix=*) prefix=${1#*=} ;;
    --force) force=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
list=$prefix/share/tutti/installed
[ -f "$list" ] || fail "nothing that install.sh put there is in '$prefix'"
# from here on this script itself may vanish: bash has read the function by then
undo() {
    local kind path
    if [ -x "$prefix/bin/tutti" ]; then
        if ! "$prefix/bin/tutti" wine uninstall && [ $force = no ]; then
            fail "a Wine prefix still refers to the driver (see above); mend it and try again, or --force"
        fi
        if grep -q '^unit ' "$list"; then
            systemctl --user disable --now tuttid.socket
            systemctl --user stop tuttid.service 2>/dev/null
        fi
        "$prefix/bin/tutti" stop-engine >/dev/null 2>&1
    fi
    while read -r kind path; do
        case $kind in
        unit) rm -f "$path" && rmdir "${path%/*}" 2>/dev/null ;;
        file) rm -f "$prefix/$path" ;;
        esac
    done <"$list"
    ! grep -q '^unit ' "$list" || systemctl --user daemon-reload
    local folders
    folders=$(sed -n 's/^folder //p' "$list" | sort -r)
    rm -f "$list"
    while read -r path; do
        # what others put there stays
        [ -z "$path" ] || [ "$path" = . ] || rmdir "$prefix/$path" 2>/dev/null
    done <<<"$folders"
    ! grep -qxF . <<<"$folders" || rmdir "$prefix" 2>/dev/null
    echo "Tutti is removed from $prefix."
    exit 0
}
undo
