#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./run campaign corrupt: everything that a program can write is corrupted while others play, and nobody but the culprit suffers.

Each round is one attack of a process of its own (tests/campaign/hostile.c has the table) beside programs that check every frame, on a clock
that waits for the programs, so that each lost frame is somebody's fault. Now and then the roles change: an engine that means harm
(hostile_engine.c) serves a good program, which must live on and play with the next engine.
"""
import os
import random
import signal
import subprocess
import sys
import time

import campaign
from campaign import WAIT_S, Broken, Stage, wait_for

GOOD = [(1, 64), (2, 128), (3, 1000)]  # channel, buffer
ROUNDS_A_STAGE = 60                    # then an engine of its own again
ATTACK_S = 30


def attacks(stage):
    listed = subprocess.run([stage.build / "tests/campaign/campaign_hostile", "--list"], capture_output=True, text=True, check=True).stdout
    return dict(line.split("\t") for line in listed.splitlines())


def resources(pid):
    return len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


class Neighbours:
    """The programs beside which an attack happens."""

    def __init__(self, stage):
        self.stage = stage
        self.programs = [stage.add(channel, f"play {buffer} 2") for channel, buffer in GOOD]
        for program in self.programs:
            wait_for(lambda program=program: program.obeyed() and program.word("checked") > 0, "a neighbour to play")
        self.engine = stage.engine()
        time.sleep(0.1)
        self.lost = self.losses()
        self.resources = resources(self.engine)
        self.threads = [program.word("thread") for program in self.programs]

    def losses(self):
        return sum(program.word("lost") + program.word("wrong") for program in self.programs)

    def callback_threads(self):
        """The real-time ones of the neighbours."""
        found = []
        for program in self.programs:
            for task in os.listdir(f"/proc/{program.process.pid}/task"):
                with open(f"/proc/{program.process.pid}/task/{task}/comm", encoding="ascii") as file:
                    if file.read().strip() == "tutti-callback":
                        found.append(int(task))
        return found

    def disturbed(self):
        """What became worse for somebody else since the last look; "" when nothing did."""
        for program in self.programs:
            if program.ended_by_itself():
                return f"a neighbour ended: {program.last_words()}"
            if os.sched_getscheduler(self.callback_threads()[0]) & ~0x40000000 != os.SCHED_FIFO and os.geteuid() == 0:
                return "a neighbour's thread was demoted"
        blocks = [program.word("blocks") for program in self.programs]
        wait_for(lambda: all(program.word("blocks") > was + 1 for program, was in zip(self.programs, blocks)), "calls to the neighbours")
        losses = self.losses()
        if losses != self.lost:
            lost, self.lost = losses - self.lost, losses
            return f"{lost} frames of neighbours were lost"
        return ""

    def leaks(self):
        """Descriptors or threads that the engine keeps of those who went."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            now = resources(self.engine)
            if now <= self.resources:
                return ""
            time.sleep(0.05)
        return f"the engine holds {now} descriptors and threads, {self.resources} before"


def attack_once(stage, neighbours, name, seed):
    """True: it went as it must."""
    threads = [str(thread) for thread in neighbours.callback_threads()]
    process = subprocess.Popen([stage.build / "tests/campaign/campaign_hostile", name, str(seed), *threads], env=stage.environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, said = process.communicate(timeout=ATTACK_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Broken(f"{name}: the attacker was not answered within {ATTACK_S} s") from None
    # an engine may throw it out in the middle; what it may never do is believe a lie
    if process.returncode not in (0, -signal.SIGPIPE):
        raise Broken(f"{name}: {said.decode(errors='replace').strip()[-300:]} (status {process.returncode})")


def serve_badly(options, seed):
    """A good program under a bad engine: it lives, and plays with the next one."""
    with Stage(tuttid=options.tuttid, TUTTI_DEVICE_PERIOD=64) as stage:
        bad = subprocess.Popen([stage.build / "tests/campaign/campaign_hostile_engine", str(seed)], env=stage.environment,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            bad.stdout.readline()
            program = stage.add(1, "play 128 2")
            bad.wait(ATTACK_S)
            wait_for(lambda: program.obeyed() and program.word("checked") > 1000, "a program to play after a bad engine")
            if program.word("wrong"):
                raise Broken("a bad engine moved a program's position backward or its buffers")
            if not program.leave():
                raise Broken(f"a program failed after a bad engine: {program.last_words()}")
            stage.remove(program)
        finally:
            bad.kill()
            bad.wait()
            bad.stdout.close()


def main():
    parser = campaign.arguments("corrupt", __doc__)
    parser.add_argument("--only", help="one attack of the table")
    parser.add_argument("--tuttid", help="another engine, one with sanitizers say")
    parser.add_argument("--list", action="store_true", help="the table of attacks")
    options = parser.parse_args()
    random.seed(options.seed)
    report = {"seed": options.seed, "rounds": 0, "engine_crashes": 0, "others_disturbed": 0, "engine_hangs": 0, "client_crashes": 0, "leaks": 0,
              "attacks": {}}
    problems = []
    started = time.monotonic()
    probe = Stage()
    table = attacks(probe)
    probe.__exit__()
    if options.list:
        for name, what in table.items():
            print(f"{name:22} {what}")
        return 0
    until = started + (1e9 if options.rounds or options.short else options.minutes * 60)
    most = options.rounds or (len(table) + 2 if options.short else 10**9)
    names = list(table)
    print(f"seed {options.seed}, {len(names)} attacks")
    while report["rounds"] < most and time.monotonic() < until and not problems:
        with Stage(tuttid=options.tuttid, TUTTI_DEVICE_PERIOD=64, TUTTI_SIM_ELASTIC_MS=400) as stage:
            try:
                neighbours = Neighbours(stage)
                for number in range(ROUNDS_A_STAGE):
                    if report["rounds"] >= most or time.monotonic() >= until:
                        break
                    name = options.only or names[report["rounds"] % len(names) if options.short else random.randrange(len(names))]
                    seed = random.randrange(10**9)
                    report["rounds"] += 1
                    report["attacks"][name] = report["attacks"].get(name, 0) + 1
                    attack_once(stage, neighbours, name, seed)
                    if stage.engine() != neighbours.engine:
                        report["engine_crashes"] += 1
                        raise Broken(f"{name} --seed {seed}: the engine is gone; log: {stage.log()[-600:]}")
                    what = neighbours.disturbed()
                    if what:
                        report["others_disturbed"] += 1
                        raise Broken(f"{name} {seed}: {what}")
                    if number % 10 == 9:
                        fresh = stage.add(5, "play 256 2")
                        wait_for(lambda fresh=fresh: fresh.obeyed() and fresh.word("checked") > 0, "a new program to be let in")
                        stage.remove(fresh)
                        if not fresh.leave():
                            raise Broken("a new program failed")
                what = neighbours.leaks()
                if what:
                    report["leaks"] += 1
                    raise Broken(what)
            except Broken as broken:
                problems.append(str(broken))
                if "in vain" in str(broken) or "not answered" in str(broken):
                    report["engine_hangs"] += 1
        if not problems:
            try:
                serve_badly(options, random.randrange(10**9))
                report["attacks"]["bad engine"] = report["attacks"].get("bad engine", 0) + 1
            except Broken as broken:
                report["client_crashes"] += 1
                problems.append(f"bad engine: {broken}")
        print(f"{(time.monotonic() - started) / 60:5.1f} min: {report['rounds']} rounds", flush=True)
    report["seconds"] = round(time.monotonic() - started)
    report["others_disturbed"] += report["client_crashes"]
    campaign.write(options.out, report)
    for name in sorted(report["attacks"]):
        print(f"  {report['attacks'][name]:6} {name:22} {table.get(name, 'an engine that scribbles, lies and vanishes')}")
    return campaign.judged(problems)


if __name__ == "__main__":
    sys.exit(main())
