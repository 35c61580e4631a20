#!/bin/bash
# SPDX-License-Identifier: MIT
# stage.sh NATIVE WIN64 WIN32 TREE BRIDGE: lays out what three builds made as an installation has it, in TREE, from which all of it
# works together. WIN32 may lack its driver. BRIDGE: the path of tutti-bridge as copies of the driver in Wine prefixes will need it.
set -eu -o pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
native=$1 win64=$2 win32=$3 tree=$(realpath -m "$4") bridge=$5
documents=$tree/share/doc/tutti

# half BUILD FOLDER STRIP: the driver, the engine it starts and the command, beside each other
half() {
    local to=$tree/lib/tutti/$2 file
    mkdir -p "$to"
    for file in src/asio/tutti.dll src/tuttid/tuttid.exe src/cli/tutti.exe conform/tutti-conform.exe; do
        install -m 644 "$1/$file" "$to/"
    done
    if command -v "$3" >/dev/null; then
        # never fatal: a test packs files that are no programs
        "$3" --strip-debug "$to"/* 2>/dev/null || true
    fi
    # where the native engine is reached; install.sh knows
    echo "$bridge" >"$to/tutti-bridge.txt"
    chmod 644 "$to/tutti-bridge.txt"
}

# add_document PATH: a file of the repository at the same place among the documents, with all that it links to
add_document() {
    local link
    [ ! -e "$documents/$1" ] || return 0
    install -D -m 644 "$top/$1" "$documents/$1"
    case $1 in *.md) ;; *) return 0 ;; esac
    while read -r link; do
        case $link in *://* | '' | ..) continue ;; esac
        add_document "$(realpath --relative-to="$top" "$top/$(dirname "$1")/$link")"
    done < <(grep -oP '\]\(\K[^)#]+' "$top/$1" || true)
}

rm -rf "$tree"
install -d "$tree/bin" "$tree/share/man/man1" "$tree/share/man/man8" "$documents" "$tree/share/tutti/systemd"
for program in cli/tutti tuttid/tuttid bridge/tutti-bridge; do
    install -m 755 "$native/src/$program" "$tree/bin/"
    strip --strip-debug "$tree/bin/${program##*/}"
done
half "$win64" x86_64-windows x86_64-w64-mingw32-strip
if [ -f "$win32/src/asio/tutti.dll" ]; then
    half "$win32" i386-windows i686-w64-mingw32-strip
else
    echo "stage: without the 32-bit driver, which is not built" >&2
fi
# libtutti for other programs; files only, for install.sh knows no links: the second is a linker script
if [ -f "$native/src/client/libtutti.so.0.1.0" ]; then
    install -d "$tree/include/tutti" "$tree/lib/pkgconfig"
    install -m 644 "$top"/include/tutti/{tutti,status}.h "$tree/include/tutti/"
    install -m 755 "$native/src/client/libtutti.so.0.1.0" "$tree/lib/libtutti.so.0"
    strip --strip-debug "$tree/lib/libtutti.so.0"
    echo 'INPUT(libtutti.so.0)' >"$tree/lib/libtutti.so"
    sed -e 's|^prefix=.*|prefix=${pcfiledir}/../..|' -e 's|^libdir=.*|libdir=${prefix}/lib|' -e 's|^includedir=.*|includedir=${prefix}/include|' \
        "$native/meson-private/tutti.pc" >"$tree/lib/pkgconfig/tutti.pc"
    chmod 644 "$tree/lib/libtutti.so" "$tree/lib/pkgconfig/tutti.pc"
fi
install -m 644 "$top/docs/man/tutti.1" "$tree/share/man/man1/"
install -m 644 "$top/docs/man/tuttid.8" "$tree/share/man/man8/"
cd "$top"
for document in README.md CHANGELOG.md LICENSE docs/*.md docs/adr/*.md docs/example.c include/tutti/*.h; do
    add_document "$document"
done
# of the library that is linked into the Windows programs
licence=libsndfile-1.2.0/COPYING
[ ! -f "$top/subprojects/$licence" ] ||
    install -D -m 644 "$top/subprojects/$licence" "$documents/licences/${licence%%-*}.txt"
install -m 644 "$top"/packaging/systemd/tuttid.{socket,service} "$tree/share/tutti/systemd/"
install -m 755 "$top/packaging/tarball/uninstall.sh" "$tree/share/tutti/"
