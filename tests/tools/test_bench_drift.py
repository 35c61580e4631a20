# SPDX-License-Identifier: MIT
"""The report of ./run bench drift: the worst of all runs counts."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import drift  # noqa: E402

GOOD = {"hours": 1, "discontinuities": 0, "settle_s": 3.0, "wobble_cents": 0.002, "residual_db": -108.0, "delay_spread_frames": 0.4}


class Worst(unittest.TestCase):
    def test_hours_and_discontinuities_are_summed_and_the_rest_is_the_worst(self):
        report = drift.worst([GOOD, {**GOOD, "discontinuities": 2, "settle_s": 9.0, "residual_db": -101.0}])
        self.assertEqual(report, {**GOOD, "hours": 2, "discontinuities": 2, "settle_s": 9.0, "residual_db": -101.0})

    def test_each_promise_can_be_broken(self):
        self.assertEqual(drift.beyond(GOOD), [])
        for key, value in (("discontinuities", 1), ("settle_s", 10.1), ("wobble_cents", 0.021), ("residual_db", -99.9), ("delay_spread_frames", 1.01)):
            self.assertEqual(len(drift.beyond({**GOOD, key: value})), 1, key)


if __name__ == "__main__":
    unittest.main(verbosity=2)
