# SPDX-License-Identifier: MIT
"""The project's own files, for the lint tests: what git knows, or the folder as it was unpacked."""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOT_OURS = ("build/", ".git/", "subprojects/packagecache/")
SKIPPED = 77  # Meson shows a test with this exit status as skipped


def from_git():
    try:
        shown = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               capture_output=True, check=False)
    except FileNotFoundError:
        return []  # there is no git here
    return shown.stdout.decode().split("\0")[:-1] if shown.returncode == 0 else []


def from_folder():
    for folder, _, names in os.walk(TOP):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), TOP)


def is_unpacked_wrap(path):
    return path.startswith("subprojects/") and path.count("/") > 1 and not path.startswith("subprojects/packagefiles/")


def files(folders=("",), endings=("",)):
    """Paths from the top, in order, that lie in one of the folders and end in one of the endings."""
    found = from_git() or from_folder()
    return sorted(path for path in set(found)
                  if path.startswith(tuple(folders)) and path.endswith(tuple(endings))
                  and not path.startswith(NOT_OURS) and not is_unpacked_wrap(path)
                  and os.path.isfile(os.path.join(TOP, path)))


def read(path):
    """A file's text; None when it is not text."""
    with open(os.path.join(TOP, path), "rb") as file:
        data = file.read()
    try:
        return None if b"\0" in data else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def finish(complaints, checked):
    """Prints the complaints; the exit status. Looking at nothing at all is a failure, too."""
    for complaint in complaints:
        print(complaint)
    print(f"{checked} looked at, {len(complaints)} complaints")
    sys.exit(1 if complaints or not checked else 0)
