#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run bench dsp|samples|resample [--results]: runs bench_dsp, bench_samples or bench_resample; --results writes what it says into bench/RESULTS.md, too.
--json is bench_dsp's own."""
import subprocess
import sys

from made_by import TOP, made_by, made_by_line, write_between
from real_time import real_time


def main():
    what = sys.argv.pop(1)
    begin, end = f"<!-- {what}: written by ./run bench {what} --results -->\n", f"<!-- end of {what} -->\n"
    words = [word for word in sys.argv[1:] if word != "--results"]
    ran = subprocess.run(real_time(1, TOP / f"build/native/bench/bench_{what}", *words), stdout=subprocess.PIPE, text=True, check=False)
    print(ran.stdout, end="")
    if "--results" in sys.argv and not ran.returncode:
        write_between(TOP / "bench/RESULTS.md", begin, end, [made_by_line(made_by(what)), "", "```", ran.stdout.rstrip(), "```", ""])
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
