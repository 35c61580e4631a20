#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs Tutti for this user from the folder this script lies in.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=$HOME/.local service=yes wine=yes

usage() {
    cat <<'END'
usage: install.sh [--prefix DIR] [--no-service] [--no-wine]

  --prefix DIR  install below DIR (default ~/.local)
  --no-service  do not let systemd start the engine; programs start it themselves
  --no-wine     do not register the driver in Wine prefixes

uninstall.sh, here and in DIR/share/tutti, undoes it.
END
}

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --prefix) [ $# -ge 2 ] || fail "--prefix needs a folder"; prefix=$2; shift ;;
    --prefix=*) prefix=${1#*=} ;;
    --no-service) service=no ;;
    --no-wine) wine=no ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
made=
[ -d "$prefix" ] || made=.
mkdir -p "$prefix" 2>/dev/null || fail "cannot make the folder '$prefix'"
prefix=$(cd "$prefix" && pwd)
[ -w "$prefix" ] || fail "cannot write into '$prefix'; choose another with --prefix"
list=$prefix/share/tutti/installed
units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user

# ---- can it run here? ----
missing=$(ldd "$here/bin/tutti" "$here/bin/tuttid" 2>&1 | sed -n 's/^\s*\(\S*\) => not found$/\1/p' | sort -u | tr '\n' ' ')
[ -z "$missing" ] || fail "these libraries are missing: $missing
  Debian, Ubuntu: apt install libsndfile1    Fedora: dnf install libsndfile
  Arch: pacman -S libsndfile                 openSUSE: zypper install libsndfile1"
version=$("$here/bin/tutti" --version 2>&1) || fail "the programs do not run on this machine: $version"

# ---- nothing of somebody else's is overwritten ----
cd "$here" || exit 1
mapfile -t files < <(find bin include lib share -type f | sort)
for file in "${files[@]}"; do
    if [ -e "$prefix/$file" ] && ! grep -qxF "file $file" "$list" 2>/dev/null; then
        fail "'$prefix/$file' is there and was not installed by this script; remove it, or choose another --prefix"
    fi
done

# ---- an engine of an older version would serve on ----
[ ! -x "$prefix/bin/tutti" ] || "$prefix/bin/tutti" stop-engine >/dev/null 2>&1

# ---- files: the list first, so that whatever stops us can be undone ----
old=$(cat "$list" 2>/dev/null)
folders=$(sed -n 's/^folder //p' <<<"$old")$'\n'$made
while read -r folder; do
    [ -d "$prefix/$folder" ] || folders+=$'\n'$folder
done < <(find bin include lib share -type d | sort; echo share/tutti)
mkdir -p "$prefix/share/tutti" || fail "cannot write into '$prefix'"
{
    printf 'file %s\n' "${files[@]}"
    sed -n 's/^/folder /p' <<<"$folders" | grep -v '^folder $' | sort -u
    grep '^unit ' <<<"$old" || true
} >"$list.new" && mv "$list.new" "$list" || fail "cannot write '$list'"
for file in "${files[@]}"; do
    install -D -m "$(stat -c %a "$file")" "$file" "$prefix/$file" || fail "cannot copy '$file'"
    case $file in
    */tutti-bridge.txt) echo "$prefix/bin/tutti-bridge" >"$prefix/$file" || fail "cannot write '$file'" ;;
    esac
done
sed -n 's/^file //p' <<<"$old" | while read -r file; do
    grep -qxF "file $file" "$list" || rm -f "$prefix/$file"
done
echo "$version is installed in $prefix."
case :$PATH: in
*":$prefix/bin:"*) ;;
*) echo "Put $prefix/bin into your PATH to call it as 'tutti'." ;;
esac

# ---- service ----
if [ $service = no ]; then
    echo "Programs start the engine themselves."
elif ! systemctl --user show-environment >/dev/null 2>&1; then
    echo "There is no systemd for this user: programs start the engine themselves."
else
    mkdir -p "$units"
    for unit in tuttid.socket tuttid.service; do
        if [ -e "$units/$unit" ] && ! grep -qxF "unit $units/$unit" "$list"; then
            fail "'$units/$unit' is there and was not installed by this script; --no-service leaves it"
        fi
        grep -qxF "unit $units/$unit" "$list" || echo "unit $units/$unit" >>"$list"
        sed "s|^ExecStart=.*|ExecStart=\"$prefix/bin/tuttid\"|" "share/tutti/systemd/$unit" >"$units/$unit"
    done
    if systemctl --user daemon-reload && systemctl --user enable --now tuttid.socket; then
        echo "systemd starts the engine when the first program needs it (tuttid.socket)."
    else
        echo "install.sh: systemd did not take tuttid.socket; programs start the engine themselves" >&2
    fi
fi

# ---- Wine ----
if [ $wine = yes ]; then
    if [ "$("$prefix/bin/tutti" wine status --json | grep -c '"path"')" -eq 0 ]; then
        echo "There is no Wine prefix yet; 'tutti wine install' when there is."
    elif ! "$prefix/bin/tutti" wine install; then
        echo "Prefixes that were refused are as they were; 'tutti wine status' tells why, 'tutti wine install' tries again."
    fi
fi
echo "'tutti doctor' tells what this machine still needs."
