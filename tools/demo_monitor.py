# SPDX-License-Identifier: MIT
"""Compares what was recorded at a sound server's monitor with the mix that the players played.

A monitor tells no positions. The recording is placed once by its own samples, then compared frame by frame in one go. Where the
server had nothing to play it inserts silence, or it loses frames: such a dropout is recognised by its own look (all channels
zero, or the very same sound going on from a later frame), counted, and the comparison goes on behind it. Every other frame that
is not the expected one is a difference, and stays where it is.
"""

import numpy

KEY = 64  # frames that are found at one place only
QUIET = 0.01
ZEROS_LEAST = 16  # shorter silence is a difference, not a dropout
QUIET_MOST = 48000  # frames of quiet sound behind a dropout
CHECKS_MOST = 1000  # wrong frames in a row that are looked at as a dropout's beginning
LOST_MOST = 10 * 48000  # frames that a dropout may lose


class Mix:
    """What must be heard, and in which frames that is known: a block that came late may be missing."""

    def __init__(self, frames, channels=2):
        self.frames = numpy.zeros((frames, channels), numpy.float32)
        self.known = numpy.ones(frames, bool)

    def doubt(self, at, frames):
        self.known[max(at, 0):max(at + frames, 0)] = False

    def find(self, key, first, end):
        """The first place within [first, end) at which these frames are expected; None: nowhere."""
        end = min(end, len(self.frames) - len(key) + 1)
        hits = numpy.flatnonzero((self.frames[first:end] == key[0]).all(axis=1)) + first if end > first else []
        return next((int(h) for h in hits if (self.frames[h:h + len(key)] == key).all()), None)

    def equal(self, recording, at, place, frames):
        """Frame by frame; unknown ones pass."""
        same = (recording[at:at + frames] == self.frames[place:place + frames]).all(axis=1)
        return same | ~self.known[place:place + frames]


def first_place(recording, mix, at):
    """Where a loud stretch of the recording stands in the mix: (frame of the recording, frame of the mix), or None."""
    loud = numpy.flatnonzero(numpy.abs(recording[at:]).max(axis=1) > QUIET) + at
    while len(loud):
        key = recording[loud[0]:loud[0] + KEY]
        place = mix.find(key, 0, len(mix.frames)) if len(key) == KEY else None
        if place is not None:
            return int(loud[0]), place
        loud = loud[loud >= loud[0] + KEY]
    return None


def zeros_from(recording, at):
    loud = numpy.flatnonzero(recording[at:].any(axis=1))
    return int(loud[0]) if len(loud) else len(recording) - at


def zeros_at_end(recording):
    return zeros_from(recording[::-1], 0)


def silent_unknown_before(recording, mix, at, place):
    """Frames just before that are unknown and silent: a dropout may have begun within them."""
    most = min(at, place)
    passed = mix.known[place - most:place] | recording[at - most:at].any(axis=1)
    return int(passed[::-1].argmax()) if passed.any() else most


def dropout(recording, mix, at, place):
    """What the server did where the recording is not the mix: it began `back` frames earlier, inserted so many frames of
    silence and lost so many. None: this is no dropout."""
    back = silent_unknown_before(recording, mix, at, place)
    zeros = zeros_from(recording, at)
    if zeros < ZEROS_LEAST:
        zeros = back = 0
    # A quiet stretch may stand at many places: the first loud one behind it says where, and the quiet one must fit there.
    loud = numpy.flatnonzero(numpy.abs(recording[at + zeros:at + zeros + QUIET_MOST]).max(axis=1) > QUIET)
    quiet = int(loud[0]) if len(loud) else 0
    key = recording[at + zeros + quiet:at + zeros + quiet + KEY]
    if len(loud) == 0 or len(key) < KEY:
        return None
    found = mix.find(key, place - back + quiet, place + quiet + LOST_MOST)
    if found is None or not mix.equal(recording, at + zeros, found - quiet, quiet).all():
        return None
    found -= quiet
    if zeros == 0 and found == place:
        return None
    return back, back + zeros, found - (place - back)


def compare(recording, mix):
    """Findings: frames compared and different, where it began, each dropout of the server."""
    found = {"frames_compared": 0, "frames_different": 0, "first_different": None, "dropouts": []}
    begin = first_place(recording, mix, 0)
    if begin is None:
        return found
    at, place = begin
    back = min(at, place)  # the quiet frames before it, too
    leading = mix.equal(recording, at - back, place - back, back)[::-1]
    back = int(leading.argmin()) if not leading.all() else back
    at, place = at - back, place - back
    found["began_at"], found["mix_began_at"] = at, place
    while True:
        span = min(len(recording) - at, len(mix.frames) - place)
        sounding = span if recording[at + span:].any() else len(recording) - zeros_at_end(recording) - at
        same = mix.equal(recording, at, place, span)
        gap, wrong = None, numpy.flatnonzero(~same[:max(sounding, 0)])
        for frame in wrong[:CHECKS_MOST]:
            gap = dropout(recording, mix, at + int(frame), place + int(frame))
            if gap:
                span = int(frame)
                break
        wrong = wrong[wrong < span]
        if len(wrong) and found["first_different"] is None:
            found["first_different"] = at + int(wrong[0])
        found["frames_different"] += len(wrong)
        found["frames_compared"] += int(mix.known[place:place + span][same[:span]].sum()) + len(wrong)
        if not gap:
            return found
        back, inserted, lost = gap
        at, place = at + span - back, place + span - back
        found["dropouts"].append({"at": at, "inserted": inserted, "lost": lost})
        at, place = at + inserted, place + lost
