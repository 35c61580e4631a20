# SPDX-License-Identifier: MIT
"""The part `cost` of ./run bench cycle: what a cycle costs the engine, in ns and in instructions."""
import pathlib
import re
import subprocess
import tempfile

from real_time import real_time

TOP = pathlib.Path(__file__).resolve().parent.parent
BINARY = TOP / "build/native/bench/bench_cycle"
PROGRAMS = [1, 2, 4, 8, 16, 32, 64]
CHANNELS = [2, 4, 8, 16, 32, 64, 128, 256]
SHORT, LONG = 200, 1200  # cycles under callgrind: the difference is what they cost


def time_ns(case, cycles):
    said = subprocess.run(real_time(1, BINARY, *case, cycles), capture_output=True, text=True, check=True).stdout.split()
    return int(said[0]), int(said[1])


def count(case, cycles, folder):
    """Instructions of a run: all, and by function without what it calls."""
    out = pathlib.Path(folder) / "callgrind.out"
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--toggle-collect=cycle_run", BINARY, *map(str, case),
                    str(cycles)], capture_output=True, check=True)
    said = subprocess.run(["callgrind_annotate", "--threshold=100", out], capture_output=True, text=True, check=True).stdout
    functions = {}
    for line in said.splitlines():
        found = re.match(r"\s*([\d,]+) \([ \d.]+%\)\s+\S*?:(\S+)", line)
        if found:
            name = found[2].split("'")[0]
            functions[name] = functions.get(name, 0) + int(found[1].replace(",", ""))
    return functions


def instructions(case):
    """Per cycle, without the programs' answers; and which functions they are in."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = count(case, SHORT, folder), count(case, LONG, folder)
    each = {name: (number - few.get(name, 0)) / (LONG - SHORT) for name, number in many.items()}
    for name in ("answer_all", "handoff_begin", "handoff_done", "wait_for_it"):
        each.pop(name, None)
    shares = sorted(((value, name) for name, value in each.items() if value > 0), reverse=True)
    total = sum(value for value, _ in shares)
    return round(total), {name: round(value) for value, name in shares[:8]}


def measure(quick):
    cases = [("programs", programs, (programs, 2, 2)) for programs in (PROGRAMS if not quick else PROGRAMS[::3])]
    cases += [("channels, one program", channels, (1, channels, channels)) for channels in (CHANNELS if not quick else CHANNELS[::4])]
    cases += [("channels, eight programs", channels, (8, channels, channels)) for channels in (CHANNELS if not quick else [])]
    results = []
    for what, number, case in cases:
        median, p99 = time_ns(case, 2000 if quick else 20000)
        total, functions = instructions(case)
        results.append({"against": what, "number": number, "programs": case[0], "channels": case[1], "median_ns": median, "p99_ns": p99,
                        "instructions": total, "functions": functions})
        most = ", ".join(f"{name} {100 * value / max(total, 1):.0f} %" for name, value in list(functions.items())[:3])
        print(f"{what:26} {number:3}: {median / 1000:8.1f} us median, {p99 / 1000:8.1f} p99, {total:8} instructions  ({most})", flush=True)
    return results
