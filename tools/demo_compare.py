# SPDX-License-Identifier: MIT
"""Compares what one program recorded with what the others played, sample by sample.

Everything is placed by what the hosts were told: each callback's record holds its position and its place on the
device's timeline (device frame, engine generation). A player's sample at device frame d is heard at d + the player's reported
round trip (+ the cable). Nothing is searched for.
"""

import numpy

RECORD = numpy.dtype([("index", "<u8"), ("position", "<u8"), ("device", "<u8"), ("generation", "<u8"),
                      ("time_ns", "<u8"), ("begin_ns", "<u8"), ("flags", "<u4"), ("frames", "<u4")])
SILENT, JUMPED = 1, 2


def read_blocks(path):
    """The callbacks of one host, whole records only (a killed host's last one may be cut)."""
    data = open(path, "rb").read()
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

    def play(self, air, generation, cable):
        """Adds this player's sound to the air of one engine's life."""
        for block in sounding(self.blocks, generation):
            self.add(air, int(block["device"]), int(block["position"]), int(block["frames"]), cable)

    def add(self, air, device, position, frames, cable):
        at = device + self.round_trip + cable
        end = min(at + frames, len(air))
        if end > at:
            air[at:end] += self.block_sound(position, frames)[:end - at]

    def unlogged(self, generation, blocks_at_most):
        """Calls that a killed host may have answered after the last one it could write down."""
        mine = sounding(self.blocks, generation)
        if not self.killed or not len(mine) or generation != generations(self.blocks)[-1]:
            return []
        last = mine[-1]
        frames = int(last["frames"])
        return [(int(last["device"]) + n * frames, int(last["position"]) + n * frames, frames)
                for n in range(1, blocks_at_most + 1)]


def settle_unlogged(players, air, heard, known, generation, cable):
    """A killed player's last blocks arrived whole or not at all. Each is decided by what was heard, and counted."""
    arrived = 0
    for player in players:
        logged = sounding(player.blocks, generation)
        for device, position, frames in player.unlogged(generation, 64):
            at = device + player.round_trip + cable
            trial = air.copy()
            player.add(trial, device, position, frames, cable)
            span = slice(at, min(at + frames, len(air)))
            check = known[span]
            if not check.any():
                break
            if (numpy.clip(trial[span], -1, 1)[check] == heard[span][check]).all():
                air[span] = trial[span]
                arrived += 1
            else:
                break
        if player.killed and len(logged) and generation == generations(player.blocks)[-1]:
            # The last block it wrote down may have been in work when it was killed.
            last = logged[-1]
            at = int(last["device"]) + player.round_trip + cable
            span = slice(at, min(at + int(last["frames"]), len(air)))
            check = known[span]
            if check.any() and not arrived:
                without = air.copy()
                without[span] -= player.block_sound(last["position"], int(last["frames"]))[:span.stop - at]
                if (numpy.clip(without[span], -1, 1)[check] == heard[span][check]).all():
                    air[span] = without[span]
    return arrived


def compare(recorder, recording, players, cable=0):
    """recorder: its blocks; recording: frames x channels in the order of its callbacks. A dictionary of findings."""
    starts = numpy.concatenate(([0], numpy.cumsum(recorder["frames"].astype(numpy.int64))))
    result = {"frames_compared": 0, "frames_different": 0, "in_flight_blocks": 0, "stretches": [],
              "first_different": None}
    channels = recording.shape[1]
    for generation in generations(recorder):
        mine = (recorder["generation"] == generation) & ((recorder["flags"] & SILENT) == 0)
        last = int((recorder["device"][mine] + recorder["frames"][mine]).max())
        air = numpy.zeros((last, channels), numpy.float32)
        heard = numpy.zeros((last, channels), numpy.float32)
        known = numpy.zeros(last, bool)
        for player in players:
            player.play(air, generation, cable)
        for i in numpy.flatnonzero(mine):
            device, frames = int(recorder["device"][i]), int(recorder["frames"][i])
            part = recording[starts[i]:starts[i] + frames]
            heard[device:device + len(part)] = part
            known[device:device + len(part)] = True
        result["in_flight_blocks"] += settle_unlogged(players, air, heard, known, generation, cable)
        different = (numpy.clip(air, -1, 1) != heard).any(axis=1) & known
        result["frames_compared"] += int(known.sum())
        result["frames_different"] += int(different.sum())
        result["stretches"].append(int(known.sum()))
        if different.any() and result["first_different"] is None:
            result["first_different"] = {"generation": generation, "frame": int(different.argmax())}
    return result


def frames_lost(blocks, first_ns, last_ns):
    """Silent frames and frames jumped over in callbacks begun between two times."""
    lost = 0
    inside = (blocks["begin_ns"] >= first_ns) & (blocks["begin_ns"] < last_ns)
    for i in numpy.flatnonzero(inside):
        block = blocks[i]
        if block["flags"] & SILENT:
            lost += int(block["frames"])
        if i:
            lost += int(block["position"]) - int(blocks[i - 1]["position"]) - int(blocks[i - 1]["frames"])
    return lost
