# SPDX-License-Identifier: MIT
"""wine_graph.py jack | pipewire: Windows hosts under Wine on the native engine, on a real server. Each sends pings through a patch from its own
output to its own input, and what it is told of the round trip is what it hears, at every buffer size, all at once."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import demo
import demo_graph

BUFFERS = (32, 64, 128, 256, 512, 1024, 2048)
TRIES = 5  # a server that stumbles loses time, and whoever was under way then measures it
SECONDS = 5


def environment():
    return dict(os.environ, WINEPREFIX=demo.PREFIX, TUTTI_RUNTIME_DIR=f"{demo.DEMO}/runtime", TUTTI_CONFIG="/nonexistent",
                TUTTI_BRIDGE=f"{demo.NATIVE}/bridge/tutti-bridge", TUTTI_NATIVE_ENGINE=f"{demo.NATIVE}/tuttid/tuttid",
                TUTTI_ENGINE_GRACE_MS="20000")


def patch(kind):
    for number in range(1, len(BUFFERS) + 1):
        pair = f"Tutti:out_{number}", f"Tutti:in_{number}"
        tool = "jack_connect" if kind == "jack" else "pw-link"
        demo.wait_for(lambda p=pair: demo_graph.connected(demo_graph.run(tool, *p)), demo_graph.LINK_S, f"to patch {pair}")


def measure(kind):
    """True when everybody heard what it was told."""
    # the smallest first: it chooses the period
    hosts = []
    for number, buffer in enumerate(BUFFERS):
        hosts.append(demo.Host(f"b{buffer}", buffer, number, ["--ping", str(number)]))
        demo.wait_for(hosts[-1].ready, demo.PATIENCE_S, f"for the host with {buffer} frames to play")
    patch(kind)
    time.sleep(SECONDS)
    for host in hosts:
        host.end()
    good = True
    for host in hosts:
        report = host.report()
        ping = report["round_trip_measured"]
        same = ping["count"] > 0 and ping["min"] == ping["max"] == report["round_trip_reported"]
        good = good and same and not report["position_backwards"] and not report["bad_index"]
        print(f"{'ok   ' if same else 'other'} buffer {host.buffer}: told {report['round_trip_reported']} frames, heard {ping['min']} to "
              f"{ping['max']} in {ping['count']} measurements; {report['position_jumps']} jumps")
        for file in host.files.values():
            if os.path.exists(file):
                os.remove(file)
        os.remove(f"{demo.DEMO}/{host.name}.stop")
    return good


def main(kind):
    if demo_graph.run("which", {"jack": "jackd", "pipewire": "pw-link"}[kind]).returncode:
        return 77
    demo.use_folder(os.path.join(demo.TOP, "build", f"wine-{kind}"))
    demo.use_native_engine()
    demo.prepare()
    demo.environment = environment
    demo_graph.QUANTUM = 64
    section = kind.upper()
    os.environ.update({f"TUTTI_{section}_INPUTS": "8", f"TUTTI_{section}_OUTPUTS": "8", f"TUTTI_{section}_CONNECT": "no"})
    server = {"jack": demo_graph.Jack, "pipewire": demo_graph.PipeWire}[kind]()
    try:
        good = any(measure(kind) for _ in range(TRIES))
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=environment(), check=False, stderr=subprocess.DEVNULL)
        for pid in demo.engine_pids():
            os.kill(pid, 15)
        server.end()
    return 0 if good else 1


sys.exit(main(sys.argv[1]))
