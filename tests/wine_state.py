# SPDX-License-Identifier: MIT
"""A Windows program under Wine whose starter spoiled what programs inherit: one processor, niced, without standard streams, with few
files and little room in each. The native engine that it starts has none of it, and its bridge ends with it.
"""

import os
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import demo

FILES = 256
failures = []


def expect(true, text):
    print(("ok    " if true else "WRONG ") + text)
    if not true:
        failures.append(text)


def spoil():
    """In the program, before it begins."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.nice(15)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    open("/proc/self/oom_score_adj", "w").write("500")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.umask(0o222)
    os.closerange(0, 3)


def status_of(pid):
    lines = open(f"/proc/{pid}/status").read().splitlines()
    return {line.split(":")[0]: line.split(":")[1].strip() for line in lines if ":" in line}


def limit_of(pid, name):
    line, = [line for line in open(f"/proc/{pid}/limits").read().splitlines() if line.startswith(name)]
    return line[len("Max open files".ljust(26)):].split()[0]


def look_at(pid, who):
    status = status_of(pid)
    expect(os.sched_getaffinity(pid) == os.sched_getaffinity(0), f"{who} runs on all processors")
    if os.geteuid() == 0:
        expect(os.getpriority(os.PRIO_PROCESS, pid) == 0, f"{who} is not niced")
    expect(status.get("Umask") == "0077", f"the umask of {who} is {status.get('Umask')}")
    expect(not int(status["SigIgn"], 16) & 1 << (signal.SIGTERM - 1), f"{who} ignores no signal of the host's")
    expect(limit_of(pid, "Max open files") != str(FILES), f"{who} may open {limit_of(pid, 'Max open files')} files")
    expect(limit_of(pid, "Max file size") != str(1 << 30), f"files of {who} may be {limit_of(pid, 'Max file size')} long")
    expect(int(open(f"/proc/{pid}/oom_score_adj").read()) < 500, f"{who} is not the first to go without memory")
    streams = [os.path.exists(f"/proc/{pid}/fd/{fd}") for fd in range(3)]
    expect(all(streams), f"{who} has standard streams")


def main():
    demo.use_folder(os.path.join(demo.TOP, "build", "state"))
    demo.use_native_engine()
    demo.prepare()
    try:
        # a recording of some seconds: time to look
        host = subprocess.Popen([demo.WRAPPER, f"{demo.BIN}/tutti.exe", "record", "--seconds", "6", f"{demo.DEMO}/take.wav"],
                                env=demo.environment(), preexec_fn=spoil)
        demo.wait_for(lambda: demo.engine_pids() and demo.pids_of("tutti-bridge\0"), demo.PATIENCE_S, "for engine and bridge")
        time.sleep(1)
        look_at(demo.engine_pids()[0], "the engine")
        look_at(demo.pids_of("tutti-bridge\0")[0], "the bridge")
        host.wait(demo.PATIENCE_S)
        demo.wait_for(lambda: not demo.pids_of("tutti-bridge\0"), 20, "for the bridge to end with its program")
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=demo.environment(), check=False, stderr=subprocess.DEVNULL)
        for pid in demo.engine_pids() + demo.pids_of("tutti-bridge\0"):
            os.kill(pid, signal.SIGKILL)
    print("FAILED" if failures else "PASSED")
    return 1 if failures else 0


sys.exit(main())
