# SPDX-License-Identifier: MIT
"""Each struct of the engine's control side is written by one file: whoever else wants it changed calls a function of that file.

The table names a member and the only file that may assign to what stands in it. Reading is free.
"""

import re

import tree

# member: the file
WRITERS = {
    "slot": "src/device/slot.c",
    "handover": "src/device/handover.c",
    "null_device": "src/device/null_device.c",
    "refusals": "src/device/period.c",
    "master": "src/device/master.c",
    "claim": "src/engine/claim.c",
    "commands": "src/engine/commands.c",
    "routing": "src/engine/routing.c",
    "feeds": "src/engine/feeds.c",
    "placement": "src/engine/placement.c",
    "setups": "src/engine/profiles.c",
}
# The real-time half: its own struct, which the hand-over prepares while no cycle runs.
PARTS = {"master": ("slot", "handover", "null_device", "cycle")}
ASSIGNED = re.compile(r"(?<![\w.>])((?:\w+(?:\[[^]]*\])?(?:->|\.))*\w+(?:\[[^]]*\])?)\s*(?:[-+|&^*/%]?=(?!=)|\+\+|--)")
NOT_CODE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def owners(target):
    """The members on the way to what is assigned, the innermost first; not the last one, which is what changes."""
    words = re.split(r"->|\.", re.sub(r"\[[^]]*\]", "", target))
    if len(words) < 2:
        return
    for at in range(len(words) - 2, -1, -1):
        if words[at] in WRITERS:
            if not set(words[at + 1:-1]) & set(PARTS.get(words[at], ())):
                yield words[at]
            return


def complain(path, text):
    code = NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group(0)), text)
    for found in ASSIGNED.finditer(code):
        for member in owners(found.group(1)):
            if WRITERS[member] != path:
                line = code.count("\n", 0, found.start()) + 1
                yield f"{path}:{line}: {found.group(1)}: only {WRITERS[member]} writes to {member}"


def main():
    checked, complaints = 0, []
    for path in tree.files(("src/engine/", "src/device/"), (".c", ".h")):
        checked += 1
        complaints += complain(path, tree.read(path))
    tree.finish(complaints, checked)


if __name__ == "__main__":
    main()
