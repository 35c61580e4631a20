#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run campaign soak: eight programs join, leave, change buffers, are stopped and killed for as long as you like, while the card is
pulled out and put back; memory, handles and threads of the engine stay flat.

One program stays all the time. At regular points everybody else leaves and the device settles: there the numbers are compared.
"""
import pathlib
import random
import signal
import subprocess
import sys
import time

import campaign
from campaign import Broken, Stage, wait_for

PROGRAMS = 8
FIRST = 8          # channel of the first that comes and goes
KEYS = ("rss_kib", "pss_kib", "fds", "threads", "maps", "locked_kib")
SLACK = {"rss_kib": 1024, "pss_kib": 1024, "fds": 0, "threads": 0, "maps": 2, "locked_kib": 64}
# losses of time, a pulled card, another rate: the script begins anew when the card is opened again
FAULTS = "at 20000 lose 64;at 45000 late 3000;at 60000 unplug;at 60000 replug 300"


def sample(pid):
    folder = pathlib.Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
    rollup = dict(line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
    return {"rss_kib": int(status["VmRSS"].split()[0]), "pss_kib": int(rollup["Pss"].split()[0]), "fds": len(list((folder / "fd").iterdir())),
            "threads": int(status["Threads"]), "maps": len((folder / "maps").read_text().splitlines()),
            "locked_kib": int(status["VmLck"].split()[0])}


class Crowd:
    """Those who come and go."""

    def __init__(self, stage):
        self.stage = stage
        self.there = []
        self.counts = dict.fromkeys(("joins", "leaves", "buffer_changes", "restarts", "kills", "pauses", "rate_questions", "status_questions",
                                     "monitors", "meters"), 0)
        self.paused = []

    def play(self):
        return f"play {random.choice([32, 48, 64, 128, 441, 512, 2048])} {random.choice([1, 2, 4, 16])}"

    def join(self):
        used = {program.channel for program in self.there}
        channel = next(number for number in range(FIRST, 64) if number not in used)
        commands = [self.play(), *random.sample(["monitor 8", "monitor 32", "meters"], random.randrange(3))]
        self.there.append(self.stage.add(channel, *commands, profile=random.choice([None, campaign.PROFILE])))
        self.counts["joins"] += 1

    def turn(self):
        for program in self.paused:
            program.signal(signal.SIGCONT)
        self.paused = []
        while len(self.there) < PROGRAMS - 1:
            self.join()
        program = random.choice(self.there)
        what = random.choice(["leave", "buffer", "buffer", "restart", "kill", "kill", "pause", "rate", "status", "ready", "monitor", "meters"])
        if what == "kill":
            self.there.remove(program)
            self.stage.kill(program)
            self.counts["kills"] += 1
            return
        if program.word("state") == campaign.FAILED:
            raise Broken(f"a program was refused: {program.last_words()}")
        if not program.obeyed():
            return
        if what == "leave":
            self.there.remove(program)
            self.stage.remove(program)
            if not program.leave():
                raise Broken(f"a program left with an error: {program.last_words()}")
            self.counts["leaves"] += 1
        elif what == "buffer":
            program.tell("dispose")
            program.tell(self.play())
            self.counts["buffer_changes"] += 1
        elif what == "restart":
            program.tell("stop")
            program.tell("start")
            self.counts["restarts"] += 1
        elif what == "pause":
            program.signal(signal.SIGSTOP)
            self.paused.append(program)
            self.counts["pauses"] += 1
        elif what == "rate":
            program.tell("rate 44100")
            self.counts["rate_questions"] += 1
        elif what == "status":
            program.tell("status")
            self.counts["status_questions"] += 1
        elif what == "monitor":
            program.tell(f"monitor {random.choice([0, 1, 8, 32])}")
            self.counts["monitors"] += 1
        elif what == "meters":
            program.tell("meters")
            self.counts["meters"] += 1
        else:
            program.tell("ready")

    def leave(self):
        for program in self.paused:
            program.signal(signal.SIGCONT)
        self.paused = []
        for program in self.there:
            wait_for(program.obeyed, "a program to do what it was told")
            self.stage.remove(program)
            if not program.leave():
                raise Broken(f"a program left with an error: {program.last_words()}")
            self.counts["leaves"] += 1
        self.there = []


def settle(stage, steady):
    """Everybody but the steady one is gone: until the engine let go of what they had."""
    blocks = steady.word("blocks")
    wait_for(lambda: steady.word("blocks") > blocks + 100, "the steady program to be called on")
    last = sample(stage.engine())
    for _ in range(20):
        time.sleep(0.1)
        now = sample(stage.engine())
        if now == last:
            break
        last = now
    return last


def slope(points, key):
    """Least squares, per hour."""
    count = len(points)
    if count < 2:
        return 0.0
    mean_x = sum(at for at, _ in points) / count
    mean_y = sum(numbers[key] for _, numbers in points) / count
    over = sum((at - mean_x) ** 2 for at, _ in points)
    return 3600 * sum((at - mean_x) * (numbers[key] - mean_y) for at, numbers in points) / over if over else 0.0


def judge(points, key):
    """First and last fifth of the points after the first fifth, in which the allocator's pools find their size."""
    settled = points[max(1, len(points) // 5):]
    fifth = max(1, len(settled) // 5)

    def median(some):
        return sorted(numbers[key] for _, numbers in some)[len(some) // 2]
    first, last = median(settled[:fifth]), median(settled[-fifth:])
    return {"first": first, "last": last, "slope_per_hour": round(slope(settled, key), 2), "flat": last - first <= SLACK[key]}


def plot(path, samples, points):
    data = path.with_suffix(".dat")
    data.write_text("".join(f"{at / 60:.3f} {numbers['rss_kib'] / 1024:.3f} {numbers['fds']} {numbers['threads']} {count}\n"
                            for at, count, numbers in samples))
    calm = path.with_suffix(".calm")
    calm.write_text("".join(f"{at / 60:.3f} {numbers['rss_kib'] / 1024:.3f} {numbers['fds']} {numbers['threads']}\n" for at, numbers in points))
    style = "with points pt 7 ps 0.7 lc rgb '#c0392b' title 'only the steady program'"
    script = f"""set terminal pngcairo size 1200,900 font 'DejaVu Sans,11'
set output '{path}'
set multiplot layout 3,1 title 'Engine during a soak: programs come, go and die' font ',14'
set grid lc rgb '#dddddd'; set key outside right top; set lmargin 10; set rmargin 30; set xrange [0:*]
set ylabel 'resident MiB'; set yrange [0:*]
plot '{data}' using 1:2 with lines lc rgb '#2c6fa6' title 'all programs', '{calm}' using 1:2 {style}
set ylabel 'descriptors'
plot '{data}' using 1:3 with lines lc rgb '#2c6fa6' title 'all programs', '{calm}' using 1:3 {style}
set ylabel 'threads'; set xlabel 'minutes'
plot '{data}' using 1:4 with lines lc rgb '#2c6fa6' title 'all programs', '{calm}' using 1:4 {style}, '{data}' using 1:5 with lines lc rgb '#7f8c8d' title 'programs there'
"""
    subprocess.run(["gnuplot"], input=script.encode(), check=True)
    for file in (data, calm):
        file.unlink()


class Run:
    """The steady program, those who come and go, and what was seen of the engine meanwhile."""

    def __init__(self, options):
        self.options = options
        self.length = 14 if options.short else options.minutes * 60
        self.calm = options.calm or (2.5 if options.short else 20)
        self.samples, self.points, self.problems = [], [], []  # (seconds, programs, numbers), (seconds, numbers), sentences

    def over(self, seconds):
        return len(self.points) >= self.options.rounds if self.options.rounds else seconds >= self.length

    def compare(self, stage, crowd, steady, started):
        crowd.leave()
        self.points.append((time.monotonic() - started, settle(stage, steady)))

    def all(self, stage, crowd, steady):
        engine, started = stage.engine(), time.monotonic()
        last_sample, next_calm = started, started + self.calm
        print(f"seed {self.options.seed}, engine {engine}")
        while not self.over(time.monotonic() - started):
            crowd.turn()
            now = time.monotonic()
            if stage.engine() != engine or steady.ended_by_itself() or steady.word("wrong"):
                raise Broken(f"the engine or the steady program ended; log: {stage.log()[-400:]}")
            if now - last_sample > 1:
                self.samples.append((now - started, len(crowd.there) + 1, sample(engine)))
                last_sample = now
            if now > next_calm:
                self.compare(stage, crowd, steady, started)
                next_calm = time.monotonic() + self.calm
                if len(self.points) % 15 == 0:
                    print(f"{(now - started) / 60:5.1f} min: {self.points[-1][1]}, {crowd.counts}", flush=True)
            time.sleep(random.uniform(0, 0.1))
        self.compare(stage, crowd, steady, started)
        self.length = time.monotonic() - started

    def verdicts(self):
        # in some seconds memory says nothing: every pool is still being filled
        keys = ("fds", "threads", "maps", "locked_kib") if self.options.short else KEYS
        found = {key: judge(self.points, key) for key in keys} if len(self.points) > 2 else {}
        self.problems += [f"{key} grew from {verdict['first']} to {verdict['last']}" for key, verdict in found.items() if not verdict["flat"]]
        if not found:
            self.problems.append("too short to compare anything")
        return found

    def report(self, crowd, told):
        verdicts = self.verdicts()
        return {"seed": self.options.seed, "minutes": round(self.length / 60, 2), "programs": PROGRAMS, **crowd.counts, **told,
                "points": len(self.points), "verdicts": verdicts, "problems": self.problems,
                "most_with_all": {key: max((numbers[key] for _, _, numbers in self.samples), default=0) for key in KEYS},
                "least_calm": {key: min((numbers[key] for _, numbers in self.points), default=0) for key in KEYS},
                "most_calm": {key: max((numbers[key] for _, numbers in self.points), default=0) for key in KEYS},
                "flat": bool(verdicts) and all(verdict["flat"] for verdict in verdicts.values())}


def main():
    parser = campaign.arguments("soak", __doc__, minutes=30, rounds="so many points of comparison instead")
    parser.add_argument("--calm", type=float, help="seconds between two points of comparison")
    options = parser.parse_args()
    random.seed(options.seed)
    run = Run(options)
    with Stage(TUTTI_SIM_FAULTS=FAULTS, TUTTI_DEVICE_PERIOD=64, TUTTI_SIM_FORMAT=random.choice(campaign.FORMATS)) as stage:
        crowd = Crowd(stage)
        told = {"crashes": 0}
        try:
            steady = stage.add(1, "play 256 2", "monitor 8", profile=campaign.PROFILE)
            wait_for(lambda: steady.obeyed() and steady.word("checked") > 0, "the steady program to play")
            run.all(stage, crowd, steady)
            told["reopenings"] = stage.status()["engine"]["reopenings"]
        except Broken as broken:
            told["crashes"] = 1
            run.problems.append(str(broken))
        told.update({f"steady_frames_{name}": steady.word(word) for name, word in
                     (("compared", "frames"), ("lost", "lost"), ("jumped", "jumped"), ("silent", "silent"), ("unheard", "unheard"))})
    report = run.report(crowd, told)
    campaign.write(options.out, report)
    if run.samples and run.points and not options.short:
        plot(options.out.with_suffix(".png"), run.samples, run.points)
    for key, verdict in report["verdicts"].items():
        print(f"  {key:10} {verdict['first']:8} -> {verdict['last']:8}  {verdict['slope_per_hour']:+8.1f} an hour")
    return campaign.judged(run.problems)


if __name__ == "__main__":
    sys.exit(main())
