# SPDX-License-Identifier: MIT
"""tutti conform on Tutti under Wine, a short form: the interface and a little of each other group; and how it says that it cannot judge.

conform.py [both]: the 32-bit driver by the 32-bit program.
"""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import conform
import conform_skips

BITS = 32 if "both" in sys.argv else 64
FOLDER = conform.TOP / f"build/conform-test{BITS}"
CASES = "interface,halves_alternate,the_first_*,time_*,no_callback_*,latency_is_as_reported_at_each_buffer_size,sound_*,the_smallest_*,a_long_*"
NODE = "Wow6432Node\\" if BITS == 32 else ""
failures = []


def expect(true, text):
    print(("ok    " if true else "WRONG ") + text)
    if not true:
        failures.append(text)


def run(system, *words):
    return subprocess.run([*system.command, "conform", *words], env=system.environment, check=False, capture_output=True, text=True,
                          timeout=240)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    report = FOLDER / "report.json"
    report.unlink(missing_ok=True)
    with conform.Tutti(FOLDER, BITS) as system:
        expect(run(system, "No such driver").returncode == 2, "a driver that is not registered cannot be judged")
        expect(run(system, "Tutti", "--only", "no_such_case").returncode == 2, "cases that do not exist cannot be run")
        long_name = "A" * 200
        subprocess.run([conform.demo.WRAPPER, "reg", "add", f"HKLM\\SOFTWARE\\{NODE}ASIO\\{long_name}", "/f"], env=system.environment, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        listed = run(system)
        expect(listed.returncode == 2 and '"Tutti"' in listed.stderr, "without a name the registered drivers are told")
        expect(f'"{long_name}"' in listed.stderr, "one with a long name does not hide those after it")
        judged = run(system, "Tutti", "--only", CASES, "--seconds", "2", "--json", conform.wine_path(report))
        print(judged.stdout[-6000:], judged.stderr)
        counts = json.loads(report.read_text()) if report.exists() else None
        expect(counts is not None and counts["cases"] == len(counts["results"]) > 60, "each case has an entry in the report")
        expect(judged.returncode == 0 and counts and counts["failed"] == 0, "Tutti passes")
        skipped = conform_skips.unexpected(counts["results"], conform_skips.TUTTI) if counts else []
        expect(not skipped, f"nothing is skipped that may not be: {'; '.join(skipped) or 'nothing'}")
        expect(counts and counts["driver"]["bits"] == BITS and counts["driver"]["loopback"], f"a {BITS}-bit driver with a loopback")
    print("FAILED" if failures else "PASSED")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
