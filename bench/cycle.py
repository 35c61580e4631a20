#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run bench cycle: what a cycle costs, and when its last program is done, beside JACK2 and PipeWire in the same run.

A cycle begins when the server's timer was due: a small library that is preloaded into both servers writes down their timed sleeps
(bench/timer_log.c). It ends when the last of the programs has done its callback. Both systems run real-time as they do by
themselves, and nobody is pinned by the benchmark.

A cycle counts as missed when the clock says it should have been and not all programs ran in it.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy

import cycle_cost
import cycle_report
from peers import RATE, Failure, Jack, JackSync, PipeWire, Tutti, run_times, switches

TOP = pathlib.Path(__file__).resolve().parent.parent
OUT = TOP / "build/bench"


def quantiles(values):
    if not len(values):
        return {"median": None, "p99": None, "max": None}
    return {"median": float(numpy.median(values)), "p99": float(numpy.percentile(values, 99)), "max": float(numpy.max(values))}


def cycles_of(system, span):
    """Merges the programs' records: first call, last done and number of each cycle that all ran in, and how many cycles there were.
    span: record counts before and after, per program."""
    tables = [program.records(first, last) for program, (first, last) in zip(system.programs, span) if last > first]
    low = max(int(table[0, 0]) for table in tables)
    length = min(int(table[-1, 0]) for table in tables) - low + 1
    call, done = numpy.zeros((2, len(tables), length), dtype=numpy.int64)
    for row, table in enumerate(tables):
        inside = table[(table[:, 0] >= low) & (table[:, 0] < low + length)]
        call[row, inside[:, 0] - low] = inside[:, 1]
        done[row, inside[:, 0] - low] = inside[:, 2]
    whole = (done > 0).all(axis=0)
    return call[:, whole].min(axis=0), done[:, whole].max(axis=0), length


def missed(expected, length, whole):
    """Cycles that the clock says should have been, to within the two at the ends, and those in which somebody did not run."""
    return max(0, round(expected - length) - 2) + length - whole


def measure(system, seconds):
    pids = [system.server.pid] + [program.process.pid for program in system.programs]
    first = [program.count for program in system.programs]
    slept = system.wakes
    before = [run_times(pid) for pid in pids]
    switched = sum(switches(pid) for pid in pids)
    started = time.monotonic_ns()
    time.sleep(seconds)
    passed = time.monotonic_ns() - started
    used = [run_times(pid) - was for pid, was in zip(pids, before)]
    switched = sum(switches(pid) for pid in pids) - switched
    last = [program.count for program in system.programs]
    call, done, length = cycles_of(system, list(zip(first, last)))
    timers = system.timers(slept - 2, system.wakes)
    which = numpy.searchsorted(timers[:, 1], call) - 1  # the last wake-up of the server before anybody was called
    due, awake = timers[which].T
    expected = passed * RATE / system.frames / 1e9
    return {
        "last_done_us": quantiles((done - due) / 1000),
        "server_awake_us": quantiles((awake - due) / 1000),
        "first_call_us": quantiles((call - due) / 1000),
        "cycles": int(len(done)), "expected": expected, "missed": missed(expected, length, len(done)),
        "processor_percent": {"server": used[0] / passed * 100, "programs": sum(used[1:]) / passed * 100, "all": sum(used) / passed * 100},
        "switches_per_cycle": switched / expected,
    }


def summary(rounds):
    """Medians over the rounds, with their spread."""
    def over(pick):
        values = [pick(one) for one in rounds]
        return {"median": float(numpy.median(values)), "min": float(min(values)), "max": float(max(values))}
    return {
        "last_done_median_us": over(lambda one: one["last_done_us"]["median"]),
        "last_done_p99_us": over(lambda one: one["last_done_us"]["p99"]),
        "missed_cycles": sum(one["missed"] for one in rounds), "expected_cycles": round(sum(one["expected"] for one in rounds)),
        "processor_percent": over(lambda one: one["processor_percent"]["all"]),
        "server_percent": over(lambda one: one["processor_percent"]["server"]),
        "switches_per_cycle": over(lambda one: one["switches_per_cycle"]),
        "rounds": rounds,
    }


def ratios(ours, theirs):
    """Tutti / peer, round by round: they alternated."""
    result = {}
    for name, pick in {
            "last_done_median": lambda one: one["last_done_us"]["median"], "last_done_p99": lambda one: one["last_done_us"]["p99"],
            "processor": lambda one: one["processor_percent"]["all"]}.items():
        values = [pick(a) / pick(b) for a, b in zip(ours, theirs)]
        result[name] = {"median": float(numpy.median(values)), "min": float(min(values)), "max": float(max(values))}
    return result


def last_done(arguments, peer):
    """Tutti and a peer in turns, for each number of programs."""
    results = []
    for frames in arguments.frames:
        for count in arguments.programs:
            rounds = {Tutti.name: [], peer.name: []}
            for number in range(arguments.rounds):
                kinds = [Tutti, peer] if number % 2 == 0 else [peer, Tutti]
                for kind in kinds:
                    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, kind(folder, frames) as system:
                        system.add(count)
                        time.sleep(arguments.warm)
                        rounds[kind.name].append(measure(system, arguments.seconds))
            row = {"frames": frames, "programs": count, **{name: summary(runs) for name, runs in rounds.items()},
                   "ratio": ratios(rounds[Tutti.name], rounds[peer.name])}
            results.append(row)
            print(cycle_report.last_done_line(row, peer.name), flush=True)
    return results


def stopped(arguments):
    """One of eight programs is stopped for two seconds and then killed: what do the other seven get?"""
    results = []
    for kind in (Tutti, Jack, JackSync):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, kind(folder, 64) as system:
            system.add(8)
            time.sleep(arguments.warm)
            first = [program.count for program in system.programs]
            started = time.monotonic_ns()
            system.programs[3].process.send_signal(signal.SIGSTOP)
            time.sleep(2)
            system.programs[3].process.kill()
            time.sleep(0.5)
            passed = time.monotonic_ns() - started
            others = [(program, at) for number, (program, at) in enumerate(zip(system.programs, first)) if number != 3]
            expected = passed * RATE / 64 / 1e9
            received = [program.count - at for program, at in others]
            gaps = [float(numpy.diff(program.records(at, program.count)[:, 1]).max()) / 1e6 for program, at in others if program.count > at + 1]
            row = {"system": kind.name, "expected_cycles": round(expected), "received_least": min(received), "received_most": max(received),
                   "longest_gap_ms": max(gaps, default=passed / 1e6)}
            results.append(row)
            print(cycle_report.stopped_line(row), flush=True)
    return results


def parse(words):
    parser = argparse.ArgumentParser(prog="./run bench cycle", description="Cost of a cycle, and beside JACK2.")
    parser.add_argument("--quick", action="store_true", help="a minute instead of a quarter of an hour")
    parser.add_argument("--only", choices=["cost", "last_done", "pipewire", "stopped"], help="one part")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--warm", type=float, default=4, help="seconds before measuring: programs settle")
    parser.add_argument("--programs", type=lambda text: [int(word) for word in text.split(",")], default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--frames", type=lambda text: [int(word) for word in text.split(",")], default=[64, 128])
    parser.add_argument("--out", type=pathlib.Path, default=OUT / "cycle.json")
    parser.add_argument("--results", action="store_true", help="write the tables and the plot into bench/ too")
    arguments = parser.parse_args(words)
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.programs, arguments.frames = 1, 2, [1, 8, 32], [64]
    return arguments


def main():
    arguments = parse(sys.argv[1:])
    # one part alone leaves the others as they were
    report = json.loads(arguments.out.read_text()) if arguments.only and arguments.out.exists() else {}
    report |= {"command": "./run bench cycle " + " ".join(sys.argv[1:]), "date": datetime.date.today().isoformat(),
              "machine": {"processors": os.cpu_count(), "kernel": os.uname().release}}
    wanted = [arguments.only] if arguments.only else ["cost", "last_done", "pipewire", "stopped"]
    try:
        if "cost" in wanted:
            report["cost"] = cycle_cost.measure(arguments.quick)
        if "last_done" in wanted or "stopped" in wanted:
            if not shutil.which("jackd"):
                raise Failure("jackd is not installed")
        if "last_done" in wanted:
            report["last_done"] = last_done(arguments, Jack)
        if "pipewire" in wanted:
            report["pipewire"] = last_done(arguments, PipeWire)
        if "stopped" in wanted:
            report["stopped"] = stopped(arguments)
    except Failure as failure:
        print(f"bench cycle: {failure}", file=sys.stderr)
        return 1
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1))
    print(f"written: {arguments.out}")
    if arguments.results:
        cycle_report.write(report, TOP / "bench")
    return 0


if __name__ == "__main__":
    sys.exit(main())
