# SPDX-License-Identifier: MIT
"""What holds for each text file: the licence line, no path of somebody's machine, no file too long to hold in a head."""

import re

import tree

LICENCE = "SPDX-License-Identifier: MIT"
LICENCE_WITHIN_LINES = 2  # the first line may be for the shell
LICENSED = (".c", ".h", ".cpp", ".py", ".sh", ".build", ".rc", ".def", ".ini", ".wrap", ".in", ".nsi", ".gnuplot",
            ".service", ".socket", ".1", ".5", ".7", ".8", "/run", "wine-wrapper")
MOST_LINES = 800
# a part that is left out where a library is missing makes what works depend on the order of verbs
OPTIONAL = re.compile(r"required: *false")
MAY_BE_MISSING = re.compile(r"find_library\('(m|dl)'")
MACHINE_PATH = re.compile(r"(?<![\w.])/(home/\w\w|(root|work|Users|mnt|media)/\w)")


def complain(path, text):
    lines = text.splitlines()
    if ("/" + path).endswith(LICENSED) and not any(LICENCE in line for line in lines[:LICENCE_WITHIN_LINES]):
        yield f"{path}:1: no line '{LICENCE}'"
    if len(lines) > MOST_LINES:
        yield f"{path}: {len(lines)} lines; {MOST_LINES} are the most: make it two files"
    for number, line in enumerate(lines, 1):
        if path.endswith("meson.build") and OPTIONAL.search(line) and not MAY_BE_MISSING.search(line):
            yield f"{path}:{number}: optional; require it by get_option('everything')"
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: a path of one machine: {line.strip()}"


def main():
    checked, complaints = 0, []
    for path in tree.files():
        text = tree.read(path)
        if text is not None:
            checked += 1
            complaints += complain(path, text)
    tree.finish(complaints, checked)


if __name__ == "__main__":
    main()
