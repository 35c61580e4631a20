# SPDX-License-Identifier: MIT
"""./run demo --device wasapi: the same programs on a PulseAudio sink through Wine's WASAPI, recorded at the sink's monitor.

The monitor knows no positions. Each player's ping is a burst on a channel of its own in the virtual card's demo; here it is the recording
itself that is placed once, by the first player's first frames, and then compared frame by frame to the end. Where the server
dropped out (Wine's WASAPI starves under load) the comparison begins again at the next frames, and the gap is counted as the server's.
"""

import json
import os
import subprocess
import time

import numpy

import demo
import demo_compare

PULSE = os.path.join(demo.DEMO, "pulse")
SECONDS = 14
KEY = 4096  # frames that place the recording


def environment():
    env = dict(os.environ, WINEPREFIX=demo.PREFIX, TUTTI_DEVICE_BACKEND="wasapi", TUTTI_ENGINE_GRACE_MS="2000",
               XDG_RUNTIME_DIR=PULSE, PULSE_RUNTIME_PATH=PULSE, PULSE_LATENCY_MSEC="60")
    for name in ("TUTTI_RUNTIME_DIR", "TUTTI_DEVICE_PERIOD", "PULSE_SERVER"):
        env.pop(name, None)
    return env


def start_server():
    os.makedirs(PULSE, mode=0o700, exist_ok=True)
    log = open(f"{PULSE}/log", "w")
    server = subprocess.Popen(
        ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
         "-L", "module-native-protocol-unix auth-anonymous=1",
         "-L", "module-null-sink sink_name=tutti norewinds=1 format=float32le rate=48000 channels=2"],
        env=environment(), stdout=log, stderr=log)
    demo.wait_for(lambda: subprocess.run(["pactl", "info"], env=environment(), capture_output=True).returncode == 0,
                  15, "for PulseAudio")
    return server


def place(recording, expected, start):
    """Frame of `recording` at or after start at which a stretch of `expected` begins, and that stretch's place."""
    for at in range(start, len(recording) - KEY, KEY):
        key = recording[at:at + 64]
        if numpy.abs(key).max() < 0.01:
            continue
        hits = numpy.flatnonzero((expected[:len(expected) - 64, 0] == key[0, 0]) &
                                 (expected[:len(expected) - 64, 1] == key[0, 1]))
        for hit in hits:
            if (expected[hit:hit + 64] == key).all():
                return at, int(hit)
    return None


def compare(recording, expected):
    """Stretches that equal the expected mix frame by frame; what lies between them is the server's."""
    same, stretches, at = 0, [], 0
    while True:
        found = place(recording, expected, at)
        if not found:
            return same, stretches
        at, hit = found
        span = min(len(recording) - at, len(expected) - hit)
        differs = (recording[at:at + span] != expected[hit:hit + span]).any(axis=1)
        length = int(differs.argmax()) if differs.any() else span
        if length >= KEY:
            same += length
            stretches.append({"recorded_at": at, "expected_at": hit, "frames": length})
        at += max(length, 64)
        if not differs.any():
            return same, stretches


def expected_mix(hosts):
    """What the players told they played, on the device's common timeline."""
    blocks = [h.blocks() for h in hosts]
    generation = demo_compare.generations(blocks[0])[0]
    last = max(int(b["device"].max()) for b in blocks) + 8192
    air = numpy.zeros((last, 2), numpy.float32)
    for host, mine in zip(hosts, blocks):
        sound = numpy.fromfile(f"{demo.DEMO}/{host.name}.f32", "<f4").reshape(-1, 2)
        demo_compare.Player(host.name, mine, sound, host.report()["round_trip_reported"]).play(air, generation, 0)
    return numpy.clip(air, -1, 1)


def main():
    demo.environment = environment
    demo.prepare()
    server = start_server()
    try:
        subprocess.run([demo.WRAPPER, "reg", "add", r"HKCU\Software\Wine\Drivers", "/v", "Audio", "/d", "pulse", "/f"],
                       env=environment(), check=False, capture_output=True)
        monitor = open(f"{demo.DEMO}/monitor.f32", "wb")
        recorder = subprocess.Popen(["parec", "-d", "tutti.monitor", "--format=float32le", "--rate=48000",
                                     "--channels=2", "--raw"], env=environment(), stdout=monitor)
        hosts = [demo.Host("singer", 960, 0, ["--play", f"{demo.DEMO}/singer.wav", "--play-channels", "0,1"]),
                 demo.Host("drummer", 480, 0, ["--play", f"{demo.DEMO}/drummer.wav", "--play-channels", "0,1"])]
        demo.wait_for(lambda: all(h.ready() for h in hosts), 60, "for two hosts to play")
        demo.watch(hosts, SECONDS, "two programs on PulseAudio")
        state = demo.status()
        open(f"{demo.DEMO}/stop", "w").close()
        for host in hosts:
            host.process.wait(timeout=30)
        time.sleep(0.5)
        recorder.terminate()
        recorder.wait()
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=environment(), check=False, stderr=subprocess.DEVNULL)
        server.terminate()
    recording = numpy.fromfile(f"{demo.DEMO}/monitor.f32", "<f4")
    recording = recording[:len(recording) // 2 * 2].reshape(-1, 2)
    same, stretches = compare(recording, expected_mix(hosts))
    reports = [h.report() for h in hosts]
    report = {
        "programs": [{"name": h.name, "buffer_frames": h.buffer, "callbacks": r["callbacks"]}
                     for h, r in zip(hosts, reports)],
        "device": state.get("device"),
        "frames_equal": same,
        "stretches": stretches,
        "server_dropouts": max(0, len(stretches) - 1),
        "round_trip_reported_frames": [r["round_trip_reported"] for r in reports],
        "late_blocks": sum(demo.late_blocks([{}, state]).values()),
        "verdict": "bit for bit where the server had no dropout" if same >= 10 * demo.RATE else
                   "fewer than 10 s equal the expected mix",
    }
    json.dump(report, open(f"{demo.DEMO}/report.json", "w"), indent=2)
    print(f"{same:,} frames at the sink's monitor equal the expected mix, in {len(stretches)} stretch(es); "
          f"{report['server_dropouts']} dropouts of the server; late blocks {report['late_blocks']}")
    print(f"verdict: {report['verdict']}")
    return 0 if same >= 10 * demo.RATE else 1
