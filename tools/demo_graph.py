# SPDX-License-Identifier: MIT
"""./run demo --device pipewire | jack: Windows and native programs share one device with programs of a graph server.

Two `tutti play` and a Windows program under Wine share the engine; with PipeWire its own pw-play sings into the same sink. What the device plays is recorded
twice: by a program of the server's (pw-record, jack_rec), and by `tutti record` through links made by hand. Voices are
multiples of 2^-18 and do not clip, so that sums are exact in any order. Each is placed once, by correlation, and then every
frame must be their sum.

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

RATE, QUANTUM = 48000, 1024
ATTEMPTS = 3  # a machine that stalls makes the server lose periods, which a recording does not tell from wrong samples
SINK = "tutti-demo"
GOOD = "every sample as expected"
LINK_S = 15
WITNESS_S = 20  # longer than the voices
# No sound is in two of them, so that each has one place. name: (sounds, gains left and right, buffer in frames)
VOICES = {"visitor": (["Front_Center", "Noise", "Rear_Center"], (0.125, 0.25), 512),
          "singer": (["Front_Left", "Front_Right"], (0.25, 0.25), 1024),
          "drummer": (["Rear_Left", "Rear_Right"], (0.25, 0.25), 2048),
          "stranger": (["Side_Left", "Side_Right"], (0.25, 0.125), None)}
WINDOWS = "visitor"  # the program under Wine
REPEATS = 3
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


def start(name, *command):
    log = open(f"{demo.DEMO}/{name}.log", "w", encoding="utf-8")
    return subprocess.Popen(command, stdout=log, stderr=log)


class PipeWire:
    """The server, and its own programs."""

    has_player = True  # of files
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
        return start(name, *command, "--target", "0", "-P", properties)

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
        return start("witness", "jack_rec", "-f", path, "-d", str(WITNESS_S), "-b", "32", "Tutti:out_1", "Tutti:out_2"), lambda: None

    def loop(self):
        for channel in "12":
            demo.wait_for(lambda c=channel: connected(run("jack_connect", f"Tutti:out_{c}", f"Tutti:in_{c}")), LINK_S,
                          "to connect the loop")

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


def sox(*arguments):
    subprocess.run(["sox", "-V1", "-D", *arguments], check=True)


def make_voices(names):
    shape = ["-r", str(RATE), "-e", "floating-point", "-b", "32"]
    voices = {}
    for name in names:
        files, (left, right), _ = VOICES[name]
        files = [f"/usr/share/sounds/alsa/{f}.wav" for f in files]
        sox(*files, *shape, f"{demo.DEMO}/{name}.wav", "remix", f"1v{left}", f"1v{right}", "repeat", str(REPEATS), "pad", "0", str(TAIL_S))
        voices[name] = read(f"{demo.DEMO}/{name}.wav")
    return voices


def read(path):
    """Frames x 2. sox passes whole numbers of 2^-31, which all samples here are."""
    raw = f"{path}.f32"
    sox(path, "-t", "raw", "-r", str(RATE), "-e", "floating-point", "-b", "32", raw)
    data = numpy.fromfile(raw, "<f4")
    os.remove(raw)
    return data[:len(data) // 2 * 2].reshape(-1, 2)


def place(recording, voice):
    """Where the voice begins in the recording: the one peak of their correlation."""
    n = 1 << (len(recording) + len(voice)).bit_length()
    spectrum = numpy.fft.rfft(recording[:, 0], n) * numpy.conj(numpy.fft.rfft(voice[:, 0], n))
    at = int(numpy.argmax(numpy.fft.irfft(spectrum, n)))
    return at if at + len(voice) <= len(recording) else None


def compare(recording, voices):
    """Every frame of the recording against the sum of the voices."""
    expected = numpy.zeros_like(recording)
    found = {}
    for name, voice in voices.items():
        found[name] = place(recording, voice)
        if found[name] is not None:
            expected[found[name]:found[name] + len(voice)] += voice
    together = numpy.zeros(len(recording), int)
    for name, at in found.items():
        if at is not None:
            together[at:at + len(voices[name])] += 1
    return {"frames_compared": len(recording), "frames_different": int((recording != expected).any(axis=1).sum()),
            "frames_with_all_voices": int((together == len(voices)).sum()), "begins_at": found}


def tutti(*arguments):
    return [f"{demo.BIN}/tutti", *arguments]


def windows_environment():
    return dict(os.environ, WINEPREFIX=demo.PREFIX, TUTTI_NATIVE_ENGINE=f"{demo.BIN}/tuttid", TUTTI_BRIDGE=f"{demo.BIN}/tutti-bridge")


def start_windows_player(name, frames):
    """The host plays a file again and again: it is stopped in the silence at its end."""
    ready = f"{demo.DEMO}/{name}.ready"
    if os.path.exists(ready):
        os.remove(ready)
    with open(f"{demo.DEMO}/{name}.log", "w", encoding="utf-8") as log:
        player = subprocess.Popen(
            [demo.WRAPPER, f"{demo.BIN}/tutti-host.exe", "--driver", "Tutti", "--name", name, "--buffer", str(VOICES[name][2]),
             "--play", f"{demo.DEMO}/{name}.wav", "--play-channels", "0,1", "--frames", str(frames - int(TAIL_S * RATE / 2)),
             "--ready-file", ready, "--on-reset", "ignore"], env=windows_environment(), stdout=log, stderr=log)
    demo.wait_for(lambda: os.path.exists(ready) or player.poll() is not None, 60, "for the Windows program to play")
    return player


def perform(server, voices):
    """Everybody plays and records once, each time with a new engine."""
    paths = {"tutti record": f"{demo.DEMO}/inside.wav", "witness": f"{demo.DEMO}/witness.wav"}
    inside = start("inside", *tutti("record", paths["tutti record"]))
    witness, join = server.record(paths["witness"])
    server.loop()
    join()
    time.sleep(1)
    players = [start_windows_player(WINDOWS, len(voices[WINDOWS]))]
    players += [start(name, *tutti("play", f"{demo.DEMO}/{name}.wav", "--buffer", str(VOICES[name][2])))
                for name in voices if VOICES[name][2] and name != WINDOWS]
    if "stranger" in voices:
        players.append(server.play(f"{demo.DEMO}/stranger.wav"))
    demo.say(f"{len(players)} programs play, 2 record …")
    time.sleep(3)
    state = json.loads(run(*tutti("status", "--json")).stdout or "{}")
    failed = [player.args[0] for player in players if player.wait(timeout=120)]
    time.sleep(1)
    inside.send_signal(signal.SIGINT)
    if server.witness_stops:
        witness.send_signal(signal.SIGINT)
    for recorder in (inside, witness):
        recorder.wait(timeout=2 * WITNESS_S)
    if failed:
        demo.fail(f"{failed} did not play; see build/demo/*.log")
    return state, {name: compare(read(path), voices) for name, path in paths.items()}


def verdict(recordings):
    if any(found["frames_different"] for found in recordings.values()):
        return "NOT bit for bit"
    if any(found["frames_with_all_voices"] < 5 * RATE for found in recordings.values()):
        return "less than 5 s of all voices together"
    return GOOD


def main(device):
    shutil.rmtree(demo.DEMO, ignore_errors=True)
    os.makedirs(demo.BIN)
    for path in ("native/src/tuttid/tuttid", "native/src/cli/tutti", "native/src/bridge/tutti-bridge", "win64/src/asio/tutti.dll",
                 "win64/tests/hosts/tutti-host.exe"):
        shutil.copy(os.path.join(demo.TOP, "build", path), demo.BIN)
    demo.say("making a Wine prefix and registering the driver …")
    subprocess.run([demo.WRAPPER, "regsvr32", "/s", f"{demo.BIN}/tutti.dll"], env=windows_environment(), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.environ.update(TUTTI_RUNTIME_DIR=f"{demo.DEMO}/run", TUTTI_CONFIG="/nonexistent", TUTTI_DEVICE_RATE=str(RATE), TUTTI_DEVICE_PERIOD=str(QUANTUM),
                      TUTTI_ENGINE_GRACE_MS="500")
    server = {"pipewire": PipeWire, "jack": Jack}[device]()
    try:
        voices = make_voices([name for name in VOICES if VOICES[name][2] or server.has_player])
        for attempt in range(1, ATTEMPTS + 1):
            state, recordings = perform(server, voices)
            if verdict(recordings) == GOOD:
                break
            demo.say(f"attempt {attempt}: {verdict(recordings)}")
            run(*tutti("stop-engine"))
    finally:
        run(*tutti("stop-engine"))
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=windows_environment(), check=False, stderr=subprocess.DEVNULL)
        server.end()
    report = {"device": state.get("device"), "programs": state.get("programs"), "voices": list(voices), "recordings": recordings, "attempts": attempt,
              "verdict": verdict(recordings)}
    with open(f"{demo.DEMO}/report.json", "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2)
    for name, found in recordings.items():
        demo.say(f"{name:<13} {found['frames_compared']:,} frames compared with the sum of {len(voices)} voices: "
                 f"{found['frames_different']} different; {found['frames_with_all_voices']:,} with all of them")
    demo.say(f"verdict: {report['verdict']}")
    demo.say("build/demo: inside.wav, witness.wav, report.json")
    return 0 if report["verdict"] == GOOD else 1
