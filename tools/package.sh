#!/bin/bash
# SPDX-License-Identifier: MIT
# package.sh NATIVE WIN64 WIN32 OUT: puts what three builds made into OUT/tutti-VERSION-linux-x86_64.tar.gz, as tools/stage.sh lays it
# out, with the scripts that install it. The same sources give the same bytes, but for what the compilers put in.
set -eu -o pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
native=$1 win64=$2 win32=$3 out=$4
version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" "$top/meson.build" | head -1)
name=tutti-$version-linux-x86_64
moment=$(git -C "$top" log -1 --format=%ct 2>/dev/null || stat -c %Y "$top/meson.build")
export SOURCE_DATE_EPOCH=$moment # strip writes a time into Windows files
tree=$out/$name

# a build on a machine without a library's headers lacks its backend, and would do so everywhere
for backend in pipewire:libpipewire-0.3-dev jack:libjack-jackd2-dev alsa:libasound2-dev; do
    grep -q "X(${backend%%:*})" "$native/src/backend/backends_built.h" || {
        echo "package: '$native' was built without the ${backend%%:*} backend; install ${backend#*:} and set it up anew" >&2
        exit 1
    }
done
[ -e "$native/src/os/libos.a.p/posix_rtkit.c.o" ] || {
    echo "package: '$native' was built without RealtimeKit; install libdbus-1-dev and set it up anew" >&2
    exit 1
}
"$top/tools/stage.sh" "$native" "$win64" "$win32" "$tree" /usr/bin/tutti-bridge
install -m 755 "$top"/packaging/tarball/{install,uninstall}.sh "$tree/"

tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$moment" -cf - "$name" |
    gzip -9n >"$out/$name.tar.gz"
rm -rf "$tree"
echo "$out/$name.tar.gz"
