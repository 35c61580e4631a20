# SPDX-License-Identifier: MIT
"""The judge of ./run bench cycle on records made here: what it counts as missed, and what it leaves out."""

import os
import sys
import unittest

try:
    import numpy
except ImportError:
    print("there is no numpy here")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import cycle_judge  # noqa: E402

FRAMES, PERIOD = 48, 1000000  # of a rate of 48,000: a millisecond


def timers(cycles):
    return numpy.array([(n * PERIOD, n * PERIOD + 5000) for n in cycles])


def table(cycles, call=20000, done=50000):
    return numpy.array([(n, n * PERIOD + call, n * PERIOD + done) for n in cycles])


class Judge(unittest.TestCase):
    def test_all_is_well(self):
        judged = cycle_judge.judge([table(range(10)), table(range(10), done=70000)], timers(range(10)), FRAMES)
        self.assertEqual((judged["cycles"], judged["expected"], judged["missed"], judged["somebody_missing"]), (10, 10, 0, 0))
        self.assertEqual(judged["last_done_us"]["median"], 70)
        self.assertEqual(judged["server_awake_us"]["median"], 5)
        self.assertEqual(judged["first_call_us"]["median"], 20)

    def test_a_cycle_without_one_program_is_missed_and_has_no_time(self):
        other = table([n for n in range(10) if n != 4], done=900000)
        judged = cycle_judge.judge([table(range(10), done=901000), other], timers(range(10)), FRAMES)
        self.assertEqual((judged["cycles"], judged["missed"], judged["somebody_missing"]), (9, 1, 1))

    def test_each_cycle_that_the_server_left_out_is_missed(self):
        """However it numbers them: here it goes on counting as if nothing had been."""
        clock = [n for n in range(20) if n not in (7, 8, 9)]
        rows = numpy.array([(number, n * PERIOD + 20000, n * PERIOD + 50000) for number, n in enumerate(clock)])
        judged = cycle_judge.judge([rows, rows], timers(clock), FRAMES)
        self.assertEqual((judged["cycles"], judged["expected"], judged["missed"], judged["somebody_missing"]), (17, 20, 3, 0))
        self.assertEqual(judged["longest_gap_ms"], 4)

    def test_a_server_that_sleeps_too_long_is_told_from_late_programs(self):
        clock = timers(range(10))
        clock[4, 1] += 3 * PERIOD
        judged = cycle_judge.judge([table([0, 1, 2, 3, 7, 8, 9])], clock[[0, 1, 2, 3, 4, 7, 8, 9]], FRAMES)
        self.assertEqual((judged["missed"], judged["overslept"]), (3, 3))
        self.assertEqual(cycle_judge.judge([table([0, 1, 2, 3, 7, 8, 9])], timers(range(10)), FRAMES)["overslept"], 0)

    def test_programs_read_at_different_times_miss_nothing(self):
        """With many programs the last one's records begin and end later than the first one's."""
        judged = cycle_judge.judge([table(range(3 * n, 100 + 3 * n)) for n in range(8)], timers(range(130)), FRAMES)
        self.assertEqual((judged["cycles"], judged["expected"], judged["missed"]), (79, 79, 0))

    def test_rounds_are_summed_up(self):
        rounds = [{"last_done_us": {"median": value, "p99": value}, "missed": missed, "somebody_missing": 0, "overslept": missed, "expected": 100,
                   "processor_percent": {"all": value, "server": value}, "switches_per_cycle": value} for value, missed in ((2, 0), (4, 9), (8, 1))]
        summary = cycle_judge.summary(rounds)
        self.assertEqual(summary["last_done_p99_us"], {"median": 4, "min": 2, "max": 8})
        self.assertEqual((summary["missed_cycles"], summary["missed_most_in_a_round"], summary["expected_cycles"]), (10, 9, 300))
        ratios = cycle_judge.ratios(rounds, rounds[::-1])
        self.assertEqual(ratios["processor"], {"median": 1, "min": 0.25, "max": 4})


if __name__ == "__main__":
    unittest.main(verbosity=2)
