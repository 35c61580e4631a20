#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run bench drift: hours of virtual clocks that drift apart, and what is heard of one on another; build/bench/drift.json and drift.png.

Each seed is a run of one virtual hour (bench/bench_drift.c), two at a time. The report has the worst of all runs, and ends with 1 when one of
them is beyond what tests/test_drift.c asks for.
"""
import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys

from made_by import TOP, made_by, made_by_line, write_between

OUT = TOP / "build/bench"
BENCH = TOP / "build/native/bench/bench_drift"
RUN_S = 3600
MOST = {"discontinuities": 0, "settle_s": 10, "wobble_cents": 0.02, "residual_db": -100, "delay_spread_frames": 1}
BEGIN, END = "<!-- drift: written by ./run bench drift --results -->\n", "<!-- end of drift -->\n"


def run(seed, seconds, trace=None):
    words = [BENCH, str(seed), str(seconds)] + ([str(trace)] if trace else [])
    return json.loads(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout)


def worst(runs):
    report = {"hours": round(sum(one["hours"] for one in runs), 4)}
    for key in MOST:
        values = [one[key] for one in runs]
        report[key] = sum(values) if key == "discontinuities" else max(values)
    return report


def beyond(report):
    return [f"{key} is {report[key]}, {most} is the most" for key, most in MOST.items() if report[key] > most]


def draw(trace, picture):
    """The delay's error on each link of one run."""
    links = sorted({line.split()[0] for line in trace.read_text().splitlines()})
    curves = [f"\"< grep '^{link} ' '{trace}'\" using ($2/60):3 with lines lw 1.2 title 'clock {int(link) + 1} on clock {(int(link) + 1) % len(links) + 1}'"
              for link in links]
    script = ["set terminal pngcairo size 1300,520 font 'DejaVu Sans,11' background '#fbfaf7'", f"set output '{picture}'",
              "set border 3 lc rgb '#888888'; set tics nomirror; set grid lc rgb '#dddddd'",
              "set title 'Two virtual clocks: error of the delay, by what is heard. Each jump is a step of a clock by 20 ppm, or a loss.'",
              "set xlabel 'minutes'; set ylabel 'frames'; set yrange [-2:2]; set key top right",
              "plot " + ", ".join(curves)]
    subprocess.run(["gnuplot"], input="\n".join(script), text=True, check=True)


def lines(report):
    return [made_by_line(report["made_by"]), "",
            "| virtual hours | discontinuities | settled after, s | wobble, cents rms | residual at 1 kHz, dB | spread of the delay, frames |",
            "|---|---|---|---|---|---|",
            f"| {report['hours']:g} | {report['discontinuities']} | {report['settle_s']:.1f} | {report['wobble_cents']:.4f} | {report['residual_db']:.1f} "
            f"| {report['delay_spread_frames']:.2f} |", "", "![Error of the delay over an hour](drift.png)", ""]


def main():
    parser = argparse.ArgumentParser(prog="./run bench drift", description="Virtual clocks that drift apart.")
    parser.add_argument("--hours", type=int, default=24, help="virtual hours, one a seed")
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--results", action="store_true", help="write the table and the picture into bench/ too")
    arguments = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    trace = OUT / "drift.trace"
    seeds = range(arguments.seed, arguments.seed + arguments.hours)
    shown = next(seed for seed in (arguments.seed, arguments.seed + 1) if seed % 2)  # of two clocks
    runs = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for one in pool.map(lambda seed: run(seed, RUN_S, trace if seed == shown else None), seeds):
            runs.append(one)
            print(f"{one['clocks']} clocks, seed {one['seed']:3}: {one['discontinuities']} discontinuities, settled after {one['settle_s']:.1f} s, "
                  f"wobble {one['wobble_cents']:.4f} cents, residual {one['residual_db']:.1f} dB, spread {one['delay_spread_frames']:.2f} frames", flush=True)
    report = {**worst(runs), "made_by": made_by("drift"), "runs": runs}
    pictures = [OUT / "drift.png"] + ([TOP / "bench/drift.png"] if arguments.results else [])
    (OUT / "drift.json").write_text(json.dumps(report, indent=1))
    for picture in pictures:
        if trace.exists():
            draw(trace, picture)
    print(f"written: {OUT / 'drift.json'}")
    if arguments.results:
        write_between(TOP / "bench/RESULTS.md", BEGIN, END, lines(report))
    for text in beyond(report):
        print(f"bench drift: {text}", file=sys.stderr)
    return 1 if beyond(report) else 0


if __name__ == "__main__":
    sys.exit(main())
