# SPDX-License-Identifier: MIT
"""The network's comparison on recordings made here: it accepts what arrived whole and finds one wrong sample, a silence and a shift."""

import os
import struct
import sys
import tempfile
import unittest

try:
    import numpy
except ImportError:
    print("there is no numpy here")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import network_compare  # noqa: E402

RATE, BUFFER, FRAMES, OFFSET = 8000, 64, 32000, 256


def sent(positions):
    """The frames that network_program plays there."""
    return ((positions % network_compare.NUMBERS + 1) / numpy.float32(8388608)).astype(numpy.float32)


def recording(heard, start_ns=0, frames=FRAMES):
    positions = numpy.arange(0, frames, BUFFER)
    return network_compare.Recording(RATE, BUFFER, 128, 64, 0, positions, start_ns + positions * 1000000000 // RATE, 0,
                                     numpy.asarray([heard], numpy.float32))


def arrived(offset=OFFSET, plugged_in_at=3000):
    """What is heard of frames that come offset positions late, once the cable is in."""
    heard = numpy.zeros(FRAMES, numpy.float32)
    heard[plugged_in_at:] = sent(numpy.arange(plugged_in_at, FRAMES) - offset)
    return heard


def compare(heard, sender_frames=FRAMES):
    return network_compare.compare(recording(heard), 0, sender_frames)


class Comparison(unittest.TestCase):
    def test_frames_that_arrive_whole_are_exact(self):
        path = compare(arrived())
        self.assertEqual(path["offset_frames"], OFFSET)
        self.assertEqual((path["exact"], path["dropouts"]), (path["frames"], 0))
        self.assertEqual(path["frames"], FRAMES - 3000 - 2 * RATE)

    def test_one_sample_that_was_never_sent_is_found(self):
        heard = arrived()
        heard[16000] = numpy.nextafter(heard[16000], numpy.float32(1))
        heard[16500] = 0.1
        path = compare(heard)
        self.assertEqual(path["frames"] - path["exact"], 2)
        self.assertEqual(path["damaged"], 2)

    def test_a_sample_of_another_position_is_moved(self):
        heard = arrived()
        heard[16000] = heard[16001]
        path = compare(heard)
        self.assertEqual((path["moved"], path["damaged"], path["exact"]), (1, 0, path["frames"] - 1))

    def test_a_silence_is_one_dropout_with_its_length(self):
        heard = arrived()
        heard[16000:16064] = 0
        path = compare(heard)
        self.assertEqual((path["silent"], path["dropouts"], path["longest_frames"]), (64, 1, 64))

    def test_what_goes_on_at_another_delay_is_one_dropout(self):
        heard = arrived()
        heard[20000:] = arrived(OFFSET + BUFFER)[20000:]
        path = compare(heard)
        self.assertEqual((path["dropouts"], path["silent"]), (1, 0))
        self.assertEqual(path["moved"] + path["exact"], path["frames"])
        self.assertGreater(path["moved"], 0)

    def test_nothing_is_asked_of_a_sender_that_has_ended(self):
        heard = arrived()
        heard[28000 + OFFSET:] = 0
        path = compare(heard, 28000)
        self.assertEqual(path["exact"], path["frames"])

    def test_a_dead_cable_is_told(self):
        with self.assertRaises(network_compare.Unheard):
            compare(numpy.zeros(FRAMES, numpy.float32))

    def test_what_sounds_at_the_end_is_counted(self):
        heard = arrived()
        self.assertEqual(network_compare.sounds_at_end(recording(heard), 0), RATE - 1)
        heard[-RATE:-10] = 0
        self.assertEqual(network_compare.sounds_at_end(recording(heard), 0), 9)

    def test_the_way_there_is_measured_by_the_common_clock(self):
        late = 1000000000 * 160 // RATE  # the hearer's program began so much later
        hearer, sender = recording(arrived(), late), recording(arrived())
        delay, deviation = network_compare.one_way(hearer, 0, sender)
        self.assertAlmostEqual(delay, OFFSET + 160, places=2)
        self.assertLess(deviation, 0.01)


class File(unittest.TestCase):
    def test_what_a_program_has_written_is_read(self):
        heard = numpy.stack((arrived(), arrived(7)))
        records = numpy.array([[0, 5, 0], [BUFFER, 9, 1]], numpy.uint64)
        with tempfile.NamedTemporaryFile() as file:
            file.write(struct.pack("<7Qd", 2, FRAMES, 2, BUFFER, 128, 64, 3, RATE) + records.tobytes() + heard.tobytes())
            file.flush()
            found = network_compare.read(file.name)
        self.assertEqual((found.rate, found.buffer, found.input_latency, found.output_latency, found.lost, found.silent_blocks),
                         (RATE, BUFFER, 128, 64, 3, 1))
        self.assertEqual(found.times_ns.tolist(), [5, 9])
        self.assertTrue(numpy.array_equal(found.heard, heard))


if __name__ == "__main__":
    unittest.main()
