# SPDX-License-Identifier: MIT
"""What network_program wrote down, and what it tells: which frame of whom was heard where (tests/network/program.c)."""
import dataclasses
import pathlib
import struct

import numpy

NUMBERS = 8388607
HEADER = struct.Struct("<7Qd")
EDGE_S = 1.0  # not judged: the second in which cables are plugged in, and the last one


@dataclasses.dataclass
class Recording:
    """One program's: heard[channel][position], and each block's position and time stamp."""
    rate: float
    buffer: int
    input_latency: int
    output_latency: int
    lost: int
    positions: numpy.ndarray
    times_ns: numpy.ndarray
    silent_blocks: int
    heard: numpy.ndarray

    @property
    def frames(self):
        return self.heard.shape[1]


class Unheard(Exception):
    """A cable on which nothing came, or too little to judge."""


def read(path):
    data = pathlib.Path(path).read_bytes()
    blocks, frames, channels, buffer, input_latency, output_latency, lost, rate = HEADER.unpack_from(data)
    table = numpy.frombuffer(data, numpy.uint64, 3 * blocks, HEADER.size).reshape(blocks, 3)
    heard = numpy.frombuffer(data, numpy.float32, channels * frames, HEADER.size + table.nbytes).reshape(channels, frames)
    return Recording(rate, buffer, input_latency, output_latency, lost, table[:, 0].astype(numpy.int64), table[:, 1].astype(numpy.int64),
                     int(table[:, 2].sum()), heard)


def numbers(samples):
    """The position that each sample was sent on; -1: silence; -2: nothing that was ever sent."""
    scaled = samples.astype(numpy.float64) * (NUMBERS + 1)
    whole = numpy.rint(scaled)
    found = whole.astype(numpy.int64) - 1
    found[(scaled != whole) | (whole < 0) | (whole > NUMBERS)] = -2
    return found


def runs(flags):
    """Lengths of the stretches in which flags is true."""
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([0], flags.astype(numpy.int8), [0]))))
    return edges[1::2] - edges[::2]


def compare(hearer, channel, sender_frames):
    """What one channel of a recording heard of a sender that has sent so many frames.

    offset: position heard minus position sent, of most frames; exact, silent, moved (exact, at another offset), damaged: frames.
    dropouts: places where what is heard does not go on by one; longest: in silence.
    """
    found = numbers(hearer.heard[channel])
    sounds = numpy.flatnonzero(found >= 0)
    if not sounds.size:
        raise Unheard(f"nothing was heard on channel {channel + 1}")
    edge = int(EDGE_S * hearer.rate)
    positions = numpy.arange(hearer.frames)
    offsets = (positions - found)[sounds]
    values, counts = numpy.unique(offsets, return_counts=True)
    offset = int(values[counts.argmax()])
    first, last = int(sounds[0]) + edge, min(hearer.frames, sender_frames + offset) - edge
    if last - first < edge:
        raise Unheard(f"{sounds.size} frames were heard on channel {channel + 1}, too few to judge")
    found, positions = found[first:last], positions[first:last]
    right = found == positions - offset
    breaks = runs(numpy.diff(found, prepend=found[0] - 1) != 1)
    silences = runs(found == -1)
    return {"offset_frames": offset, "frames": last - first, "exact": int(right.sum()),
            "silent": int((found == -1).sum()),
            "moved": int(((found >= 0) & ~right).sum()), "damaged": int((found == -2).sum()),
            "dropouts": len(breaks), "longest_frames": int(silences.max()) if len(silences) else 0}


def one_way(hearer, channel, sender):
    """Frames from the stamp of a sent frame to the stamp of the same frame heard; both programs read one clock. Median and deviation."""
    def time_of(recording, at):
        return numpy.interp(at, recording.positions, recording.times_ns - recording.times_ns[0]) + (recording.times_ns[0] - base)

    base = min(hearer.times_ns[0], sender.times_ns[0])
    heard_at = numpy.arange(0, hearer.frames, hearer.buffer)
    found = numbers(hearer.heard[channel, heard_at])
    known = (found >= 0) & (found < sender.frames)
    delays = (time_of(hearer, heard_at[known]) - time_of(sender, found[known])) * hearer.rate / 1e9
    return float(numpy.median(delays)), float(delays.std())


def sounds_at_end(hearer, channel):
    """Of the last second, the frames that go on by one from the frame before."""
    found = numbers(hearer.heard[channel, -int(hearer.rate):])
    return int(((numpy.diff(found) == 1) & (found[1:] > 0)).sum())
