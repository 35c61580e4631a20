#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run bench dsp [--results]: runs bench_dsp; --results writes what it says into bench/RESULTS.md, too. --json is its own."""
import subprocess
import sys

from made_by import TOP, made_by, made_by_line, write_between

BEGIN, END = "<!-- dsp: written by ./run bench dsp --results -->\n", "<!-- end of dsp -->\n"


def main():
    words = [word for word in sys.argv[1:] if word != "--results"]
    ran = subprocess.run([TOP / "build/native/bench/bench_dsp", *words], stdout=subprocess.PIPE, text=True, check=False)
    print(ran.stdout, end="")
    if "--results" in sys.argv and not ran.returncode:
        write_between(TOP / "bench/RESULTS.md", BEGIN, END, [made_by_line(made_by("dsp")), "", "```", ran.stdout.rstrip(), "```", ""])
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
