# SPDX-License-Identifier: MIT
"""Where on the device's timeline a server lost time, so that a comparison can leave out these stretches and demand all others.

The engine counts the server's xruns, and a host writes down how far it has come. Both are looked at again and again: when the
count has grown between two looks, the frames between them, and some around, are left out.
"""

import os
import threading
import time

import numpy

import demo_compare

LOOK_S = 0.1
AROUND_FRAMES = 9600  # what was under way then; the news of an xrun comes some periods late, and so do the host's records


def last_block(path):
    """Generation and end of the last block that a host wrote down; None: none yet."""
    try:
        whole = os.path.getsize(path) // demo_compare.RECORD.itemsize
        with open(path, "rb") as file:
            file.seek(max(0, whole - 1) * demo_compare.RECORD.itemsize)
            block = numpy.frombuffer(file.read(demo_compare.RECORD.itemsize), demo_compare.RECORD)[:1]
    except (OSError, ValueError):
        return None
    return (int(block["generation"][0]), int((block["device"] + block["frames"])[0])) if len(block) else None


class Watch(threading.Thread):
    """Looks until it is told to end. status: asks the engine, {} when there is none; path: a host's records."""

    def __init__(self, status, path):
        super().__init__(daemon=True)
        self.status, self.path = status, path
        self.spans = []  # (generation, first frame, end) that are to be left out
        self.xruns = {}  # by generation
        self.place = {}  # by generation: where the host was at the last look
        self.ended = threading.Event()

    def look(self):
        state = self.status()
        block = last_block(self.path)
        if not state.get("engine") or not block:
            return
        generation = int(state["engine"]["generation"], 16)
        now = block[1] if block[0] == generation else 0
        count = state["engine"]["device_xruns"]
        if count > self.xruns.get(generation, 0):
            self.spans.append((generation, self.place.get(generation, 0) - AROUND_FRAMES, now + AROUND_FRAMES))
        self.xruns[generation], self.place[generation] = count, now

    def leave_out_until_now(self, since=0):
        """Nobody was patched yet, or a server was away."""
        block = last_block(self.path)
        if block:
            self.spans.append((block[0], since, block[1] + AROUND_FRAMES))

    def clean_frames(self):
        """So many have passed that nothing leaves out, as far as is known."""
        clean = 0
        for generation, end in list(self.place.items()):
            left_out = numpy.zeros(max(end, 1), bool)
            for _, first, last in [span for span in list(self.spans) if span[0] == generation]:
                left_out[max(first, 0):max(last, 0)] = True
            clean += int((~left_out).sum())
        return clean

    def run(self):
        while not self.ended.is_set():
            self.look()
            self.ended.wait(LOOK_S)

    def end(self):
        """With a last look at what happened since."""
        self.ended.set()
        self.join()
        time.sleep(LOOK_S)
        self.look()

    def count(self):
        return sum(self.xruns.values())
