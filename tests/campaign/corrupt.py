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
REAL_TIME_S = 10
LEAK_S = 30                            # until the engine has let go of what it had of those who went
RESET_ON_FORK = 0x40000000             # SCHED_RESET_ON_FORK, which the scheduler's number may carry
BELIEVED, SHUT_OUT = 3, 4              # hostile.c's status: the engine took a lie; it did not let the attacker in
# what may go wrong, one field of the report each
CAUSES = ("engine_crashes", "engine_hangs", "others_disturbed", "lies_believed", "leaks", "client_crashes", "attackers_failed")


class Wrong(Broken):
    """A promise that was broken, by cause."""

    def __init__(self, cause, text):
        super().__init__(text)
        self.cause = cause


def attacks():
    hostile = campaign.TOP / "build/native/tests/campaign/campaign_hostile"
    listed = subprocess.run([hostile, "--list"], capture_output=True, text=True, check=True).stdout
    return dict(line.split("\t") for line in listed.splitlines())


def resources(pid):
    """Descriptors and threads."""
    return len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


def scheduler(thread):
    return os.sched_getscheduler(thread) & ~RESET_ON_FORK


class Neighbours:
    """The programs beside which an attack happens."""

    def __init__(self, stage):
        self.stage = stage
        profiles = (None, campaign.PROFILE, None)
        self.programs = [stage.add(channel, f"play {buffer} 2", f"monitor {channel}", profile=profile)
                         for (channel, buffer), profile in zip(GOOD, profiles)]
        for program in self.programs:
            wait_for(lambda program=program: program.obeyed() and program.word("checked") > 0, "a neighbour to play")
        self.engine = stage.engine()
        time.sleep(0.1)
        self.lost = self.losses()
        self.resources = resources(self.engine)
        self.real_time = [self.scheduled(program) == os.SCHED_FIFO for program in self.programs]
        if os.geteuid() == 0 and not all(self.real_time):
            raise Wrong("others_disturbed", "a neighbour does not play at real-time priority")

    def losses(self):
        return campaign.losses(self.programs) + sum(program.word("wrong") for program in self.programs)

    def callback_thread(self, program):
        """The real-time one of a neighbour; 0: there is none."""
        for task in os.listdir(f"/proc/{program.process.pid}/task"):
            with open(f"/proc/{program.process.pid}/task/{task}/comm", encoding="ascii") as file:
                if file.read().strip() == "tutti-callback":
                    return int(task)
        return 0

    def scheduled(self, program):
        thread = self.callback_thread(program)
        if not thread:
            raise Wrong("others_disturbed", "a neighbour has no callback thread any more")
        return scheduler(thread)

    def check_engine(self):
        """It is the one that was there, and calls on everybody."""
        if self.stage.engine() != self.engine:
            raise Wrong("engine_crashes", f"the engine is gone; its log: {self.stage.log()[-600:]}")
        blocks = [program.word("blocks") for program in self.programs]

        def called():
            return [program.word("blocks") > was + 1 for program, was in zip(self.programs, blocks)]
        try:
            wait_for(lambda: all(called()), "calls to the neighbours")
        except Broken as broken:
            if self.stage.engine() != self.engine:
                raise Wrong("engine_crashes", f"the engine ended; its log: {self.stage.log()[-600:]}") from broken
            raise Wrong("others_disturbed" if any(called()) else "engine_hangs", str(broken)) from broken

    def check_others(self):
        """Nobody ended, was demoted, or lost a frame since the last look."""
        for program, real_time in zip(self.programs, self.real_time):
            if program.ended_by_itself():
                raise Wrong("others_disturbed", f"a neighbour ended: {program.last_words()}")
            if program.word("state") == campaign.FAILED:
                raise Wrong("others_disturbed", f"a neighbour was refused: {program.last_words()}")
            if real_time and self.scheduled(program) != os.SCHED_FIFO:
                raise Wrong("others_disturbed", f"the thread of the neighbour with channel {program.channel} was demoted")
        losses = self.losses()
        if losses != self.lost:
            lost, self.lost = losses - self.lost, losses
            raise Wrong("others_disturbed", f"{lost} frames of neighbours were lost")

    def check_leaks(self):
        """Descriptors and threads that the engine keeps of those who went."""
        deadline = time.monotonic() + LEAK_S
        while True:
            now = resources(self.engine)
            if all(count <= before for count, before in zip(now, self.resources)):
                return
            if time.monotonic() > deadline:
                raise Wrong("leaks", f"the engine holds {now} descriptors and threads, {self.resources} before")
            time.sleep(0.05)

    def meet_a_new_one(self):
        """Somebody else is let in, and out."""
        fresh = self.stage.add(5, "play 256 2", "meters", "status", profile=campaign.PROFILE)
        try:
            wait_for(lambda: fresh.obeyed() and fresh.word("checked") > 0, "a new program to be let in")
        except Broken as broken:
            raise Wrong("engine_hangs", str(broken)) from broken
        self.stage.remove(fresh)
        if not fresh.leave():
            raise Wrong("others_disturbed", "a new program failed")


def start_attack(stage, neighbours, name, seed):
    threads = [str(neighbours.callback_thread(program)) for program in neighbours.programs]
    return subprocess.Popen([stage.build / "tests/campaign/campaign_hostile", name, str(seed), *threads], env=stage.environment,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def attack_once(stage, neighbours, name, seed):
    """What the attacker tells of it as (cause, text); None: it found nothing. Judges nothing else."""
    process = start_attack(stage, neighbours, name, seed)
    try:
        _, said = process.communicate(timeout=ATTACK_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "engine_hangs", f"the attacker was not answered within {ATTACK_S} s"
    # an engine may throw it out in the middle; what it may never do is believe a lie
    if process.returncode in (0, -signal.SIGPIPE):
        return None
    cause = {BELIEVED: "lies_believed", SHUT_OUT: "engine_hangs"}.get(process.returncode, "attackers_failed")
    return cause, f"{said.decode(errors='replace').strip()[-300:]} (status {process.returncode})"


def attack_and_look(stage, neighbours, name, seed):
    """One round. The engine is looked at whatever the attacker told: that it was shut out may be because the engine died."""
    try:
        told = attack_once(stage, neighbours, name, seed)
        neighbours.check_engine()
        neighbours.check_others()
        if told:
            raise Wrong(*told)
    except Wrong as wrong:
        raise Wrong(wrong.cause, f"{name} --seed {seed}: {wrong}") from wrong


def serve_badly(options, seed):
    """A good program under a bad engine: it lives, and plays with the next one."""
    with Stage(tuttid=options.tuttid, TUTTI_DEVICE_PERIOD=64) as stage:
        bad = subprocess.Popen([stage.build / "tests/campaign/campaign_hostile_engine", str(seed)], env=stage.environment,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            bad.stdout.readline()
            program = stage.add(1, "play 128 2", "monitor 3")
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


def lost_in_real_time(options, name):
    """Blocks that neighbours lose in REAL_TIME_S on the system's clock beside one attack that goes on (None: beside nothing)."""
    with Stage(tuttid=options.tuttid, TUTTI_DEVICE_PERIOD=64, TUTTI_ATTACK_MS=REAL_TIME_S * 1000) as stage:
        neighbours = Neighbours(stage)
        time.sleep(1)
        before = [program.word("lost") for program in neighbours.programs]
        started = time.monotonic()
        attacker = start_attack(stage, neighbours, name, options.seed) if name else None
        time.sleep(max(0, started + REAL_TIME_S - time.monotonic()))
        if attacker:
            attacker.kill()
            attacker.communicate()
        neighbours.check_engine()
        frames = (program.word("lost") - was for program, was in zip(neighbours.programs, before))
        return sum(-(-lost // buffer) for lost, (_, buffer) in zip(frames, GOOD))


def real_time(options):
    """The table for --real-time. It judges nothing: on a machine that stalls, neighbours lose blocks beside no attack at all."""
    for name in [None, *([options.only] if options.only else attacks())]:
        try:
            said = f"{lost_in_real_time(options, name)} blocks"
        except Broken as broken:
            said = str(broken)
        print(f"{name or 'no attack':22} {said}", flush=True)
    return 0


class Run:
    """All rounds: what is attacked next, when it ends, and what is reported."""

    def __init__(self, options):
        self.options = options
        self.names = [options.only] if options.only else list(attacks())
        self.started = time.monotonic()
        bounded = options.rounds or options.short
        self.until = float("inf") if bounded else self.started + options.minutes * 60
        self.most = options.rounds or (len(self.names) if options.short else float("inf"))
        self.problems = []
        self.report = {"seed": options.seed, "rounds": 0, **dict.fromkeys(CAUSES, 0), "attacks": {}}

    def over(self):
        return bool(self.problems) or self.report["rounds"] >= self.most or time.monotonic() >= self.until

    def next(self):
        """Name and seed of an attack; counted."""
        name = self.names[self.report["rounds"] % len(self.names)] if self.options.short else random.choice(self.names)
        self.report["rounds"] += 1
        self.count(name)
        return name, random.randrange(10**9)

    def count(self, name):
        self.report["attacks"][name] = self.report["attacks"].get(name, 0) + 1

    def note(self, broken):
        self.report[getattr(broken, "cause", "others_disturbed")] += 1
        self.problems.append(str(broken))

    def stage(self):
        """One engine: attacks on it, until it has seen enough of them."""
        settings = {"TUTTI_SIM_FORMAT": random.choice(campaign.FORMATS), **self.options.settings}
        with Stage(tuttid=self.options.tuttid, TUTTI_SIM_ELASTIC_MS=400, TUTTI_DEVICE_PERIOD=64, **settings) as stage:
            try:
                neighbours = Neighbours(stage)
                for number in range(ROUNDS_A_STAGE):
                    if self.over():
                        break
                    attack_and_look(stage, neighbours, *self.next())
                    if number % 10 == 9:
                        neighbours.meet_a_new_one()
                neighbours.check_leaks()
            except Broken as broken:
                self.note(broken)

    def bad_engine(self):
        self.count("bad engine")
        try:
            serve_badly(self.options, random.randrange(10**9))
        except (Broken, subprocess.TimeoutExpired) as broken:
            self.note(Wrong("client_crashes", f"bad engine: {broken}"))

    def all(self):
        while not self.over():
            self.stage()
            if not self.problems and not self.options.only:
                self.bad_engine()
            print(f"{(time.monotonic() - self.started) / 60:5.1f} min: {self.report['rounds']} rounds", flush=True)
        self.report["seconds"] = round(time.monotonic() - self.started)
        self.report["problems"] = self.problems
        return self.report


def main():
    parser = campaign.arguments("corrupt", __doc__)
    parser.add_argument("--only", help="one attack of the table")
    parser.add_argument("--tuttid", help="another engine, one with sanitizers say")
    parser.add_argument("--list", action="store_true", help="the table of attacks")
    parser.add_argument("--real-time", action="store_true", help="blocks that neighbours lose in 10 s beside each attack, on the system's clock")
    parser.set_defaults(settings={})
    options = parser.parse_args()
    random.seed(options.seed)
    table = attacks()
    if options.list:
        for name, what in table.items():
            print(f"{name:22} {what}")
        return 0
    if options.real_time:
        return real_time(options)
    run = Run(options)
    report = run.all()
    campaign.write(options.out, report)
    for name in sorted(report["attacks"]):
        print(f"  {report['attacks'][name]:6} {name:22} {table.get(name, 'an engine that scribbles, lies and vanishes')}")
    return campaign.judged(run.problems)


if __name__ == "__main__":
    sys.exit(main())
