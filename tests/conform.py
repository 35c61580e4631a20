# SPDX-License-Identifier: MIT
"""tutti conform on Tutti under Wine, a short form: the interface and a little of each other group; and how it says that it cannot judge.

Then once with each of some settings, the cases that look at what is set; and some with tuttid.exe, as Windows has it.

conform.py [both]: the 32-bit driver by the 32-bit program.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import conform
import conform_skips

BITS = 32 if "both" in sys.argv else 64
FOLDER = conform.TOP / f"build/conform-test{BITS}"
CASES = "interface,halves_alternate,the_first_*,time_*,no_callback_*,latency_is_as_reported_at_each_buffer_size,sound_*,the_smallest_*,a_long_*"
SOUND = "each_channel_describes_itself,halves_can_be_written_whole,output_halves_are_silent_at_first,sound_comes_back_whole"
SIZES = "buffer_sizes_are_consistent,each_offered_size_is_taken,latency_is_the_same_*"
LATE = "what_is_written_before_the_next_callback_is_heard"
# a card that loses frames again and again
JUMPS = "each_jump_of_the_position_is_told"
LOSSES = ";".join(f"at {cycle} lose 256" for cycle in range(100, 1500, 100))
# settings, cases, what the report says of the driver then
SETTINGS = [
    ({"program.sample_type": "int16"}, SOUND, {"sample_type": "Int16LSB"}),
    ({"program.sample_type": "int24"}, SOUND, {"sample_type": "Int24LSB"}),
    ({"program.sample_type": "int32"}, SOUND, {"sample_type": "Int32LSB"}),
    ({"program.sample_type": "float64"}, SOUND, {"sample_type": "Float64LSB"}),
    ({"program.late_take": "yes"}, f"{LATE},output_ready_*", {}),
    ({"program.buffer_step": "48", "program.buffer_min": "48", "program.buffer": "240", "program.buffer_max": "960"}, SIZES,
     {"preferred_frames": 240}),
    ({"program.buffer_max": "8192", "program.buffer": "8192"}, "buffer_sizes_are_consistent,each_offered_size_is_taken",
     {"preferred_frames": 8192}),
    ({"program.dsd": "msb"}, "io_formats_are_consistent", {}),
    ({"sim.elastic_ms": "0", "sim.faults": LOSSES}, JUMPS, {}),
]
# with tuttid.exe
WINDOWS = "halves_alternate,the_first_*,output_halves_*,juce_opens_*,stop_in_the_callback_returns,released_within_*"
TRIES = 3
NODE = "Wow6432Node\\" if BITS == 32 else ""
failures = []


def expect(true, text):
    print(("ok    " if true else "WRONG ") + text)
    if not true:
        failures.append(text)


def run(system, *words):
    return subprocess.run([*system.command, "conform", *words], env=system.environment, check=False, capture_output=True, text=True,
                          timeout=240)


def judge(system, cases, what, driver):
    """One more run; driver: what its report has to say of the driver. Tried again where a busy machine lost the loopback's sound."""
    report = FOLDER / "settings.json"
    began = time.monotonic()
    exceptions = ("--except", system.exceptions) if system.exceptions else ()
    told = {}
    for _ in range(TRIES):
        report.unlink(missing_ok=True)
        judged = run(system, "Tutti", "--only", cases, *exceptions, "--seconds", "2", "--json", conform.wine_path(report))
        told = json.loads(report.read_text()) if report.exists() else {"results": [], "driver": {}}
        if told["driver"].get("loopback"):
            break
    for result in told["results"]:
        if result["reason"]:
            print(f"      {result['name']}: {result['verdict']}, {result['reason']}")
    expect(told["results"] and judged.returncode == 0, f"{what}: {len(told['results'])} cases, {time.monotonic() - began:.0f} s")
    expect(all(told["driver"].get(key) == value for key, value in driver.items()), f"the driver is so: {driver}")
    return {result["name"]: result for result in told["results"]}


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
        judged = run(system, "Tutti", "--only", CASES, "--except", system.exceptions, "--seconds", "2", "--json", conform.wine_path(report))
        print(judged.stdout[-6000:], judged.stderr)
        counts = json.loads(report.read_text()) if report.exists() else None
        expect(counts is not None and counts["cases"] == len(counts["results"]) > 60, "each case has an entry in the report")
        expect(judged.returncode == 0 and counts and counts["failed"] == 0, "Tutti passes")
        skipped = conform_skips.unexpected(counts["results"], conform_skips.TUTTI) if counts else []
        expect(not skipped, f"nothing is skipped that may not be: {'; '.join(skipped) or 'nothing'}")
        expect(counts and counts["driver"]["bits"] == BITS and counts["driver"]["loopback"], f"a {BITS}-bit driver with a loopback")
        for settings, cases, driver in SETTINGS if BITS == 64 else []:
            # the engine of the last run stays for its grace, with the settings that it began with
            subprocess.run([conform.TOP / "build/native/src/cli/tutti", "stop-engine"], env=system.environment, check=False, capture_output=True)
            system.set(settings)
            results = judge(system, cases, ", ".join(f"{key} = {value}" for key, value in settings.items()), driver)
            if JUMPS in cases:
                # how many fall into the case depends on when it begins
                expect(results[JUMPS]["verdict"] == "passed" and results[JUMPS]["figure"]["value"] >= 1,
                       f"frames that the card loses are reported: {results[JUMPS]['figure']}")
            if LATE in cases:
                expect(results[LATE]["verdict"] == "passed", "with late_take a host may write until its next callback")
        if BITS == 64:
            system.set({})
            system.meet_windows_engine()
            judge(system, WINDOWS, "tuttid.exe", {})
            logs = list(pathlib.Path(conform.demo.PREFIX).glob("drive_c/users/*/AppData/Local/Tutti/tuttid.log"))
            expect(logs, "it was tuttid.exe, which keeps its log in the prefix")
    print("FAILED" if failures else "PASSED")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
