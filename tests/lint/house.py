# SPDX-License-Identifier: MIT
"""Rules of the house that can be seen in the text: licence lines, lengths, formatting, headers that stand alone."""

import os
import shutil
import subprocess
import sys
import tempfile

MOST_LINES = 800


def files(*endings):
    found = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
    return [f for f in found if f.endswith(endings) and os.path.exists(f)]


def licence():
    names = files(".c", ".h", ".cpp", ".py", ".sh", "meson.build", ".rc", ".def") + ["run", ".ci/run", "tools/wine-wrapper"]
    for name in names:
        if "SPDX-License-Identifier: MIT" not in "".join(open(name, encoding="utf-8").readlines()[:3]):
            yield f"{name}: no SPDX line"


def lengths():
    for name in files(".c", ".h", ".py"):
        count = sum(1 for _ in open(name, encoding="utf-8"))
        if count > MOST_LINES:
            yield f"{name}: {count} lines; two files?"


def formatting():
    tool = shutil.which("clang-format")
    if not tool or " 14." not in subprocess.run([tool, "--version"], capture_output=True, text=True).stdout:
        return
    done = subprocess.run([tool, "--dry-run", "-Werror", *files(".c", ".h")], capture_output=True, text=True)
    yield from [line for line in done.stderr.splitlines() if "error:" in line]


def headers_alone():
    skip = ("win32", "src/asio/", "tests/hosts", "tests/fake", "wasapi", "tests/test_asio")
    with tempfile.TemporaryDirectory() as folder:
        for name in files(".h"):
            if any(part in name for part in skip):
                continue
            languages = ["c", "c++"] if name.startswith("include/") else ["c"]
            for language in languages:
                source = f"{folder}/alone.{'c' if language == 'c' else 'cpp'}"
                with open(source, "w", encoding="utf-8") as file:
                    file.write(f'#include "{os.path.abspath(name)}"\n')
                done = subprocess.run(
                    ["gcc" if language == "c" else "g++", "-fsyntax-only", "-Wall", "-D_GNU_SOURCE",
                     "-Iinclude", "-Isrc", "-Itests", "-Isrc/os", source], capture_output=True, text=True)
                if done.returncode:
                    yield f"{name} does not compile alone as {language}:\n{done.stderr}"


RULES = {"licence": licence, "lengths": lengths, "formatting": formatting, "headers": headers_alone}

wrong = list(RULES[sys.argv[1]]())
print("\n".join(wrong) or f"{sys.argv[1]}: good")
sys.exit(bool(wrong))
