# SPDX-License-Identifier: MIT
"""Rooms and who may know whom: each #include in include/ and src/ is held against one table.

A room is a folder or a single file; the longest one that fits decides. It may include the C library, the project headers
that begin with one of its prefixes, and the foreign headers listed (ANY: whatever the system has).
"""

import re

import tree

ANY = object()
C_LIBRARY = set("""assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg
    stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype""".split())
STATUS = "tutti/status.h"

# room: (project headers, foreign headers)
ROOMS = {
    "include/tutti/": (["tutti/"], set()),
    "src/base/": (["base/", STATUS], {"sys/time.h"}),
    "src/base/posix/": (["base/file.h", STATUS], ANY),
    "src/base/win32/": (["base/file.h", STATUS], ANY),
    "src/os/": (["os/os.h", "os/os_realtime.h", "base/", STATUS], {"xmmintrin.h"}),
    "src/os/posix/": (["os/os.h", "base/", STATUS, "posix.h", "link.h", "rtkit.h"], ANY),
    "src/os/win32/": (["os/os.h", "os/bridge_records.h", "base/", STATUS, "win32.h", "link.h", "bridge.h"], ANY),
    # each backend's keys stand in its own folder
    "src/config/": (["config/", "base/", "os/os.h", *(f"backend/{name}/{name}_keys.h" for name in ("alsa", "jack", "pipewire", "sim")), STATUS], set()),
    "src/dsp/": (["dsp/", "base/", "dsp_variants.h", STATUS], {"immintrin.h", "emmintrin.h", "tmmintrin.h", "xmmintrin.h"}),
    "src/proto/": (["proto/", "base/", STATUS], set()),
    "src/backend/": (["config/", "backend/backend.h", "backend/clock.h", "backend/library.h", "backend/silence.h", "backends_built.h", "base/", "os/os.h", "dsp/dsp.h", STATUS], set()),
    # the real-time half: what it cannot include it cannot call
    "src/mixer/": (["mixer/", "proto/", "dsp/dsp.h", "dsp/resample.h", "os/os_realtime.h", "base/ring.h", "backend/backend.h"], set()),
    "src/device/": (["config/", "device/", "mixer/", "base/", "os/os.h", "dsp/dsp.h", "proto/", "backend/backend.h", STATUS], set()),
    "src/engine/": (["config/", "engine/", "device/", "mixer/", "base/", "os/os.h", "dsp/dsp.h", "proto/", "backend/backend.h", STATUS],
                    {"samplerate.h"}),
    "src/client/": (["config/", "client/", "base/", "os/os.h", "proto/", "tutti/"], set()),
    "src/asio/": (["config/", "asio/", "base/", "dsp/dop.h", "dsp/dsp.h", "tutti/"], ANY),
    "src/bridge/": (["bridge/", "os/os.h", "os/bridge_records.h", "base/"], ANY),
    "src/tuttid/": (["config/", "engine/engine.h", "engine/live.h", "engine/server.h", "base/", "os/os.h", "tutti/"], set()),
    "src/console/": (["console/", "base/", STATUS], set()),
    "conform/": (["conform/", "base/", "console/", "tutti/asio.h", STATUS], ANY),
    # of the protocol the commands know the names of fields, for JSON
    "src/console/terminal_posix.c": (["console/"], ANY),
    "src/console/terminal_win32.c": (["console/"], ANY),
    "src/cli/": (["cli/", "conform/options.h", "conform/command.h", "console/", "tutti/", "proto/fields.h", "base/ascii.h", "config/", "base/file.h", "base/number.h", "base/ring.h"],
                 {"sndfile.h"}),
    "src/cli/entries_win32.c": (["cli/", "base/ascii.h"], ANY),
    "src/cli/linux/": (["cli/", "console/", "tutti/", "base/ascii.h", "config/"], ANY),
    "src/cli/platform_posix.c": (["cli/", "console/", "tutti/"], ANY),
    "src/cli/platform_win32.c": (["cli/", "console/", "tutti/"], ANY),
    "src/panel/": (["panel/", "tutti/"], ANY),
}
# What a room must not know although the C library has it.
FORBIDDEN = {"src/dsp/": {"time.h", "threads.h", "stdlib.h", "signal.h"}, "src/proto/": {"time.h", "threads.h"},
             "src/mixer/": {"stdlib.h", "stdio.h", "threads.h", "time.h", "signal.h", "locale.h", "wchar.h"},
             "src/device/": {"threads.h"}, "src/engine/": {"threads.h"}, "src/client/": {"threads.h"}}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
PLATFORM_MACRO = re.compile(r"\b(_WIN32|_WIN64|__WIN32__|__linux__|__unix__|__APPLE__|__CYGWIN__|_MSC_VER)\b")
PLATFORM_ROOMS = ("src/os/", "src/asio/")
EXPORT_MACRO = re.compile(r"^\s*#\s*define\s+TUTTI_(API|EXPORT|IMPORT|ASIO(_\w+)?)\b")
EXPORT_WITHIN_LINES = 4


def room_of(path):
    backend = re.match(r"src/backend/(\w+)/", path)
    if backend:
        # one room per backend, by one rule; none knows another, and all may know what servers have in common
        project, _ = ROOMS["src/backend/"]
        return project + [backend.group(0).removeprefix("src/"), "backend/graph/"], ANY
    fitting = [room for room in ROOMS if path.startswith(room)]
    return ROOMS[max(fitting, key=len)] if fitting else None


def complain_of_include(path, quoted, header):
    room = room_of(path)
    if room is None:
        return "this folder is in no line of the table"
    project, foreign = room
    forbidden = set().union(*(headers for room, headers in FORBIDDEN.items() if path.startswith(room)))
    if quoted:
        return None if header.startswith(tuple(project)) else "this room must not know that one"
    if header in forbidden:
        return "this room must not know that header"
    if foreign is ANY or header in foreign or header.removesuffix(".h") in C_LIBRARY:
        return None
    return "a header of the system or of a library that this room must not know"


def complain(path, text):
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if include:
            reason = complain_of_include(path, include.group(1) == '"', include.group(2))
            if reason:
                yield f"{path}:{number}: {line.strip()}: {reason}"
        near = lines[number:number + EXPORT_WITHIN_LINES]
        if PLATFORM_MACRO.search(line) and not path.startswith(PLATFORM_ROOMS) \
                and not any(EXPORT_MACRO.match(other) for other in near):
            yield f"{path}:{number}: {line.strip()}: platform is a folder, not an #ifdef"


def main():
    checked, complaints = 0, []
    for path in tree.files(("include/", "src/", "conform/"), (".c", ".h", ".cpp")):
        checked += 1
        complaints += complain(path, tree.read(path))
    tree.finish(complaints, checked)


if __name__ == "__main__":
    main()
