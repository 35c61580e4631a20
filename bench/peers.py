# SPDX-License-Identifier: MIT
"""The systems as the benchmark sees them: a server, a pass-through program, one record a callback.

All run as their makers meant them to: real-time threads by their own means, nobody pinned by the benchmark. Each program is
connected: two channels of the card go in, its two outputs meet those of all others on the same two channels.
"""
import os
import pathlib
import signal
import subprocess
import time
import zlib

import numpy

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / "build/native"
RATE = 48000
RECORDS = 1 << 16
HEADER_WORDS = 8


PIPEWIRE_JACK = "/usr/lib/x86_64-linux-gnu/pipewire-0.3/jack"
PIPEWIRE_CARD = "bench-card"
PIPEWIRE_CONFIGURATION = f"""
context.properties = {{ core.daemon = true core.name = pipewire-0 settings.check-quantum = false
    default.clock.rate = {RATE} default.clock.quantum = FRAMES default.clock.min-quantum = 16 default.clock.max-quantum = 8192 }}
context.spa-libs = {{ audio.convert.* = audioconvert/libspa-audioconvert support.* = support/libspa-support }}
context.modules = [
    {{ name = libpipewire-module-rt args = {{ nice.level = -11 }} flags = [ ifexists nofail ] }}
    {{ name = libpipewire-module-protocol-native }} {{ name = libpipewire-module-metadata }}
    {{ name = libpipewire-module-spa-node-factory }} {{ name = libpipewire-module-client-node }}
    {{ name = libpipewire-module-access }} {{ name = libpipewire-module-adapter }} {{ name = libpipewire-module-link-factory }} ]
context.objects = [
    {{ factory = metadata args = {{ metadata.name = default }} }}
    {{ factory = adapter args = {{ factory.name = support.null-audio-sink node.name = {PIPEWIRE_CARD} media.class = Audio/Sink
        object.linger = true priority.driver = 20000 audio.position = [ FL FR ]
        adapter.auto-port-config = {{ mode = dsp monitor = true position = preserve }} }} }} ]
"""

# one name for all runs: JACK knows eight, and one that was killed stays known until it is taken again
JACK_NAME = f"tutti-bench-{zlib.crc32(str(TOP).encode()):08x}"


class Failure(Exception):
    pass


def run_times(pid):
    """Processor time of a process in ns, all its threads."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def switches(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if "ctxt_switches" in line:
                total += int(line.split()[1])
    return total


def spend(pids):
    """Time, processor time and switches of each process: reading takes long, so each has a time of its own."""
    return [numpy.array([time.monotonic_ns(), run_times(pid), switches(pid)], dtype=float) for pid in pids]


def end_with_input(process):
    """Ends one that ends when its input does; kills one that does not."""
    process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Program:
    """One pass-through program and its file of records."""

    def __init__(self, path, binary, number, frames, environment):
        self.path = path
        self.process = subprocess.Popen([binary, path, str(number), str(frames)], stdin=subprocess.PIPE, env=environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.words = None

    def wait_ready(self, deadline):
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failure(self.process.stderr.read().decode().strip() or "a program ended")
            if self.words is None and self.path.exists() and self.path.stat().st_size > 64:
                self.words = numpy.memmap(self.path, dtype=numpy.uint64, mode="r")
            if self.words is not None and self.words[1]:
                return
            time.sleep(0.01)
        raise Failure("a program did not start")

    @property
    def count(self):
        return int(self.words[0])

    def records(self, first, last):
        """Columns cycle, call, done of the records from first to last."""
        table = self.words[HEADER_WORDS:].reshape(RECORDS, 4)
        return table[numpy.arange(first, last) % RECORDS].astype(numpy.int64)

    def stop(self):
        if self.process.poll() is None:
            end_with_input(self.process)
        self.process.stderr.close()
        self.words = None
        self.path.unlink(missing_ok=True)


class System:
    """A server with its programs. Used in a with statement: nothing outlives it."""
    name = ""
    binary = ""

    def __init__(self, folder, frames):
        self.folder = pathlib.Path(folder)
        self.frames = frames
        self.server = None
        self.programs = []
        self.environment = dict(os.environ)
        self.timer_path = self.folder / "timer"
        self.timer = None

    def start_server(self):
        raise NotImplementedError

    def server_environment(self):
        return {**self.environment, "LD_PRELOAD": str(BUILD / "bench/bench_timer_log.so"), "TIMER_LOG": str(self.timer_path)}

    @property
    def wakes(self):
        return int(self.timer[0])

    def timers(self, first, last):
        """Columns due, awake of the server's timed sleeps from first to last."""
        table = self.timer[HEADER_WORDS:].reshape(RECORDS, 2)
        return table[numpy.arange(first, last) % RECORDS].astype(numpy.int64)

    def __enter__(self):
        try:
            self.start_server()
            self.timer = numpy.memmap(self.timer_path, dtype=numpy.uint64, mode="r")
        except BaseException:
            self.__exit__()
            raise
        return self

    def add(self, count):
        fresh = []
        for _ in range(count):
            number = len(self.programs)
            program = Program(self.folder / f"{self.name}-{number}", BUILD / "bench" / self.binary, number, self.frames,
                              self.environment)
            self.programs.append(program)
            fresh.append(program)
        deadline = time.monotonic() + 20
        for program in fresh:
            program.wait_ready(deadline)
        while any(program.count < 20 for program in fresh):
            if time.monotonic() > deadline:
                raise Failure(f"{self.name}: programs are not called")
            time.sleep(0.01)

    def __exit__(self, *_):
        for program in self.programs:
            program.stop()
        self.programs = []
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            try:
                self.server.wait(10)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()


class Tutti(System):
    name = "tutti"
    binary = "bench_pass_tutti"

    def __init__(self, folder, frames, **settings):
        super().__init__(folder, frames)
        self.environment.update(TUTTI_RUNTIME_DIR=str(self.folder / "runtime"), TUTTI_CONFIG="/dev/null",
                                TUTTI_DEVICE_BACKEND="sim", TUTTI_ENGINE_GRACE_MS="20000", **settings)

    def start_server(self):
        self.server = subprocess.Popen([BUILD / "src/tuttid/tuttid"], env=self.server_environment(), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 5
        while not (self.folder / "runtime/engine").exists():
            if time.monotonic() > deadline:
                raise Failure("tuttid did not start")
            time.sleep(0.01)


class Jack(System):
    """In its own mode, asynchronous: the server takes what programs have done a period later and waits for nobody."""
    name = "jack2"
    binary = "bench_pass_jack"
    options = []

    def __init__(self, folder, frames):
        super().__init__(folder, frames)
        self.environment.update(JACK_DEFAULT_SERVER=JACK_NAME, JACK_NO_AUDIO_RESERVATION="1",
                                PASS_SOURCES="system:capture_1,system:capture_2", PASS_SINKS="system:playback_1,system:playback_2")
        self.environment.pop("JACK_PROMISCUOUS_SERVER", None)

    def start_server(self):
        self.server = subprocess.Popen(["jackd", "-R", "-P", "80", "-n", self.environment["JACK_DEFAULT_SERVER"], *self.options,
                                        "-d", "dummy", "-r", str(RATE), "-p", str(self.frames), "-C", "8", "-P", "8"],
                                       env=self.server_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waited = subprocess.run(["jack_wait", "-w", "-t", "10", "-s", self.environment["JACK_DEFAULT_SERVER"]], env=self.environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if waited.returncode or self.server.poll() is not None:
            raise Failure("jackd did not start")


class PipeWire(System):
    """A server with one virtual sink, whose monitor is what the programs hear; they are JACK's, on PipeWire's own libjack."""
    name = "pipewire"
    binary = "bench_pass_jack"

    def __init__(self, folder, frames):
        super().__init__(folder, frames)
        (self.folder / "runtime").mkdir()
        self.environment.update(PIPEWIRE_RUNTIME_DIR=str(self.folder / "runtime"), PIPEWIRE_LATENCY=f"{frames}/{RATE}", LD_LIBRARY_PATH=PIPEWIRE_JACK,
                                PASS_SOURCES=",".join(f"{PIPEWIRE_CARD}:monitor_{side}" for side in ("FL", "FR")),
                                PASS_SINKS=",".join(f"{PIPEWIRE_CARD}:playback_{side}" for side in ("FL", "FR")))

    def start_server(self):
        conf = self.folder / "bench.conf"
        conf.write_text(PIPEWIRE_CONFIGURATION.replace("FRAMES", str(self.frames)))
        self.server = subprocess.Popen(["pipewire", "-c", conf], env=self.server_environment(), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while b"monitor_FR" not in subprocess.run(["pw-link", "-o"], env=self.environment, capture_output=True, check=False).stdout:
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise Failure("pipewire did not start")
            time.sleep(0.1)


class JackSync(Jack):
    """The server waits for the programs and takes what they did in the same period, as Tutti does."""
    name = "jack2-sync"
    options = ["-S"]
