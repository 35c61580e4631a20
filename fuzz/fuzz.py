#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run fuzz [NAME…]: runs the fuzzers and writes build/fuzz/fuzz.json.

New inputs gather in build/fuzz/corpus; --merge puts those that reach something new into
fuzz/corpus.tar.xz, which the tests replay, like the named inputs in fuzz/corpus.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / "build/fuzz"
ARCHIVE = TOP / "fuzz/corpus.tar.xz"
UNPACKED = BUILD / "archive"
# name: longest input, further options
FUZZERS = {
    "message": (9000, []),
    "segment": (200, []),
    "server": (400, []),
    "client": (400, []),
    "config": (2000, [f"-dict={TOP}/fuzz/config.dict"]),
    "wav": (600, [f"-dict={TOP}/fuzz/wav.dict", "-detect_leaks=0"]),
}
MOST_INPUTS = 150


def unpack():
    """The archive's inputs, in one folder for each fuzzer."""
    shutil.rmtree(UNPACKED, ignore_errors=True)
    for name in FUZZERS:
        (UNPACKED / "corpus" / name).mkdir(parents=True)
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(UNPACKED)


def pack():
    """Writes the archive; the same inputs give the same bytes."""
    def plain(entry):
        entry.mtime = entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(ARCHIVE, "w:xz", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(UNPACKED.glob("corpus/*/*")):
            archive.add(path, path.relative_to(UNPACKED), filter=plain)


def run(name, runs, seed):
    most, options = FUZZERS[name]
    found = BUILD / "corpus" / name
    found.mkdir(parents=True, exist_ok=True)
    crashes = BUILD / "crashes" / name
    crashes.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    done = subprocess.run([BUILD / f"fuzz/fuzz_{name}", f"-runs={runs}", f"-max_len={most}", f"-seed={seed}", "-timeout=10", "-rss_limit_mb=2048",
                           "-print_final_stats=1", f"-artifact_prefix={crashes}/", *options, found, UNPACKED / "corpus" / name,
                           TOP / "fuzz/corpus" / name],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    seconds = time.monotonic() - started
    said = done.stderr
    executed = re.findall(r"number_of_executed_units:\s*(\d+)", said)
    covered = re.findall(r"cov: (\d+) ft: (\d+)", said)
    result = {"executions": int(executed[-1]) if executed else 0, "seconds": round(seconds, 1), "status": done.returncode,
              "edges": int(covered[-1][0]) if covered else 0, "features": int(covered[-1][1]) if covered else 0,
              "corpus": sum(1 for _ in found.iterdir()), "findings": []}
    result["executions_per_second"] = round(result["executions"] / max(seconds, 0.1))
    if done.returncode:
        result["findings"] = [str(path) for path in re.findall(r"written to (\S+)", said)]
        print(said[-3000:], file=sys.stderr)
        print(f"fuzz {name}: see it again with {BUILD}/fuzz/fuzz_{name} {' '.join(result['findings'])}", file=sys.stderr)
    return result


def merge(name):
    """The smallest set of inputs that reaches what is reached goes into the archive, at most so many
    for a fuzzer."""
    named, kept = TOP / "fuzz/corpus" / name, UNPACKED / "corpus" / name
    smallest = BUILD / "merged" / name
    shutil.rmtree(smallest, ignore_errors=True)
    smallest.mkdir(parents=True)
    subprocess.run([BUILD / f"fuzz/fuzz_{name}", "-merge=1", f"-max_len={FUZZERS[name][0]}", smallest,
                    named, kept, BUILD / "corpus" / name], check=True, stderr=subprocess.DEVNULL)
    for path in sorted(smallest.iterdir(), key=lambda path: path.stat().st_size)[:MOST_INPUTS]:
        (kept / path.name[:16]).write_bytes(path.read_bytes())
    pack()
    print(f"{name}: {sum(1 for _ in kept.iterdir())} inputs in {ARCHIVE.relative_to(TOP)}")


def main():
    parser = argparse.ArgumentParser(prog="./run fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FUZZERS))
    parser.add_argument("--runs", type=int, default=200000, help="executions of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--merge", action="store_true", help="afterwards, take new inputs into the archive")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in FUZZERS]
    if unknown:
        parser.error(f"there is no fuzzer '{unknown[0]}'; there are {', '.join(FUZZERS)}")
    path = BUILD / "fuzz.json"
    report = json.loads(path.read_text()) if path.exists() else {}
    failed = False
    unpack()
    for name in options.names or FUZZERS:
        report[name] = result = run(name, options.runs, options.seed)
        path.write_text(json.dumps(report, indent=1) + "\n")
        failed |= bool(result["status"])
        print(f"{name:8} {result['executions']:>10} executions in {result['seconds']:7.1f} s, {result['executions_per_second']:>7} a second, "
              f"{result['edges']} edges, {len(result['findings'])} findings", flush=True)
        if options.merge and not result["status"]:
            merge(name)
    print(f"written: {path}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
