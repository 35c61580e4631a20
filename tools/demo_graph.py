# SPDX-License-Identifier: MIT
"""./run demo --device pipewire | jack: the same three Windows programs on the native engine and a graph server, with native programs and the
server's own beside them.

In each stretch `tutti play` sings into the mix; with PipeWire its own pw-play sings into the same sink. The Windows recorder hears all of it through
links made by hand, and its recording is compared as on the virtual card. In the first stretch the mix is recorded twice more, by `tutti
record` and by a program of the server's (pw-record, jack_rec). Voices are multiples of 2^-18 and do not clip, so that sums are exact in any order.
Frames around an xrun of the server are left out, counted, and no others.

A PipeWire server that runs already is used, with a sink of the demo's own in it, and a JACK server as it is; else a private
one is started.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import numpy

import demo
import demo_compare
import demo_xruns

RATE, QUANTUM = 48000, 512
CHANNELS = 8  # of Tutti's client: two of music, and one for each host's pings
ATTEMPTS = 3  # a machine that stalls makes programs late, which nobody tells of those without positions
HURRY_PRIORITY = 20
SINK = "tutti-demo"
LINK_S = 15
CLEAN_S = 10.5  # of each stretch that is to be compared
WITNESS_S = 12
BUFFERS = {"singer": 1024, "drummer": 512, "recorder": 2048}
PANS = {"singer": ["remix", "1v0.25", "1v0.25"], "drummer": ["remix", "1v0.125", "1v0.25"]}
# Those who tell no positions. None of their sounds is in another one, so that each has one place. name: (title, sound, gains left and right, colour)
VOICES = {"visitor": ("tutti play", "Side_Left", (0.25, 0.125), "#7b4fa3"), "stranger": ("pw-play", "Rear_Right", (0.125, 0.25), "#8a6d3b")}
VISITOR_BUFFER = 4096
REPEATS = 3
HEAD_S = 2  # of silence, and left out of other recordings: one link is made after the other
TAIL_S = 1  # of silence: a program that ends takes back what was not played yet, and pw-play leaves out its last block
SINK_PROPERTIES = f"""factory.name = support.null-audio-sink node.name = {SINK} media.class = Audio/Sink object.linger = true
    audio.position = [ FL FR ] adapter.auto-port-config = {{ mode = dsp monitor = true position = preserve }}"""
CONFIGURATION = f"""
context.properties = {{ core.daemon = true core.name = pipewire-0 settings.check-quantum = false
    default.clock.rate = {RATE} default.clock.quantum = {QUANTUM} default.clock.min-quantum = 16 default.clock.max-quantum = 8192 }}
context.spa-libs = {{ audio.convert.* = audioconvert/libspa-audioconvert support.* = support/libspa-support }}
context.modules = [
    {{ name = libpipewire-module-rt args = {{ nice.level = -11 }} flags = [ ifexists nofail ] }}
    {{ name = libpipewire-module-protocol-native }} {{ name = libpipewire-module-metadata }}
    {{ name = libpipewire-module-spa-node-factory }} {{ name = libpipewire-module-client-node }}
    {{ name = libpipewire-module-access }} {{ name = libpipewire-module-adapter }}
    {{ name = libpipewire-module-link-factory }} ]
context.objects = [
    {{ factory = metadata args = {{ metadata.name = default }} }}
    {{ factory = spa-node-factory args = {{ factory.name = support.node.driver node.name = Dummy-Driver
        node.group = pipewire.dummy priority.driver = 20000 }} }}
    {{ factory = adapter args = {{ {SINK_PROPERTIES} }} }} ]
"""


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def connected(tool):
    """A link that is there already is as good."""
    return tool.returncode == 0 or "exists" in tool.stderr or "already" in tool.stdout + tool.stderr


def start(name, *command, prepare=None):
    log = open(f"{demo.DEMO}/{name}.log", "w", encoding="utf-8")
    return subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=prepare)


def hurry():
    """The servers' file programs work on an ordinary thread: where the machine has other work they would miss periods, which nobody counts."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(HURRY_PRIORITY))
    except PermissionError:
        pass


class PipeWire:
    """The server, and its own programs."""

    has_player = True  # of files
    witness = "pw-record"
    witness_stops = True  # when it is interrupted

    def __init__(self):
        self.folder, self.process = None, None
        if run("pw-cli", "info", "0").returncode == 0:
            demo.say("a PipeWire server runs: the demo gets a sink of its own there")
            run("pw-cli", "create-node", "adapter", "{ " + SINK_PROPERTIES + " }")
        else:
            self.folder = tempfile.mkdtemp(prefix="tutti-demo-")
            os.environ["PIPEWIRE_RUNTIME_DIR"] = self.folder
            os.environ.pop("PIPEWIRE_REMOTE", None)
            with open(f"{self.folder}/demo.conf", "w", encoding="utf-8") as file:
                file.write(CONFIGURATION)
            self.start()
        demo.wait_for(self.answers, LINK_S, "for the sink")
        os.environ.update(TUTTI_DEVICE_BACKEND="pipewire", TUTTI_DEVICE_NAME=SINK)

    def start(self):
        self.process = start("pipewire", "pipewire", "-c", f"{self.folder}/demo.conf")

    @staticmethod
    def answers():
        return f"{SINK}:monitor_FR" in run("pw-link", "-o").stdout

    def stream(self, name, *command):
        """One of PipeWire's programs: without a session manager its ports come by themselves when it is told so."""
        properties = "{ adapter.auto-port-config = { mode = dsp position = preserve } " \
                     f"node.autoconnect = false node.name = {name} }}"
        return start(name, *command, "--target", "0", "-P", properties, prepare=hurry)

    def record(self, path):
        """Links are made when its ports are there; what the device plays from then on is in the file."""
        program = self.stream("witness", "pw-record", "--rate", str(RATE), "--channels", "2", "--format", "f32", path)
        return program, lambda: self.link((f"{SINK}:monitor_FL", "witness:input_FL"),
                                          (f"{SINK}:monitor_FR", "witness:input_FR"))

    def play(self, path):
        program = self.stream("stranger", "pw-play", path)
        self.link(("stranger:output_FL", f"{SINK}:playback_FL"), ("stranger:output_FR", f"{SINK}:playback_FR"))
        return program

    def loop(self):
        self.link((f"{SINK}:monitor_FL", "Tutti:in_1"), (f"{SINK}:monitor_FR", "Tutti:in_2"))

    def connect(self, output, inner):
        self.link((output, inner))

    @staticmethod
    def link(*pairs):
        for output, inner in pairs:
            demo.wait_for(lambda o=output, i=inner: connected(run("pw-link", o, i)), LINK_S,
                          f"to link {output} with {inner}")

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            run("pw-cli", "destroy", SINK)


class Jack:
    """The same with jackd; it has no player of its own that plays a file."""

    has_player = False
    witness = "jack_rec"
    witness_stops = False

    def __init__(self):
        self.process = None
        if run("jack_lsp").returncode == 0:
            demo.say("a JACK server runs: the demo plays there")
        else:
            os.environ["JACK_DEFAULT_SERVER"] = f"tutti-demo-{os.getpid()}"
            os.environ["JACK_NO_AUDIO_RESERVATION"] = "1"
            self.start()
        os.environ["JACK_NO_START_SERVER"] = "1"
        demo.wait_for(self.answers, LINK_S, "for the server")
        # inputs hear the loop alone, not a microphone besides
        os.environ.update(TUTTI_DEVICE_BACKEND="jack", TUTTI_JACK_CONNECT="no")

    def start(self):
        self.process = start("jackd", "jackd", "-R", "-P", "80", "-d", "dummy", "-r", str(RATE), "-p", str(QUANTUM), "-C", "2", "-P", "2")

    @staticmethod
    def answers():
        return run("jack_lsp").returncode == 0

    def record(self, path):
        demo.wait_for(lambda: "Tutti:out_2" in run("jack_lsp").stdout, LINK_S, "for Tutti's ports")
        return start("witness", "jack_rec", "-f", path, "-d", str(WITNESS_S), "-b", "32", "Tutti:out_1", "Tutti:out_2",
                     prepare=hurry), lambda: None

    def loop(self):
        for channel in "12":
            self.connect(f"Tutti:out_{channel}", f"Tutti:in_{channel}")

    @staticmethod
    def connect(output, inner):
        demo.wait_for(lambda: connected(run("jack_connect", output, inner)), LINK_S, f"to connect {output} with {inner}")

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


def sox(*arguments):
    subprocess.run(["sox", "-V1", "-D", *arguments], check=True)


def make_voices(names):
    shape = ["-r", str(RATE), "-e", "floating-point", "-b", "32"]
    for name in names:
        _, sound, (left, right), _ = VOICES[name]
        sox(f"/usr/share/sounds/alsa/{sound}.wav", *shape, f"{demo.DEMO}/{name}.wav", "remix", f"1v{left}", f"1v{right}", "repeat", str(REPEATS),
            "pad", str(HEAD_S), str(TAIL_S))
    return {name: read(f"{demo.DEMO}/{name}.wav") for name in names}


def read(path):
    """Frames x 2. sox passes whole numbers of 2^-31, which all samples here are."""
    raw = f"{path}.f32"
    sox(path, "-t", "raw", "-r", str(RATE), "-e", "floating-point", "-b", "32", raw)
    data = numpy.fromfile(raw, "<f4")
    os.remove(raw)
    return data[:len(data) // 2 * 2].reshape(-1, 2)


def tutti(*arguments):
    return [f"{demo.NATIVE}/cli/tutti", *arguments]


def status():
    return json.loads(run(*tutti("status", "--json")).stdout or "{}")


def environment():
    return dict(os.environ, WINEPREFIX=demo.PREFIX, TUTTI_NATIVE_ENGINE=f"{demo.NATIVE}/tuttid/tuttid", TUTTI_BRIDGE=f"{demo.NATIVE}/bridge/tutti-bridge")


class Beside:
    """Who plays and records beside the three Windows programs, and what the server says."""

    def __init__(self, server, voices):
        self.server, self.voices = server, voices
        self.watch, self.running, self.witnesses = None, [], {}
        self.clean_before = 0

    def patch(self, hosts):
        """What was heard before it is left out."""
        if not self.watch:
            self.watch = demo_xruns.Watch(status, hosts[-1].files["blocks"])
            self.watch.start()
        self.server.loop()
        for channel in range(3, 3 + len(hosts)):
            self.server.connect(f"Tutti:out_{channel}", f"Tutti:in_{channel}")
        self.watch.leave_out_until_now()

    def begin(self, stretch):
        self.clean_before = self.watch.clean_frames()
        if stretch == 0:
            paths = {"tutti record": f"{demo.DEMO}/inside.wav", self.server.witness: f"{demo.DEMO}/witness.wav"}
            inside = start("inside", *tutti("record", paths["tutti record"]))
            witness, join = self.server.record(paths[self.server.witness])
            join()
            self.server.loop()
            self.witnesses = paths
            self.running += [(inside, True), (witness, self.server.witness_stops)]
        time.sleep(1)
        for name in self.voices:
            path = f"{demo.DEMO}/{name}.wav"
            player = self.server.play(path) if name == "stranger" else start(name, *tutti("play", path, "--buffer", str(VISITOR_BUFFER)))
            self.running.append((player, False))

    def enough(self):
        return self.watch.clean_frames() - self.clean_before > CLEAN_S * RATE and all(program.poll() is not None or stops
                                                                                     for program, stops in self.running)

    def finish(self):
        for program, stops in self.running:
            if stops:
                program.send_signal(signal.SIGINT)
            if program.wait(timeout=2 * WITNESS_S) and not stops:
                demo.fail(f"{program.args[0]} ended with {program.returncode}; see build/demo/*.log")
        self.running = []

    def guests(self, lives):
        """Each voice once in each stretch: twice with the first engine, once with the next."""
        self.placed = [demo_compare.Guest(name, sound, generation) for name, sound in self.voices.items()
                       for generation in (lives[0], lives[0], lives[-1])]
        return self.placed

    def tracks(self, blocks):
        """Of each voice what was heard of it when, for the picture."""
        for name, sound in self.voices.items():
            title, _, _, colour = VOICES[name]
            places = sorted((guest for guest in self.placed if guest.name == name and guest.at is not None),
                            key=lambda guest: (guest.generation != self.placed[0].generation, guest.at))
            when = []
            for guest in places:
                mine = demo_compare.sounding(blocks, guest.generation)
                when.append(numpy.interp(guest.at + numpy.arange(len(sound)), mine["device"], mine["begin_ns"].astype(float)))
            if when:
                yield f"{name} ({title}) was heard", colour, numpy.concatenate(when), numpy.tile(sound[:, 0], len(when))


def perform(server, voices):
    """One attempt: the report, and what the picture needs."""
    for name in BUFFERS:
        for kind in ("blocks", "json", "ready", "stop"):
            if os.path.exists(f"{demo.DEMO}/{name}.{kind}"):
                os.remove(f"{demo.DEMO}/{name}.{kind}")
    beside = Beside(server, voices)
    hosts, states, engines_killed = demo.play(beside)
    beside.watch.end()
    report, blocks, recording, times, airs = demo.judge(hosts, states, engines_killed, beside.watch.spans, beside.guests)
    first = demo_compare.generations(blocks["recorder"])[0]
    report.update({
        "device": states[0].get("device"), "server_xruns": beside.watch.count(),
        "guests": [{"name": guest.name, "program": VOICES[guest.name][0], "heard_at": guest.at} for guest in beside.placed],
        "witnesses": {name: demo_compare.compare_witness(read(path)[HEAD_S * RATE:], airs[first]) for name, path in beside.witnesses.items()}})
    report["verdict"] = verdict(report)
    return report, (hosts, blocks, recording, times), list(beside.tracks(blocks["recorder"]))


def verdict(report):
    if any(guest["heard_at"] is None for guest in report["guests"]):
        return "NOT bit for bit: a program was not heard"
    if any(found["frames_different"] for found in report["witnesses"].values()):
        return "NOT bit for bit: another recording is not what was played"
    if any(found["frames_compared"] < 5 * RATE for found in report["witnesses"].values()):
        return "less than 5 s of another recording could be compared"
    return demo.verdict(report)


def figures(report):
    return {name: value for name, value in report.items() if name not in ("device", "attempts")}


def show(report, device):
    demo.show(report)
    for name, found in report["witnesses"].items():
        demo.say(f"{name:<13} {found['frames_compared']:,} frames compared with the same mix: {found['frames_different']} different")
    demo.say(f"{len(report['guests'])} times programs without positions played; xruns of the server {report['server_xruns']} "
             f"({report['frames_left_out']:,} frames left out); attempts {len(report['attempts'])}")
    demo.say(f"build/demo: recording.wav, inside.wav, witness.wav, demo.png, report.json ({device})")


def main(device):
    demo.use_native_engine()
    demo.BUFFERS, demo.CABLE, demo.PERIOD = BUFFERS, 0, QUANTUM
    demo.environment, demo.status = environment, status
    section = device.upper()
    os.environ.update(TUTTI_RUNTIME_DIR=f"{demo.DEMO}/runtime", TUTTI_CONFIG="/nonexistent", TUTTI_DEVICE_RATE=str(RATE),
                      TUTTI_DEVICE_PERIOD=str(QUANTUM), TUTTI_ENGINE_GRACE_MS="2000", TUTTI_ENGINE=f"{demo.NATIVE}/tuttid/tuttid",
                      **{f"TUTTI_{section}_INPUTS": str(CHANNELS), f"TUTTI_{section}_OUTPUTS": str(CHANNELS)})
    demo.prepare()
    demo.make_music(PANS)
    server = {"pipewire": PipeWire, "jack": Jack}[device]()
    attempts = []
    try:
        voices = make_voices([name for name in VOICES if server.has_player or name != "stranger"])
        while len(attempts) < ATTEMPTS:
            report, drawn, guests = perform(server, voices)
            run(*tutti("stop-engine"))
            attempts.append(figures(report))
            if report["verdict"] == demo.GOOD:
                break
            demo.say(f"attempt {len(attempts)}: {report['verdict']}")
    finally:
        run(*tutti("stop-engine"))
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=environment(), check=False, stderr=subprocess.DEVNULL)
        server.end()
    report["attempts"] = attempts
    demo.save_recording(drawn[2])
    with open(f"{demo.DEMO}/report.json", "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2)
    demo.picture(*drawn, report, f"Windows and native programs on {'PipeWire' if device == 'pipewire' else 'JACK'}", guests)
    show(report, device)
    return 0 if report["verdict"] == demo.GOOD else 1
