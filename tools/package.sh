#!/bin/bash
# SPDX-License-Identifier: MIT
# package.sh NATIVE WIN64 WIN32 OUT: puts what three builds made into OUT/tutti-VERSION-linux-x86_64.tar.gz. WIN32 may lack its driver.
# The same sources give the same bytes, but for what the compilers put in.
set -eu -o pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
native=$1 win64=$2 win32=$3 out=$4
version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" "$top/meson.build" | head -1)
name=tutti-$version-linux-x86_64
moment=$(git -C "$top" log -1 --format=%ct 2>/dev/null || stat -c %Y "$top/meson.build")
export SOURCE_DATE_EPOCH=$moment # strip writes a time into Windows files
tree=$out/$name

# half BUILD FOLDER STRIP: the driver, the engine it starts and the command, beside each other
half() {
    local to=$tree/lib/tutti/$2 file
    mkdir -p "$to"
    for file in asio/tutti.dll tuttid/tuttid.exe cli/tutti.exe; do
        install -m 644 "$1/src/$file" "$to/"
    done
    if command -v "$3" >/dev/null; then
        # never fatal: a test packs files that are no programs
        "$3" --strip-debug "$to"/* 2>/dev/null || true
    fi
    # where the native engine is reached, for copies of the driver in Wine prefixes; install.sh knows
    echo "/usr/bin/tutti-bridge" >"$to/tutti-bridge.txt"
    chmod 644 "$to/tutti-bridge.txt"
}

rm -rf "$tree"
install -d "$tree/bin" "$tree/share/man/man1" "$tree/share/man/man8" "$tree/share/doc/tutti" \
    "$tree/share/tutti/systemd"
for program in cli/tutti tuttid/tuttid bridge/tutti-bridge; do
    install -m 755 "$native/src/$program" "$tree/bin/"
    strip --strip-debug "$tree/bin/${program##*/}"
done
half "$win64" x86_64-windows x86_64-w64-mingw32-strip
if [ -f "$win32/src/asio/tutti.dll" ]; then
    half "$win32" i386-windows i686-w64-mingw32-strip
else
    echo "package: without the 32-bit driver, which is not built" >&2
fi
install -m 644 "$top/docs/man/tutti.1" "$tree/share/man/man1/"
install -m 644 "$top/docs/man/tuttid.8" "$tree/share/man/man8/"
install -m 644 "$top"/{README.md,CHANGELOG.md,LICENSE} "$top"/docs/{linux,configuration,troubleshooting}.md \
    "$tree/share/doc/tutti/"
install -m 644 "$top"/packaging/systemd/tuttid.{socket,service} "$tree/share/tutti/systemd/"
install -m 755 "$top"/packaging/tarball/{install,uninstall}.sh "$tree/"
install -m 755 "$top/packaging/tarball/uninstall.sh" "$tree/share/tutti/"

tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$moment" -cf - "$name" |
    gzip -9n >"$out/$name.tar.gz"
rm -rf "$tree"
echo "$out/$name.tar.gz"
