# SPDX-License-Identifier: MIT
"""Windows hosts under Wine on the native engine: what they are told of the round trip is what they hear, at every buffer size, and
neither a killed bridge nor an engine that hangs nor a host that dies troubles anybody else; they hear what they play as before, in the
buffers that they were given first.

wine_bridge.py [both]: every other host is a 32-bit program.
"""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import demo
import demo_compare

BUFFERS = (32, 64, 128, 256, 512, 1024, 2048)
BRIDGE_KILLS, HANGS = 5, 3
AFTER_S = 2  # some bursts of each host are heard whole
BOTH = "both" in sys.argv
failures = []


def expect(true, text):
    print(("ok    " if true else "WRONG ") + text)
    if not true:
        failures.append(text)


def sounds(host):
    """The device frame of the last block that had sound, -1: the last one was silent."""
    blocks = host.blocks()
    last = blocks[-1:]
    return int(last["device"][0]) if len(last) and not last["flags"][0] & demo_compare.SILENT else -1


def bits_of(number):
    return 32 if BOTH and number % 2 else 64


def is_sound_of(report):
    return not report["errors"] and not report["position_backwards"] and not report["bad_index"]


def measure_round_trips():
    hosts = [demo.Host(f"b{buffer}", buffer, number, [], bits=bits_of(number)) for number, buffer in enumerate(BUFFERS, 1)]
    demo.wait_for(lambda: all(host.ready() for host in hosts), demo.PATIENCE_S, "for hosts of all buffer sizes to play")
    time.sleep(6)
    for host in hosts:
        host.end()
    for host in hosts:
        report = host.report()
        ping = report["round_trip_measured"]
        told = report["round_trip_reported"] + demo.CABLE
        expect(report["bits"] == bits_of(hosts.index(host) + 1), f"a {report['bits']}-bit program")
        expect(is_sound_of(report) and ping["count"] > 0 and ping["min"] == ping["max"] == told,
               f"buffer {host.buffer}: told {told} frames, heard {ping['min']} to {ping['max']} in {ping['count']} measurements")


def bridges():
    return demo.pids_of("tutti-bridge\0")


def kill_bridges(hosts):
    for _ in range(BRIDGE_KILLS):
        old = bridges()
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        demo.wait_for(lambda: len(bridges()) == len(hosts) and not set(bridges()) & set(old) and
                      all(sounds(host) >= 0 for host in hosts), demo.PATIENCE_S, "for other bridges")
        time.sleep(0.3)
    expect(True, f"bridges were killed {BRIDGE_KILLS} times, and the hosts play")


def play_together(hosts):
    """True when all hear the same engine."""
    return all(sounds(host) >= 0 for host in hosts) and len({demo_compare.generations(host.blocks())[-1] for host in hosts}) == 1


def hang_engine(hosts):
    for _ in range(HANGS):
        demo.wait_for(lambda: len(demo.engine_pids()) == 1, demo.PATIENCE_S, "for one engine and no other")
        engine, = demo.engine_pids()
        os.kill(engine, signal.SIGSTOP)
        demo.wait_for(lambda: demo.engine_pids() not in ([engine], []) and play_together(hosts), demo.PATIENCE_S,
                      "for another engine in place of one that hangs")
    expect(True, f"the engine was stopped {HANGS} times, ended and replaced")


def kill_host(victim, others):
    """Its bridge ends with it, and the engine forgets it."""
    for pid in demo.pids_of(f"--name\0{victim.name}\0"):
        os.kill(pid, signal.SIGKILL)
    victim.killed = True
    demo.wait_for(lambda: len(bridges()) == len(others), demo.PATIENCE_S, "for the killed host's bridge to end")
    demo.wait_for(lambda: sum(p["buffer_frames"] > 0 for p in demo.status().get("programs", [])) == len(others), demo.PATIENCE_S,
                  "for the engine to forget the killed host")
    expect(all(sounds(host) >= 0 for host in others), "a host was killed: its bridge ended, the others play")


def run_for_priority(host):
    """The callback thread has real-time priority, which Wine gives to none."""
    classes = []
    for pid in demo.pids_of(f"--name\0{host.name}\0"):
        for task in os.listdir(f"/proc/{pid}/task"):
            classes.append(os.sched_getscheduler(int(task)) & ~os.SCHED_RESET_ON_FORK)
    expect(os.SCHED_FIFO in classes, "a callback thread has real-time priority")


def keep_their_names(hosts):
    """The driver names its own threads and leaves the host's first one, from which it was opened, its description."""
    for host in hosts:
        for pid in demo.pids_of(f"--name\0{host.name}\0"):
            names = {task: open(f"/proc/{pid}/task/{task}/comm").read().strip() for task in os.listdir(f"/proc/{pid}/task")}
            if "tutti-callback" in names.values():
                expect(names[str(pid)] == "the host's own", f"the first thread of {host.name} is called '{names[str(pid)]}'")
                expect("tutti-bridge" in names.values() and not any(name.startswith("tb") for name in names.values()),
                       f"the driver's threads have names of their own: {sorted(names.values())}")


def main():
    demo.use_folder(os.path.join(demo.TOP, "build", "bridge"))
    demo.use_native_engine()
    demo.prepare(BOTH)
    try:
        measure_round_trips()
        hosts = [demo.Host(name, buffer, number, [], bits=bits_of(number - 1))
                 for number, (name, buffer) in enumerate((("one", 128), ("two", 256), ("three", 64)), 1)]
        demo.wait_for(lambda: all(host.ready() for host in hosts), demo.PATIENCE_S, "for three hosts to play")
        if os.sched_get_priority_max(os.SCHED_FIFO) and os.geteuid() == 0:
            run_for_priority(hosts[0])
        keep_their_names(hosts)
        kill_bridges(hosts)
        keep_their_names(hosts)
        hang_engine(hosts)
        kill_host(hosts[2], hosts[:2])
        time.sleep(AFTER_S)
        for host in hosts[:2]:
            host.end()
            expect(*demo.heard_through_last_engine(host))
            expect(is_sound_of(host.report()), f"{host.name}: {host.report()['callbacks']} callbacks, {host.report()['resets']} resets")
        demo.wait_for(lambda: not bridges(), demo.PATIENCE_S, "for the bridges to end with their programs")
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=demo.environment(), check=False, stderr=subprocess.DEVNULL)
        for pid in demo.engine_pids() + bridges():
            os.kill(pid, signal.SIGKILL)
    print("FAILED" if failures else "PASSED")
    return 1 if failures else 0


sys.exit(main())
