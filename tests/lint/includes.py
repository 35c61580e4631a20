# SPDX-License-Identifier: MIT
"""Who may know whom: the rooms' table, held against every #include; and platform conditions where they do not belong."""

import re
import subprocess
import sys

# room: the rooms whose headers it may include (its own always)
ALLOWED = {
    "include/tutti": {"include/tutti"},
    "src/base": {"include/tutti/status.h"},
    "src/os": {"include/tutti/status.h", "src/base"},
    "src/dsp": {"src/base"},
    "src/proto": {"include/tutti/status.h", "src/base"},
    "src/backend": {"include/tutti/status.h", "src/base", "src/os", "src/dsp"},
    "src/engine": {"include/tutti/status.h", "src/base", "src/os", "src/dsp", "src/proto",
                   "src/backend/backend.h"},
    "src/client": {"include/tutti/status.h", "include/tutti/tutti.h", "src/base", "src/os", "src/proto"},
    "src/asio": {"include/tutti", "src/base", "src/os", "src/client"},
    "src/tuttid": {"include/tutti", "src/base", "src/os", "src/engine"},
    "src/cli": {"include/tutti"},
}
# system headers that only these rooms may see
PLATFORM = re.compile(r"<(windows|winternl|objbase|mmdeviceapi|audioclient|pthread|unistd|fcntl|sys/(?!time)[a-z]+)\.h>")
PLATFORM_ROOMS = ("src/os/", "src/asio/", "src/backend/wasapi/", "src/cli/platform_")
CONDITIONS = re.compile(r"^\s*#.*\b(_WIN32|__WINE__|__linux__)\b")
CONDITION_ROOMS = ("src/os/", "src/asio/", "include/")


def room_of(path):
    return next((room for room in ALLOWED if path.startswith(room + "/")), None)


def wrong_in(path):
    room = room_of(path)
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if CONDITIONS.match(line) and not path.startswith(CONDITION_ROOMS):
            yield f"{path}:{number}: a platform condition outside os/ and asio/"
        if PLATFORM.search(line) and line.lstrip().startswith("#") and not path.startswith(PLATFORM_ROOMS):
            yield f"{path}:{number}: a platform header: {line.strip()}"
        found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not found or "/" not in found[1]:
            continue  # its own folder
        target = ("include/" if found[1].startswith("tutti/") else "src/") + found[1]
        if target.startswith(room + "/") or target in ALLOWED[room]:
            continue
        if room_of(target) not in ALLOWED[room]:
            yield f"{path}:{number}: {room} may not know {found[1]}"


def main():
    files = subprocess.run(["git", "ls-files", "src", "include"], capture_output=True, text=True, check=True)
    names = [n for n in files.stdout.split() if n.endswith((".c", ".h")) and room_of(n)]
    wrong = [line for name in names for line in wrong_in(name)]
    print("\n".join(wrong) or f"{len(names)} files know only whom they may")
    return bool(wrong) or not names


sys.exit(main())
