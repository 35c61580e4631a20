# SPDX-License-Identifier: MIT
"""The judge of ./run bench wine on records made here: jitter, late and missed callbacks, ratios, and what the table says."""

import os
import sys
import unittest

try:
    import numpy
except ImportError:
    print("there is no numpy here")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import wine_judge  # noqa: E402
import wine_report  # noqa: E402

FRAMES, PERIOD = 48, 1000000  # of a rate of 48,000: a millisecond


def begins(steps):
    """Times from steps in periods."""
    return numpy.concatenate([[0], numpy.cumsum(numpy.array(steps) * PERIOD)]).astype(numpy.int64)


def judge(*hosts, seconds=0.1, **more):
    return wine_judge.judge(FRAMES, [begins(steps) for steps in hosts], seconds, {"host": 2000000, "engine": 1000000}, **more)


class Judge(unittest.TestCase):
    def test_a_steady_host_is_neither_late_nor_misses(self):
        judged = judge([1] * 100)
        self.assertEqual((judged["late_callbacks"], judged["missed_callbacks"], judged["callbacks"], judged["expected_callbacks"]), (0, 0, 100, 100))
        self.assertEqual(judged["jitter_us"], {"median": 0, "p99": 0, "p99_9": 0})
        self.assertEqual((judged["cpu_us_per_callback"], judged["cpu_us_by_process"]), (30, {"engine": 10, "host": 20}))
        self.assertAlmostEqual(judged["cpu_percent"], 3)
        self.assertIsNone(judged["xruns"])

    def test_late_by_more_than_half_a_period_is_late_and_misses_nothing_when_it_catches_up(self):
        judged = judge([1] * 49 + [1.6, 0.4] + [1] * 49)
        self.assertEqual((judged["late_callbacks"], judged["missed_callbacks"]), (1, 0))
        self.assertAlmostEqual(judged["jitter_us"]["p99_9"], 600, delta=60)

    def test_each_callback_that_never_came_is_missed(self):
        """In the middle, of either host; one is not forgiven for the other."""
        judged = judge([1] * 40 + [4] + [1] * 56, [1] * 100)
        self.assertEqual((judged["late_callbacks"], judged["missed_callbacks"], judged["late_and_missed"]), (1, 3, 4))

    def test_a_host_that_is_not_called_any_more_misses_the_rest(self):
        judged = judge([1] * 1000, [1] * 100, seconds=1)
        self.assertEqual(judged["missed_callbacks"], 900)

    def test_a_late_callback_is_shared_when_the_others_was_late_then_too(self):
        ours, theirs = begins([1] * 20 + [3] + [1] * 20 + [3] + [1] * 5), begins([1] * 20 + [3] + [1] * 30)
        self.assertEqual(wine_judge.shared([ours], [theirs], FRAMES, PERIOD), 0.5)
        self.assertEqual(wine_judge.shared([theirs], [ours], FRAMES, PERIOD), 1)
        self.assertIsNone(wine_judge.shared([begins([1] * 9)], [theirs], FRAMES, PERIOD))

    def test_ratios_are_of_every_figure(self):
        trip = {"reported": 64, "measured": [64, 64]}
        rough = judge([1] * 49 + [3.7] + [0.9] * 10 + [1] * 30, xruns=6, round_trip=trip)
        calm = judge([1] * 49 + [1.7] + [0.95] * 10 + [1] * 40, xruns=3, round_trip={"reported": 0, "measured": [32, 32]})
        ratio = wine_judge.ratios([rough, rough], [calm, calm])
        self.assertEqual(set(ratio), set(wine_judge.FIGURES))
        self.assertEqual(ratio["xruns"], {"ours": 12, "theirs": 6, "median": 2})
        self.assertEqual(ratio["late_and_missed"]["ours"], 2 * rough["late_and_missed"])
        self.assertEqual(ratio["round_trip"], {"median": 2, "min": 2, "max": 2})
        self.assertIsNone(ratio["missed"]["median"])  # the peer missed none
        self.assertIsNone(wine_judge.ratios([judge([1] * 9)], [judge([1] * 9)])["round_trip"])

    def test_a_ping_that_nobody_heard_is_a_question_mark(self):
        ping = {"round_trip_reported": 96, "round_trip_measured": {"count": 0, "min": 0, "max": 0}}
        row = {"frames": FRAMES, "hosts": 1, "tutti": [judge([1] * 9, xruns=0, round_trip=wine_judge.heard_round_trip(ping))],
               "wineasio": [judge([1] * 9)]}
        row["ratio"] = wine_judge.ratios(row["tutti"], row["wineasio"])
        last = wine_report.comparison([row], "tutti", "wineasio")[2]
        self.assertIn("| 0 / ? |", last)  # xruns counted on one side
        self.assertTrue(last.endswith("| ? / ? |"))

    def test_bad_rows_are_named(self):
        rows = []
        for frames, ours, theirs in ((64, [1] * 50 + [3] + [1] * 49, [1] * 100), (128, [1] * 100, [1] * 50 + [3] + [1] * 49)):
            row = {"frames": frames, "hosts": 1, "tutti": [judge(ours, xruns=1)], "wineasio": [judge(theirs, xruns=1)]}
            row["ratio"] = wine_judge.ratios(row["tutti"], row["wineasio"])
            rows.append(row)
        words = wine_report.in_words(rows, "tutti", "wineasio")
        self.assertIn("More late and missed callbacks than wineasio: 64/1; more xruns: nowhere", words)


if __name__ == "__main__":
    unittest.main(verbosity=2)
