# SPDX-License-Identifier: MIT
"""Windows programs under Wine that die by halves. A program whose Wine server has ended is gone within a second: its main thread could do
nothing any more, and its callback thread would play on for ever. A program whose first thread has ended lives, and plays on.
"""

import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import demo
import demo_compare

GONE_S = 1.0
PLAYS_ON_S = 2.0
failures = []


def expect(true, text):
    print(("ok    " if true else "WRONG ") + text, flush=True)
    if not true:
        failures.append(text)


def state(pid):
    """Of its first thread, as ps shows it; "" when there is no such process."""
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def lives(pid):
    """A thread of it does."""
    try:
        return any(state(f"{pid}/task/{thread}") not in ("", "Z", "X") for thread in os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return False


def servers():
    return [pid for pid in demo.pids_of("wineserver") if lives(pid)]


def programs_of(names):
    return [pid for name in names for pid in demo.pids_of(f"--name\0{name}\0")]


def engine_programs():
    """As a native program is told."""
    shown = subprocess.run([f"{demo.NATIVE}/cli/tutti", "status", "--json"], env=demo.environment(), capture_output=True, text=True,
                           check=False, timeout=demo.PATIENCE_S).stdout
    return sum(program["buffer_frames"] > 0 for program in json.loads(shown).get("programs", [])) if shown else 0


def start(names, *arguments):
    # a server that was killed kept its registry to itself
    subprocess.run([demo.WRAPPER, "regsvr32", "/s", f"{demo.BIN}/tutti.dll"], env=demo.environment(), check=True, stderr=subprocess.DEVNULL)
    hosts = [demo.Host(name, 128 << number, 0, list(arguments)) for number, name in enumerate(names)]
    demo.wait_for(lambda: all(host.ready() for host in hosts), demo.PATIENCE_S, f"for {', '.join(names)} to play")
    return hosts


def end_server(number):
    """What is left of three hosts when their Wine server ended."""
    names = [f"{number.name.lower()}{i}" for i in range(3)]
    hosts = start(names)
    server, = servers()
    watched = programs_of(names) + demo.pids_of("tutti-bridge\0")
    expect(len(watched) == 6 and engine_programs() == 3, "three hosts and three bridges are there, and the engine plays all three")
    os.kill(server, number)
    demo.wait_for(lambda: not lives(server), demo.PATIENCE_S, "for the Wine server to end")
    begun, left = time.monotonic(), watched
    while left and time.monotonic() < begun + 10 * GONE_S:
        left = [pid for pid in watched if lives(pid)]
        time.sleep(0.005)
    took = time.monotonic() - begun
    expect(not left and took <= GONE_S, f"the Wine server got {number.name}: programs and bridges were gone {took:.2f} s after it, {len(left)} left")
    demo.wait_for(lambda: engine_programs() == 0, demo.PATIENCE_S, "for the engine to forget them")
    for host in hosts:
        host.process.wait(timeout=demo.PATIENCE_S)
    said = open(f"{demo.DEMO}/runtime/bridge.log", errors="replace").read()
    expect("Wine's server has ended" in said, "the bridge's log says why")


def end_first_thread():
    host, = start(["headless"], "--end-first-thread")
    pid = host.process.pid  # which shows no command line any more
    demo.wait_for(lambda: state(pid) == "Z", demo.PATIENCE_S, "for the first thread to end")
    before = len(host.blocks())
    time.sleep(PLAYS_ON_S)
    expect(lives(pid) and engine_programs() == 1, "a program whose first thread ended is there")
    later = host.blocks()
    sound = sum(not flags & demo_compare.SILENT for flags in later["flags"][before:])
    expect(sound > 0.5 * PLAYS_ON_S * demo.RATE / host.buffer, f"it plays on: {sound} blocks")
    bridge, = demo.pids_of("tutti-bridge\0")
    os.kill(bridge, signal.SIGKILL)
    demo.wait_for(lambda: demo.pids_of("tutti-bridge\0") not in ([], [bridge]) and engine_programs() == 1, demo.PATIENCE_S,
                  "for another bridge of a program without its first thread")
    os.kill(pid, signal.SIGKILL)
    demo.wait_for(lambda: not demo.pids_of("tutti-bridge\0") and engine_programs() == 0, demo.PATIENCE_S, "for it to be forgotten")


def main():
    demo.use_folder(os.path.join(demo.TOP, "build", "deaths"))
    demo.use_native_engine()
    demo.prepare()
    try:
        for number in (signal.SIGKILL, signal.SIGTERM):
            end_server(number)
        end_first_thread()
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=demo.environment(), check=False, stderr=subprocess.DEVNULL)
        for pid in demo.engine_pids() + demo.pids_of("tutti-bridge\0") + demo.pids_of("tutti-host.exe"):
            os.kill(pid, signal.SIGKILL)
    print("FAILED" if failures else "PASSED")
    return 1 if failures else 0


sys.exit(main())
