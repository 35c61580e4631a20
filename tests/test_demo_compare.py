# SPDX-License-Identifier: MIT
"""The demo's comparison finds what is wrong: made-up hosts, and single samples, blocks and places that are off."""

import os
import sys
import unittest

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import demo_compare

GENERATION, FRAMES, COUNT, ROUND_TRIP, CABLE = 77, 64, 50, 128, 5


def host_blocks(first_device, count=COUNT, frames=FRAMES):
    blocks = numpy.zeros(count, demo_compare.RECORD)
    blocks["index"] = numpy.arange(count)
    blocks["position"] = numpy.arange(count) * frames
    blocks["device"] = first_device + numpy.arange(count) * frames
    blocks["generation"] = GENERATION
    blocks["frames"] = frames
    return blocks


class Compare(unittest.TestCase):
    def setUp(self):
        random = numpy.random.default_rng(1)
        self.players = [demo_compare.Player(name, host_blocks(start),
                                            random.uniform(-.4, .4, (999, 2)).astype(numpy.float32), ROUND_TRIP)
                        for name, start in (("a", 0), ("b", 320))]
        self.recorder = host_blocks(0)
        air = numpy.zeros((COUNT * FRAMES, 2), numpy.float32)
        for player in self.players:
            for frame in range(COUNT * FRAMES):
                position = frame - ROUND_TRIP - CABLE - int(player.blocks["device"][0])
                if 0 <= position < COUNT * FRAMES:
                    air[frame] += player.sound[position % len(player.sound)]
        self.recording = air

    def different(self):
        return demo_compare.compare(self.recorder, self.recording, self.players, CABLE)["frames_different"]

    def test_the_expected_mix_is_accepted(self):
        found = demo_compare.compare(self.recorder, self.recording, self.players, CABLE)
        self.assertEqual((found["frames_different"], found["frames_compared"]), (0, COUNT * FRAMES))

    def test_one_wrong_sample_is_found(self):
        self.recording[1234, 1] += 1e-6
        self.assertEqual(self.different(), 1)

    def test_a_wrong_place_is_found(self):
        self.players[1].round_trip += 1
        self.assertGreater(self.different(), 1000)

    def test_a_lost_block_is_found(self):
        self.recording[640:704] = 0
        self.assertGreater(self.different(), 60)

    def test_a_killed_players_unlogged_blocks_count_whole_or_not_at_all(self):
        player = self.players[1]
        player.blocks, player.killed = player.blocks[:20], True
        end = int(player.blocks["device"][-1]) + FRAMES + ROUND_TRIP + CABLE
        for frame in range(end + 2 * FRAMES, COUNT * FRAMES):  # two more blocks arrived than were written down
            position = frame - ROUND_TRIP - CABLE - 320
            if 0 <= position < COUNT * FRAMES:
                self.recording[frame] = self.players[0].sound[(frame - ROUND_TRIP - CABLE) % 999]
        found = demo_compare.compare(self.recorder, self.recording, self.players, CABLE)
        self.assertEqual((found["frames_different"], found["in_flight_blocks"]), (0, 2))

    def test_silence_and_jumps_are_frames_lost(self):
        blocks = host_blocks(0)
        blocks["begin_ns"] = numpy.arange(COUNT) * 1000
        self.assertEqual(demo_compare.frames_lost(blocks, 0, 10**9), 0)
        blocks["flags"][10] = demo_compare.SILENT
        blocks["position"][20:] += FRAMES
        self.assertEqual(demo_compare.frames_lost(blocks, 0, 10**9), 2 * FRAMES)


unittest.main()
