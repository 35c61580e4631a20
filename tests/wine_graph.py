# SPDX-License-Identifier: MIT
"""wine_graph.py jack | pipewire [DEATHS] [both]: Windows hosts under Wine on the native engine, on a real server, at every buffer size, all at once. Each plays noise
and records it through a patch from its own output to its own input. What it hears is that noise, bit for bit, as many frames later as it is told.

Frames around an xrun of the server are left out, and no others; it plays on until enough are left. With a number of deaths one host plays while
the server is killed so often and started again; it meets one engine, and hears itself as before each time it is patched. both: every other
host is a 32-bit program.
"""

import json
import os
import struct
import subprocess
import sys
import time

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import demo
import demo_compare
import demo_graph
import demo_xruns

BOTH = "both" in sys.argv
DEATHS = next((int(word) for word in sys.argv[2:] if word.isdigit()), 0)
BUFFERS = (32, 64, 128, 256, 512, 1024, 2048)
PERIOD = 64
NOISE_FRAMES = 48000 + 7  # a prime of its own: no buffer size divides it
LEAST_S = 2  # of sound that is compared, for each host
MOST_S = 90  # for a server that stumbles again and again
DEATH_S = 30
LEAST_OF_LIFE_S = 0.2
BETWEEN_S = 1.5  # of sound from death to death


def environment():
    return dict(os.environ, WINEPREFIX=demo.PREFIX, TUTTI_RUNTIME_DIR=f"{demo.DEMO}/runtime", TUTTI_CONFIG="/nonexistent",
                TUTTI_BRIDGE=f"{demo.NATIVE}/bridge/tutti-bridge", TUTTI_NATIVE_ENGINE=f"{demo.NATIVE}/tuttid/tuttid",
                TUTTI_ENGINE_GRACE_MS="20000")


def make_noise(name, seed):
    """Samples of 24 bits, as a WAV of floats for the host and for the comparison."""
    noise = (numpy.random.default_rng(seed).integers(-2**23, 2**23, (NOISE_FRAMES, 1)) / 2**23).astype("<f4")
    with open(f"{demo.DEMO}/{name}.wav", "wb") as file:
        file.write(struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + noise.nbytes, b"WAVEfmt ", 16, 3, 1, demo.RATE, 4 * demo.RATE, 4, 32,
                               b"data", noise.nbytes) + noise.tobytes())
    return noise


def start_hosts(buffers):
    """The smallest first: it chooses the period."""
    hosts, noises = [], []
    for number, buffer in enumerate(buffers):
        noises.append(make_noise(f"b{buffer}", number))
        hosts.append(demo.Host(f"b{buffer}", buffer, 0, [
            "--play", f"{demo.DEMO}/b{buffer}.wav", "--play-channels", str(number),
            "--record", f"{demo.DEMO}/b{buffer}.f32", "--record-channels", str(number)], bits=32 if BOTH and number % 2 else 64))
        demo.wait_for(hosts[-1].ready, demo.PATIENCE_S, f"for the host with {buffer} frames to play")
    return hosts, noises


def patch(kind, count):
    for number in range(1, count + 1):
        pair = f"Tutti:out_{number}", f"Tutti:in_{number}"
        tool = "jack_connect" if kind == "jack" else "pw-link"
        demo.wait_for(lambda p=pair: demo_graph.connected(demo_graph.run(tool, *p)), demo_graph.LINK_S, f"to patch {pair}")


def status():
    return json.loads(demo_graph.run(f"{demo.NATIVE}/cli/tutti", "status", "--json").stdout or "{}")


def play_until_enough(watch):
    """Time without xruns enough for all, so far as the watch knows."""
    end = time.monotonic() + MOST_S
    while time.monotonic() < end and watch.clean_frames() < (LEAST_S + 2) * demo.RATE:
        time.sleep(1)


def is_silent(host):
    return bool(host.blocks()[-1]["flags"] & demo_compare.SILENT)


def hears(host):
    """The last block was of the device, and noise."""
    with open(f"{demo.DEMO}/{host.name}.f32", "rb") as file:
        file.seek(max(0, os.path.getsize(file.name) // 4 - host.buffer) * 4)
        return not is_silent(host) and any(file.read())


def kill_again_and_again(server, kind, host, watch, deaths):
    for number in range(1, deaths + 1):
        _, since = demo_xruns.last_block(watch.path)
        server.process.kill()
        server.process.wait()
        demo.wait_for(lambda: is_silent(host), DEATH_S, "for the host to be called without a device")
        server.start()
        demo.wait_for(server.answers, DEATH_S, "for the server")
        there = time.monotonic()
        demo.wait_for(lambda: not is_silent(host), DEATH_S, "for the engine to find the server")
        patch(kind, 1)
        demo.wait_for(lambda: hears(host), DEATH_S, "for the host to hear itself")
        watch.leave_out_until_now(since - demo_xruns.AROUND_FRAMES)
        print(f"death {number}: sound again after {(time.monotonic() - there) * 1000:.0f} ms", flush=True)
        time.sleep(BETWEEN_S)
    return len(demo_compare.generations(host.blocks())) == 1


def judge(host, noise, spans, least_s):
    """True when every frame that was not left out is as told."""
    report = host.report()
    blocks = host.blocks()
    recording = numpy.fromfile(f"{demo.DEMO}/{host.name}.f32", "<f4").reshape(-1, 1)
    player = demo_compare.Player(host.name, blocks, noise, report["round_trip_reported"])
    found = demo_compare.compare(blocks, recording, [player], 0, PERIOD, spans)
    good = not found["frames_different"] and found["frames_compared"] >= least_s * demo.RATE and \
        not report["position_backwards"] and not report["bad_index"] and not report["errors"]
    print(f"{'ok   ' if good else 'WRONG'} buffer {host.buffer}, {report['bits']} bits: told {report['round_trip_reported']} frames; "
          f"{found['frames_compared']:,} compared, {found['frames_different']} different {found['first_different'] or ''}, "
          f"{found['frames_left_out']:,} left out; late blocks heard {found['late_blocks_heard']}, not heard {found['late_blocks_left_out']}", flush=True)
    return good


def main(kind, deaths):
    if demo_graph.run("which", {"jack": "jack_lsp", "pipewire": "pw-link"}[kind]).returncode:
        return 77
    demo.use_folder(os.path.join(demo.TOP, "build", f"wine-{kind}"))
    demo.use_native_engine()
    demo.prepare(BOTH)
    demo.environment = environment
    demo_graph.QUANTUM = PERIOD
    section = kind.upper()
    os.environ.update({f"TUTTI_{section}_INPUTS": "8", f"TUTTI_{section}_OUTPUTS": "8", f"TUTTI_{section}_CONNECT": "no",
                       "TUTTI_RUNTIME_DIR": f"{demo.DEMO}/runtime"})
    server = {"jack": demo_graph.Jack, "pipewire": demo_graph.PipeWire}[kind]()
    os.environ.pop("TUTTI_DEVICE_NAME", None)  # patched by hand, whatever the device
    good = True
    try:
        hosts, noises = start_hosts((128,) if deaths else BUFFERS)
        watch = demo_xruns.Watch(status, hosts[-1].files["blocks"])
        patch(kind, len(hosts))
        watch.leave_out_until_now()
        watch.start()
        if deaths:
            good = kill_again_and_again(server, kind, hosts[0], watch, deaths)
        else:
            play_until_enough(watch)
        for host in hosts:
            host.end()
        watch.end()
        least_s = deaths * LEAST_OF_LIFE_S or LEAST_S
        good = all([judge(host, noise, watch.spans, least_s) for host, noise in zip(hosts, noises)]) and good
        print(f"{watch.count()} xruns of the server\n{'PASSED' if good else 'FAILED'}")
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=environment(), check=False, stderr=subprocess.DEVNULL)
        for pid in demo.engine_pids():
            os.kill(pid, 15)
        server.end()
    return 0 if good else 1


sys.exit(main(sys.argv[1], DEATHS))
