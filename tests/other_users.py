# SPDX-License-Identifier: MIT
"""What a second user of the machine can do to the first one's engine and programs: nothing. Real users, by number; needs root to become them.

ATTEMPTS is the table: what the second user tries while the first one plays. Each must end in a refusal by the system or by Tutti.
"""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

VICTIM, OTHER, LATE_VICTIM = 64123, 64124, 64125
SKIPPED = 77
WAIT_S = 20
PTRACE_ATTACH = 16
SYS_PIDFD_GETFD = 438  # the same on every architecture but alpha
libc = ctypes.CDLL(None, use_errno=True)


class Stage:
    """The victim's engine and a program that plays, in a folder that everybody may enter."""

    def __init__(self, build):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tutti-users-"))
        self.folder.chmod(0o755)
        for name in ("src/tuttid/tuttid", "src/cli/tutti", "tests/campaign/campaign_program"):
            shutil.copy(build / name, self.folder)
        self.runtime = pathlib.Path(f"/tmp/tutti-{VICTIM}")
        shutil.rmtree(self.runtime, ignore_errors=True)
        self.home = self.folder / "victim"
        self.home.mkdir()
        os.chown(self.home, VICTIM, VICTIM)
        self.program = self.start(VICTIM)
        self.program.stdin.write(b"play 256 2\n")
        self.program.stdin.flush()
        wait_for(lambda: self.blocks() > 20, "the victim's program to play")
        self.engine = int((self.runtime / "engine.pid").read_text())

    def environment(self, **more):
        return {"PATH": "/usr/bin:/bin", "TUTTI_CONFIG": "/dev/null", "TUTTI_DEVICE_BACKEND": "sim", "TUTTI_ENGINE": str(self.folder / "tuttid"),
                **more}

    def start(self, user, report=None, **more):
        return subprocess.Popen([self.folder / "campaign_program", report or self.home / "report", "1", "0"], stdin=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.environment(**more), user=user, group=user, extra_groups=[], cwd="/")

    def blocks(self):
        try:
            return struct.unpack_from("<Q", (self.home / "report").read_bytes())[0]
        except (FileNotFoundError, struct.error):
            return 0

    def close(self):
        for process in (self.program.pid, self.engine):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.program.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.runtime, ignore_errors=True)


def wait_for(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)


# ---- what the other user tries ----


def connect(stage):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
        link.connect(str(stage.runtime / "engine"))


def replace_socket(stage):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
        link.bind(str(stage.runtime / "engine"))


def threads(pid):
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]


def ptrace(pid):
    if libc.ptrace(PTRACE_ATTACH, pid, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def read_memory(pid):
    with open(f"/proc/{pid}/mem", "rb") as file:
        file.read(1)


def open_shared_memory(pid):
    """The segment and the hint page are descriptors of theirs."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        with open(f"/proc/{pid}/fd/{name}", "r+b"):
            return
    raise PermissionError("nothing to open")


def take_descriptor(pid):
    descriptor = os.pidfd_open(pid)
    try:
        if libc.syscall(SYS_PIDFD_GETFD, descriptor, 3, 0) < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
    finally:
        os.close(descriptor)


def demote(pid):
    for thread in threads(pid):
        os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def bind_elsewhere(pid):
    for thread in threads(pid):
        os.sched_setaffinity(thread, {0})


def abstract_socket(_stage):
    """There is none, so there is nobody to connect to."""
    if "@tutti" in pathlib.Path("/proc/net/unix").read_text():
        return
    raise ConnectionRefusedError("no such socket")


def for_both(attempt):
    """Tried on the engine and on the program."""
    def tried(stage):
        for pid in (stage.engine, stage.program.pid):
            try:
                attempt(pid)
            except OSError:
                continue
            return
        raise PermissionError("neither")
    return tried


ATTEMPTS = {
    "connect to the engine": connect,
    "look into the runtime folder": lambda stage: os.listdir(stage.runtime),
    "read the log": lambda stage: (stage.runtime / "tuttid.log").read_text(),
    "read the engine's number": lambda stage: (stage.runtime / "engine.pid").read_text(),
    "write into the runtime folder": lambda stage: (stage.runtime / "x").write_text("x"),
    "take the engine's lock file": lambda stage: os.open(stage.runtime / "engine.lock", os.O_RDWR | os.O_CREAT),
    "remove the socket": lambda stage: os.unlink(stage.runtime / "engine"),
    "put another socket there": replace_socket,
    "move the runtime folder away": lambda stage: os.rename(stage.runtime, f"{stage.runtime}-moved"),
    "open the runtime folder to all": lambda stage: os.chmod(stage.runtime, 0o777),
    "an abstract socket": abstract_socket,
    "kill": for_both(lambda pid: os.kill(pid, signal.SIGKILL)),
    "stop": for_both(lambda pid: os.kill(pid, signal.SIGSTOP)),
    "attach a debugger": for_both(ptrace),
    "read memory": for_both(read_memory),
    "open the shared memory": for_both(open_shared_memory),
    "take a descriptor": for_both(take_descriptor),
    "demote threads": for_both(demote),
    "bind threads to a processor": for_both(bind_elsewhere),
}


def as_other(attempt, stage):
    """Runs an attempt as the other user in a process of its own: what refused it, or "" when nothing did."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(OTHER, OTHER, OTHER)
        os.setresuid(OTHER, OTHER, OTHER)
        try:
            attempt(stage)
            answer = b""
        except OSError as error:
            answer = str(error).encode() or b"refused"
        os.write(send, answer)
        os._exit(0)
    os.close(send)
    os.waitpid(child, 0)
    answer = os.read(receive, 4096).decode()
    os.close(receive)
    return answer


# ---- what waits for a careless one ----


def refused(stage, user, **environment):
    """A program of this user cannot start: what it says."""
    report = pathlib.Path(tempfile.mkdtemp(prefix="tutti-users-report-"))
    os.chown(report, user, user)
    try:
        process = stage.start(user, report / "report", **environment)
        _, said = process.communicate(input=b"", timeout=WAIT_S)
        assert process.returncode == 1, f"a program started all the same ({process.returncode})"
        return said.decode()
    finally:
        shutil.rmtree(report)


def traps(stage):
    """Folders that somebody else has prepared. (what, what the victim hears)"""
    base = stage.folder / "traps"
    base.mkdir(mode=0o777)
    base.chmod(0o777)

    foreign = base / "foreign"
    foreign.mkdir(mode=0o777)
    os.chown(foreign, OTHER, OTHER)
    foreign.chmod(0o777)
    yield "a folder of the other user's, open to all", refused(stage, VICTIM, TUTTI_RUNTIME_DIR=str(foreign))

    link = base / "link"
    link.symlink_to(foreign)
    os.chown(link, OTHER, OTHER, follow_symlinks=False)
    yield "a link to a folder of the other user's", refused(stage, VICTIM, TUTTI_RUNTIME_DIR=str(link))

    open_own = base / "open"
    open_own.mkdir()
    os.chown(open_own, VICTIM, VICTIM)
    open_own.chmod(0o770)
    yield "the victim's own folder, open to its group", refused(stage, VICTIM, TUTTI_RUNTIME_DIR=str(open_own))

    plain = base / "file"
    plain.write_text("")
    os.chown(plain, VICTIM, VICTIM)
    yield "a file instead of a folder", refused(stage, VICTIM, TUTTI_RUNTIME_DIR=str(plain))

    yield "root with the victim's environment", refused(stage, 0, TUTTI_RUNTIME_DIR=str(stage.runtime))

    # a foreign engine in the victim's own folder, which only root can arrange
    own = base / "own"
    own.mkdir(mode=0o700)
    os.chown(own, VICTIM, VICTIM)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as false_engine:
        false_engine.bind(str(own / "engine"))
        os.chmod(own / "engine", 0o777)
        false_engine.listen(8)
        yield "an engine of another user's in the victim's folder", refused(stage, VICTIM, TUTTI_RUNTIME_DIR=str(own))


def without_a_session(stage):
    """The victim's programs are told of no folder, and the other user was in /tmp first."""
    taken, session = pathlib.Path(f"/tmp/tutti-{LATE_VICTIM}"), pathlib.Path(f"/run/user/{LATE_VICTIM}")
    made = [folder for folder in (session.parent, session) if not folder.exists()]
    shutil.rmtree(taken, ignore_errors=True)
    taken.mkdir(mode=0o777)
    os.chown(taken, OTHER, OTHER)
    home = stage.folder / "late"
    home.mkdir()
    os.chown(home, LATE_VICTIM, LATE_VICTIM)
    try:
        said = refused(stage, LATE_VICTIM)
        assert "refused" in said, f"refused without a reason: {said}"
        # a name that only root can make is looked at before the one in /tmp
        session.mkdir(mode=0o700, parents=True)
        os.chown(session, OTHER, OTHER)
        refused(stage, LATE_VICTIM)
        assert not (session / "tutti").exists(), "another user's session folder was used"
        os.chown(session, LATE_VICTIM, LATE_VICTIM)
        process = stage.start(LATE_VICTIM, home / "report", TUTTI_ENGINE_GRACE_MS="0")
        _, said = process.communicate(input=b"", timeout=WAIT_S)
        assert process.returncode == 0, f"no engine in {session}: {said.decode()}"
        assert (session / "tutti/tuttid.log").exists(), f"the engine did not start in {session}"
        engine = int((session / "tutti/engine.pid").read_text() or 0)
        wait_for(lambda: not pathlib.Path(f"/proc/{engine}").exists(), "the engine to leave")
    finally:
        shutil.rmtree(taken, ignore_errors=True)
        for folder in made[-1:]:
            shutil.rmtree(folder, ignore_errors=True)
        for folder in made[:-1]:
            folder.rmdir()


def command(stage, user, folder, *words):
    """A command of this user's with a session folder: exit status, and all that it says."""
    done = subprocess.run([stage.folder / "tutti", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, user=user,
                          group=user, extra_groups=[], cwd="/", env=stage.environment(XDG_RUNTIME_DIR=str(folder)), timeout=WAIT_S, check=False)
    return done.returncode, " ".join(done.stdout.decode().split())


def finding(stage, user, folder):
    """What doctor says of the runtime folder."""
    found = json.loads(command(stage, user, folder, "doctor", "--json")[1])
    return next((check["verdict"], check["text"]) for check in found["checks"] if check["name"] == "runtime")


def session_folder(stage, name, owner, mode=0o700):
    folder = stage.folder / name
    folder.mkdir()
    os.chown(folder, owner, owner)
    folder.chmod(mode)
    return folder


def folders_of_others(stage):
    """The session folder is another user's, or cannot be written: nothing is made there, and who is who is said."""
    session = session_folder(stage, "session", VICTIM)
    code, said = command(stage, 0, session, "status")
    assert code != 0 and str(VICTIM) in said and "root" in said, f"root in another user's session was told: {said}"
    verdict, said = finding(stage, 0, session)
    assert verdict == "fail" and str(VICTIM) in said and "root" in said, f"doctor said to root: {verdict} {said}"
    code, said = command(stage, 0, session / "deeper", "status")
    assert code != 0, f"root was told: {said}"
    assert not list(session.iterdir()), f"root made {list(session.iterdir())} in another user's session folder"
    code, said = command(stage, VICTIM, session, "status")
    assert code == 0 and "No engine runs" in said, f"the user was told: {said}"

    # as a careless root of another version left it
    shutil.rmtree(session / "tutti", ignore_errors=True)
    (session / "tutti").mkdir(mode=0o700)
    code, said = command(stage, VICTIM, session, "status")
    assert code != 0 and str(VICTIM) in said and "root" in said, f"with root's folder in the session the user was told: {said}"
    verdict, said = finding(stage, VICTIM, session)
    assert verdict == "fail" and str(VICTIM) in said and "root" in said, f"doctor said of root's folder: {verdict} {said}"

    for what, folder in (("the session's folder", session_folder(stage, "read-only", VICTIM, 0o500)),
                         ("the engine's folder", session_folder(stage, "half", VICTIM))):
        if folder.name == "half":
            session_folder(stage, "half/tutti", VICTIM, 0o500)
        code, said = command(stage, VICTIM, folder, "devices")
        assert code != 0 and "cannot" in said and "TUTTI_RUNTIME_DIR" in said, f"when {what} is read-only: {said}"
        verdict, said = finding(stage, VICTIM, folder)
        assert verdict == "fail" and "write" in said, f"doctor said when {what} is read-only: {verdict} {said}"


def a_foreign_program_is_dropped(stage):
    """Root may pass every folder; the engine looks at who it is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
        link.connect(str(stage.runtime / "engine"))
        link.settimeout(WAIT_S)
        try:
            answer = link.recv(4096)
        except ConnectionResetError:
            answer = b""
        assert answer == b"", "the engine spoke to another user's program"


def main():
    build = pathlib.Path(sys.argv[1])
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root to become two other users")
        return SKIPPED
    stage = Stage(build)
    wrong = []
    try:
        for what, attempt in ATTEMPTS.items():
            refusal = as_other(attempt, stage)
            print(f"{'ok' if refusal else 'NOT REFUSED':11} {what}: {refusal}")
            if not refusal:
                wrong.append(what)
        for what, said in traps(stage):
            good = "refused" in said.lower() or "folder" in said.lower() or "not this user" in said.lower()
            print(f"{'ok' if good else 'NO REASON':11} {what}: {said.strip()[-160:]}")
            if not good:
                wrong.append(what)
        a_foreign_program_is_dropped(stage)
        without_a_session(stage)
        folders_of_others(stage)
        assert stage.program.poll() is None, "the victim's program ended"
        assert int((stage.runtime / "engine.pid").read_text()) == stage.engine, "the victim's engine was replaced"
        blocks = stage.blocks()
        wait_for(lambda: stage.blocks() > blocks + 20, "the victim's program to play on")
    finally:
        stage.close()
    assert not wrong, f"possible, or refused without a reason: {', '.join(wrong)}"
    return 0


sys.exit(main())
