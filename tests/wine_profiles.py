# SPDX-License-Identifier: MIT
"""Windows hosts under Wine on the native engine, one by the entry "Tutti" and one by that of a profile, with one configuration in the
user's home that both sides read: each has its own buffer sizes, and what changes in the file reaches both while they play.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import demo

PROFILE = "Low Latency"
failures = []


def expect(true, text):
    print(("ok    " if true else "WRONG ") + text)
    if not true:
        failures.append(text)


def run(*arguments):
    done = subprocess.run([demo.WRAPPER, *arguments], env=demo.environment(), capture_output=True, text=True, timeout=demo.PATIENCE_S, check=False)
    return done.stdout + done.stderr


def write(path, text):
    """As an editor does: another file by the same name."""
    fresh = path.with_name("fresh")
    fresh.write_text(text)
    fresh.replace(path)


def profiles():
    return sorted((p["buffer_frames"], p["profile"]) for p in demo.status().get("programs", []) if p["buffer_frames"])


def play(configuration):
    hosts = [demo.Host("plain", 256, 0, []),
             demo.Host("low", 64, 0, ["--driver", f"Tutti {PROFILE}"], on_reset="restart")]
    demo.wait_for(lambda: all(host.ready() for host in hosts), demo.PATIENCE_S, "for both hosts to play")
    expect(profiles() == [(64, PROFILE), (256, "")], f"the engine knows who came by which entry: {profiles()}")

    write(configuration, "[program]\nbuffer = many\n")
    demo.wait_for(lambda: "many" in (demo.status().get("engine") or {}).get("problem", ""), demo.PATIENCE_S, "for the mistake to be told")
    said = demo.status()["engine"]["problem"]
    expect("tutti.ini:2: " in said and "512 stays" in said, f"the mistake has its line and the value that stays: {said}")

    # the sizes of the profile are others now: a reset request, and the host comes again
    write(configuration, f"[program]\nbuffer = 512\n[profile {PROFILE}]\nprogram.buffer = 64\nprogram.buffer_max = 128\n")
    log = pathlib.Path(demo.DEMO) / "runtime/driver.log"
    demo.wait_for(lambda: log.read_text().count("what was reported to the host") >= 1, demo.PATIENCE_S, "for the driver to see the change")
    demo.wait_for(lambda: (64, PROFILE) in profiles(), demo.PATIENCE_S, "for the host of the profile to play again")
    follow_what_is_no_plain_file(configuration, log)
    time.sleep(1)
    for host in hosts:
        host.end()
    for host in hosts:
        report = host.report()
        expect(report and not report["errors"] and report["callbacks"] > 100, f"{host.name}: {report.get('callbacks')} callbacks, no errors")
    expect(hosts[1].report()["resets"] >= 1, f"the host of the profile was asked for a reset: {hosts[1].report()['resets']}")


def follow_what_is_no_plain_file(configuration, log):
    """A link into a store, switched to a file of the same size and time; then a pipe, which hangs nobody."""
    engine = log.with_name("tuttid.log")
    count = lambda: (log.read_text().count("'Tutti': the configuration has changed"), engine.read_text().count("has changed and was read again"))
    store = [configuration.with_name(name) for name in ("one", "two")]
    for path, frames in zip(store, (128, 256)):
        path.write_text(f"[program]\nbuffer = {frames}\n")
        os.utime(path, (1, 1))
    for turn, path in enumerate(store):
        before = count()
        link = configuration.with_name("link")
        link.symlink_to(path)
        link.replace(configuration)
        demo.wait_for(lambda: all(now > then for now, then in zip(count(), before)), demo.PATIENCE_S,
                      f"for the driver and the engine to follow the link ({turn})")
    pipe = configuration.with_name("pipe")
    os.mkfifo(pipe)
    pipe.replace(configuration)
    demo.wait_for(lambda: "'Tutti': tutti.ini: this is no regular file" in log.read_text(), demo.PATIENCE_S, "for the driver to refuse a pipe")
    said = demo.status()["engine"]["problem"]
    expect("this is no regular file" in said, f"so does the engine: {said}")
    configuration.unlink()


def main():
    demo.use_folder(os.path.join(demo.TOP, "build", "profiles"))
    demo.use_native_engine()
    demo.prepare()
    home = pathlib.Path(demo.DEMO) / "home"
    configuration = home / ".config/tutti/tutti.ini"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(f"[program]\nbuffer = 512\n[profile {PROFILE}]\nprogram.buffer = 64\nprogram.buffer_min = 64\nprogram.buffer_max = 64\n")
    # the prefix is awake with another home: its programs shall see this one
    subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=demo.environment(), check=False, stderr=subprocess.DEVNULL)
    os.environ["HOME"] = str(home)
    for name in ("XDG_CONFIG_HOME", "TUTTI_CONFIG"):
        os.environ.pop(name, None)
    try:
        said = run(f"{demo.BIN}/tutti.exe", "profile", "add", PROFILE)
        expect(f"Tutti {PROFILE}: added" in said, f"the command makes the entry: {said.strip()}")
        listed = run(f"{demo.BIN}/tutti-host.exe", "--list")
        expect("Tutti\t" in listed and f"Tutti {PROFILE}\t" in listed, "a host lists both entries")
        refused = run(f"{demo.BIN}/tutti-host.exe", "--driver", f"Tutti {PROFILE}", "--buffer", "256", "--seconds", "1")
        expect("64" in refused and "256" in refused, f"another size than the profile's is refused: {refused.strip().splitlines()[0] if refused else ''}")
        play(configuration)
    finally:
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=demo.environment(), check=False, stderr=subprocess.DEVNULL)
        for pid in demo.engine_pids() + demo.pids_of("tutti-bridge\0"):
            os.kill(pid, signal.SIGKILL)
    print("FAILED" if failures else "PASSED")
    return 1 if failures else 0


sys.exit(main())
