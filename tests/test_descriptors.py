# SPDX-License-Identifier: MIT
"""An engine with 48 file descriptors and 24 programs: those that find no room hear why, so does the log, and the others play. Once there is
room again, a program plays.
"""
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time

LIMIT, PROGRAMS, WAIT_S = 48, 24, 30
REASON = "file descriptor"
build = pathlib.Path(sys.argv[1])
folder = pathlib.Path(tempfile.mkdtemp(prefix="tutti-descriptors-"))
environment = {"PATH": "/usr/bin:/bin", "TUTTI_CONFIG": "/dev/null", "TUTTI_DEVICE_BACKEND": "sim", "TUTTI_RUNTIME_DIR": str(folder / "run"),
               "TUTTI_ENGINE": "/nonexistent", "TUTTI_ENGINE_GRACE_MS": "60000"}


def wait_for(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


class Program:
    def __init__(self, number):
        self.report, self.said = folder / f"report{number}", folder / f"said{number}"
        self.process = subprocess.Popen([build / "tests/campaign/campaign_program", self.report, "1", "0"], stdin=subprocess.PIPE,
                                        stderr=open(self.said, "w"), env=environment)
        try:
            self.process.stdin.write(b"play 256 2\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        wait_for(lambda: self.plays() or self.process.poll() is not None or self.said.read_text(), f"program {number} to play, or to say why not")

    def plays(self):
        try:
            return self.process.poll() is None and struct.unpack_from("<Q", self.report.read_bytes())[0] > 3
        except (FileNotFoundError, struct.error):
            return False

    def end(self):
        self.process.kill()
        self.process.wait()


programs = []
engine = subprocess.Popen([build / "src/tuttid/tuttid"], env=environment, cwd="/",
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT)))
try:
    wait_for(lambda: (folder / "run/engine").exists(), "the engine to listen")
    programs = [Program(number) for number in range(PROGRAMS)]
    playing = [program for program in programs if program.plays()]
    refused = [program for program in programs if not program.plays()]
    print(f"{len(playing)} play, {len(refused)} do not")
    assert playing and refused, "the limit makes no difference: the test shows nothing"
    for program in refused:
        assert REASON in program.said.read_text(), f"refused with: {program.said.read_text()}"
    assert REASON in (folder / "run/tuttid.log").read_text(), "the log has nothing of it"
    for program in refused + playing[:4]:
        program.end()
    held = len(playing) - 4
    wait_for(lambda: len(os.listdir(f"/proc/{engine.pid}/fd")) < LIMIT - 4, "the engine to forget those that ended")
    programs.append(Program(PROGRAMS))
    assert programs[-1].plays(), f"no room after {PROGRAMS - held} have gone: {programs[-1].said.read_text()}"
    assert all(program.plays() for program in playing[4:]) and engine.poll() is None, "a program or the engine was lost"
finally:
    for program in programs:
        program.end()
    engine.kill()
    engine.wait()
    shutil.rmtree(folder, ignore_errors=True)
