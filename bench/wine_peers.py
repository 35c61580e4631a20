# SPDX-License-Identifier: MIT
"""What ./run bench wine runs: hosts under Wine, and the servers that they play through."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy

from peers import JACK_NAME, PIPEWIRE_JACK, RATE, Failure, end_with_input, run_times
from wine_judge import heard_round_trip

TOP = pathlib.Path(__file__).resolve().parent.parent
OUT = TOP / "build/bench"
FOLDER = OUT / "wine"
sys.path.insert(0, str(TOP / "tools"))
import demo
import demo_compare
import demo_graph

START_S = 40
MARK = "TUTTI_BENCH=wine\0"
WINEASIO = {"WINEDLLPATH": str(FOLDER / "wineasio"), "WINEASIO_FIXED_BUFFERSIZE": "on", "WINEASIO_NUMBER_INPUTS": "2",
            "WINEASIO_NUMBER_OUTPUTS": "2"}
PIPEASIO = {"WINEDLLPATH": str(FOLDER / "pipeasio"), "XDG_CONFIG_HOME": str(FOLDER / "pipeasio")}
PROFILER = "{ name = libpipewire-module-metadata } { name = libpipewire-module-profiler }"  # behind the protocol that it speaks
RECORD_BYTES = demo_compare.RECORD.itemsize


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
    """A thread of a host gives itself another name for a moment, so not the one that /proc/PID/comm has."""
    try:
        return pathlib.PureWindowsPath(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")).name
    except OSError:
        return ""


def spent_by(pids):
    """Processor time in ns by process name."""
    spent = {}
    for pid, name in pids.items():
        if os.path.exists(f"/proc/{pid}"):
            spent[name] = spent.get(name, 0) + run_times(pid)
    return spent


def since(before, now):
    return {name: now[name] - before.get(name, 0) for name in now}


class XrunCounter:
    """The server's own count, told to a client."""

    def __init__(self, kind, environment):
        self.path = FOLDER / "xruns"
        self.path.unlink(missing_ok=True)
        self.process = subprocess.Popen([TOP / f"build/native/bench/bench_xruns_{kind}", self.path], env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not self.path.exists() or self.path.stat().st_size < 16 or not self.words()[1]:
            if time.monotonic() > end or self.process.poll() is not None:
                raise Failure("nobody counts the server's xruns")
            time.sleep(0.05)

    def words(self):
        return numpy.fromfile(self.path, dtype=numpy.uint64)

    def count(self):
        return int(self.words()[0])

    def end(self):
        end_with_input(self.process)


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

    def begins(self, first, last):
        """When the callbacks from first to last began, and the one after."""
        return demo_compare.read_blocks(self.files["blocks"])["begin_ns"].astype("int64")[first:last + 1]

    def round_trip(self):
        try:
            return heard_round_trip(json.loads(self.files["json"].read_text()))
        except (OSError, ValueError, KeyError):
            return None

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
    counter = None  # of the server's xruns
    extra = {}  # of the environment

    def __init__(self, frames):
        self.frames = frames
        self.environment = dict(demo.environment(), TUTTI_DEVICE_PERIOD=str(frames), TUTTI_SIM_ELASTIC_MS="0", TUTTI_SIM_CABLE="0",
                                TUTTI_BENCH="wine", **self.extra)
        self.hosts = []

    def start(self):
        """The server."""

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
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

    def xruns(self):
        return self.counter.count() if self.counter else None

    def measure(self, seconds):
        pids = {pid: name_of(pid) for pid in children_of(MARK)}
        before, xruns = [host.callbacks() for host in self.hosts], self.xruns()
        spent, began = spent_by(pids), time.monotonic()
        time.sleep(seconds)
        passed, after = time.monotonic() - began, [host.callbacks() for host in self.hosts]
        return {"spans": list(zip(before, after)), "seconds": passed, "cpu_ns": since(spent, spent_by(pids)),
                "xruns": None if xruns is None else self.xruns() - xruns}

    def __exit__(self, *_):
        for host in self.hosts:
            host.end()
        if self.counter:
            self.counter.end()
        for pid in children_of(MARK):
            if name_of(pid) in ("tuttid", "tuttid.exe", "tutti-bridge"):
                os.kill(pid, 15)
        if self.server:
            self.server.terminate()
            self.server.wait()


class JackServer(System):
    def start(self):
        name = JACK_NAME
        self.environment.update(JACK_DEFAULT_SERVER=name, JACK_NO_AUDIO_RESERVATION="1")
        self.server = subprocess.Popen(["jackd", "-R", "-P", "80", "-n", name, "-d", "dummy", "-r", str(RATE), "-p", str(self.frames)],
                                       env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if subprocess.run(["jack_wait", "-w", "-t", "10", "-s", name], env=self.environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode:
            raise Failure("jackd did not start")
        self.counter = XrunCounter("jack", self.environment)

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


class PipeWireServer(System):
    """A server of the benchmark's own, with the demo's virtual sink and a fixed quantum."""

    def start(self):
        self.folder = tempfile.mkdtemp(prefix="tutti-bench-")
        conf = pathlib.Path(self.folder, "bench.conf")
        configuration = demo_graph.CONFIGURATION.replace("{ name = libpipewire-module-metadata }", PROFILER)
        conf.write_text(configuration.replace(f"default.clock.quantum = {demo_graph.QUANTUM}", f"default.clock.quantum = {self.frames}"))
        self.environment.update(PIPEWIRE_RUNTIME_DIR=self.folder, PIPEWIRE_LATENCY=f"{self.frames}/{RATE}")
        self.server = subprocess.Popen(["pipewire", "-c", conf], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while "monitor_FR" not in self.tool("pw-link", "-o"):
            if time.monotonic() > end:
                raise Failure("pipewire did not start")
            time.sleep(0.1)
        self.counter = XrunCounter("pipewire", self.environment)

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


class Beside:
    """Hosts on Tutti and hosts on a peer, as many, on one server."""

    def add(self, count, seconds):
        plain = self.environment
        self.groups = {side.name: [] for side in self.sides}
        for number in range(count):
            for side in self.sides:
                self.environment = {**plain, **side.extra, "TUTTI_BENCH_SIDE": side.name}
                self.add_host(side.driver, seconds, ping=number == 0)
                self.groups[side.name].append(self.hosts[-1])
        self.environment = plain
        self.patch = [link for side in self.sides for link in side.patch]
        self.loop()

    def measure_sides(self, seconds, slices):
        """A list of spans for each side."""
        pids = {name: {pid: name_of(pid) for pid in children_of(f"TUTTI_BENCH_SIDE={name}\0") if not name_of(pid).startswith("wineserver")}
                for name in self.groups}
        spans = {name: [] for name in self.groups}
        for _ in range(slices):
            spent, xruns = {name: spent_by(pids[name]) for name in self.groups}, self.xruns()
            before = {name: [host.callbacks() for host in hosts] for name, hosts in self.groups.items()}
            began = time.monotonic()
            time.sleep(seconds / slices)
            passed = time.monotonic() - began
            for name, hosts in self.groups.items():
                spans[name].append({"spans": list(zip(before[name], [host.callbacks() for host in hosts])), "seconds": passed,
                                    "cpu_ns": since(spent[name], spent_by(pids[name])), "xruns": self.xruns() - xruns})
        return spans


class BesideJack(Beside, JackServer):
    name = "beside"
    sides = (TuttiJack, WineAsio)


class BesidePipeWire(Beside, PipeWireServer):
    name = "beside_pipewire"
    sides = (TuttiPipeWire, WineAsioPipeWire)


class PipeAsio(PipeWireServer):
    name = "pipeasio"
    driver = "PipeASIO"
    patch = [(f"{demo_graph.SINK}:monitor_FL", "tutti-host:in_1")]
    extra = PIPEASIO

    def start(self):
        (FOLDER / "pipeasio/pipeasio").mkdir(exist_ok=True)
        (FOLDER / "pipeasio/pipeasio/config.ini").write_text(
            f"[pipeasio]\ninputs = 2\noutputs = 2\nbuffer_size = {self.frames}\noutput_device = {demo_graph.SINK}\n")
        super().start()


class TuttiNative(System):
    name = "native"


class TuttiWindows(System):
    name = "windows"

    def __init__(self, frames):
        super().__init__(frames)
        for key in ("TUTTI_BRIDGE", "TUTTI_NATIVE_ENGINE", "TUTTI_RUNTIME_DIR"):
            self.environment.pop(key)
        self.environment["TUTTI_BRIDGE"] = ""  # none
