# SPDX-License-Identifier: MIT
"""What the real-time half of the engine (src/mixer/) calls outside itself: `nm -u` of its library against one list.

The project's own arithmetic is let through by prefix: its folders must not know the system either (includes.py).
"""

import re
import subprocess
import sys

import tree

PURE = re.compile(r"^(dsp|handoff|proto|resample|ring)_")
ALLOWED = {
    "memcpy", "memmove", "memset",
    "os_bells_go", "os_bells_ring", "os_bells_watch", "os_wake_post",
    "os_process_id", "os_thread_cpu", "os_thread_demote", "os_thread_flush_denormals", "os_thread_id", "os_thread_pin", "os_thread_scatter",
    "os_thread_time_ns",
}
# the compiler's own: assertions, sanitizers, position-independent code
COMPILER = re.compile(r"^(__assert_fail|__stack_chk_fail|__(asan|tsan|ubsan|sanitizer)_\w+|_GLOBAL_OFFSET_TABLE_)$")


def complain(shown):
    """shown: what nm prints of all objects of the library."""
    undefined = set(re.findall(r"^ +U (\S+)$", shown, re.M))
    defined = set(re.findall(r"^[0-9a-f]+ [A-TV-Z] (\S+)$", shown, re.M))
    for name in sorted(undefined - defined - ALLOWED):
        if not PURE.match(name) and not COMPILER.match(name):
            yield f"the mixer calls {name}(), which is not in the list of what may be called in real time"
    if undefined:
        for name in sorted(name for name in ALLOWED - undefined if name.startswith("os_")):
            yield f"{name}() is in the list, and the mixer does not call it"


def main():
    shown = subprocess.run(["nm", sys.argv[1]], capture_output=True, text=True, check=True).stdout
    tree.finish(list(complain(shown)), shown.count(" U "))


if __name__ == "__main__":
    main()
