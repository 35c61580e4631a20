# SPDX-License-Identifier: MIT
"""A skip of tutti conform is a failure but where it is allowed, and docs/conform.md says where."""

import os
import pathlib
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, os.path.join(TOP, "tools"))
import conform_skips  # noqa: E402


def result(verdict, reason=None):
    return {"name": "one", "verdict": verdict, "reason": reason}


class Skips(unittest.TestCase):
    def test_a_skip_is_told_with_its_reason(self):
        self.assertEqual(["one was skipped: no reset"], conform_skips.unexpected([result("skipped", "no reset")], {}))

    def test_what_passed_or_failed_is_no_skip(self):
        self.assertEqual([], conform_skips.unexpected([result("passed"), result("failed", "wrong")], {}))

    def test_a_busy_machine_excuses(self):
        self.assertEqual([], conform_skips.unexpected([result("skipped", conform_skips.BUSY + ", other programs")], {}))

    def test_what_is_named_is_allowed(self):
        self.assertEqual([], conform_skips.unexpected([result("skipped", "one rate")], {"one": "why"}))

    def test_the_page_names_what_is_allowed(self):
        self.assertIn(conform_skips.sentence(), " ".join((TOP / "docs/conform.md").read_text().split()))

    def test_the_program_says_busy_in_these_words(self):
        self.assertIn(f'"{conform_skips.BUSY},', (TOP / "conform/measure.c").read_text())


if __name__ == "__main__":
    unittest.main()
