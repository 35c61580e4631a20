#!/bin/bash
# SPDX-License-Identifier: MIT
# ./run test [SUITE…]: builds and runs the suites, then prints one line with the sum. Sourced names come from ./run's own files.
set -u -o pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
TUTTI_RUN_LIBRARY=1 source ./run
passed=0 failed=0 skipped=0
most_seconds=2700 # of all suites together, on two idle cores

# skip NAME REASON: a test that does not run here. In CI it counts as failed unless tests/skips.txt gives the reason.
skip() {
    skipped=$((skipped + 1))
    echo "$1: skipped${2:+: $2}"
    if [ "${CI:-}" = true ] && ! grep -q "^$1: " tests/skips.txt; then
        echo "$1: it may not be skipped in CI; if there is a reason, write it into tests/skips.txt"
        failed=$((failed + 1))
    fi
}

# count DIR STATUS: adds up what Meson's runner reports of one build directory, one line of JSON per test. A runner that
# reports nothing, or fails without a failed test, counts as one failure.
count() {
    local log=$build/$1/meson-logs/testlog.json all=0 good=0 left=0 bad name
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
    passed=$((passed + good)) failed=$((failed + bad))
    while IFS= read -r name; do
        skip "$1/${name##* / }"
    done < <(sed -n '/"result": "SKIP"/s/^{"name": "\([^"]*\)".*/\1/p' "$log" 2>/dev/null)
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
    install wine demo jack pipewire pulse
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

suites=${*:-native asan tsan win64 win32 wine32 fresh}
for suite in $suites; do
    suite=${suite#--}
    case $suite in
    native | asan | tsan | win64 | win32 | wine32 | fresh) ;;
    *) refuse "there is no suite '$suite'; there are native asan tsan win64 win32 wine32 fresh" || exit ;;
    esac
done
for suite in $suites; do
    suite=${suite#--}
    begin=$SECONDS
    echo "== $suite" && "suite_$suite"
    echo "== $suite: $((SECONDS - begin)) s"
done
if [ "$SECONDS" -gt "$most_seconds" ]; then
    echo "all took $SECONDS s; $most_seconds s are the most: make tests quicker, or give what is long a verb of its own"
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
