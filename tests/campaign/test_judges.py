#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The campaigns' judgement: each way in which a promise can be broken is arranged once, and must be found and counted by its cause."""
import argparse
import os
import sys

import campaign
import corrupt
import kill
from campaign import Stage

WEAK = campaign.TOP / "build/native/tests/campaign/campaign_weak_engine"
SECONDS = 2


def attacked(weakness, attack):
    """The report of one attack on an engine that is weak there."""
    options = argparse.Namespace(seed=1, only=attack, tuttid=WEAK, rounds=1, short=False, minutes=1, settings={"TUTTI_WEAKNESS": weakness})
    return corrupt.Run(options).all()


def expect_cause(weakness, attack, cause):
    report = attacked(weakness, attack)
    found = {name: report[name] for name in corrupt.CAUSES if report[name]}
    assert found == {cause: 1}, f"{weakness} under {attack} is told as {found}, not as {cause}: {report['problems']}"
    assert report["problems"] and attack in report["problems"][0] or cause == "leaks", report["problems"]


def an_engine_that_dies_of_a_message_is_a_crash():
    expect_cause("abort", "messages", "engine_crashes")


def an_engine_that_dies_while_the_attacker_connects_is_a_crash():
    expect_cause("abort", "lying-sizes", "engine_crashes")


def an_engine_that_answers_nobody_is_hung():
    expect_cause("deaf", "lying-sizes", "engine_hangs")


def an_engine_that_takes_anything_for_a_segment_believes_lies():
    expect_cause("believe", "wrong-handles", "lies_believed")


def a_thread_that_is_kept_is_a_leak():
    expect_cause("threads", "messages", "leaks")


def a_descriptor_that_is_kept_is_a_leak():
    expect_cause("descriptors", "messages", "leaks")


def a_good_engine_is_told_nothing_bad_of():
    report = attacked("none", "lying-sizes")
    assert not report["problems"] and not any(report[cause] for cause in corrupt.CAUSES), report


def found_wrong(cause, look):
    try:
        look()
    except corrupt.Wrong as wrong:
        assert wrong.cause == cause, wrong.cause
        return
    raise AssertionError(f"nothing was found where {cause} had to be")


def each_neighbour_is_looked_at():
    with Stage(TUTTI_SIM_ELASTIC_MS=400, TUTTI_DEVICE_PERIOD=64) as stage:
        neighbours = corrupt.Neighbours(stage)
        neighbours.check_others()
        descriptors, threads = neighbours.resources
        neighbours.resources = (descriptors + 1, threads - 1)
        found_wrong("leaks", neighbours.check_leaks)
        if all(neighbours.real_time):
            for program in neighbours.programs:
                thread = neighbours.callback_thread(program)
                before = os.sched_getparam(thread)
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
                found_wrong("others_disturbed", neighbours.check_others)
                os.sched_setscheduler(thread, os.SCHED_FIFO, before)
        neighbours.check_others()
        program = neighbours.programs[-1]
        stage.remove(program)
        program.process.kill()
        program.process.wait()
        found_wrong("others_disturbed", neighbours.check_others)
        program.forget()


def silence_and_gaps_count_as_lost():
    for faults in ("at 1500 unplug;at 1500 replug 100", "at 1500 lose 64"):
        lost, compared, _, _ = kill.kill_programs(SECONDS, False, True, TUTTI_SIM_FAULTS=faults)
        assert lost > 0, f"{faults}: nothing was lost of {compared}"
    lost, compared, _, _ = kill.kill_programs(SECONDS, False, True)
    assert lost == 0 and compared > 0, f"{lost} of {compared} frames were lost without a fault"


def a_windows_host_that_fails_is_told():
    for said, status in (("echo 'host: sound again after 90 ms (median), 116 ms (most)'; echo '  WRONG: got 0 resets'", 1), ("echo 'no wine' >&2", 3)):
        _, _, wrong = kill.kill_under_hosts(["sh", "-c", f"{said}; exit {status}"])
        assert len(wrong) == 1, wrong
    silent, _, wrong = kill.kill_under_hosts(["sh", "-c", "echo 'host: 90 ms (median), 2116 ms (most)'"])
    assert silent == 1 and not wrong


def main():
    corrupt.LEAK_S = 0.5
    campaign.WAIT_S = 8
    cases = (an_engine_that_dies_of_a_message_is_a_crash, an_engine_that_dies_while_the_attacker_connects_is_a_crash,
             an_engine_that_answers_nobody_is_hung, an_engine_that_takes_anything_for_a_segment_believes_lies, a_thread_that_is_kept_is_a_leak,
             a_descriptor_that_is_kept_is_a_leak, a_good_engine_is_told_nothing_bad_of, each_neighbour_is_looked_at,
             silence_and_gaps_count_as_lost, a_windows_host_that_fails_is_told)
    for case in cases:
        if len(sys.argv) > 1 and sys.argv[1] not in case.__name__:
            continue
        case()
        print(f"ok {case.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
