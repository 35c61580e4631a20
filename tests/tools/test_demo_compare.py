# SPDX-License-Identifier: MIT
"""The demo's comparison on recordings made here: it accepts the true ones and finds one wrong sample in a false one."""

import os
import sys
import unittest

try:
    import numpy
except ImportError:
    print("there is no numpy here")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import demo_compare  # noqa: E402
from demo_compare import JUMPED, SILENT  # noqa: E402

QUANTUM, CABLE, FIRST, SECOND = 128, 7, 0xF00DF00DF00DF00D, 0x1234567812345678
PERIODS = 160  # of one engine's life: a few of these tests' 20,000 frames
ROUND_TRIP = {128: 256, 256: 512, 512: 1024}


def noise(seed, frames=5000):
    values = numpy.random.default_rng(seed).integers(-16000, 16000, (frames, 2))
    return (values / 32768).astype(numpy.float32)


class Host:
    """A host's callbacks: regular, until a test makes them otherwise."""

    def __init__(self, buffer, sound=None):
        self.buffer, self.sound, self.rows, self.position = buffer, sound, [], 0
        self.played = []  # (device, position, frames) that truly reached the air, per generation
        self.killed = False

    def call(self, device, generation, flags=0, reaches=True, logged=True):
        if logged:
            self.rows.append((len(self.rows), self.position, device, generation, 0, len(self.rows), flags, self.buffer))
        if reaches and not flags & SILENT:
            self.played.append((generation, device, self.position, self.buffer))
        self.position += self.buffer

    def live(self, generation, first=0, periods=PERIODS):
        for device in range(first, periods * QUANTUM, self.buffer):
            self.call(device, generation)
        return self

    def blocks(self):
        return numpy.array(self.rows, demo_compare.RECORD)

    def player(self):
        return demo_compare.Player(str(self.buffer), self.blocks(), self.sound, ROUND_TRIP[self.buffer], self.killed)


def record(recorder, hosts):
    """What the recorder hears, by another way than the comparison goes: frame by frame through every block."""
    airs = {}
    for host in hosts:
        for generation, device, position, frames in host.played:
            air = airs.setdefault(generation, numpy.zeros((PERIODS * QUANTUM + 8192, 2), numpy.float32))
            for i in range(frames):
                air[device + ROUND_TRIP[host.buffer] + CABLE + i] += host.sound[(position + i) % len(host.sound)]
    parts = []
    for row in recorder.rows:
        device, generation, flags, frames = row[2], row[3], row[6], row[7]
        silence = numpy.zeros((frames, 2), numpy.float32)
        parts.append(silence if flags & SILENT or generation not in airs else
                     numpy.clip(airs[generation][device:device + frames], -1, 1))
    return numpy.concatenate(parts)


class Comparison(unittest.TestCase):
    def setUp(self):
        self.singer, self.drummer, self.recorder = Host(256, noise(1)), Host(128, noise(2, 3333)), Host(512)

    def all_live(self):
        for host in (self.singer, self.drummer, self.recorder):
            host.live(FIRST)

    def heard(self):
        return record(self.recorder, (self.singer, self.drummer))

    def compare(self, recording):
        return demo_compare.compare(self.recorder.blocks(), recording, [self.singer.player(), self.drummer.player()],
                                    CABLE, QUANTUM)

    def test_a_true_recording_is_accepted_to_the_last_frame(self):
        self.all_live()
        found = self.compare(self.heard())
        self.assertEqual((found["frames_compared"], found["frames_different"]), (PERIODS * QUANTUM, 0))

    def test_one_wrong_sample_is_found_wherever_it_is(self):
        self.all_live()
        for frame, channel in ((1500, 0), (7777, 1), (PERIODS * QUANTUM - 1, 0)):
            recording = self.heard()
            recording[frame, channel] = numpy.nextafter(recording[frame, channel], numpy.float32(2))
            found = self.compare(recording)
            self.assertEqual(found["frames_different"], 1)
            self.assertEqual(found["first_different"], {"generation": FIRST, "frame": frame})

    def test_a_recording_one_frame_late_is_refused(self):
        self.all_live()
        recording = self.heard()
        recording[1:] = recording[:-1].copy()
        self.assertGreater(self.compare(recording)["frames_different"], PERIODS * QUANTUM / 2)

    def test_a_wrong_round_trip_is_refused(self):
        self.all_live()
        players = [self.singer.player(), self.drummer.player()]
        players[1].round_trip += 1
        found = demo_compare.compare(self.recorder.blocks(), self.heard(), players, CABLE, QUANTUM)
        self.assertGreater(found["frames_different"], PERIODS * QUANTUM / 2)

    def test_a_missing_block_is_no_late_block_unless_the_host_was_told(self):
        self.all_live()
        lost = self.drummer.played.pop(40)
        found = self.compare(self.heard())
        self.assertEqual(found["frames_different"], lost[3])

    def test_a_clipped_sum_is_compared_as_the_device_clips_it(self):
        self.singer.sound = self.drummer.sound = numpy.full((1000, 2), 0.75, numpy.float32)
        self.all_live()
        recording = self.heard()
        self.assertEqual(recording.max(), 1)
        self.assertEqual(self.compare(recording)["frames_different"], 0)

    def test_frames_that_the_caller_leaves_out_are_not_compared_and_all_others_are(self):
        self.all_live()
        recording = self.heard()
        recording[3000:3010] += 0.25
        for span, different in (((FIRST, 3000, 3010), 0), ((FIRST, 3000, 3009), 1), ((SECOND, 3000, 3010), 10), ((FIRST, -5, 2990), 10)):
            found = demo_compare.compare(self.recorder.blocks(), recording, [self.singer.player(), self.drummer.player()],
                                         CABLE, QUANTUM, [span])
            self.assertEqual(found["frames_different"], different)
            left_out = max(0, span[2]) - max(0, span[1]) if span[0] == FIRST else 0
            self.assertEqual((found["frames_left_out"], found["frames_compared"]), (left_out, PERIODS * QUANTUM - left_out))

    def all_live_and_quiet(self):
        """Nothing clips, with a guest besides."""
        self.singer.sound, self.drummer.sound = self.singer.sound / 2, self.drummer.sound / 2
        self.all_live()

    def with_guests(self, places, sound):
        """What is heard when the same guest plays at these places, too."""
        self.all_live_and_quiet()
        recording = self.heard()
        for at in places:
            recording[at:at + len(sound)] += sound[:max(0, len(recording) - at)]
        guests = [demo_compare.Guest("guest", sound, FIRST) for _ in places]
        players = [self.singer.player(), self.drummer.player()]
        return demo_compare.compare(self.recorder.blocks(), recording, players, CABLE, QUANTUM, guests=guests), guests

    def test_guests_are_found_where_they_were_heard(self):
        found, guests = self.with_guests([4001, 12345], noise(5, 6000) / 4)
        self.assertEqual(found["frames_different"], 0)
        self.assertEqual(sorted(guest.at for guest in guests), [4001, 12345])

    def test_a_wrong_sample_of_a_guest_is_found(self):
        sound = noise(5, 6000) / 4
        wrong = sound.copy()
        wrong[77, 1] += 2.0 ** -15
        self.all_live_and_quiet()
        recording = self.heard()
        recording[4001:10001] += wrong
        found = demo_compare.compare(self.recorder.blocks(), recording, [self.singer.player(), self.drummer.player()], CABLE, QUANTUM,
                                     guests=[demo_compare.Guest("guest", sound, FIRST)])
        self.assertEqual((found["frames_different"], found["first_different"]["frame"]), (1, 4001 + 77))

    def test_a_guest_that_was_cut_short_is_no_guest(self):
        found, _ = self.with_guests([PERIODS * QUANTUM - 3000], noise(5, 6000) / 4)
        self.assertGreater(found["frames_different"], 2000)

    def witness(self, recording, unknown=()):
        """Against an air of a long noise in which these frames were left out."""
        air = demo_compare.Air(200000, 2)
        air.expected[:] = noise(8, 200000)
        air.known[:] = True
        for first, end in unknown:
            air.known[first:end] = False
        found = demo_compare.compare_witness(recording(air.expected), air)
        return found["frames_compared"], found["frames_different"], found["frames_left_out"]

    def test_a_witness_is_placed_and_compared_to_the_last_frame(self):
        self.assertEqual(self.witness(lambda air: air[31234:151234]), (120000, 0, 0))

    def test_a_wrong_sample_of_a_witness_is_found(self):
        def wrong(air):
            recording = air[31234:151234].copy()
            recording[-1, 1] += 2.0 ** -15
            return recording
        self.assertEqual(self.witness(wrong), (120000, 1, 0))

    def test_a_witness_that_lost_frames_is_wrong_unless_they_were_left_out(self):
        def loses(air):
            return numpy.concatenate((air[31234:91234], air[91746:151234]))
        self.assertEqual(self.witness(loses, [(90000, 93000)])[1:], (0, 91234 - 90000 + 93000 - 91746))
        self.assertGreater(self.witness(loses)[1], 50000)

    def test_frames_that_a_survivor_lost_count_but_for_those_that_are_left_out(self):
        self.late(self.singer, True)
        jumped = 22 * 256
        blocks = self.singer.blocks()
        for spans, lost in (((), 256), ([(FIRST, jumped, jumped + 1)], 0), ([(SECOND, 0, 10 ** 9)], 256)):
            self.assertEqual(demo_compare.frames_lost(blocks, 0, 10 ** 9, spans), lost)

    def kill_drummer(self, unlogged=0, last_arrived=True):
        self.drummer.killed = True
        for n in range(60):
            self.drummer.call(n * 128, FIRST, reaches=n < 59 or last_arrived)
        for n in range(unlogged):
            self.drummer.call((60 + n) * 128, FIRST, logged=False)
        self.singer.live(FIRST)
        self.recorder.live(FIRST)

    def test_a_killed_host_is_silent_after_its_last_block(self):
        self.kill_drummer()
        found = self.compare(self.heard())
        self.assertEqual((found["frames_different"], found["in_flight_blocks"]), (0, 0))

    def test_blocks_that_a_killed_host_handed_over_and_did_not_write_down_are_counted(self):
        self.kill_drummer(unlogged=3)
        found = self.compare(self.heard())
        self.assertEqual((found["frames_different"], found["in_flight_blocks"]), (0, 3))

    def test_a_pause_in_a_killed_hosts_last_blocks_hides_nothing(self):
        for pause, wanted in ((slice(61 * 128, 62 * 128), 3), (slice(62 * 128, 64 * 128), 2)):
            self.setUp()
            self.drummer.sound = noise(2, 20000)
            self.drummer.sound[pause] = 0
            self.kill_drummer(unlogged=3)
            found = self.compare(self.heard())
            self.assertEqual((found["frames_different"], found["in_flight_blocks"]), (0, wanted))

    def test_blocks_that_nobody_recorded_are_not_counted(self):
        self.kill_drummer(unlogged=1)
        del self.recorder.rows[15]
        found = self.compare(self.heard())
        self.assertEqual((found["frames_different"], found["in_flight_blocks"]), (0, 0))

    def test_what_the_recorder_missed_is_not_compared(self):
        self.all_live()
        del self.recorder.rows[10]
        found = self.compare(self.heard())
        self.assertEqual((found["frames_compared"], found["frames_different"]), (PERIODS * QUANTUM - 512, 0))

    def test_the_block_that_a_killed_host_was_working_on_may_be_missing(self):
        self.kill_drummer(last_arrived=False)
        found = self.compare(self.heard())
        self.assertEqual((found["frames_different"], found["in_flight_blocks"]), (0, 0))

    def test_a_wrong_sample_among_a_killed_hosts_last_blocks_is_found(self):
        self.kill_drummer(unlogged=3)
        recording = self.heard()
        recording[61 * 128 + ROUND_TRIP[128] + CABLE + 5, 0] += 0.25
        self.assertGreater(self.compare(recording)["frames_different"], 0)

    def test_a_killed_host_does_not_excuse_a_survivor(self):
        self.kill_drummer()
        self.singer.played.pop(50)
        self.assertEqual(self.compare(self.heard())["frames_different"], 256)

    def test_a_killed_hosts_block_may_end_within_itself_at_a_period(self):
        self.singer.killed = True
        for n in range(30):
            self.singer.call(n * 256, FIRST)
        self.singer.played[-1] = self.singer.played[-1][:3] + (QUANTUM,)
        self.drummer.live(FIRST)
        self.recorder.live(FIRST)
        self.assertEqual(self.compare(self.heard())["frames_different"], 0)

    def late(self, host, reaches):
        """The block before the jump came late."""
        for n in range(PERIODS * QUANTUM // host.buffer):
            if n == 21:
                host.position += host.buffer
                continue
            host.call(n * host.buffer, FIRST, flags=JUMPED if n == 22 else 0, reaches=reaches or n != 20)

    def test_a_late_block_is_left_out_whole_or_heard_whole(self):
        for reaches, wanted in ((False, (1, 1)), (True, (2, 0))):
            self.setUp()
            self.late(self.drummer, reaches)
            self.singer.live(FIRST)
            self.recorder.live(FIRST)
            found = self.compare(self.heard())
            self.assertEqual(found["frames_different"], 0)
            self.assertEqual((found["late_blocks_heard"], found["late_blocks_left_out"]), wanted)

    def test_two_hosts_late_at_once_are_told_apart(self):
        self.late(self.drummer, False)
        for n in range(PERIODS // 2):
            self.singer.call(n * 256, FIRST, flags=JUMPED if n == 10 else 0, reaches=n != 9)
        self.recorder.live(FIRST)
        self.assertEqual(self.compare(self.heard())["frames_different"], 0)

    def test_half_a_late_block_is_a_difference(self):
        self.late(self.drummer, True)
        self.singer.live(FIRST)
        self.recorder.live(FIRST)
        recording = self.heard()
        at = 20 * 128 + ROUND_TRIP[128] + CABLE
        alone = record(self.recorder, (self.singer,))
        recording[at:at + 64] = alone[at:at + 64]
        self.assertGreater(self.compare(recording)["frames_different"], 0)

    def test_the_next_engine_has_a_timeline_of_its_own(self):
        self.all_live()
        for host in (self.singer, self.recorder):
            host.call(0, 0, flags=SILENT)
            host.live(SECOND, first=512)
        found = self.compare(self.heard())
        self.assertEqual(found["frames_different"], 0)
        self.assertEqual(found["stretches"], [PERIODS * QUANTUM, PERIODS * QUANTUM - 512])
        recording = self.heard()
        recording[-1, 1] += 0.5
        self.assertEqual(self.compare(recording)["first_different"]["generation"], SECOND)


class FramesLost(unittest.TestCase):
    def test_silence_and_jumps_count(self):
        host = Host(128)
        host.call(0, FIRST)
        host.call(128, FIRST, flags=SILENT)
        host.position += 256
        host.call(512, FIRST, flags=JUMPED)
        self.assertEqual(demo_compare.frames_lost(host.blocks(), 0, 10), 128 + 256)
        self.assertEqual(demo_compare.frames_lost(host.blocks(), 0, 1), 0)

    def test_a_record_cut_by_the_kill_is_not_read(self):
        host = Host(128).live(FIRST, periods=3)
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"tutti-test-{os.getpid()}.blocks")
        with open(path, "wb") as file:
            file.write(host.blocks().tobytes()[:-20])
        try:
            self.assertEqual(len(demo_compare.read_blocks(path)), 2)
        finally:
            os.unlink(path)


if __name__ == "__main__":
    unittest.main()
