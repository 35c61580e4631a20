# SPDX-License-Identifier: MIT
"""What the campaigns share: a folder with an engine of its own, and programs that check every frame (program.c)."""
import argparse
import json
import mmap
import os
import pathlib
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
OUT = TOP / "build/campaign"
WORDS = ("blocks", "frames", "lost", "jumped", "silent", "engines", "gap_ns", "silence_ns", "wrong", "generation", "checked", "state",
         "commands", "thread", "last_ns", "unheard")
PLAYS, FAILED = 1, 4
WAIT_S = 30
PROFILE = "Campaign"  # of the stage's configuration
# those of the virtual card that keep each of program.c's numbers
FORMATS = ("float32", "int24", "int24in32", "int32")


class Broken(Exception):
    """A promise was not kept; the campaign ends."""


def wait_for(condition, what, seconds=None):
    seconds = seconds or WAIT_S
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Broken(f"waited {seconds} s in vain for {what}")
        time.sleep(0.002)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Program:
    """One process of campaign_program."""

    def __init__(self, stage, channel, profile=None, binary=None):
        self.channel = channel
        self.path = stage.folder / f"report-{stage.next_report}"
        stage.next_report += 1
        self.process = subprocess.Popen([binary or stage.build / "tests/campaign/campaign_program", self.path, str(channel), str(stage.cable),
                                         *([profile] if profile else [])],
                                        stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=stage.environment)
        self.asked = 0
        self.map = None

    def tell(self, line):
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Broken(f"a program ended by itself: {self.last_words()}") from error
        self.asked += 1

    def word(self, name):
        if self.map is None:
            if not self.path.exists() or self.path.stat().st_size < 128:
                return 0
            with open(self.path, "rb") as file:
                self.map = mmap.mmap(file.fileno(), 128, prot=mmap.PROT_READ)
        return struct.unpack_from("<Q", self.map, WORDS.index(name) * 8)[0]

    def words(self):
        return {name: self.word(name) for name in WORDS}

    def obeyed(self):
        """Opened, and all commands carried out."""
        if self.process.poll() is not None:
            raise Broken(f"a program ended by itself with {self.process.returncode}: {self.last_words()}")
        if self.word("state") == FAILED:
            raise Broken(f"a program was refused: {self.last_words()}")
        return self.word("commands") >= self.asked + 1

    def last_words(self):
        """What it said last; it may still run."""
        said = b""
        while select.select([self.process.stderr], [], [], 0)[0]:
            more = os.read(self.process.stderr.fileno(), 4096)
            if not more:
                break
            said += more
        return said.decode(errors="replace").strip()[-300:] or "it said nothing"

    def ended_by_itself(self):
        return self.process.poll() is not None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.forget()

    def leave(self):
        """Ends orderly. True: with status 0."""
        self.process.stdin.close()
        try:
            self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Broken("a program did not leave within its time") from None
        status = self.process.returncode
        self.forget()
        return status == 0

    def forget(self):
        self.process.wait()
        for stream in (self.process.stdin, self.process.stderr):
            stream.close()
        if self.map is not None:
            self.map.close()
            self.map = None
        self.path.unlink(missing_ok=True)


class Stage:
    """A folder, an engine of its own in it, settings, programs. Used in a with statement: nothing outlives it."""

    def __init__(self, tuttid=None, cable=0, build=None, **settings):
        self.build = pathlib.Path(build or TOP / "build/native")
        self.tuttid = pathlib.Path(tuttid or self.build / "src/tuttid/tuttid")
        self.cable = cable
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tutti-campaign-"))
        self.runtime = self.folder / "runtime"
        self.config = self.folder / "tutti.conf"
        self.config.write_text(f"[profile {PROFILE}]\nprogram.buffer = 128\n")
        self.programs = []
        self.next_report = 0
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("TUTTI_")}
        self.environment.update(TUTTI_RUNTIME_DIR=str(self.runtime), TUTTI_CONFIG=str(self.config), TUTTI_ENGINE=str(self.tuttid),
                                TUTTI_DEVICE_BACKEND="sim", TUTTI_SIM_INPUTS="64", TUTTI_SIM_OUTPUTS="64", TUTTI_SIM_CABLE=str(cable),
                                TUTTI_ENGINE_GRACE_MS="20000", **{name: str(value) for name, value in settings.items()})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in self.programs:
            program.kill()
        for pid in self.engines():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def engines(self):
        """Engines that live in this folder."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if (entry / "comm").read_text().strip() == self.tuttid.name[:15] and is_alive(int(entry.name)) and \
                        f"TUTTI_RUNTIME_DIR={self.runtime}\0" in (entry / "environ").read_text(errors="replace"):
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass
        return found

    def engine(self):
        """The pid of the one engine that serves; 0: none yet."""
        try:
            pid = int((self.runtime / "engine.pid").read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return 0
        return pid if is_alive(pid) else 0

    def add(self, channel, *commands, profile=None):
        program = Program(self, channel, profile)
        self.programs.append(program)
        for command in commands:
            program.tell(command)
        return program

    def remove(self, program):
        self.programs.remove(program)

    def kill(self, program):
        self.remove(program)
        program.kill()

    def status(self):
        """As `tutti status --json` tells it."""
        done = subprocess.run([self.build / "src/cli/tutti", "status", "--json"], env=self.environment, capture_output=True, check=True)
        return json.loads(done.stdout)

    def log(self):
        try:
            return (self.runtime / "tuttid.log").read_text(errors="replace")
        except FileNotFoundError:
            return ""


def losses(programs):
    """Frames that were wrong, jumped over, silent, or could not be compared because of a gap."""
    return sum(program.word("lost") + program.word("unheard") for program in programs)


def arguments(name, what, **defaults):
    parser = argparse.ArgumentParser(prog=f"./run campaign {name}", description=what)
    parser.add_argument("--minutes", type=float, default=defaults.get("minutes", 5), help="how long, in all")
    parser.add_argument("--rounds", type=int, help=defaults.get("rounds", "so many rounds instead"))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of what is random")
    parser.add_argument("--short", action="store_true", help="some seconds: the form that is a test")
    parser.add_argument("--out", type=pathlib.Path, default=OUT / f"{name}.json")
    return parser


def write(path, report):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written: {path}")


def quantiles(values):
    ordered = sorted(values)
    if not ordered:
        return {"count": 0, "median": None, "p99": None, "max": None}
    return {"count": len(ordered), "median": ordered[len(ordered) // 2], "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
            "max": ordered[-1]}


def judged(problems):
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    print("all promises kept" if not problems else f"{len(problems)} promises broken")
    return 1 if problems else 0
