#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run campaign kill: programs and engines die, again and again, and nobody else loses anything.

Four parts share the time. `stepped`: a clock that waits for the programs, so that a lost frame is the engine's fault and not the
machine's. `realtime`: a hard clock; beside each span with kills one without, for what the machine loses by itself.
`engines`: native programs, their engine killed or stopped. `hosts`: the same under two Windows hosts (tests/engine_kills.py).
"""
import os
import random
import re
import signal
import subprocess
import sys
import time

import campaign
from campaign import Broken, Stage, wait_for

SURVIVORS = [(1, 32), (2, 64), (3, 256), (4, 480), (5, 2048)]  # channel, buffer
CAUSES = ("late_program", "late_device", "late_machine", "missed_frames")  # of `tutti status --json`
FIRST_VICTIM = 10
HOST_KILLS = 10  # a round
WAYS = ("at once", "starting", "playing", "spinning", "stopped", "churning", "between ready and return", "late_take")


class Victims:
    """Programs that are started to be killed, each in another way."""

    def __init__(self, stage, count, hogs):
        self.stage = stage
        self.count = count
        self.hogs = hogs  # so many at once
        self.kills = dict.fromkeys(WAYS, 0)
        self.waiting = []  # (when to die, program, way)

    def start(self):
        used = {program.channel for _, program, _ in self.waiting}
        channel = next(number for number in range(FIRST_VICTIM, 64) if number not in used)
        way = random.choice(WAYS)
        hogs = [way for _, _, way in self.waiting if way.strip() in ("spinning", "stopped")]
        if way in ("spinning", "stopped") and len(hogs) >= self.hogs:
            way = "playing"
        commands = [f"play {random.choice([32, 64, 100, 256, 1024])} {random.choice([1, 2, 2, 8])}"]
        if way == "churning":
            commands = ["churn"]
        elif way == "between ready and return":
            commands.append("ready")
        elif way == "late_take":
            commands.insert(0, "late")
        commands += random.sample(["monitor 8", "monitor 32", "monitor 0", "meters"], random.randrange(3))
        program = self.stage.add(channel, *commands, profile=random.choice([None, campaign.PROFILE]))
        life = {"at once": 0.003, "starting": 0.02}.get(way, 0.4)
        self.waiting.append((time.monotonic() + random.uniform(0, life), program, way))

    def turn(self):
        """Lets those die whose time has come, and starts others."""
        now = time.monotonic()
        for entry in list(self.waiting):
            due, program, way = entry
            if now < due:
                continue
            self.waiting.remove(entry)
            if way in ("spinning", "stopped") and program.word("blocks"):
                if way == "spinning":
                    program.tell("spin")
                else:
                    program.signal(signal.SIGSTOP)
                self.waiting.append((now + random.uniform(0.02, 0.3), program, way + " "))
                continue
            self.stage.kill(program)
            self.kills[way.strip()] += 1
        while len(self.waiting) < self.count:
            self.start()

    def end(self):
        for _, program, way in self.waiting:
            self.stage.kill(program)
            self.kills[way.strip()] += 1
        self.waiting = []


def start_survivors(stage):
    survivors = [stage.add(channel, f"play {buffer} 2", f"monitor {channel}", profile=campaign.PROFILE if channel % 2 else None)
                 for channel, buffer in SURVIVORS]
    for program in survivors:
        wait_for(lambda program=program: program.obeyed() and program.word("checked") > 0, "a survivor to play")
    return survivors


def check_alive(stage, survivors, engine):
    for program in survivors:
        if program.ended_by_itself():
            raise Broken(f"a survivor ended by itself: {program.last_words()}")
        if program.word("state") == campaign.FAILED:
            raise Broken(f"a survivor was refused: {program.last_words()}")
        if program.word("wrong"):
            raise Broken("a survivor's position went backward, its halves did not alternate, or a buffer moved")
    if stage.engine() != engine:
        raise Broken(f"the engine ended by itself; its log: {stage.log()[-500:]}")


def blame(stage):
    """Survivors' blocks that were left out, by the cause that the engine counts them under, and what the device itself lost."""
    status = stage.status()
    survivors = [program for program in status["programs"] if program["name"] in {f"campaign {channel}" for channel, _ in SURVIVORS}]
    return {**{cause: sum(program[cause] for program in survivors) for cause in CAUSES}, "device_xruns": status["engine"]["device_xruns"]}


def kill_programs(seconds, with_kills, elastic, **settings):
    """One stage: survivors and, with_kills, victims. (frames lost, frames compared, kills by way, blocks left out by cause)."""
    if elastic:
        settings["TUTTI_SIM_ELASTIC_MS"] = 2000
    with Stage(TUTTI_DEVICE_PERIOD=64, TUTTI_SIM_FORMAT=random.choice(campaign.FORMATS), **settings) as stage:
        survivors = start_survivors(stage)
        engine = stage.engine()
        time.sleep(0.5)
        before, blamed = campaign.losses(survivors), blame(stage)
        # On a hard clock one hog at a time, on one of two processors; as many hogs as processors keep everybody from running until
        # the engine has taken their priority.
        victims = Victims(stage, 4, 2 if elastic else 1)
        until = time.monotonic() + seconds
        next_meters = 0
        while time.monotonic() < until:
            if with_kills:
                victims.turn()
            if time.monotonic() > next_meters:
                for program in survivors:
                    program.tell("meters")
                next_meters = time.monotonic() + 1
            check_alive(stage, survivors, engine)
            time.sleep(0.005)
        victims.end()
        time.sleep(0.3)
        check_alive(stage, survivors, engine)
        lost = campaign.losses(survivors) - before
        compared = sum(program.word("frames") for program in survivors)
        blocks = [program.word("blocks") for program in survivors]
        wait_for(lambda: all(program.word("blocks") > was for program, was in zip(survivors, blocks)), "calls to every survivor")
        causes = {cause: count - blamed[cause] for cause, count in blame(stage).items()}
        return lost, compared, victims.kills, causes


class EngineDeaths:
    """Kills and hangs of engines under native programs."""

    def __init__(self):
        self.kills = self.hangs = self.silent_hosts = 0
        self.silences_ms = {"kill": [], "hang": []}

    def run(self, seconds):
        with Stage(TUTTI_DEVICE_PERIOD=64) as stage:
            programs = start_survivors(stage)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                self.one(stage, programs)
            for program in programs:
                if program.word("wrong"):
                    raise Broken("a buffer moved, a position went backward or halves did not alternate when the engine died")

    def one(self, stage, programs):
        engine = stage.engine()
        way = random.choice(["kill", "kill", "kill", "hang", "kill twice", "kill with a program", "kill while joining"])
        extra = None
        if way in ("kill with a program", "kill while joining"):
            extra = stage.add(20, "play 128 2")
            if way == "kill with a program":
                wait_for(lambda: extra.obeyed() and extra.word("blocks") > 3, "one more program")
            else:
                time.sleep(random.uniform(0, 0.01))
        engines = {program: program.word("engines") for program in programs}
        began = time.monotonic()
        if way == "hang":
            os.kill(engine, signal.SIGSTOP)
            self.hangs += 1
        else:
            os.kill(engine, signal.SIGKILL)
            self.kills += 1
        if way == "kill with a program":
            stage.kill(extra)
            extra = None
        if way == "kill twice":
            # the successor, as soon as there is one: perhaps before anybody is joined to it again
            wait_for(lambda: stage.engine() not in (0, engine), "a successor")
            time.sleep(random.uniform(0, 0.02))
            second = stage.engine()
            if second:
                os.kill(second, signal.SIGKILL)
                self.kills += 1
        back = {}

        def all_back():
            for program in programs:
                if program.ended_by_itself():
                    raise Broken(f"a program ended when its engine died: {program.last_words()}")
                if program not in back and program.word("engines") > engines[program] and program.word("checked") > 0 and \
                        program.word("generation") and stage.engine():
                    back[program] = time.monotonic() - began
            return len(back) == len(programs)

        wait_for(all_back, f"all programs to play again after '{way}'", 20)
        self.silences_ms["hang" if way == "hang" else "kill"] += [1000 * value for value in back.values()]
        self.silent_hosts += sum(value > 2 for value in back.values())
        if way == "hang" and campaign.is_alive(engine):
            raise Broken("a hung engine was replaced but not ended")
        if extra:
            wait_for(lambda: extra.obeyed() and extra.word("blocks") > 3, "a program that joined while the engine was killed")
            if not extra.leave():
                raise Broken("a program that joined while the engine was killed failed")
            stage.remove(extra)
        time.sleep(random.uniform(0, 0.3))


def kill_under_hosts(command):
    """tests/engine_kills.py, in Wine: (hosts silent for over two seconds, what it said, what was wrong)."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, end="")
    silent = sum(float(value) > 2000 for value in re.findall(r"(\d+) ms \(most\)", done.stdout))
    wrong = [f"Windows hosts: {line.strip()}" for line in done.stdout.splitlines() if "WRONG" in line]
    if done.returncode and not wrong:
        wrong = [f"Windows hosts ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}"]
    return silent, done.stdout.strip().splitlines(), wrong


class Run:
    """All rounds, and what is reported."""

    def __init__(self, options):
        self.options = options
        self.rounds = options.rounds or (1 if options.short else max(1, round(options.minutes)))
        self.scale = 0.2 if options.short else 1  # a round takes a minute; the short form a quarter of one
        self.deaths = EngineDeaths()
        self.problems = []
        self.report = {"seed": options.seed, "rounds": 0, "program_kills": 0, "engine_kills": 0, "engine_hangs": 0,
                       "survivor_frames_lost_stepped": 0, "survivor_frames_lost_realtime": 0, "control_frames_lost": 0,
                       "hosts_silent_over_2s": 0, "crashes": 0, "frames_compared_stepped": 0, "frames_compared_realtime": 0,
                       "frames_compared_control": 0, "ways": dict.fromkeys(WAYS, 0), "left_out": {}, "windows_hosts": []}

    def programs(self):
        report = self.report
        for part, with_kills, elastic in (("stepped", True, True), ("realtime", True, False), ("control", False, False)):
            lost, compared, kills, causes = kill_programs((18 if part == "stepped" else 10) * self.scale, with_kills, elastic)
            report["control_frames_lost" if part == "control" else f"survivor_frames_lost_{part}"] += lost
            report[f"frames_compared_{part}"] += compared
            for cause, count in causes.items():
                blamed = report["left_out"].setdefault(part, {})
                blamed[cause] = blamed.get(cause, 0) + count
            report["program_kills"] += sum(kills.values())
            for way, count in kills.items():
                report["ways"][way] += count

    def hosts(self):
        silent, said, wrong = kill_under_hosts([sys.executable, campaign.TOP / "tests/engine_kills.py", str(HOST_KILLS)])
        self.report["engine_kills"] += HOST_KILLS
        self.report["hosts_silent_over_2s"] += silent
        self.report["windows_hosts"] += said
        self.problems += wrong

    def one(self, number):
        report = self.report
        self.programs()
        self.deaths.run(10 * self.scale)
        if not self.options.short and not self.options.no_wine:
            self.hosts()
        report["rounds"] = number
        print(f"round {number}: {report['program_kills']} programs and {report['engine_kills'] + self.deaths.kills} engines killed, "
              f"{self.deaths.hangs} hung; lost: stepped {report['survivor_frames_lost_stepped']}, real time "
              f"{report['survivor_frames_lost_realtime']}, without kills {report['control_frames_lost']}", flush=True)

    def all(self):
        report, deaths, started = self.report, self.deaths, time.monotonic()
        try:
            for number in range(self.rounds):
                self.one(number + 1)
        except Broken as broken:
            report["crashes"] += 1
            self.problems.append(str(broken))
        report["engine_kills"] += deaths.kills
        report["engine_hangs"] = deaths.hangs
        report["hosts_silent_over_2s"] += deaths.silent_hosts
        report["silence_after_kill_ms"] = campaign.quantiles(deaths.silences_ms["kill"])
        report["silence_after_hang_ms"] = campaign.quantiles(deaths.silences_ms["hang"])
        report["seconds"] = round(time.monotonic() - started)
        if report["survivor_frames_lost_stepped"]:
            self.problems.append(f"survivors lost {report['survivor_frames_lost_stepped']} frames on the clock that waits")
        if report["hosts_silent_over_2s"]:
            self.problems.append(f"{report['hosts_silent_over_2s']} times a host heard nothing for over two seconds")
        if not report["program_kills"] or not deaths.kills:
            self.problems.append("nothing was killed")
        report["problems"] = self.problems
        return report


def main():
    parser = campaign.arguments("kill", __doc__)
    parser.add_argument("--no-wine", action="store_true", help="without the Windows hosts")
    options = parser.parse_args()
    random.seed(options.seed)
    run = Run(options)
    print(f"seed {options.seed}, {run.rounds} rounds")
    campaign.write(options.out, run.all())
    return campaign.judged(run.problems)


if __name__ == "__main__":
    sys.exit(main())
