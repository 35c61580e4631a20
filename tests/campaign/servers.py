#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run campaign servers: the servers that an engine plays on die fifty times each, under programs that play on.

Native programs on JACK, PipeWire, an ALSA card that is pulled out and PulseAudio by ALSA's plugin: the tests of the backends, with so many deaths. Their
engine stays the same one, they are called on meanwhile, and hear themselves again after what they are told. With JACK and PipeWire a
Windows host under Wine plays, too: after each death it is patched again, and hears bit for bit what it plays.
"""
import os
import re
import subprocess
import sys
import time

import campaign

DEATHS = 50
SKIPPED = 77
KILLED = "programs_outlive_a_server_that_is_killed_again_and_again"
# name: (test program, its case)
NATIVE = {"jack": ("test_jack", KILLED), "pipewire": ("test_pipewire", KILLED), "alsa_pulse": ("test_alsa_pulse", KILLED),
          "alsa": ("test_alsa", "programs_outlive_a_card_that_is_pulled_out_again_and_again")}
WINDOWS = ("jack", "pipewire")
DEATH_MOST_S = 30


def run_native(name, deaths):
    """What the test said: a line for each death, and how it ended."""
    program, case = NATIVE[name]
    build = campaign.TOP / "build/native"
    environment = dict(os.environ, TUTTI_TEST_FILTER=case)
    done = subprocess.run([build / "tests" / program, build / "src/tuttid/tuttid", str(deaths)], env=environment, capture_output=True, text=True,
                          timeout=60 + DEATH_MOST_S * deaths, check=False)
    return judge(name, deaths, done)


def run_windows(kind, deaths):
    """tests/wine_graph.py with deaths; it says the same lines."""
    script = campaign.TOP / "tests/wine_graph.py"
    done = subprocess.run([sys.executable, script, kind, str(deaths)], capture_output=True, text=True, timeout=120 + DEATH_MOST_S * deaths, check=False)
    return judge(f"{kind}, a Windows host", deaths, done)


def judge(name, deaths, done):
    said = done.stdout + done.stderr
    times = [int(ms) for ms in re.findall(r"^death \d+: sound again after (\d+) ms$", said, re.MULTILINE)]
    compared = re.search(r"([\d,]+) compared, (\d+) different", said)
    row = {"server": name, "deaths": len(times), "sound_again_ms": campaign.quantiles(times), "good": done.returncode == 0 and len(times) == deaths}
    if compared:
        row["frames_compared"], row["frames_different"] = (int(number.replace(",", "")) for number in compared.groups())
    if done.returncode == SKIPPED:
        row["skipped"] = said.strip().splitlines()[-1:]
    elif not row["good"]:
        row["said"] = said.strip().splitlines()[-12:]
    print(f"{name}: {len(times)} deaths, sound again after {row['sound_again_ms']['median']} ms (median), {row['sound_again_ms']['max']} ms (most)"
          f"{'' if row['good'] else '; WRONG' if 'said' in row else '; skipped'}", flush=True)
    return row


def main():
    parser = campaign.arguments("servers", __doc__)
    parser.add_argument("--deaths", type=int, default=DEATHS, help="of each server")
    parser.add_argument("--no-wine", action="store_true", help="without the Windows hosts")
    options = parser.parse_args()
    deaths = 2 if options.short else options.deaths
    begun = time.monotonic()
    rows = [run_native(name, deaths) for name in NATIVE]
    if not options.short and not options.no_wine:
        rows += [run_windows(kind, deaths) for kind in WINDOWS]
    report = {"deaths_asked": deaths, "servers": rows, "seconds": round(time.monotonic() - begun)}
    campaign.write(options.out, report)
    return campaign.judged([f"{row['server']}: {' | '.join(row['said'])}" for row in rows if "said" in row])


if __name__ == "__main__":
    sys.exit(main())
