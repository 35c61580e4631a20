# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # top, build and the counters are the callers'
# The suite fresh: builds the Linux programs in a Debian that has nothing yet, from tracked files alone. What the list of
# packages lacks, or what would depend on the order of verbs, shows here. Sourced by tools/test.sh.

fresh_base=$build/fresh-base
fresh_root=$build/fresh

# The empty Debian, downloaded once; each run works on a copy.
make_fresh() {
    local release
    release=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
    if [ ! -f "$fresh_base/made" ]; then
        install wine32 && rm -rf --one-file-system "$fresh_base" &&
            debootstrap --variant=minbase "$release" "$fresh_base" >"$build/fresh.log" 2>&1 &&
            touch "$fresh_base/made" || return 1
    fi
    rm -rf --one-file-system "$fresh_root" && cp -a "$fresh_base" "$fresh_root" &&
        mkdir "$fresh_root/tutti" && git ls-files -z | tar -c --null -T - | tar -x -C "$fresh_root/tutti"
}

# in_fresh COMMAND: there, in the tracked files; the mounts end with it
in_fresh() {
    unshare --mount --propagation private bash -c '
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
            exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
                bash -c "cd /tutti && $2"' - "$fresh_root" "$1"
}

# programs DIR: what a build folder holds, by name
programs() {
    (cd "$1" && find . -type f -perm -u+x -not -path './meson-*' | sort)
}

suite_fresh() {
    if [ "$(id -u)" -ne 0 ] ||
        ! unshare --mount --propagation private mount -t tmpfs none /mnt 2>/dev/null; then
        skip fresh "it needs root and a chroot"
        return
    fi
    build_native || { fail_build native; return; }
    if make_fresh && in_fresh "TUTTI_RUN_LIBRARY=1 source ./run && build_native" >>"$build/fresh.log" 2>&1 &&
        diff <(programs "$build/native") <(programs "$fresh_root/tutti/build/native") >>"$build/fresh.log"; then
        passed=$((passed + 1))
        echo "fresh / build OK"
        rm -rf --one-file-system "$fresh_root"
    else
        failed=$((failed + 1))
        echo "fresh / build FAIL; the whole log is $build/fresh.log"
        tail -20 "$build/fresh.log"
    fi
}
