#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The part `ways` of ./run bench wine: a wake-up there and back, by each way that needs no unix half (docs/adr/0005-wine-transport.md).

Run with a file name (by itself, in the Debian of tools/wine32.sh): writes the rows of the Wine that is there to it, as json.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
WRAPPER = TOP / "tools/wine-wrapper"
ECHO = TOP / "build/native/bench/bench_ways_echo"
PRIORITY = "60"  # the callback thread's
WAYS = ("fifo", "memory", "event")


def real_time(*command):
    """As callbacks and engines run; without the right to, as it is."""
    able = subprocess.run(["chrt", "-f", PRIORITY, "true"], capture_output=True, check=False).returncode == 0
    return ["chrt", "-f", PRIORITY, *map(str, command)] if able else list(map(str, command))


def windows(bits):
    return TOP / f"build/win{bits}/bench/tutti-ways.exe"


def times(said):
    numbers = [round(int(word) / 1000, 1) for word in said.split()]
    return dict(zip(("median_us", "p99_us", "p99_9_us"), numbers, strict=True))


def one(bits, way, environment):
    with tempfile.TemporaryDirectory(dir=TOP / "build") as folder:
        paths = [pathlib.Path(folder, name) for name in {"fifo": ("there", "back"), "memory": ("page",), "event": ()}[way]]
        for path in paths:
            if way == "fifo":
                os.mkfifo(path)
            else:
                path.write_bytes(bytes(4096))
        seen = ["\\\\?\\unix" + str(path).replace("/", "\\") for path in paths]
        other = [WRAPPER, windows(bits), "event-echo"] if way == "event" else [ECHO, way, *paths]
        echo = subprocess.Popen(real_time(*other), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            said = subprocess.run(real_time(WRAPPER, windows(bits), way, *seen), env=environment, capture_output=True, text=True, timeout=120,
                                  check=True).stdout
        finally:
            subprocess.run(["kill", str(echo.pid)], check=False)
            echo.wait()
    return {"bits": str(bits), "way": way, **times(said)}


def here(bits):
    """Rows of this Wine."""
    with tempfile.TemporaryDirectory(dir=TOP / "build", prefix="prefix-ways-") as prefix:
        environment = dict(os.environ, WINEPREFIX=os.environ.get("WINEPREFIX") or prefix, WINEDEBUG="-all")
        wine = environment.get("TUTTI_WINE") or "/usr/lib/wine/wine64"
        version = subprocess.run([wine, "--version"], env=environment, capture_output=True, text=True, check=True).stdout.split()[0]
        # makes the prefix, and a server of Wine's that stays, at ordinary priority
        subprocess.run([WRAPPER, "cmd", "/c", "exit"], env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            rows = [{"wine": version, **one(width, way, environment)} for width in bits for way in WAYS]
        finally:
            subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=environment, check=False, stderr=subprocess.DEVNULL)
    return rows


def in_other_debian():
    """The newer Wine with 32-bit programs."""
    file = TOP / "build/ways.json"
    script = ('source ./run && source tools/wine32.sh && build_windows win32 i686 && make_wine32 && '
              f'in_wine32 "/usr/bin/python3 bench/wine_ways.py {file} 64 32"')
    subprocess.run(["bash", "-c", script], cwd=TOP, env=dict(os.environ, TUTTI_RUN_LIBRARY="1"), check=True)
    return json.loads(file.read_text())


def measure(arguments):
    rows = [{"wine": "none", "bits": "native", "way": "futex, two native processes",
             **times(subprocess.run(real_time(ECHO, "futex"), capture_output=True, text=True, check=True).stdout)}]
    rows += here([64])
    if arguments.wine32:
        rows += in_other_debian()
    for row in rows:
        print("  ".join(str(value) for value in row.values()), flush=True)
    return rows


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(json.dumps(here([int(word) for word in sys.argv[2:]])))
