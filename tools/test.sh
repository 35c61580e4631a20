#!/bin/bash
# SPDX-License-Identifier: MIT
# ./run test [SUITE…]: builds and runs the suites, then prints one line with the sum. Sourced names come from ./run's own files.
set -u -o pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
TUTTI_RUN_LIBRARY=1 source ./run
passed=0 failed=0 skipped=0

# count DIR STATUS: adds up what Meson's runner reports of one build directory, one line of JSON per test. A runner that
# reports nothing, or fails without a failed test, counts as one failure.
count() {
    local log=$build/$1/meson-logs/testlog.json all=0 good=0 left=0 bad
    if [ -s "$log" ]; then
        all=$(wc -l <"$log")
        good=$(grep -c '"result": "OK"' "$log")
        left=$(grep -c '"result": "SKIP"' "$log")
    fi
    bad=$((all - good - left))
    if [ "$all" -eq 0 ] || { [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
        echo "$1: Meson's test runner ended with status $2 after $all tests"
        bad=$((bad + 1))
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
}

# run_suite DIR [MESON TEST OPTIONS…]
run_suite() {
    local dir=$1
    shift
    rm -f "$build/$dir/meson-logs/testlog.json"
    meson test -C "$build/$dir" --no-rebuild --print-errorlogs "$@" 2>&1 |
        grep -vE '^(ninja|Full log|Expected Fail|Unexpected Pass|$)'
    count "$dir" "${PIPESTATUS[0]}"
}

fail_build() {
    echo "$1: the build failed"
    failed=$((failed + 1))
}

suite_native() {
    install lint jack pipewire alsa pulse network rtkit
    build_native || { fail_build native; return; }
    run_suite native --num-processes 2 --no-suite installing
}

suite_asan() {
    build_clang asan address,undefined || { fail_build asan; return; }
    ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
        run_suite asan --suite core --num-processes 2
}

suite_tsan() {
    build_clang tsan thread || { fail_build tsan; return; }
    run_suite tsan --suite core --num-processes 2
}

suite_win64() {
    install wine demo jack pipewire
    build_native || { fail_build native; return; } # Windows programs on the native engine
    build_windows win64 x86_64 || { fail_build win64; return; }
    tools/wine-wrapper cmd /c exit >/dev/null 2>&1 # makes the prefix before tests race for it
    run_suite win64 --num-processes 2 --timeout-multiplier 3
    run_suite native --suite installing
}

# 32-bit programs do not run on a 64-bit-only Wine: built, and looked at.
suite_win32() {
    build_windows win32 i686 || { fail_build win32; return; }
    run_suite win32 asio_thiscall
}

# shellcheck source=tools/wine32.sh
source tools/wine32.sh
# shellcheck source=tools/fresh.sh
source tools/fresh.sh

for suite in "${@:-native asan tsan win64 win32 wine32 fresh}"; do
    suite=${suite#--}
    for name in $suite; do
        case $name in
        native | asan | tsan | win64 | win32 | wine32 | fresh) echo "== $name" && "suite_$name" ;;
        *) echo "run: there is no suite '$name'" >&2 && exit 2 ;;
        esac
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
