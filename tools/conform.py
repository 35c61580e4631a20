# SPDX-License-Identifier: MIT
"""./run conform [NAME]: tutti.exe conform under Wine, on Tutti over a virtual sound card with a loopback cable, or on another driver.

Without NAME it makes a Wine prefix of its own under build/conform, registers Tutti there and lets Windows programs meet the native engine
(over the bridge: its threads have real-time priority, which Wine gives to none). --engine windows: tuttid.exe, as on Windows. With NAME it
judges that driver in the prefix of $WINEPREFIX or ~/.wine. --wineasio DIR registers a WineASIO built from its public source in a prefix of
its own, beside a JACK server with the dummy driver and a loopback cable. Writes report.json and report.html into build/conform, or wine32, windows, long or
wineasio below it.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import conform_skips
import demo

TOP = pathlib.Path(__file__).resolve().parent.parent
OUT = TOP / "build/conform"
JACK_RATE, JACK_PERIOD = 48000, 256
CARD_LATENCIES = 320, 288  # in frames, of the cable beside JACK
LONG_S, LONG_CASES = 600, "a_long_run_*"


def say(text):
    print(text, flush=True)


def wine_path(path):
    return "Z:" + str(path).replace("/", "\\")


def variable_of(key):
    return "TUTTI_" + key.replace(".", "_").upper()


class Tutti:
    """Tutti on the virtual sound card, in a prefix of its own. settings: values of tutti.ini by section.key."""
    name = "Tutti"

    def __init__(self, folder, bits, engine="native", settings=None):
        self.bits, self.engine, self.settings = bits, engine, settings or {}
        demo.use_folder(str(folder / "run"))
        demo.use_native_engine()

    def __enter__(self):
        both = self.bits == 32
        demo.prepare(both)
        folder = demo.BIN + ("32" if both else "")
        self.program = os.path.join(folder, "tutti.exe")
        if both:
            shutil.copy(TOP / "build/win32/src/cli/tutti.exe", self.program)
        self.environment = dict(demo.environment(), TUTTI_SIM_CABLE="0", TUTTI_SIM_ELASTIC_MS="0")
        self.environment.pop("TUTTI_DEVICE_PERIOD")
        self.set(self.settings)
        if self.engine == "windows":
            self.meet_windows_engine()
        self.command = [demo.WRAPPER, self.program]
        return self

    def meet_windows_engine(self):
        """From here on programs have no bridge, and start the tuttid.exe beside the driver."""
        for name in ("TUTTI_BRIDGE", "TUTTI_NATIVE_ENGINE", "TUTTI_RUNTIME_DIR"):
            self.environment.pop(name, None)

    def set(self, settings):
        """Programs that are started from here on have these settings."""
        for key in self.settings:
            self.environment.pop(variable_of(key), None)
        self.settings = settings
        self.environment.update({variable_of(key): value for key, value in settings.items()})

    @property
    def late_take(self):
        return self.settings.get("program.late_take") == "yes"

    @property
    def exceptions(self):
        """What it does otherwise on purpose; docs/asio.md, outputReady."""
        return "" if self.late_take else ",".join(conform_skips.TUTTI)

    @property
    def skips(self):
        return conform_skips.LATE_TAKE if self.late_take else conform_skips.TUTTI

    def __exit__(self, *_):
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=self.environment, check=False, stderr=subprocess.DEVNULL)
        for pid in demo.engine_pids() + demo.pids_of("tutti-bridge\0"):
            os.kill(pid, signal.SIGKILL)


class WineAsio:
    """A WineASIO built from its source, beside JACK's dummy driver and a card of JACK clients, whose outputs come back at its inputs."""
    name, exceptions = "WineASIO", ""

    def __init__(self, folder, built):
        self.built, self.folder = pathlib.Path(built) / "build64", folder
        demo.use_folder(str(folder / "run"))

    def __enter__(self):
        if not (self.built / "wineasio64.dll.so").exists():
            sys.exit(f"conform: {self.built}/wineasio64.dll.so is not there: build WineASIO first (make 64)")
        demo.prepare()
        unix = pathlib.Path(demo.DEMO, "wineasio/x86_64-unix")
        unix.mkdir(parents=True)
        shutil.copy(self.built / "wineasio64.dll.so", unix)
        shutil.copy(self.built / "wineasio64.dll", f"{demo.PREFIX}/drive_c/windows/system32/")
        server = f"tutti-conform-{os.getpid()}"
        self.environment = dict(demo.environment(), WINEDLLPATH=str(unix.parent), WINEASIO_NUMBER_INPUTS="2", WINEASIO_NUMBER_OUTPUTS="2",
                                JACK_DEFAULT_SERVER=server, JACK_NO_AUDIO_RESERVATION="1", JACK_NO_START_SERVER="1")
        self.environment.pop("DISPLAY", None)
        subprocess.run([demo.WRAPPER, "regsvr32", "/s", unix / "wineasio64.dll.so"], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(self.folder / "run/jackd.log", "w") as log:
            self.jack = subprocess.Popen(["jackd", "-R", "-P", "80", "-n", server, "-d", "dummy", "-r", str(JACK_RATE), "-p", str(JACK_PERIOD),
                                          "-C", "0", "-P", "0"], env=self.environment, stdout=log, stderr=log)
        if subprocess.run(["jack_wait", "-w", "-t", "10", "-s", server], env=self.environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode:
            sys.exit("conform: jackd did not start")
        self.command = [demo.WRAPPER, f"{demo.BIN}/tutti.exe"]
        # the only physical ports, which the driver connects itself with: what is played comes back, so latency can be judged
        self.card = subprocess.Popen([TOP / "build/native/tests/jack_cable", *map(str, CARD_LATENCIES)], env=self.environment, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE)
        if self.card.stdout.readline() != b"ready\n":
            sys.exit("conform: the cable did not come")
        return self

    def __exit__(self, *_):
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=self.environment, check=False, stderr=subprocess.DEVNULL)
        self.card.stdin.close()
        self.card.wait()
        self.jack.terminate()
        self.jack.wait()


class Registered:
    """A driver that is registered in the user's own prefix."""
    exceptions = ""

    def __init__(self, name, bits):
        self.name = name
        self.environment = dict(os.environ, WINEDEBUG=os.environ.get("WINEDEBUG", "-all"))
        self.command = [os.environ.get("TUTTI_WINE", "wine"), str(TOP / f"build/win{bits}/src/cli/tutti.exe")]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def judge(system, folder, arguments):
    """0: all passed, 1: some failed, 2: it could not be judged."""
    report, page = folder / "report.json", folder / "report.html"
    for path in (report, page):
        path.unlink(missing_ok=True)
    words = ["conform", system.name, "--json", wine_path(report), "--html", wine_path(page)]
    for option in ("seconds", "only"):
        if getattr(arguments, option):
            words += [f"--{option}", str(getattr(arguments, option))]
    if system.exceptions:
        words += ["--except", system.exceptions]
    code = subprocess.run([*system.command, *words], env=system.environment, check=False).returncode
    if not report.exists():
        say("conform: no report came")
        return 2
    counts = json.loads(report.read_text())
    if counts["cases"] != counts["passed"] + counts["failed"] + counts["skipped"] or counts["cases"] != len(counts["results"]):
        say("conform: the report does not add up")
        return 2
    say(f"{report.relative_to(TOP)} and {page.name} are written")
    allowed = getattr(system, "skips", None)  # of other drivers nothing is known
    complaints = conform_skips.unexpected(counts["results"], allowed) if allowed is not None else []
    for complaint in complaints:
        say(f"conform: {complaint}, which is not allowed (tools/conform_skips.py)")
    return code or bool(complaints)


def main():
    parser = argparse.ArgumentParser(prog="./run conform", description="Judges an ASIO driver under Wine.")
    parser.add_argument("name", nargs="?", default="Tutti", help="a driver registered in $WINEPREFIX or ~/.wine; default: Tutti")
    parser.add_argument("--wine32", action="store_true", help="the 32-bit driver by the 32-bit program")
    parser.add_argument("--wineasio", metavar="DIR", help="folder of a built WineASIO to judge, on JACK's dummy driver")
    parser.add_argument("--engine", choices=("native", "windows"), default="native", help="whom Tutti's programs meet: tuttid or tuttid.exe")
    parser.add_argument("--set", metavar="SECTION.KEY=VALUE", action="append", default=[], help="a setting of Tutti's, such as program.late_take=yes")
    parser.add_argument("--long", action="store_true", help=f"the long runs alone, {LONG_S} s each")
    parser.add_argument("--seconds", type=float, help="length of the long cases")
    parser.add_argument("--only", help="names, groups or globs of cases, with commas")
    arguments = parser.parse_args()
    bits = 32 if arguments.wine32 else 64
    if arguments.long:
        arguments.seconds, arguments.only = arguments.seconds or LONG_S, arguments.only or LONG_CASES
    folder = OUT
    for part, chosen in (("wine32", arguments.wine32), ("wineasio", arguments.wineasio), ("windows", arguments.engine == "windows"),
                         ("long", arguments.long)):
        folder = folder / part if chosen else folder
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.wineasio:
        system = WineAsio(folder, arguments.wineasio)
    elif arguments.name == "Tutti":
        system = Tutti(folder, bits, arguments.engine, dict(setting.split("=", 1) for setting in arguments.set))
    else:
        system = Registered(arguments.name, bits)
    began = time.monotonic()
    with system:
        code = judge(system, folder, arguments)
    say(f"{time.monotonic() - began:.0f} s in all")
    if arguments.wine32:
        say("PASSED" if code == 0 else "FAILED")
    return code


if __name__ == "__main__":
    sys.exit(main())
