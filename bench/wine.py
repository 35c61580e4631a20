#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run bench wine: the same Windows host program under Wine on Tutti and on a peer, alternating in one run.

jack: Tutti's native engine on a JACK server, and WineASIO on the same kind of server (its dummy driver). --wineasio DIR is the folder
of a WineASIO built from its public source (with build64/wineasio64.dll and .dll.so in it).
pipewire: Tutti's pipewire backend, and the same WineASIO on PipeWire's own libjack, on a private server.
pipeasio: the same, and PipeASIO; --pipeasio DIR is the folder with its pipeasio64.dll and .dll.so.
beside, beside_pipewire: as many hosts of each on one server at the same time, for minutes: a stall of the machine meets both.
transport: no peer and no server: the virtual card, with the native engine, and with the Windows engine under Wine.
ways: no engine either: how long a wake-up takes between a Windows program and a native one, by each way that there is (bench/ways.c).

Per callback the host writes down when it began (tests/hosts). Jitter: how far the time between two callbacks is from the nominal one. Missed:
callbacks that the clock says should have been. Xruns: the server's own count. Processor: all processes that take part, the server included
(beside: each side's own processes, without server and wineserver).
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time

import wine_report
import wine_ways
from made_by import made_by
from peers import Failure
from wine_judge import judge, ratios, shared
from wine_peers import (FOLDER, OUT, TOP, BesideJack, BesidePipeWire, PipeAsio, TuttiJack, TuttiNative, TuttiPipeWire, TuttiWindows, WineAsio,
                        WineAsioPipeWire, demo)

STARTS = 3
SERVER_PARTS = {"transport": (TuttiNative, TuttiWindows), "jack": (TuttiJack, WineAsio), "pipewire": (TuttiPipeWire, WineAsioPipeWire),
                "pipeasio": (TuttiPipeWire, PipeAsio)}
BESIDE_PARTS = {"beside": BesideJack, "beside_pipewire": BesidePipeWire}
NEEDS = {"jack": "wineasio", "beside": "wineasio", "pipewire": "wineasio", "beside_pipewire": "wineasio", "pipeasio": "pipeasio"}
PARTS = ["ways", "transport", "jack", "beside", "pipewire", "beside_pipewire", "pipeasio"]


def judge_span(frames, hosts, span):
    begins = [host.begins(first, last) for host, (first, last) in zip(hosts, span["spans"])]
    return judge(frames, begins, span["seconds"], span["cpu_ns"], span["xruns"], hosts[0].round_trip())


def one(kind, frames, count, arguments):
    """A run; hosts that do not start are counted, and it is tried again."""
    failures = []
    while True:
        try:
            return {**run_once(kind, frames, count, arguments), "failed_starts": failures}
        except Failure as failure:
            print(f"    {kind.name}: {failure}", flush=True)
            failures.append(str(failure))
            if len(failures) == STARTS:
                raise


def run_once(kind, frames, count, arguments):
    with kind(frames) as system:
        system.add(count, arguments.seconds + arguments.warm)
        time.sleep(arguments.warm)
        span = system.measure(arguments.seconds)
    return judge_span(frames, system.hosts, span)


def row_of(frames, count, runs, **more):
    """runs: a list of judgements for each of two sides, by name."""
    row = {"frames": frames, "hosts": count, **runs, "ratio": ratios(*runs.values()), **more}
    print(wine_report.line(row, list(runs)), flush=True)
    return row


def compare(kinds, arguments):
    """Every combination, the systems taking turns; a row each."""
    rows = []
    for frames in arguments.frames:
        for count in arguments.hosts:
            runs = {kind.name: [] for kind in kinds}
            for turn in range(arguments.rounds):
                for kind in kinds if turn % 2 == 0 else kinds[::-1]:
                    runs[kind.name].append(one(kind, frames, count, arguments))
            rows.append(row_of(frames, count, runs))
    return rows


def compare_beside(kind, arguments):
    """Both at once; a row for each size and number of hosts, its rounds the parts of one long run."""
    rows = []
    for frames in arguments.frames:
        for count in arguments.hosts:
            with kind(frames) as system:
                system.add(count, arguments.seconds + arguments.warm)
                time.sleep(arguments.warm)
                spans = system.measure_sides(arguments.seconds, arguments.rounds)
            sides = list(system.groups.items())
            runs = {name: [judge_span(frames, hosts, span) for span in spans[name]] for name, hosts in sides}
            whole = [[host.begins(spans[name][0]["spans"][n][0], spans[name][-1]["spans"][n][1]) for n, host in enumerate(hosts)]
                     for name, hosts in sides]
            near = {f"{who}_{ms}_ms": shared(*pair, frames, ms * 1000000) for who, pair in (("ours", whole), ("theirs", whole[::-1]))
                    for ms in (1, 10)}
            rows.append(row_of(frames, count, runs, late_shared=near if None not in near.values() else None))
    return rows


def prepare_peer(name, folder):
    """Registers NAME64.dll, whose ELF half is to be found through WINEDLLPATH."""
    if not (folder / f"{name}64.dll.so").exists():
        raise Failure(f"{folder}/{name}64.dll.so is not there: build it first")
    unix = FOLDER / name / "x86_64-unix"
    unix.mkdir(parents=True)
    shutil.copy(folder / f"{name}64.dll.so", unix)
    shutil.copy(folder / f"{name}64.dll", f"{demo.PREFIX}/drive_c/windows/system32/")
    subprocess.run([demo.WRAPPER, "regsvr32", "/s", unix / f"{name}64.dll.so"],
                   env=dict(demo.environment(), WINEDLLPATH=str(FOLDER / name)), check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def parse(words):
    def numbers(text):
        return [int(word) for word in text.split(",")]
    parser = argparse.ArgumentParser(prog="./run bench wine", description="Windows hosts under Wine, beside a peer.")
    parser.add_argument("--wineasio", type=pathlib.Path, help="folder of a built WineASIO; without it only the transport is measured")
    parser.add_argument("--pipeasio", type=pathlib.Path, help="folder of a built PipeASIO (pipeasio64.dll and .dll.so)")
    parser.add_argument("--wine32", action="store_true", help="ways: also in a Debian with a newer Wine and 32-bit programs (root; 2 GB)")
    parser.add_argument("--only", choices=PARTS, help="one part; the others stay as they were")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm", type=float, default=4)
    parser.add_argument("--hosts", type=numbers, default=[1, 2, 4])
    parser.add_argument("--frames", type=numbers, default=[32, 64, 128])
    parser.add_argument("--results", action="store_true", help="write the tables into bench/RESULTS.md, too")
    parser.add_argument("--out", type=pathlib.Path, default=OUT / "wine.json")
    return parser.parse_args(words)


def run_part(part, arguments):
    if part == "ways":
        return wine_ways.measure(arguments)
    if part in BESIDE_PARTS:
        return compare_beside(BESIDE_PARTS[part], arguments)
    return compare(SERVER_PARTS[part], arguments)


def main():
    arguments = parse(sys.argv[1:])
    given = {name for name in ("wineasio", "pipeasio") if getattr(arguments, name)}
    wanted = [arguments.only] if arguments.only else [part for part in PARTS if NEEDS.get(part, "") in given | {""}]
    report = json.loads(arguments.out.read_text()) if arguments.only and arguments.out.exists() else {}
    demo.use_folder(str(FOLDER))
    demo.use_native_engine()
    demo.prepare()
    try:
        for part in wanted:
            if NEEDS.get(part, "") not in given | {""}:
                raise Failure(f"{part}: --{NEEDS[part]} DIR is needed")
        if arguments.wineasio:
            prepare_peer("wineasio", arguments.wineasio / "build64")
        if arguments.pipeasio:
            prepare_peer("pipeasio", arguments.pipeasio)
        for part in wanted:
            report[part] = run_part(part, arguments)
            report.setdefault("made_by", {})[part] = made_by("wine")
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=demo.environment(), check=False, stderr=subprocess.DEVNULL)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written: {arguments.out}")
    if arguments.results:
        wine_report.write_results(report, TOP)
    return 0


if __name__ == "__main__":
    sys.exit(main())
