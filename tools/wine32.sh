# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # top, build and the counters are the callers'
# The suite wine32: Wine with 32-bit support (and a newer one) in a Debian of its own, for 32-bit programs do not run on a
# 64-bit-only Wine. Sourced by tools/test.sh.

wine32_root=$build/wine32
wine32_release=trixie

wine32_packages="wine64 wine wine32:i386 python3 python3-numpy libsndfile1 procps jackd2 jack-example-tools"

# The Debian, made once; one that lacks packages gets them. Needs root for chroot and mounts.
make_wine32() {
    # shellcheck disable=SC2086 # several words
    [ -f "$wine32_root/made" ] && chroot "$wine32_root" dpkg-query -W $wine32_packages >/dev/null 2>&1 && return 0
    echo "making a Debian with 32-bit Wine in build/wine32 (450 MB, some minutes) …"
    install wine32 || return 1
    {
        if [ ! -f "$wine32_root/made" ]; then
            rm -rf --one-file-system "$wine32_root"
            debootstrap --variant=minbase "$wine32_release" "$wine32_root"
        fi &&
            chroot "$wine32_root" bash -e -c '
                export DEBIAN_FRONTEND=noninteractive
                dpkg --add-architecture i386
                apt="apt-get -qq -o Acquire::Retries=3"
                $apt update
                $apt install -y --no-install-recommends $1
                apt-get clean' - "$wine32_packages" &&
            touch "$wine32_root/made"
    } >"$build/wine32.log" 2>&1 || {
        # the cause is seldom among the last lines
        grep -hE '^(E:|dpkg: error| )|No space' "$build/wine32.log" | tail -20 >&2
        df -h "$build" >&2
        return 1
    }
}

# in_wine32 COMMAND: there, in the house at its own place. The mounts are this one command's alone and end with it.
in_wine32() {
    mkdir -p "$wine32_root$top"
    unshare --mount --propagation private bash -c '
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --bind "$2" "$1$2" &&
            exec chroot "$1" env -i PATH=/usr/bin:/bin HOME=/root TUTTI_WINE=/usr/bin/wine WINEPREFIX="$2/build/prefix-wine32" \
                WINEDEBUG=-all bash -c "cd \"$2\" && $3"' - "$wine32_root" "$top" "$1"
}

# one NAME COMMAND…: a test; the word PASSED has to be in what it says, for a program that Wine cannot run ends well, too
one_wine32() {
    local name=$1 out
    shift
    if out=$(in_wine32 "timeout 600 $*" 2>&1) && [[ $out == *PASSED* ]]; then
        passed=$((passed + 1))
        echo "wine32 / $name OK"
    else
        failed=$((failed + 1))
        echo "wine32 / $name FAIL"
        tail -20 <<<"$out"
    fi
}

suite_wine32() {
    local file name
    if [ "$(id -u)" -ne 0 ]; then
        skip wine32 "it needs root for its chroot"
        return
    fi
    if ! unshare --mount --propagation private mount -t tmpfs none /mnt 2>/dev/null; then
        skip wine32 "nothing may be mounted here"
        return
    fi
    build_native && build_windows win64 x86_64 && build_windows win32 i686 && make_wine32 ||
        { fail_build wine32; return; }
    in_wine32 "tools/wine-wrapper cmd /c exit" >/dev/null 2>&1
    for file in build/win32/tests/test_*.exe; do
        name=$(basename "$file" .exe)
        case $name in
        test_asio_driver | test_asio_cable) one_wine32 "$name" "tools/wine-wrapper $file build/win32/src/asio/tutti.dll build/win64/src/tuttid/tuttid.exe" ;;
        test_asio_profiles) one_wine32 "$name" "tools/wine-wrapper $file build/win32/src/asio/tutti.dll build/win64/src/tuttid/tuttid.exe build/win64/src/cli/tutti.exe build/win64/src/asio/tutti.dll" ;;
        test_backend_contract) ;; # over WASAPI: it needs PulseAudio, which is not there
        test_conform) one_wine32 "$name" "tools/wine-wrapper $file docs/conform.md" ;;
        *) one_wine32 "$name" "tools/wine-wrapper $file" ;;
        esac
    done
    one_wine32 wine_install "/usr/bin/python3 tests/test_wine_install.py build/native/src/cli/tutti build/win64 both"
    one_wine32 wine_bridge "/usr/bin/python3 tests/wine_bridge.py both"
    one_wine32 wine_jack "/usr/bin/python3 tests/wine_graph.py jack both"
    one_wine32 many_hosts "/usr/bin/python3 tests/many_hosts.py both native 64"
    one_wine32 conform "/usr/bin/python3 tests/conform.py both"
    one_wine32 conform_defects "/usr/bin/python3 tools/conform_defects.py --short --wine32"
    one_wine32 engine_kills "/usr/bin/python3 tests/engine_kills.py 10 both"
    in_wine32 "/usr/lib/wine/wineserver64 -k" 2>/dev/null
}
