# SPDX-License-Identifier: MIT
"""How a part of a report came about (its command, day, commit and machine), and where it is written."""
import datetime
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent


def git(*words):
    return subprocess.run(["git", *words], cwd=TOP, capture_output=True, text=True, check=False).stdout.strip()


def made_by(verb):
    """A + behind the commit: with changes to the sources that no commit has."""
    return {"command": f"./run bench {verb} " + " ".join(sys.argv[1:]), "date": datetime.date.today().isoformat(),
            "commit": git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "src") else ""),
            "machine": {"processors": os.cpu_count(), "kernel": os.uname().release}}


def made_by_line(made):
    return (f"`{made['command'].strip()}`, {made['date']}, commit {made['commit']}, {made['machine']['processors']} processors, "
            f"Linux {made['machine']['kernel']}.")


def write_between(path, begin, end, lines):
    """What stands between the marks, or at the file's end."""
    text = path.read_text()
    whole = begin + "\n" + "\n".join(lines) + end
    first, last = text.find(begin), text.find(end)
    path.write_text(text[:first] + whole + text[last + len(end):] if first >= 0 else text + "\n" + whole)
