#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run bench wine: the same Windows host program under Wine on Tutti and on a peer, alternating in one run.

jack: Tutti's native engine on a JACK server, and WineASIO on the same kind of server (its dummy driver). --wineasio DIR is the folder
of a WineASIO built from its public source (with build64/wineasio64.dll and .dll.so in it).
pipewire: Tutti's pipewire backend, and the same WineASIO on PipeWire's own libjack, on a private server.
pipeasio: the same, and PipeASIO; --pipeasio DIR is the folder with its pipeasio64.dll and .dll.so.
beside: one host of each on one JACK server at the same time, for minutes: a stall of the machine meets both.
transport: no peer and no server: the virtual card, with the native engine, and with the Windows engine under Wine.

Per callback the host writes down when it began (tests/hosts). Jitter: how far the time between two callbacks is from the nominal one. Missed:
callbacks that the clock says should have been. Processor: all processes that take part, the server included.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy

from peers import RATE, Failure, run_times

TOP = pathlib.Path(__file__).resolve().parent.parent
OUT = TOP / "build/bench"
FOLDER = OUT / "wine"
NATIVE = TOP / "build/native/src"
sys.path.insert(0, str(TOP / "tools"))
import demo
import demo_compare
import demo_graph

START_S = 40
STARTS = 3
WINEASIO = {"WINEDLLPATH": str(FOLDER / "wineasio"), "WINEASIO_FIXED_BUFFERSIZE": "on", "WINEASIO_NUMBER_INPUTS": "2",
            "WINEASIO_NUMBER_OUTPUTS": "2"}
PIPEASIO = {"WINEDLLPATH": str(FOLDER / "pipeasio"), "XDG_CONFIG_HOME": str(FOLDER / "pipeasio")}
PIPEWIRE_JACK = "/usr/lib/x86_64-linux-gnu/pipewire-0.3/jack"
RECORD_BYTES = demo_compare.RECORD.itemsize


def quantiles(values):
    return {name: round(float(numpy.percentile(values, share)), 2)
            for name, share in (("median", 50), ("p99", 99), ("p99_9", 99.9))} if len(values) else None


def children_of(mark):
    """Processes with this in their environment."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


class Host:
    def __init__(self, number, driver, frames, seconds, environment, ping):
        base = FOLDER / f"host{number}"
        self.files = {kind: base.with_suffix("." + kind) for kind in ("blocks", "json", "ready", "stop", "log")}
        for file in self.files.values():
            file.unlink(missing_ok=True)
        self.frames = frames
        arguments = ["--driver", driver, "--name", f"host{number}", "--buffer", str(frames), "--seconds", str(seconds + START_S),
                     "--blocks", self.files["blocks"], "--json", self.files["json"], "--ready-file", self.files["ready"],
                     "--stop-file", self.files["stop"], "--on-reset", "ignore"] + (["--ping", "0"] if ping else [])
        with open(self.files["log"], "w") as log:
            self.process = subprocess.Popen([demo.WRAPPER, f"{demo.BIN}/tutti-host.exe", *map(str, arguments)], env=environment,
                                            stdout=log, stderr=log)

    def ready(self):
        if self.process.poll() is not None:
            raise Failure(f"a host ended with {self.process.returncode}: {self.files['log'].read_text().strip()[-300:]}")
        return self.files["ready"].exists()

    def callbacks(self):
        return self.files["blocks"].stat().st_size // RECORD_BYTES

    def end(self):
        self.files["stop"].touch()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()  # its records are written
            self.process.wait()


class System:
    """What the hosts play through."""
    driver = "Tutti"
    server = None
    extra = {}  # of the environment

    def __init__(self, frames):
        self.frames = frames
        self.environment = dict(demo.environment(), TUTTI_DEVICE_PERIOD=str(frames), TUTTI_SIM_ELASTIC_MS="0", TUTTI_SIM_CABLE="0",
                                TUTTI_BENCH="wine", **self.extra)
        self.hosts = []

    def __enter__(self):
        return self

    def loop(self):
        """Patches the first output to the first input; the pings go that way."""

    def add_host(self, driver, seconds, ping):
        self.hosts.append(Host(len(self.hosts), driver, self.frames, seconds, self.environment, ping))
        end = time.monotonic() + START_S
        while not self.hosts[-1].ready():
            if time.monotonic() > end:
                raise Failure(f"{self.name}: host {len(self.hosts) - 1} did not start")
            time.sleep(0.02)

    def add(self, count, seconds):
        for number in range(count):
            self.add_host(self.driver, seconds, ping=number == 0)
        self.loop()

    def __exit__(self, *_):
        for host in self.hosts:
            host.end()
        for pid in children_of("TUTTI_BENCH=wine\0"):
            if name_of(pid) in ("tuttid", "tuttid.exe", "tutti-bridge"):
                os.kill(pid, 15)
        if self.server:
            self.server.terminate()
            self.server.wait()


class JackServer(System):
    def __enter__(self):
        name = f"tutti-bench-{os.getpid()}"
        self.environment.update(JACK_DEFAULT_SERVER=name, JACK_NO_AUDIO_RESERVATION="1")
        self.server = subprocess.Popen(["jackd", "-R", "-P", "80", "-n", name, "-d", "dummy", "-r", str(RATE), "-p", str(self.frames)],
                                       env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if subprocess.run(["jack_wait", "-w", "-t", "10", "-s", name], env=self.environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode:
            raise Failure("jackd did not start")
        return self

    def loop(self):
        for first, second in self.patch:
            subprocess.run(["jack_connect", first, second], env=self.environment, check=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)


class TuttiJack(JackServer):
    name = "tutti"
    patch = [("Tutti:out_1", "Tutti:in_1")]
    extra = {"TUTTI_DEVICE_BACKEND": "jack"}


class WineAsio(JackServer):
    name = "wineasio"
    driver = "WineASIO"
    patch = [("tutti-host:out_1", "tutti-host:in_1")]
    extra = WINEASIO


class Beside(JackServer):
    """A host on Tutti and a host on WineASIO, on one server."""
    name = "beside"
    sides = (TuttiJack, WineAsio)
    patch = TuttiJack.patch + WineAsio.patch

    def add(self, seconds):
        for side in self.sides:
            self.environment = {**self.environment, **side.extra, "TUTTI_BENCH_SIDE": side.name}
            self.add_host(side.driver, seconds, ping=True)
        self.loop()

    def measure(self, seconds, slices):
        """A list of judgements for each side."""
        pids = {side: [pid for pid in children_of(f"TUTTI_BENCH_SIDE={side.name}\0") if name_of(pid) != "wineserver64"]
                for side in self.sides}
        spans = {side: [] for side in self.sides}
        for _ in range(slices):
            spent = {side: sum(run_times(pid) for pid in pids[side]) for side in self.sides}
            before, began = [host.callbacks() for host in self.hosts], time.monotonic()
            time.sleep(seconds / slices)
            passed, after = time.monotonic() - began, [host.callbacks() for host in self.hosts]
            for side, first, last in zip(self.sides, before, after):
                cpu_ns = sum(run_times(pid) for pid in pids[side]) - spent[side]
                spans[side].append({"spans": [(first, last)], "seconds": passed, "cpu_ns": cpu_ns})
        return spans


class PipeWireServer(System):
    """A server of the benchmark's own, with the demo's virtual sink and a fixed quantum."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="tutti-bench-")
        conf = pathlib.Path(self.folder, "bench.conf")
        conf.write_text(demo_graph.CONFIGURATION.replace(f"default.clock.quantum = {demo_graph.QUANTUM}", f"default.clock.quantum = {self.frames}"))
        self.environment.update(PIPEWIRE_RUNTIME_DIR=self.folder, PIPEWIRE_LATENCY=f"{self.frames}/{RATE}")
        self.server = subprocess.Popen(["pipewire", "-c", conf], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while "monitor_FR" not in self.tool("pw-link", "-o"):
            if time.monotonic() > end:
                raise Failure("pipewire did not start")
            time.sleep(0.1)
        return self

    def tool(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout

    def loop(self):
        for first, second in self.patch:
            self.tool("pw-link", first, second)

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)


class TuttiPipeWire(PipeWireServer):
    name = "tutti"
    patch = [(f"{demo_graph.SINK}:monitor_FL", "Tutti:in_1")]
    extra = {"TUTTI_DEVICE_BACKEND": "pipewire", "TUTTI_DEVICE_NAME": demo_graph.SINK}


class WineAsioPipeWire(PipeWireServer):
    name = "wineasio"
    driver = "WineASIO"
    patch = [(f"{demo_graph.SINK}:monitor_FL", "tutti-host:in_1")]
    extra = {**WINEASIO, "LD_LIBRARY_PATH": PIPEWIRE_JACK}


class PipeAsio(PipeWireServer):
    name = "pipeasio"
    driver = "PipeASIO"
    patch = [(f"{demo_graph.SINK}:monitor_FL", "tutti-host:in_1")]
    extra = PIPEASIO

    def __enter__(self):
        (FOLDER / "pipeasio/pipeasio").mkdir(exist_ok=True)
        (FOLDER / "pipeasio/pipeasio/config.ini").write_text(
            f"[pipeasio]\ninputs = 2\noutputs = 2\nbuffer_size = {self.frames}\noutput_device = {demo_graph.SINK}\n")
        return super().__enter__()


class TuttiNative(System):
    name = "native"


class TuttiWindows(System):
    name = "windows"

    def __init__(self, frames):
        super().__init__(frames)
        for key in ("TUTTI_BRIDGE", "TUTTI_NATIVE_ENGINE", "TUTTI_RUNTIME_DIR"):
            self.environment.pop(key)
        self.environment["TUTTI_BRIDGE"] = ""  # none


def measure(system, seconds):
    pids = children_of("TUTTI_BENCH=wine\0")
    before = [host.callbacks() for host in system.hosts]
    spent = sum(run_times(pid) for pid in pids)
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    spent = sum(run_times(pid) for pid in pids if os.path.exists(f"/proc/{pid}")) - spent
    after = [host.callbacks() for host in system.hosts]
    return {"spans": list(zip(before, after)), "seconds": passed, "cpu_ns": spent}


def judge(frames, hosts, span):
    nominal = frames * 1e9 / RATE
    jitter, late, missed, callbacks = [], 0, 0, 0
    for host, (first, last) in zip(hosts, span["spans"]):
        begin = demo_compare.read_blocks(host.files["blocks"])["begin_ns"].astype("int64")[first:last]
        steps = numpy.diff(begin)
        jitter.append(numpy.abs(steps - nominal) / 1e3)
        late += int((steps > 1.5 * nominal).sum())
        callbacks += last - first
        missed += max(0, round(span["seconds"] * 1e9 / nominal - (last - first)) - 2)
    try:
        ping = json.loads(hosts[0].files["json"].read_text())
        trip = ping["round_trip_measured"]
        round_trip = {"reported": ping["round_trip_reported"],
                      "measured": [trip["min"], trip["max"]] if trip["count"] else None}
    except (OSError, ValueError):
        round_trip = None
    return {"jitter_us": quantiles(numpy.concatenate(jitter)), "late_callbacks": late, "missed_callbacks": missed,
            "callbacks": callbacks, "expected_callbacks": round(len(hosts) * span["seconds"] * 1e9 / nominal),
            "cpu_us_per_callback": round(span["cpu_ns"] / 1e3 / max(callbacks, 1), 1),
            "cpu_percent": round(100 * span["cpu_ns"] / 1e9 / span["seconds"], 2), "round_trip_frames": round_trip}


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
        span = measure(system, arguments.seconds)
    return judge(frames, system.hosts, span)


def middle(rows, *path):
    values = []
    for row in rows:
        for key in path:
            row = row[key] if row else None
        if row is not None:
            values.append(row)
    return float(numpy.median(values)) if values else None


def row_of(frames, count, runs):
    """runs: a list of judgements for each of two sides, by name."""
    row = {"frames": frames, "hosts": count, **runs, "ratio": {}}
    ours, theirs = runs.values()
    for name, path in (("jitter_p99", ("jitter_us", "p99")), ("jitter_p99_9", ("jitter_us", "p99_9")), ("cpu", ("cpu_us_per_callback",))):
        pairs = [middle([a], *path) / middle([b], *path) for a, b in zip(ours, theirs) if middle([b], *path)]
        row["ratio"][name] = {"median": round(float(numpy.median(pairs)), 2), "min": round(min(pairs), 2),
                              "max": round(max(pairs), 2)} if pairs else None
    print(line(row, list(runs)), flush=True)
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


def compare_beside(arguments):
    """Both at once; a row for each size, its rounds the parts of one long run."""
    rows = []
    for frames in arguments.frames:
        with Beside(frames) as system:
            system.add(arguments.seconds + arguments.warm)
            time.sleep(arguments.warm)
            spans = system.measure(arguments.seconds, arguments.rounds)
        rows.append(row_of(frames, 1, {side.name: [judge(frames, [host], span) for span in spans[side]]
                                       for side, host in zip(system.sides, system.hosts)}))
    return rows


def line(row, names):
    words = [f"{row['frames']:4} frames {row['hosts']} hosts "]
    for name in names:
        runs = row[name]
        trip = runs[-1]["round_trip_frames"] or {}
        words.append(f"{name}: jitter us {middle(runs, 'jitter_us', 'median'):.1f} / {middle(runs, 'jitter_us', 'p99'):.1f} / "
                     f"{middle(runs, 'jitter_us', 'p99_9'):.1f}  late {sum(r['late_callbacks'] for r in runs)} missed "
                     f"{sum(r['missed_callbacks'] for r in runs)} of {sum(r['expected_callbacks'] for r in runs)}  cpu us "
                     f"{middle(runs, 'cpu_us_per_callback'):.1f}  round trip {trip.get('measured')} told {trip.get('reported')}")
    ratio = row["ratio"]
    words.append("ratio p99 " + "  ".join(f"{name} {ratio[name]['median'] if ratio[name] else '-'}" for name in ratio))
    return "\n    ".join(words)


def tables(report):
    """For bench/RESULTS.md."""
    titles = {"transport": ("Native engine through the bridge, and the Windows engine under Wine; no sound server", "native", "windows"),
              "jack": ("Tutti and WineASIO on JACK2's dummy driver", "tutti", "wineasio"),
              "beside": ("Tutti and WineASIO at the same time, a host each on one JACK2 dummy driver, ratios per part of the run", "tutti", "wineasio"),
              "pipewire": ("Tutti and WineASIO (by PipeWire's libjack) on PipeWire", "tutti", "wineasio"),
              "pipeasio": ("Tutti and PipeASIO on PipeWire", "tutti", "pipeasio")}
    lines = []
    for part, (title, ours, theirs) in titles.items():
        if part not in report:
            continue
        lines += [f"{title}:", "", f"| frames | hosts | jitter µs, median / p99 / p99.9: {ours} | {theirs} | ratio of p99 | late + missed callbacks, {ours} / {theirs} | of "
                  f"| processor µs a callback, {ours} / {theirs} | round trip heard (told), {ours} / {theirs} |", "|---|---|---|---|---|---|---|---|---|"]
        for row in report[part]:
            cells = {}
            for name in (ours, theirs):
                runs = row[name]
                trip = runs[-1]["round_trip_frames"] or {"measured": None, "reported": "?"}
                heard = "?" if not trip["measured"] else f"{trip['measured'][0]} ({trip['reported']})"
                cells[name] = (" / ".join(f"{middle(runs, 'jitter_us', which):.0f}" for which in ("median", "p99", "p99_9")),
                               f"{sum(r['late_callbacks'] for r in runs)} + {sum(r['missed_callbacks'] for r in runs)}",
                               f"{middle(runs, 'cpu_us_per_callback'):.0f}", heard)
            ratio = row["ratio"]["jitter_p99"]
            pair = [f"{cells[ours][i]} / {cells[theirs][i]}" for i in (1, 2, 3)]
            lines.append(f"| {row['frames']} | {row['hosts']} | {cells[ours][0]} | {cells[theirs][0]} | {ratio['median']} ({ratio['min']}–{ratio['max']}) | {pair[0]} "
                         f"| {sum(r['expected_callbacks'] for r in row[ours])} | {pair[1]} | {pair[2]} |")
        lines.append("")
    return lines


def write_results(report, path):
    text = path.read_text()
    begin, end = "<!-- wine: written by ./run bench wine --results -->\n", "<!-- end of wine -->\n"
    whole = begin + "\n" + "\n".join(tables(report)) + "\n" + end
    first, last = text.find(begin), text.find(end)
    path.write_text(text[:first] + whole + text[last + len(end):] if first >= 0 else text + "\n" + whole)


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
    parser.add_argument("--only", choices=["transport", "jack", "beside", "pipewire", "pipeasio"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm", type=float, default=4)
    parser.add_argument("--hosts", type=numbers, default=[1, 2, 4])
    parser.add_argument("--frames", type=numbers, default=[32, 64, 128])
    parser.add_argument("--results", action="store_true", help="write the tables into bench/RESULTS.md, too")
    parser.add_argument("--out", type=pathlib.Path, default=OUT / "wine.json")
    return parser.parse_args(words)


def main():
    arguments = parse(sys.argv[1:])
    parts = ["transport"] + (["jack", "beside", "pipewire"] if arguments.wineasio else []) + (["pipeasio"] if arguments.pipeasio else [])
    wanted = [arguments.only] if arguments.only else parts
    report = json.loads(arguments.out.read_text()) if arguments.only and arguments.out.exists() else {}
    report |= {"command": "./run bench wine " + " ".join(sys.argv[1:]), "date": datetime.date.today().isoformat(),
               "machine": {"processors": os.cpu_count(), "kernel": os.uname().release}}
    demo.use_folder(str(FOLDER))
    demo.use_native_engine()
    demo.prepare()
    try:
        if "transport" in wanted:
            report["transport"] = compare([TuttiNative, TuttiWindows], arguments)
        for part in wanted:
            if part not in parts:
                raise Failure(f"{part}: --pipeasio DIR is needed" if part == "pipeasio" else f"{part}: --wineasio DIR is needed")
        if arguments.wineasio:
            prepare_peer("wineasio", arguments.wineasio / "build64")
        if arguments.pipeasio:
            prepare_peer("pipeasio", arguments.pipeasio)
        if "jack" in wanted:
            report["jack"] = compare([TuttiJack, WineAsio], arguments)
        if "beside" in wanted:
            report["beside"] = compare_beside(arguments)
        if "pipewire" in wanted:
            report["pipewire"] = compare([TuttiPipeWire, WineAsioPipeWire], arguments)
        if "pipeasio" in wanted:
            report["pipeasio"] = compare([TuttiPipeWire, PipeAsio], arguments)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=demo.environment(), check=False, stderr=subprocess.DEVNULL)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written: {arguments.out}")
    if arguments.results:
        write_results(report, TOP / "bench/RESULTS.md")
    return 0


sys.exit(main())
