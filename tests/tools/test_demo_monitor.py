# SPDX-License-Identifier: MIT
"""The comparison at a server's monitor tells the server's dropouts from wrong samples."""

import os
import sys
import unittest

try:
    import numpy
except ImportError:
    print("there is no numpy here")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import demo_monitor  # noqa: E402

FRAMES, BEFORE = 20000, 777


class Monitor(unittest.TestCase):
    def setUp(self):
        self.mix = demo_monitor.Mix(FRAMES)
        values = numpy.random.default_rng(5).integers(-9000, 9000, (FRAMES, 2))
        self.mix.frames[:] = (values / 32768).astype(numpy.float32)
        self.mix.frames[:300] = self.mix.frames[9000:9500] = 0  # it begins with silence and has a pause

    def recorded(self, *parts):
        """Silence, then these spans of the mix; a number is so many frames of silence."""
        pieces = [numpy.zeros((BEFORE, 2), numpy.float32)]
        for part in parts:
            pieces.append(numpy.zeros((part, 2), numpy.float32) if isinstance(part, int) else
                          self.mix.frames[part[0]:part[1]].copy())
        return numpy.concatenate(pieces)

    def compare(self, recording):
        return demo_monitor.compare(recording, self.mix)

    def test_a_true_recording_is_accepted_whole(self):
        found = self.compare(self.recorded((0, FRAMES), 500))
        self.assertEqual((found["frames_compared"], found["frames_different"], found["dropouts"]), (FRAMES, 0, []))
        self.assertEqual(found["began_at"] - found["mix_began_at"], BEFORE)

    def test_one_wrong_sample_is_a_difference_and_no_dropout(self):
        for wrong in (numpy.float32(0.25), numpy.float32(0)):
            recording = self.recorded((0, FRAMES))
            recording[BEFORE + 5000, 1] = wrong
            found = self.compare(recording)
            self.assertEqual((found["frames_compared"], found["frames_different"], found["dropouts"]), (FRAMES, 1, []))
            self.assertEqual(found["first_different"], BEFORE + 5000)

    def test_one_silent_frame_is_a_difference(self):
        recording = self.recorded((0, FRAMES))
        recording[BEFORE + 5000] = 0
        found = self.compare(recording)
        self.assertEqual((found["frames_different"], found["dropouts"]), (1, []))

    def test_a_recording_may_end_before_the_mix(self):
        found = self.compare(self.recorded((0, FRAMES - 700), 3000))
        self.assertEqual((found["frames_compared"], found["frames_different"]), (FRAMES - 700, 0))

    def test_a_wrong_stretch_is_a_difference(self):
        recording = self.recorded((0, FRAMES))
        recording[BEFORE + 5000:BEFORE + 5100] *= 0.5
        found = self.compare(recording)
        self.assertEqual((found["frames_different"], found["dropouts"]), (100, []))

    def test_inserted_silence_is_a_dropout(self):
        found = self.compare(self.recorded((0, 7000), 480, (7000, FRAMES)))
        self.assertEqual((found["frames_compared"], found["frames_different"]), (FRAMES, 0))
        self.assertEqual([(d["inserted"], d["lost"]) for d in found["dropouts"]], [(480, 0)])

    def test_lost_frames_are_a_dropout(self):
        found = self.compare(self.recorded((0, 7000), (7480, FRAMES)))
        self.assertEqual((found["frames_compared"], found["frames_different"]), (FRAMES - 480, 0))
        self.assertEqual([(d["inserted"], d["lost"]) for d in found["dropouts"]], [(0, 480)])

    def test_silence_in_place_of_sound_is_a_dropout(self):
        found = self.compare(self.recorded((0, 7000), 480, (7480, FRAMES)))
        self.assertEqual(found["frames_different"], 0)
        self.assertEqual([(d["inserted"], d["lost"]) for d in found["dropouts"]], [(480, 480)])

    def test_silence_inserted_into_a_pause_is_a_dropout(self):
        found = self.compare(self.recorded((0, 9200), 480, (9200, FRAMES)))
        self.assertEqual(found["frames_different"], 0)
        self.assertEqual(len(found["dropouts"]), 1)
        self.assertEqual(found["dropouts"][0]["inserted"] - found["dropouts"][0]["lost"], 480)

    def test_a_dropout_before_quiet_sound_is_one(self):
        self.mix.frames[7000:8500] *= 0.01  # too quiet to tell its place
        found = self.compare(self.recorded((0, 7000), 1440, (7000, FRAMES)))
        self.assertEqual((found["frames_compared"], found["frames_different"]), (FRAMES, 0))
        self.assertEqual([(d["inserted"], d["lost"]) for d in found["dropouts"]], [(1440, 0)])

    def test_a_difference_in_quiet_sound_behind_a_dropout_is_found(self):
        self.mix.frames[7000:8500] *= 0.01
        recording = self.recorded((0, 7000), 1440, (7000, FRAMES))
        recording[BEFORE + 7000 + 1440 + 700, 1] += 0.5
        self.assertGreater(self.compare(recording)["frames_different"], 0)

    def test_a_difference_behind_a_dropout_is_found(self):
        recording = self.recorded((0, 7000), 480, (7000, FRAMES))
        recording[-3, 0] += 0.5
        found = self.compare(recording)
        self.assertEqual((found["frames_different"], len(found["dropouts"])), (1, 1))

    def test_two_dropouts_are_two(self):
        found = self.compare(self.recorded((0, 4000), 480, (4000, 12000), 960, (12000, FRAMES)))
        self.assertEqual((found["frames_compared"], len(found["dropouts"])), (FRAMES, 2))

    def test_unknown_frames_are_not_compared(self):
        recording = self.recorded((0, FRAMES))
        recording[BEFORE + 5000:BEFORE + 5128] = 0.3
        self.mix.doubt(5000, 128)
        found = self.compare(recording)
        self.assertEqual((found["frames_compared"], found["frames_different"]), (FRAMES - 128, 0))

    def test_a_dropout_may_begin_within_unknown_frames(self):
        self.mix.doubt(6900, 200)
        found = self.compare(self.recorded((0, 6950), 480, (6950, FRAMES)))
        self.assertEqual((found["frames_compared"], found["frames_different"]), (FRAMES - 200, 0))
        self.assertEqual([(d["inserted"], d["lost"]) for d in found["dropouts"]], [(480, 0)])

    def test_another_sound_is_not_found_at_all(self):
        self.assertEqual(self.compare(numpy.full((5000, 2), 0.125, numpy.float32))["frames_compared"], 0)


if __name__ == "__main__":
    unittest.main()
