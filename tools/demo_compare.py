# SPDX-License-Identifier: MIT
"""Compares what one program recorded with what the others played, sample by sample.

Everything is placed by what the hosts were told: each callback's record holds its position and its place on the device's
timeline (device frame, engine generation). A player's sample at device frame d is heard at d + the player's reported round
trip + the cable. Nothing is searched for, and no sample is left out but those that the caller names: where a server of the
system's own lost time (demo_xruns.py). Guests, programs without such records, are placed once by correlation.

What the records cannot tell is decided by what was heard, whole or not at all, and counted: blocks that a killed host had in
hand, and blocks that the engine may have left out because they came late.
"""

import itertools

import numpy

RECORD = numpy.dtype([("index", "<u8"), ("position", "<u8"), ("device", "<u8"), ("generation", "<u8"),
                      ("time_ns", "<u8"), ("begin_ns", "<u8"), ("flags", "<u4"), ("frames", "<u4")])
SILENT, JUMPED = 1, 2
UNLOGGED_MOST = 64  # callbacks that a killed host may have answered and not written down any more
BURST = 512  # frames of a host's ping
LATE_BEFORE_JUMP = 2  # both halves may be out when a program is left behind
WITNESS_LEAST, WITNESS_SLACK = 24000, 4800  # frames of a stretch that has one place in another recording
TOGETHER_MOST = 8  # doubtful blocks that overlap and are tried in every combination


def read_blocks(path):
    """The callbacks of one host, whole records only (a killed host's last one may be cut)."""
    with open(path, "rb") as file:
        data = file.read()
    return numpy.frombuffer(data[:len(data) // RECORD.itemsize * RECORD.itemsize], RECORD)


def sounding(blocks, generation):
    """Blocks of one engine's life with a device behind them."""
    return blocks[(blocks["generation"] == generation) & ((blocks["flags"] & SILENT) == 0)]


def generations(blocks):
    """Engine lives in the order in which they were met."""
    seen = blocks["generation"][(blocks["flags"] & SILENT) == 0]
    first = numpy.unique(seen, return_index=True)[1]
    return [int(g) for g in seen[numpy.sort(first)]]


class Player:
    """blocks: its callbacks; sound: frames x channels as it plays them by position, looped; round_trip: as reported."""

    def __init__(self, name, blocks, sound, round_trip, killed=False):
        self.name, self.blocks, self.sound = name, blocks, sound
        self.round_trip, self.killed = round_trip, killed

    def block_sound(self, position, frames):
        return self.sound[(int(position) + numpy.arange(frames)) % len(self.sound)]


def offset(whole, part):
    """Where a part begins in a whole: the one peak of their correlation; it may begin before it or end after it."""
    n = 1 << (len(whole) + len(part)).bit_length()
    spectrum = numpy.fft.rfft(whole[:, 0], n) * numpy.conj(numpy.fft.rfft(part[:, 0], n))
    at = int(numpy.argmax(numpy.fft.irfft(spectrum, n)))
    return at if at < len(whole) else at - n


class Guest:
    """A program that tells no positions: sound as it plays it once, whole, within the engine's life of this generation."""

    def __init__(self, name, sound, generation):
        self.name, self.sound, self.generation = name, sound, generation
        self.at = None  # where it was heard

    def place(self, rest):
        """Within what nobody else explains."""
        at = offset(rest, self.sound)
        self.at = at if 0 <= at <= len(rest) - len(self.sound) else None


class Piece:
    """One block of one player in the air."""

    def __init__(self, player, device, position, frames, cable):
        self.at = int(device) + player.round_trip + cable
        self.sound = player.block_sound(position, int(frames))

    def overlaps(self, other):
        return self.at < other.at + len(other.sound) and other.at < self.at + len(self.sound)

    def add_to(self, air, start=0):
        """Adds itself to an air whose first frame is start."""
        first = max(self.at - start, 0)
        end = min(self.at - start + len(self.sound), len(air))
        if end > first:
            skip = first - (self.at - start)
            air[first:end] += self.sound[skip:skip + end - first]


def split(player, generation, cable):
    """A player's blocks of one engine's life: those that surely arrived whole, and those that came just before a jump."""
    mine = sounding(player.blocks, generation)
    jumps = numpy.flatnonzero(mine["flags"] & JUMPED)
    doubtful = {int(j) - n for j in jumps for n in range(1, LATE_BEFORE_JUMP + 1) if j - n >= 0}
    ended = player.killed and len(mine) and generation == generations(player.blocks)[-1]
    if ended:
        doubtful.discard(len(mine) - 1)
    pieces = [Piece(player, b["device"], b["position"], b["frames"], cable) for b in mine]
    certain = [p for n, p in enumerate(pieces) if n not in doubtful and not (ended and n == len(mine) - 1)]
    return certain, [pieces[n] for n in sorted(doubtful)], mine[-1] if ended else None


def last_of_killed(player, last, quantum, cable):
    """From the last block a killed host wrote down on: in parts of the device's period, for the engine may have let it go
    within a block."""
    part = int(numpy.gcd(int(last["frames"]), quantum))
    for n in range((UNLOGGED_MOST + 1) * int(last["frames"]) // part):
        yield Piece(player, int(last["device"]) + n * part, int(last["position"]) + n * part, part, cable)


class Air:
    """What must have been heard in one engine's life, and what was."""

    def __init__(self, frames, channels):
        self.expected = numpy.zeros((frames, channels), numpy.float32)
        self.heard = numpy.zeros((frames, channels), numpy.float32)
        self.known = numpy.zeros(frames, bool)

    def hear(self, device, samples):
        self.heard[device:device + len(samples)] = samples
        self.known[device:device + len(samples)] = True

    def different(self, first=0, end=None, expected=None):
        """Frames in which any channel is not what it must be."""
        span = slice(first, end)
        expected = self.expected[span] if expected is None else expected
        return (numpy.clip(expected, -1, 1) != self.heard[span]).any(axis=1) & self.known[span]

    def fits(self, pieces, first, end):
        """How many frames of a span differ when these pieces are in the air, too."""
        trial = self.expected[first:end].copy()
        for piece in pieces:
            piece.add_to(trial, first)
        return int(self.different(first, end, trial).sum())

    def settle(self, pieces):
        """Puts those of some overlapping doubtful pieces into the air that were heard; their number."""
        first = max(min(p.at for p in pieces), 0)
        end = min(max(p.at + len(p.sound) for p in pieces), len(self.expected))
        if end <= first or not self.known[first:end].any():
            return 0
        choices = [c for n in range(len(pieces), -1, -1) for c in itertools.combinations(pieces, n)]
        best = min(choices, key=lambda chosen: self.fits(chosen, first, end))
        for piece in best:
            piece.add_to(self.expected)
        return len(best)

    def settle_last(self, pieces):
        """A killed player's last pieces, in order: they were heard up to one of them. The number that was; silent ones fit
        anyhow and count when a later one was heard."""
        heard = 0
        for n, piece in enumerate(pieces, 1):
            first, end = max(piece.at, 0), min(piece.at + len(piece.sound), len(self.expected))
            if end <= first or not self.known[first:end].any() or self.fits([piece], first, end):
                break
            piece.add_to(self.expected)
            if piece.sound.any():
                heard = n
        return heard


def groups_of(pieces):
    """Doubtful pieces that must be decided together, because they sound together."""
    groups = []
    for piece in sorted(pieces, key=lambda p: p.at):
        if groups and len(groups[-1]) < TOGETHER_MOST and any(piece.overlaps(p) for p in groups[-1]):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def fill(air, players, generation, quantum, cable, guests=()):
    """Puts into the air what the players played; counts what had to be decided by listening."""
    decided = {"in_flight_blocks": 0, "late_blocks_heard": 0, "late_blocks_left_out": 0}
    late, last = [], []
    for player in players:
        certain, doubtful, ended = split(player, generation, cable)
        for piece in certain:
            piece.add_to(air.expected)
        late += doubtful
        if ended is not None:
            last.append((player, ended))
    for guest in guests:
        guest.place((air.heard - air.expected) * air.known[:, None])
        if guest.at is not None:
            air.expected[guest.at:guest.at + len(guest.sound)] += guest.sound
    for group in groups_of(late):
        heard = air.settle(group)
        decided["late_blocks_heard"] += heard
        decided["late_blocks_left_out"] += len(group) - heard
    for player, ended in last:
        parts = air.settle_last(last_of_killed(player, ended, quantum, cable))
        frames = parts * int(numpy.gcd(int(ended["frames"]), quantum)) - int(ended["frames"])
        decided["in_flight_blocks"] += max(0, -(-frames // int(ended["frames"])))
    return decided


def compare(recorder, recording, players, cable=0, quantum=128, left_out=(), guests=()):
    """recorder: its blocks; recording: frames x channels in the order of its callbacks; quantum: the device's period;
    left_out: spans (generation, first frame, end) that are not compared. A dictionary of findings."""
    starts = numpy.concatenate(([0], numpy.cumsum(recorder["frames"].astype(numpy.int64))))
    result = {"frames_compared": 0, "frames_different": 0, "frames_left_out": 0, "stretches": [], "first_different": None,
              "in_flight_blocks": 0, "late_blocks_heard": 0, "late_blocks_left_out": 0, "airs": {}}
    for generation in generations(recorder):
        mine = (recorder["generation"] == generation) & ((recorder["flags"] & SILENT) == 0)
        air = Air(int((recorder["device"][mine] + recorder["frames"][mine]).max()), recording.shape[1])
        for i in numpy.flatnonzero(mine):
            air.hear(int(recorder["device"][i]), recording[starts[i]:starts[i + 1]])
        heard = int(air.known.sum())
        for _, first, end in (span for span in left_out if span[0] == generation):
            air.known[max(first, 0):max(end, 0)] = False
        decided = fill(air, players, generation, quantum, cable, [g for g in guests if g.generation == generation])
        different = air.different()
        result["airs"][generation] = air
        for name, count in decided.items():
            result[name] += count
        result["frames_compared"] += int(air.known.sum())
        result["frames_left_out"] += heard - int(air.known.sum())
        result["frames_different"] += int(different.sum())
        result["stretches"].append(int(air.known.sum()))
        if different.any() and result["first_different"] is None:
            result["first_different"] = {"generation": generation, "frame": int(different.argmax())}
    return result


def compare_witness(recording, air):
    """A recording without positions, of another program, against what must have been in the air: each stretch that is known is placed by
    correlation, for a server that lost time moved what came after it."""
    found = {"frames": len(recording), "frames_compared": 0, "frames_different": 0, "frames_left_out": 0}
    begin = offset(air.expected, recording)
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([False], air.known, [False]))))
    for first, end in edges.reshape(-1, 2):
        first, end = max(int(first), begin - WITNESS_SLACK), min(int(end), begin + len(recording) + WITNESS_SLACK)
        if end - first < WITNESS_LEAST:
            continue
        part = air.expected[max(first, 0):end]
        at = offset(recording, part)
        inner = slice(max(at, 0), min(at + len(part), len(recording)))
        different = (numpy.clip(part[inner.start - at:inner.stop - at], -1, 1) != recording[inner]).any(axis=1)
        found["frames_compared"] += len(different)
        found["frames_different"] += int(different.sum())
    found["frames_left_out"] = len(recording) - found["frames_compared"]
    return found


def is_within(spans, generation, frame):
    return any(span[0] == generation and span[1] <= frame < span[2] for span in spans)


def frames_lost(blocks, first_ns, last_ns, left_out=()):
    """Silent frames and frames jumped over in callbacks begun between two times; not those where a server lost time."""
    lost = 0
    inside = (blocks["begin_ns"] >= first_ns) & (blocks["begin_ns"] < last_ns)
    for i in numpy.flatnonzero(inside):
        block = blocks[i]
        if is_within(left_out, int(block["generation"]), int(block["device"])):
            continue
        if block["flags"] & SILENT:
            lost += int(block["frames"])
        if i:
            lost += int(block["position"]) - int(blocks[i - 1]["position"]) - int(blocks[i - 1]["frames"])
    return lost
