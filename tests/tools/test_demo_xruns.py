# SPDX-License-Identifier: MIT
"""Where the watch says that a server lost time: what was told between two looks, and nothing else."""

import os
import sys
import tempfile
import unittest

try:
    import numpy
except ImportError:
    print("there is no numpy here")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import demo_compare  # noqa: E402
import demo_xruns  # noqa: E402

FIRST, SECOND, BUFFER = 0xF00DF00DF00DF00D, 0x1234567812345678, 128
AROUND = demo_xruns.AROUND_FRAMES


class Watching(unittest.TestCase):
    def setUp(self):
        self.file = tempfile.NamedTemporaryFile()
        self.addCleanup(self.file.close)
        self.state = {}
        self.watch = demo_xruns.Watch(lambda: self.state, self.file.name)

    def look(self, generation, frame, xruns):
        """The host has come to this frame of the device, and the engine has counted so many."""
        row = numpy.array([(0, 0, frame - BUFFER, generation, 0, 0, 0, BUFFER)], demo_compare.RECORD)
        self.file.write(row.tobytes() + b"the beginning of the next")
        self.file.flush()
        self.file.seek(-len(b"the beginning of the next"), os.SEEK_END)
        self.state = {"engine": {"generation": f"{generation:016x}", "device_xruns": xruns}}
        self.watch.look()

    def test_nothing_is_left_out_without_an_xrun(self):
        for frame in (10000, 20000, 30000):
            self.look(FIRST, frame, 0)
        self.assertEqual((self.watch.spans, self.watch.count()), ([], 0))

    def test_frames_between_the_looks_and_some_around_are_left_out(self):
        self.look(FIRST, 100000, 0)
        self.look(FIRST, 110000, 2)
        self.look(FIRST, 120000, 2)
        self.assertEqual((self.watch.spans, self.watch.count()), ([(FIRST, 100000 - AROUND, 110000 + AROUND)], 2))

    def test_xruns_before_the_first_look_leave_out_all_before_it(self):
        self.look(FIRST, 5000, 1)
        self.assertEqual(self.watch.spans, [(FIRST, -AROUND, 5000 + AROUND)])

    def test_each_engine_counts_anew(self):
        self.look(FIRST, 90000, 3)
        self.watch.spans.clear()
        self.look(SECOND, 1000, 0)
        self.assertEqual(self.watch.spans, [])
        self.look(SECOND, 50000, 1)
        self.assertEqual((self.watch.spans, self.watch.count()), ([(SECOND, 1000 - AROUND, 50000 + AROUND)], 4))

    def test_clean_frames_are_those_that_nothing_leaves_out(self):
        self.look(FIRST, 100000, 0)
        self.assertEqual(self.watch.clean_frames(), 100000)
        self.look(FIRST, 110000, 1)
        self.assertEqual(self.watch.clean_frames(), 100000 - AROUND)
        self.watch.leave_out_until_now(since=0)
        self.assertEqual(self.watch.clean_frames(), 0)
        self.look(SECOND, 5000, 0)
        self.assertEqual(self.watch.clean_frames(), 5000)

    def test_without_an_engine_or_a_block_nothing_is_said(self):
        self.watch.look()
        self.state = {"engine": {"generation": f"{FIRST:016x}", "device_xruns": 1}}
        self.watch.look()
        self.assertEqual((self.watch.spans, self.watch.count()), ([], 0))


if __name__ == "__main__":
    unittest.main()
