# SPDX-License-Identifier: MIT
"""Windows hosts in numbers under Wine: several objects in one process, of all registered drivers; a host that initialises every entry while
it lists them and others play; 64 objects at once, and nobody misses a call because another process is killed.

many_hosts.py [both] [native] [PROCESSES]: PROCESSES (8) share the 64 objects; both: every other one is a 32-bit program; native: on the
native engine.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import demo

BOTH, NATIVE = "both" in sys.argv, "native" in sys.argv
OBJECTS = 64
PROCESSES = next((int(word) for word in sys.argv[1:] if word.isdigit()), 8)
PATIENCE_S = 240
# entries beside the first one, with sample types of their own
PROFILES = {"Low Latency": "program.buffer = 64", "Integers": "program.sample_type = int24", "Doubles": "program.sample_type = float64"}
failures = []


def expect(true, text):
    print(("ok    " if true else "WRONG ") + text, flush=True)
    if not true:
        failures.append(text)


def environment():
    """The card waits for whom the machine is too small for."""
    env = dict(demo.environment(), TUTTI_SIM_ELASTIC_MS="4000", TUTTI_DEVICE_PERIOD="512", TUTTI_CONFIG=f"{demo.DEMO}/tutti.ini")
    env.pop("TUTTI_PROGRAM_SAMPLE_TYPE")  # the profiles say it
    return env


class Crowd:
    """One process of tutti-crowd."""

    def __init__(self, name, bits, *arguments):
        self.name, self.bits = name, bits
        self.stop = f"{demo.DEMO}/{name}.stop"
        self.path = f"{demo.DEMO}/{name}.log"
        self.log = open(self.path, "w")
        self.starts = 0
        self.command = [demo.WRAPPER, f"{demo.BIN if bits == 64 else demo.BIN + '32'}/tutti-crowd.exe", *map(str, arguments)]
        self.start()

    def start(self):
        self.starts += 1
        self.process = subprocess.Popen(self.command, env=environment(), stdout=self.log, stderr=self.log)

    def said(self):
        return open(self.path, errors="replace").read()

    def begun(self):
        status = self.process.poll()
        if status is not None and "begun" not in self.said() and self.starts < 3:
            print(f"      {self.name}: Wine did not start it (status {status}); once more")
            self.start()
        elif status is not None and "begun" not in self.said():
            demo.fail(f"{self.name} was not started by Wine (status {status}): {self.said()}")
        return "begun" in self.said()

    def ready(self):
        if self.begun() and self.process.poll() is not None and "ready" not in self.said():
            demo.fail(f"{self.name} ended by itself with {self.process.returncode}: {self.said()}")
        return "ready" in self.said()

    def report(self):
        """Ends it in order."""
        demo.wait_for(self.begun, PATIENCE_S, f"for {self.name} to begin")
        open(self.stop, "w").close()
        self.process.wait(timeout=PATIENCE_S)
        try:
            return json.loads(self.said().splitlines()[-1])
        except (ValueError, IndexError):
            return {"failures": 1, "wrong": 0, "calls": 0, "least": 0, "bits": 0, "said": self.said()}


def is_good(report):
    return report["failures"] == 0 and report["wrong"] == 0


def players():
    return sum(p["buffer_frames"] > 0 for p in demo.status().get("programs", []))


def bits_of(number):
    return 32 if BOTH and number % 2 else 64


def register_profiles():
    with open(f"{demo.DEMO}/tutti.ini", "w") as file:
        file.writelines(f"[profile {name}]\n{line}\n" for name, line in PROFILES.items())
    for folder, program in ((demo.BIN, "regsvr32"), (demo.BIN + "32", "C:\\windows\\syswow64\\regsvr32.exe")):
        if os.path.exists(folder):
            subprocess.run([demo.WRAPPER, program, "/s", "/n", "/i:profiles:" + ",".join(PROFILES), f"{folder}/tutti.dll"], env=environment(),
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def one_process_with_several():
    for bits in (64, 32) if BOTH else (64,):
        crowd = Crowd(f"several{bits}", bits, "--objects", 8, "--buffer", 512, "--scans", 10)
        report = crowd.report()
        expect(is_good(report) and report["bits"] == bits and report["least"] >= 16 and report["entries"] == 1 + len(PROFILES),
               f"{bits}-bit process: 8 objects of {report.get('entries')} registered drivers, each called {report['least']} times or more, while it "
               f"initialised every entry 10 times {report.get('said', '')}")


def sixty_four():
    each = OBJECTS // PROCESSES
    begun = time.monotonic()
    crowds = []
    for number in range(PROCESSES):
        crowds.append(Crowd(f"crowd{number}", bits_of(number), "--objects", each, "--buffer", 1024, "--stop-file", f"{demo.DEMO}/crowd{number}.stop"))
    demo.wait_for(lambda: all(crowd.ready() for crowd in crowds), PATIENCE_S, f"for {PROCESSES} processes to play")
    expect(True, f"{PROCESSES} processes with {OBJECTS} objects play after {time.monotonic() - begun:.0f} s")
    expect(players() == OBJECTS, f"the engine knows {OBJECTS} programs that play")
    scanner = Crowd("scanner", 64, "--objects", 0, "--scans", 5)
    expect(is_good(scanner.report()), "another host initialised every entry 5 times meanwhile")
    victim = crowds.pop()
    for pid in demo.pids_of(f"{victim.name}.stop"):
        os.kill(pid, signal.SIGKILL)
    demo.wait_for(lambda: players() == OBJECTS - each, PATIENCE_S, "for the engine to forget a killed process")
    reports = [crowd.report() for crowd in crowds]
    bad = [(crowd.name, report) for crowd, report in zip(crowds, reports) if not is_good(report)]
    expect(not bad, f"a process was killed; the others were called {sum(report['calls'] for report in reports)} times, none wrongly {bad or ''}")
    expect({report["bits"] for report in reports} == ({64, 32} if BOTH and PROCESSES > 2 else {64}), "of the bitness asked for")


def main():
    demo.use_folder(os.path.join(demo.TOP, "build", "many-native" if NATIVE else "many"))
    if NATIVE:
        demo.use_native_engine()
    demo.prepare(BOTH)
    for bits in (64, 32) if BOTH else (64,):
        shutil.copy(os.path.join(demo.TOP, f"build/win{bits}/tests/hosts/tutti-crowd.exe"), demo.BIN if bits == 64 else demo.BIN + "32")
    register_profiles()
    try:
        one_process_with_several()
        sixty_four()
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=demo.environment(), check=False, stderr=subprocess.DEVNULL)
        for pid in demo.engine_pids() + demo.pids_of("tutti-bridge\0"):
            os.kill(pid, signal.SIGKILL)
    print("FAILED" if failures else "PASSED")
    return 1 if failures else 0


sys.exit(main())
