# SPDX-License-Identifier: MIT
"""The sources are formatted as .clang-format says. Versions of clang-format differ: only one of them is asked."""

import shutil
import subprocess
import sys

import tree

VERSION = "14"
FOLDERS = ("include/", "src/", "conform/", "tests/", "bench/", "fuzz/")


def find():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path:
            shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            if f"version {VERSION}." in shown:
                return path
    return None


def main():
    tool = find()
    if not tool:
        print(f"there is no clang-format {VERSION} here")
        sys.exit(tree.SKIPPED)
    sources = tree.files(FOLDERS, (".c", ".h", ".cpp"))
    done = subprocess.run([tool, "--dry-run", "-Werror", *sources], cwd=tree.TOP, capture_output=True, text=True,
                          check=False)
    wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error: code should be" in line})
    complaints = [f"{path}: clang-format -i {path}" for path in wrong]
    if done.returncode and not wrong:
        complaints.append(done.stderr)
    tree.finish(complaints, len(sources))


if __name__ == "__main__":
    main()
