# SPDX-License-Identifier: MIT
"""Shell scripts pass shellcheck, and Python compiles."""

import shutil
import subprocess
import sys

import tree

SHELLS = ("#!/bin/bash", "#!/bin/sh", "#!/usr/bin/env bash")


def is_shell(path):
    text = tree.read(path) or ""
    return text.startswith(SHELLS) or (path.endswith(".sh") and not text.startswith("#!"))


def complain_of_python(path):
    try:
        compile(tree.read(path), path, "exec")
    except SyntaxError as error:
        yield f"{path}:{error.lineno}: {error.msg}"


def main():
    python = tree.files(endings=(".py",))
    complaints = [text for path in python for text in complain_of_python(path)]
    if not complaints and not shutil.which("shellcheck"):
        print("there is no shellcheck here")
        sys.exit(tree.SKIPPED)
    scripts = [path for path in tree.files() if is_shell(path)]
    done = subprocess.run(["shellcheck", "--external-sources", "--shell=bash", "--format=gcc", *scripts],
                          cwd=tree.TOP, capture_output=True, text=True, check=False)
    complaints += [line for line in done.stdout.splitlines() if " note: " not in line]
    tree.finish(complaints, len(scripts) + len(python))


if __name__ == "__main__":
    main()
