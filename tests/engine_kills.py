# SPDX-License-Identifier: MIT
"""Windows hosts under Wine whose engine is killed again and again: each is called on, gets its reset request, and plays again.

engine_kills.py [KILLS] [native] [both]: of the Windows engine under Wine, or of the native one; both: one host is a 32-bit program.

One host ignores the reset request, one restarts as it is asked. Buffer addresses are the driver's promise: the one that ignores
has those of the first engine only, and still hears through the last one the bursts that it plays, as many frames later as it is told.
"""

import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import demo
import demo_compare

NATIVE = "native" in sys.argv
KILLS = next((int(word) for word in sys.argv[1:] if word.isdigit()), 20)
MOST_MS = 20000  # as long as is waited for here: the time is printed, and speed is no test
AFTER_S = 2      # of the last engine: some bursts are heard whole


def generation(host):
    try:
        found = demo_compare.generations(host.blocks())
    except OSError:
        return 0
    return found[-1] if found else 0


def silence_ms(blocks):
    """Longest time from the last block of one engine to the first of the next, and between two callbacks, in ms."""
    sounding = blocks[(blocks["flags"] & demo_compare.SILENT) == 0]
    change = (sounding["generation"][1:] != sounding["generation"][:-1]).nonzero()[0]
    begin = sounding["begin_ns"].astype("int64")
    back = [(begin[i + 1] - begin[i]) / 1e6 for i in change]
    steps = (blocks["begin_ns"].astype("int64")[1:] - blocks["begin_ns"].astype("int64")[:-1]) / 1e6
    return back, steps.max()


def check(host, kills):
    report = host.report()
    back, gap = silence_ms(host.blocks())
    problems = []
    if len(back) != kills:
        problems.append(f"met {len(back)} further engines, not {kills}")
    if back and max(back) > MOST_MS:
        problems.append(f"played again only after {max(back):.0f} ms")
    if report["resets"] < kills:
        problems.append(f"got {report['resets']} reset requests for {kills} engines")
    for name in ("position_backwards", "bad_index"):
        if report[name]:
            problems.append(f"{name} {report[name]}")
    if report["errors"]:
        problems.append("; ".join(report["errors"]))
    fine, said = demo.heard_through_last_engine(host)
    if not fine:
        problems.append(said)
    print(f"{host.name}: {report['callbacks']} callbacks, {report['resets']} resets, sound again after "
          f"{sorted(back)[len(back) // 2]:.0f} ms (median), {max(back):.0f} ms (most), longest time "
          f"between callbacks {gap:.0f} ms; {said}" + "".join(f"\n  WRONG: {p}" for p in problems))
    return not problems


def main():
    demo.use_folder(os.path.join(demo.TOP, "build", "kills-native" if NATIVE else "kills"))
    if NATIVE:
        demo.use_native_engine()
    demo.prepare("both" in sys.argv)
    random.seed(3)
    try:
        hosts = [demo.Host("ignores", 256, 2, []), demo.Host("restarts", 128, 3, [], on_reset="restart",
                                                                    bits=32 if "both" in sys.argv else 64)]
        demo.wait_for(lambda: all(h.ready() for h in hosts), demo.PATIENCE_S, "for two hosts to play")
        for _ in range(KILLS):
            time.sleep(random.uniform(0.05, 0.3))
            before = [generation(h) for h in hosts]
            for pid in demo.engine_pids():
                os.kill(pid, signal.SIGKILL)
            demo.wait_for(lambda: all(generation(h) not in (0, b) for h, b in zip(hosts, before)), 20,
                          "for another engine to play")
        time.sleep(AFTER_S)
        for host in hosts:
            host.end()
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=demo.environment(), check=False,
                       stderr=subprocess.DEVNULL)
    fine = all([check(h, KILLS) for h in hosts])
    print("PASSED" if fine else "FAILED")
    return 0 if fine else 1


sys.exit(main())
