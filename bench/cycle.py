#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run bench cycle: what a cycle costs, and when its last program is done, beside JACK2 and PipeWire in the same run.

A cycle begins when the server's timer was due: a small library that is preloaded into both servers writes down their timed sleeps
(bench/timer_log.c). It ends when the last of the programs has done its callback. All systems run real-time as they do by
themselves, and nobody is pinned by the benchmark.

A cycle counts as missed when the clock says it should have been and not all programs ran in it; it has no time then.

Parts: cost; last_done (JACK2 as it is by itself, asynchronous); sync (JACK2's synchronous mode, which waits for the programs as
Tutti does); pipewire; stopped (one of eight programs stops).
"""
import argparse
import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import numpy

import cycle_cost
import cycle_report
from cycle_judge import judge, over, ratios, summary
from made_by import made_by
from peers import RATE, Failure, Jack, JackSync, PipeWire, Tutti, spend

TOP = pathlib.Path(__file__).resolve().parent.parent
OUT = TOP / "build/bench"
STOP_S, STOP_OF, STOP_AFTER_S = 2, 8, 0.5


def measure(system, seconds):
    pids = [system.server.pid] + [program.process.pid for program in system.programs]
    first = [program.count for program in system.programs]
    slept = system.wakes
    before = spend(pids)
    time.sleep(seconds)
    passed, used, switched = numpy.transpose([now - was for now, was in zip(spend(pids), before)])
    tables = [program.records(at, program.count) for program, at in zip(system.programs, first)]
    share = used / passed * 100
    return {
        **judge(tables, system.timers(slept - 2, system.wakes), system.frames),
        "processor_percent": {"server": share[0], "programs": float(sum(share[1:])), "all": float(sum(share))},
        "switches_per_cycle": float(sum(switched / passed)) * system.frames * 1e9 / RATE,
    }


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


def stop_one(system, arguments):
    """One program is stopped for two seconds and then killed: what do the others get, and when is a cycle of theirs done?"""
    system.add(STOP_OF)
    time.sleep(arguments.warm)
    victim, others = system.programs[0], system.programs[1:]
    first, slept = [program.count for program in others], system.wakes
    victim.process.send_signal(signal.SIGSTOP)
    time.sleep(STOP_S)
    victim.process.kill()
    time.sleep(STOP_AFTER_S)
    tables = [program.records(at, program.count) for program, at in zip(others, first)]
    return judge(tables, system.timers(slept - 2, system.wakes), system.frames)


def stopped(arguments):
    results = []
    for frames in arguments.frames[:1]:
        for kind in (Tutti, Jack, JackSync, PipeWire):
            rounds = []
            for _ in range(arguments.rounds):
                with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, kind(folder, frames) as system:
                    rounds.append(stop_one(system, arguments))
            results.append({"system": kind.name, "frames": frames, "programs": STOP_OF, "expected_cycles": sum(one["expected"] for one in rounds),
                            "missed_cycles": sum(one["missed"] for one in rounds), "longest_gap_ms": over(rounds, lambda one: one["longest_gap_ms"]),
                            "last_done_p99_us": over(rounds, lambda one: one["last_done_us"]["p99"]),
                            "last_done_max_us": over(rounds, lambda one: one["last_done_us"]["max"]), "rounds": rounds})
            print(cycle_report.stopped_line(results[-1]), flush=True)
    return results


PARTS = {"cost": lambda arguments: cycle_cost.measure(arguments.quick), "last_done": lambda arguments: last_done(arguments, Jack),
         "sync": lambda arguments: last_done(arguments, JackSync), "pipewire": lambda arguments: last_done(arguments, PipeWire),
         "stopped": stopped}


def parse(words):
    parser = argparse.ArgumentParser(prog="./run bench cycle", description="Cost of a cycle, and beside JACK2 and PipeWire.")
    parser.add_argument("--quick", action="store_true", help="one short round of a few rows: to see that it works, not to compare")
    parser.add_argument("--only", choices=list(PARTS), help="one part; the others stay as they were")
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
    report = json.loads(arguments.out.read_text()) if arguments.only and arguments.out.exists() else {}
    wanted = [arguments.only] if arguments.only else list(PARTS)
    try:
        if wanted != ["cost"] and not shutil.which("jackd"):
            raise Failure("jackd is not installed")
        for part in wanted:
            report[part] = PARTS[part](arguments)
            report.setdefault("made_by", {})[part] = made_by("cycle")
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
