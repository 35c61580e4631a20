# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # top and build are the caller's
# What the verbs need from Debian, and how it is installed. Sourced by ./run.

# set: packages; "build" is all that compiling needs, the programs of tests and benchmarks included:
# the headers of the libraries that are loaded at run time, and the resamplers that a benchmark compares with
declare -A package_sets=(
    [build]="gcc g++ libc6-dev meson ninja-build pkg-config libcmocka-dev libsndfile1-dev
             libpipewire-0.3-dev libasound2-dev libjack-jackd2-dev libdbus-1-dev
             libsamplerate0-dev libsoxr-dev libspeexdsp-dev ca-certificates curl xz-utils
             locales"
    [clang]="clang libclang-rt-14-dev"
    [windows]="gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64 gcc-mingw-w64-i686 g++-mingw-w64-i686
               binutils-mingw-w64-i686"
    [wine]="wine64 wine procps"
    [lint]="clang-format clang-tidy shellcheck python3 python3-numpy mandoc"
    [demo]="python3 python3-numpy gnuplot-nox fonts-dejavu-core sox alsa-utils procps"
    [jack]="jackd2 valgrind"
    [wine32]="debootstrap util-linux"
    [network]="iproute2 python3 python3-numpy"
    [pipewire]="pipewire pipewire-bin pipewire-jack"
    [rtkit]="dbus-daemon python3-dbus python3-gi"
    [alsa]="libasound2-plugins"
    [pulse]="pulseaudio pulseaudio-utils"
)

# Tarballs for the Windows build: path in Debian's pool, sha256. Meson finds them in its package cache.
pool_files="
pool/main/c/cmocka/cmocka_1.1.5.orig.tar.xz          f0ccd8242d55e2fd74b16ba518359151f6f8383ff8aef4976e48393f77bba8b6
pool/main/libs/libsndfile/libsndfile_1.2.0.orig.tar.gz 62dc4e2bcd45f6f0e89cbc3522cc90eb174dca0eef0a0d19ead289833b390cd7
"

# install SET…: what is missing of these sets; silent when all is there.
install() {
    local missing=() set package
    for set in "$@"; do
        for package in ${package_sets[$set]}; do
            dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
                missing+=("$package")
        done
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            echo "run: as root, install: ${missing[*]}" >&2
            return 1
        }
        sudo=(sudo)
    fi
    echo "installing ${#missing[@]} packages …"
    {
        "${sudo[@]}" apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq \
                --no-install-recommends "${missing[@]}"
    } >"$build/apt.log" 2>&1 || {
        tail -5 "$build/apt.log" >&2
        echo "run: installing failed; the whole log is $build/apt.log" >&2
        return 1
    }
}

# The upstream tarballs that the Windows build takes instead of a distribution's packages.
fill_package_cache() {
    local cache=$top/subprojects/packagecache mirror path sum file
    mkdir -p "$cache"
    while read -r path sum; do
        [ -n "$path" ] || continue
        file=$cache/${path##*/}
        [ -f "$file" ] && echo "$sum  $file" | sha256sum -c --status && continue
        for mirror in $(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | sort -u); do
            curl -sfL -o "$file" "${mirror%/}/$path" && break
        done
        echo "$sum  $file" | sha256sum -c --status || {
            rm -f "$file"
            echo "run: cannot get ${path##*/} from the Debian mirror in apt's configuration" >&2
            return 1
        }
    done <<<"$pool_files"
}
