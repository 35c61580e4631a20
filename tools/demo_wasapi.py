# SPDX-License-Identifier: MIT
"""./run demo --device wasapi: the same programs on a PulseAudio sink through Wine's WASAPI, recorded at the sink's monitor.

The sink and its monitor are float32, so that nothing is rounded on the way. How a recording without positions is compared, and
how a dropout of the server is told from a wrong sample, is in demo_monitor.py.
"""

import json
import os
import subprocess
import time

import numpy

import demo
import demo_compare
import demo_monitor

PULSE = os.path.join(demo.DEMO, "pulse")
SECONDS = 14


def environment():
    # the period is 480 frames, no power of two
    env = dict(os.environ, WINEPREFIX=demo.PREFIX, TUTTI_DEVICE_BACKEND="wasapi", TUTTI_ENGINE_GRACE_MS="2000",
               TUTTI_PROGRAM_BUFFER_STEP="1", XDG_RUNTIME_DIR=PULSE, PULSE_RUNTIME_PATH=PULSE, PULSE_LATENCY_MSEC="60")
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


def expected_mix(hosts):
    """What the players told they played, on the device's common timeline. Blocks just before a jump came late and may be
    missing: they are not compared."""
    players = [demo_compare.Player(h.name, h.blocks(),
                                   numpy.fromfile(f"{demo.DEMO}/{h.name}.f32", "<f4").reshape(-1, 2),
                                   h.report()["round_trip_reported"]) for h in hosts]
    generation = demo_compare.generations(players[0].blocks)[0]
    # Up to where the first of them was called last: of what it played later, some ended with it.
    mix = demo_monitor.Mix(min(int((p.blocks["device"] + p.blocks["frames"]).max()) for p in players))
    for player in players:
        certain, doubtful, _ = demo_compare.split(player, generation, 0)
        for piece in certain:
            piece.add_to(mix.frames)
        for piece in doubtful:
            mix.doubt(piece.at, len(piece.sound))
    numpy.clip(mix.frames, -1, 1, out=mix.frames)
    return mix


def judge(hosts, state):
    recording = numpy.fromfile(f"{demo.DEMO}/monitor.f32", "<f4")
    found = demo_monitor.compare(recording[:len(recording) // 2 * 2].reshape(-1, 2), expected_mix(hosts))
    reports = [h.report() for h in hosts]
    late = demo.late_blocks([state])
    found.update({
        "programs": [{"name": h.name, "buffer_frames": h.buffer, "callbacks": r["callbacks"],
                      "late_blocks": sum(late.get(h.buffer, {}).values())} for h, r in zip(hosts, reports)],
        "device": state.get("device"),
        "server_dropouts": len(found["dropouts"]),
        "round_trip_reported_frames": [r["round_trip_reported"] for r in reports],
        "late_blocks": sum(sum(mine.values()) for mine in late.values()),
    })
    if found["frames_different"]:
        found["verdict"] = "NOT bit for bit"
    elif found["frames_compared"] < 10 * demo.RATE:
        found["verdict"] = "less than 10 s could be compared"
    else:
        found["verdict"] = "every sample as expected"
    return found


def show(report):
    demo.say(f"{report['frames_compared']:,} frames at the sink's monitor compared with the expected mix: "
             f"{report['frames_different']} different")
    inserted = sum(d["inserted"] for d in report["dropouts"])
    lost = sum(d["lost"] for d in report["dropouts"])
    demo.say(f"dropouts of the server {report['server_dropouts']} ({inserted} frames of silence inserted, {lost} frames "
             f"lost)   late blocks {report['late_blocks']}")
    demo.say(f"verdict: {report['verdict']}")
    demo.say("build/demo: monitor.f32, report.json")


def main():
    demo.environment = environment
    demo.prepare()
    demo.make_music()
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
        for host in hosts:
            host.end()
        time.sleep(0.5)
        recorder.terminate()
        recorder.wait()
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=environment(), check=False, stderr=subprocess.DEVNULL)
        server.terminate()
    report = judge(hosts, state)
    with open(f"{demo.DEMO}/report.json", "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2)
    show(report)
    return 0 if report["verdict"] == "every sample as expected" else 1
