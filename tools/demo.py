# SPDX-License-Identifier: MIT
"""./run demo: several Windows programs play and record through one device at once, compared bit for bit."""

import argparse
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import wave

import numpy

import demo_compare
import demo_plot

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEMO = os.path.join(TOP, "build", "demo")
BIN = os.path.join(DEMO, "bin")
PREFIX = os.path.join(DEMO, "prefix")
WRAPPER = os.path.join(TOP, "tools", "wine-wrapper")
RATE, PERIOD, CABLE = 48000, 128, 7
STRETCH_S = 11.0
PATIENCE_S = 180  # for what happens at once, on a machine that does much else
MORE_MOST_S = 60  # that a stretch may last longer
CLEAN_S = 10.5  # of each stretch that is to be compared
NATIVE = None  # the folder of the native build, when Windows programs are to meet the native engine
PANS = {"singer": ["remix", "1v1.2", "1v0.7"], "drummer": ["remix", "1v0.8", "1v1.2"]}
BUFFERS = {"singer": 256, "drummer": 128, "recorder": 512}
GOOD = "every sample as expected"
COLOURS = {"singer": "#2a6f97", "drummer": "#e07a1f", "recorder": "#3a7d44"}


def use_folder(folder):
    """Everything is made under this folder from here on."""
    global DEMO, BIN, PREFIX
    DEMO, BIN, PREFIX = folder, os.path.join(folder, "bin"), os.path.join(folder, "prefix")


def use_native_engine():
    """Windows programs go through the bridge to the native engine from here on."""
    global NATIVE
    NATIVE = os.path.join(TOP, "build", "native", "src")


def say(text, end="\n"):
    print(("\r\033[K" if sys.stdout.isatty() else "") + text, end=end, flush=True)


def fail(text):
    say("demo: " + text)
    sys.exit(1)


def environment():
    env = dict(os.environ, WINEPREFIX=PREFIX, TUTTI_DEVICE_BACKEND="sim", TUTTI_SIM_ELASTIC_MS="100",
               TUTTI_SIM_CABLE=str(CABLE), TUTTI_DEVICE_PERIOD=str(PERIOD), TUTTI_DEVICE_RATE=str(RATE),
               TUTTI_ENGINE_GRACE_MS="2000",
               TUTTI_PROGRAM_SAMPLE_TYPE="float32")  # what is compared is floating point
    env.pop("TUTTI_RUNTIME_DIR", None)
    if NATIVE:
        env.update(TUTTI_RUNTIME_DIR=os.path.join(DEMO, "runtime"), TUTTI_BRIDGE=f"{NATIVE}/bridge/tutti-bridge",
                   TUTTI_NATIVE_ENGINE=f"{NATIVE}/tuttid/tuttid")
    return env


def make_music(pans=None):
    """Two recordings of spoken channel names: raw float32 for the comparison, WAV for the hosts. pans: of each, how sox mixes it."""
    sounds = "/usr/share/sounds/alsa/"
    parts = {"singer": ["Front_Left", "Front_Right", "Front_Center"],
             "drummer": ["Rear_Left", "Side_Right", "Noise", "Rear_Center"]}
    for name, files in parts.items():
        files = [sounds + f + ".wav" for f in files]
        pan = (pans or PANS)[name]
        shape = ["-r", str(RATE), "-e", "floating-point", "-b", "32"]
        wav = f"{DEMO}/{name}.wav"
        subprocess.run(["sox", "-V1", "-D", *files, *shape, wav, *pan], check=True)
        subprocess.run(["sox", "-V1", wav, "-t", "raw", *shape, f"{DEMO}/{name}.f32"], check=True)


class Host:
    """One Windows program with an ASIO driver loaded, as its own process."""

    def __init__(self, name, buffer, ping, arguments, on_reset="ignore", bits=64):
        self.name, self.buffer = name, buffer
        self.files = {kind: f"{DEMO}/{name}.{kind}" for kind in ("blocks", "json", "ready")}
        self.log = open(f"{DEMO}/{name}.log", "w")
        self.killed = False
        self.starts = 0
        self.command = [
            WRAPPER, f"{BIN if bits == 64 else BIN + '32'}/tutti-host.exe", "--driver", "Tutti", "--name", name, "--buffer", str(buffer),
             "--blocks", self.files["blocks"], "--json", self.files["json"],
             "--ready-file", self.files["ready"], "--stop-file", f"{DEMO}/{name}.stop", "--seconds", "300",
             "--on-reset", on_reset, "--progress"] + (["--ping", str(ping)] if ping else []) + arguments
        self.start()

    def start(self):
        self.starts += 1
        self.process = subprocess.Popen(self.command, env=environment(), stdout=self.log, stderr=self.log)

    def end(self):
        """Ends it in order and waits for its report."""
        open(f"{DEMO}/{self.name}.stop", "w").close()
        self.process.wait(timeout=PATIENCE_S)

    def ready(self):
        lives = self.process.poll() is None
        if lives or os.path.exists(self.files["ready"]):
            return os.path.exists(self.files["ready"])
        said = open(self.log.name, errors="replace").read()
        if "begun" in said or self.starts == 3:
            fail(f"{self.name} ended with status {self.process.returncode} before it played: {said[-500:]}")
        say(f"{self.name}: Wine did not start it (status {self.process.returncode}: {said}); once more")
        self.start()
        return False

    def blocks(self):
        return demo_compare.read_blocks(self.files["blocks"])

    def report(self):
        try:
            return json.load(open(self.files["json"]))
        except (OSError, ValueError):
            return {}


def pids_of(program):
    """Processes of this demo whose command line has this."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            if program.encode() in open(path, "rb").read() and \
                    f"WINEPREFIX={PREFIX}\0".encode() in open(path.replace("cmdline", "environ"), "rb").read():
                found.append(int(path.split("/")[2]))
        except OSError:
            pass
    return found


def engine_pids():
    return pids_of(f"{NATIVE}/tuttid/tuttid" if NATIVE else "tuttid.exe")


def status():
    out = subprocess.run([WRAPPER, f"{BIN}/tutti.exe", "status", "--json"], env=environment(),
                         capture_output=True, text=True, timeout=PATIENCE_S).stdout
    try:
        return json.loads(out)
    except ValueError:
        return {}


def watch(hosts, seconds, text, enough=lambda: True):
    """Waits, also until it is enough, and shows that everybody is being called."""
    end = time.monotonic() + seconds
    while time.monotonic() < end or (not enough() and time.monotonic() < end + MORE_MOST_S):
        counts = "   ".join(f"{h.name} {os.path.getsize(h.files['blocks']) // demo_compare.RECORD.itemsize}"
                            for h in hosts if not h.killed and os.path.exists(h.files["blocks"]))
        line = f"{text:<34} {max(0, end - time.monotonic()):4.0f} s   callbacks: {counts}"
        if sys.stdout.isatty():
            say(line, end="")
        time.sleep(0.5)
        for host in hosts:
            if not host.killed and host.process.poll() is not None:
                fail(f"{host.name} ended by itself; see {host.log.name}")
    say(f"{text:<34} done   callbacks: {counts}")


def wait_for(what, seconds, text):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            fail(f"waited {seconds} s in vain: {text}")
        time.sleep(0.05)


def prepare(both=False):
    """both: 32-bit programs, too."""
    shutil.rmtree(DEMO, ignore_errors=True)
    os.makedirs(BIN)
    os.makedirs(os.path.join(DEMO, "runtime"), mode=0o700)
    if NATIVE and not os.path.exists(f"{NATIVE}/bridge/tutti-bridge"):
        fail("the native parts are not built: ./run build")
    for path in ("asio/tutti.dll", "tuttid/tuttid.exe", "cli/tutti.exe", "../tests/hosts/tutti-host.exe"):
        shutil.copy(os.path.join(TOP, "build/win64/src", path), BIN)
    if both:
        os.makedirs(BIN + "32")
        for path in ("src/asio/tutti.dll", "tests/hosts/tutti-host.exe"):
            shutil.copy(os.path.join(TOP, "build/win32", path), BIN + "32")
        shutil.copy(f"{BIN}/tuttid.exe", BIN + "32")  # one engine for both
    say("making a Wine prefix and registering the driver …", end="\n")
    subprocess.run([WRAPPER, "regsvr32", "/s", f"{BIN}/tutti.dll"], env=environment(), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if both:
        subprocess.run([WRAPPER, "C:\\windows\\syswow64\\regsvr32.exe", "/s", f"{BIN}32/tutti.dll"], env=environment(), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Alone:
    """Who plays besides: nobody, on the virtual card. Its clock waits for programs, so on a busy machine a stretch takes longer."""

    def __init__(self):
        self.recorder, self.before = None, 0

    def patch(self, hosts):
        """An engine plays: the first, or the next."""
        self.recorder = hosts[-1]

    def recorded_frames(self):
        blocks = self.recorder.blocks()
        return int(blocks["frames"][(blocks["flags"] & demo_compare.SILENT) == 0].sum())

    def begin(self, stretch):
        """Of three: 0 to 2."""
        self.before = self.recorded_frames()

    def enough(self):
        return self.recorded_frames() - self.before > CLEAN_S * RATE

    def finish(self):
        """The stretch ends."""


def play(beside):
    """The three stretches. Returns the hosts and what happened when."""
    hosts = [Host("singer", BUFFERS["singer"], 2, ["--play", f"{DEMO}/singer.wav", "--play-channels", "0,1"]),
             Host("drummer", BUFFERS["drummer"], 3, ["--play", f"{DEMO}/drummer.wav", "--play-channels", "0,1"]),
             Host("recorder", BUFFERS["recorder"], 4, ["--record", f"{DEMO}/recording.f32", "--record-channels", "0,1"])]
    singer, drummer, recorder = hosts

    def stretch(number, text):
        beside.begin(number)
        watch(hosts, STRETCH_S, text, beside.enough)
        beside.finish()
    wait_for(lambda: all(h.ready() for h in hosts), PATIENCE_S, "for three hosts to play")
    beside.patch(hosts)
    stretch(0, "three programs on one device")
    before = status()
    drummer.process.send_signal(signal.SIGKILL)
    drummer.process.wait()
    drummer.killed = True
    say("the drummer was killed")
    stretch(1, "two go on")
    after = status()
    generation = demo_compare.generations(recorder.blocks())[-1]
    engines = engine_pids()
    for pid in engines:
        os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    say(f"the engine was killed (process {', '.join(map(str, engines))})")

    def returned():
        return all(demo_compare.generations(h.blocks())[-1] != generation for h in (singer, recorder))
    wait_for(returned, 20, "for the engine to come back")
    say(f"another engine plays after {time.monotonic() - killed_at:.1f} s")
    beside.patch(hosts)
    stretch(2, "two on the next engine")
    last = status()
    # The recorder first: a player's last blocks end with it, and nobody is to hear that.
    for host in (recorder, singer):
        host.end()
    return hosts, [before, after, last], len(engines)


def late_blocks(states):
    """Late blocks by cause of each program (by its buffer size): of each engine's life the last that was told."""
    lives = {}
    for state in states:
        for program in state.get("programs", []):
            lives[state["engine"]["generation"], program["buffer_frames"]] = program
    late = {}
    for (_, buffer), program in lives.items():
        mine = late.setdefault(buffer, {"program": 0, "device": 0, "machine": 0})
        for cause in mine:
            mine[cause] += program["late_" + cause]
    return late


def save_recording(recording):
    with wave.open(f"{DEMO}/recording.wav", "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(3)
        file.setframerate(RATE)
        samples = numpy.clip(numpy.rint(recording * 8388608.0), -8388608, 8388607).astype("<i4")
        file.writeframes(samples.view(numpy.uint8).reshape(-1, 4)[:, :3].tobytes())


def judge(hosts, states, engines_killed, left_out=(), guests_of=lambda lives: ()):
    """left_out: spans of the device's frames that are not compared; guests_of: gets the engines' generations, tells who else played."""
    singer, drummer, recorder = hosts
    reports = {h.name: h.report() for h in hosts}
    blocks = {h.name: h.blocks() for h in hosts}
    # A killed host leaves no report: all are told by the same driver, and the status shows its latencies.
    for program in [p for state in states for p in state.get("programs", [])]:
        for host in hosts:
            if program["buffer_frames"] == host.buffer:
                host.reported = program["input_latency_frames"] + program["output_latency_frames"]
    recording = numpy.fromfile(f"{DEMO}/recording.f32", "<f4").reshape(-1, 2)
    players = []
    for host in (singer, drummer):
        sound = numpy.fromfile(f"{DEMO}/{host.name}.f32", "<f4").reshape(-1, 2)
        players.append(demo_compare.Player(host.name, blocks[host.name], sound, host.reported, host.killed))
    lives = demo_compare.generations(blocks["recorder"])
    found = demo_compare.compare(blocks["recorder"], recording, players, CABLE, PERIOD, left_out, guests_of(lives))
    alive = demo_compare.sounding(blocks["recorder"], lives[0])
    drummer_end = int(blocks["drummer"]["begin_ns"][-1])
    engine_end = int(alive["begin_ns"][-1])
    returned = demo_compare.sounding(blocks["recorder"], lives[-1])[0]
    # The killed host measured its round trip in its progress lines until it ended.
    measured = [host_round_trip(h, reports[h.name], left_out) for h in hosts]
    with_three = alive[alive["begin_ns"] <= drummer_end]
    in_three = int(found["airs"][lives[0]].known[:int((with_three["device"] + with_three["frames"]).max())].sum())
    stretches = [in_three, found["stretches"][0] - in_three] + found["stretches"][1:]
    late = late_blocks(states)
    return {
        "programs": [{"name": h.name, "buffer_frames": h.buffer, "callbacks": len(blocks[h.name]),
                      "late_blocks": sum(late.get(h.buffer, {}).values()),
                      "silent_callbacks": int(((blocks[h.name]["flags"] & 1) != 0).sum()),
                      "killed": h.killed, "resets": reports[h.name].get("resets")} for h in hosts],
        "frames_compared": found["frames_compared"],
        "frames_different": found["frames_different"],
        "first_different": found["first_different"],
        "frames_left_out": found["frames_left_out"],
        "in_flight_blocks": found["in_flight_blocks"],
        "stretches_frames": stretches,
        "round_trip_reported_frames": [h.reported for h in hosts],
        "round_trip_measured_frames": measured,
        "cable_frames": CABLE,
        "late_blocks": sum(sum(mine.values()) for mine in late.values()),
        "late_blocks_by_cause": {cause: sum(mine[cause] for mine in late.values())
                                 for cause in ("program", "device", "machine")},
        "late_blocks_heard": found["late_blocks_heard"],
        "late_blocks_left_out": found["late_blocks_left_out"],
        "engine_restarts": len(lives) - 1,
        "engines_killed": engines_killed,
        "returned_at": {"generation": lives[-1], "device_frame": int(returned["device"]),
                        "after_ms": round((int(returned["begin_ns"]) - engine_end) / 1e6, 1)},
        "programs_killed": sum(h.killed for h in hosts),
        "survivors_frames_lost": sum(
            demo_compare.frames_lost(blocks[h.name], drummer_end - 10**9, engine_end, left_out)
            for h in (singer, recorder)),
    }, blocks, recording, (drummer_end, engine_end, int(returned["begin_ns"])), found["airs"]


def host_round_trips(host, report):
    """What the host measured with its own pings, one by one: the engine's generation, the device's frame, frames. Of a killed host: what its
    progress lines say."""
    if report:
        return [tuple(ping) for ping in report["round_trips"]]
    with open(host.log.name, encoding="utf-8") as log:
        return sorted({tuple(map(int, word.split("=")[1].split(","))) for line in log for word in line.split()
                       if word.startswith("round_trip=")})


def host_round_trip(host, report, left_out=()):
    """The one round trip that the host measured, less the cable; None: there was none, or several. left_out: spans of the device's frames."""
    found = {frames for generation, at, frames in host_round_trips(host, report)
             if not any(span[0] == generation and span[1] < at + frames + demo_compare.BURST and at < span[2] for span in left_out)}
    return found.pop() - CABLE if len(found) == 1 else None


def heard_through_last_engine(host):
    """(True when each ping was heard as many frames later as was told, some of them through the last engine; what is to be said of it)."""
    report = host.report()
    told, last = report["round_trip_reported"] + CABLE, demo_compare.generations(host.blocks())[-1]
    pings = host_round_trips(host, report)
    heard, through_last = {frames for _, _, frames in pings}, sum(generation == last for generation, _, _ in pings)
    return heard == {told} and through_last > 0, f"told {told} frames, heard {sorted(heard)}: {len(pings)} times, {through_last} through the last engine"


def picture(hosts, blocks, recording, times, report, headline="three Windows programs on one device", guests=()):
    """guests: (title, colour, times in ns, values) of those who tell no blocks."""
    origin = min(int(b["begin_ns"][0]) for b in blocks.values())
    tracks, late = [], []
    for host in hosts:
        mine = blocks[host.name]
        when = demo_plot.sample_times(mine, RATE, origin)
        if host.name == "recorder":
            values = recording[:, 0]
            title = f"recorder ({host.buffer} frames) heard"
        else:
            sound = numpy.fromfile(f"{DEMO}/{host.name}.f32", "<f4").reshape(-1, 2)
            at = numpy.concatenate([int(b["position"]) + numpy.arange(int(b["frames"])) for b in mine])
            values = sound[at % len(sound), 0]
            title = f"{host.name} ({host.buffer} frames) played"
        n = min(len(when), len(values))
        tracks.append((title, COLOURS[host.name], when[:n], values[:n]))
        late.append((host.name, COLOURS[host.name], demo_plot.lateness_us(mine)))
    tracks[-1:-1] = [(title, colour, (when - origin) / 1e9, values) for title, colour, when, values in guests]
    seconds = max(t[2][-1] for t in tracks)
    marks = [((times[0] - origin) / 1e9, "drummer killed"), ((times[1] - origin) / 1e9, "engine killed")]
    demo_plot.draw(DEMO, tracks, marks, late, seconds,
                   f"{headline}; {report['frames_compared']:,} frames compared, "
                   f"{report['frames_different']} different")


def show(report):
    say("")
    say(f"{'program':<10} {'buffer':>6} {'callbacks':>9} {'silent':>6} {'late':>4} {'round trip':>10} {'measured':>8}")
    for n, program in enumerate(report["programs"]):
        measured = report["round_trip_measured_frames"][n]
        say(f"{program['name']:<10} {program['buffer_frames']:>6} {program['callbacks']:>9} "
            f"{program['silent_callbacks']:>6} {program['late_blocks']:>4} {report['round_trip_reported_frames'][n]:>10} "
            f"{measured if measured is not None else '-':>8}" + ("   killed" if program["killed"] else ""))
    say("")
    say(f"late blocks {report['late_blocks']}   engine restarts {report['engine_restarts']} "
        f"(sound again after {report['returned_at']['after_ms']:.0f} ms)   programs killed "
        f"{report['programs_killed']}   frames lost by survivors {report['survivors_frames_lost']}")
    say(f"{report['frames_compared']:,} frames compared with the expected mix: "
        f"{report['frames_different']} different")
    say(f"verdict: {report['verdict']}")


def verdict(report):
    if report["frames_different"]:
        return "NOT bit for bit"
    if any(frames < 10 * RATE for frames in report["stretches_frames"]):
        return "a stretch is shorter than 10 s"
    if report["round_trip_measured_frames"] != report["round_trip_reported_frames"]:
        return "bit for bit, but a measured round trip is not the reported one"
    if report["survivors_frames_lost"] or report["engine_restarts"] != 1:
        return "bit for bit, but survivors lost frames or the engine did not come back once"
    return GOOD


def main():
    parser = argparse.ArgumentParser(prog="./run demo")
    parser.add_argument("--device", choices=["sim", "wasapi", "pipewire", "jack"], default="sim")
    options = parser.parse_args()
    if options.device == "wasapi":
        import demo_wasapi
        return demo_wasapi.main()
    if options.device in ("pipewire", "jack"):
        import demo_graph
        return demo_graph.main(options.device)
    prepare()
    make_music()
    hosts = []
    try:
        hosts, states, engines_killed = play(Alone())
        report, blocks, recording, times, _ = judge(hosts, states, engines_killed)
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=environment(), check=False,
                       stderr=subprocess.DEVNULL)
    report["verdict"] = verdict(report)
    save_recording(recording)
    json.dump(report, open(f"{DEMO}/report.json", "w"), indent=2)
    picture(hosts, blocks, recording, times, report)
    show(report)
    say("build/demo: recording.wav, demo.png, report.json")
    return 0 if report["verdict"] == GOOD else 1


if __name__ == "__main__":
    sys.exit(main())
