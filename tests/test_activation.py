# SPDX-License-Identifier: MIT
"""tuttid with a socket that a service manager holds: a small manager of our own gives it as descriptor 3, as sd_listen_fds(3) tells.

Arguments: the tutti command, tuttid, and the folder of the units.
"""

import json
import os
import pathlib
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TUTTI, TUTTID, UNITS = None, None, None
WAIT_S = 20


def wait_for(what):
    end = time.monotonic() + WAIT_S
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Activation(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tutti-activation-")
        self.runtime = pathlib.Path(self.folder.name) / "run"
        self.runtime.mkdir(mode=0o700)
        self.environment = {**os.environ, "TUTTI_RUNTIME_DIR": str(self.runtime), "TUTTI_CONFIG": "/dev/null", "TUTTI_DEVICE_BACKEND": "sim",
                            "TUTTI_ENGINE_GRACE_MS": "200", "TUTTI_ENGINE": "/nonexistent/tuttid"}
        self.engines, self.over, self.manager, self.listener = [], threading.Event(), None, None

    def tearDown(self):
        self.over.set()
        if self.manager:
            self.manager.join()
        for engine in self.engines:
            engine.terminate()
            engine.wait(timeout=WAIT_S)
        if self.listener:
            self.listener.close()
        self.folder.cleanup()

    def listen(self, kind=socket.SOCK_SEQPACKET, name="engine"):
        self.listener = socket.socket(socket.AF_UNIX, kind)
        self.listener.bind(str(self.runtime / name))
        self.listener.listen(8)

    def start(self, pid="$$"):
        """tuttid with the listener as descriptor 3; the shell's process becomes it, so $$ is its own."""
        listener = self.listener.fileno()

        def give_socket():
            os.dup2(listener, 3)
            os.set_inheritable(3, True)
        engine = subprocess.Popen(["/bin/sh", "-c", f'LISTEN_PID={pid} LISTEN_FDS=1 LISTEN_FDNAMES=x exec "$0"', TUTTID], env=self.environment,
                                  preexec_fn=give_socket, close_fds=False, stderr=subprocess.DEVNULL)
        self.engines.append(engine)
        return engine

    def manage(self):
        """Starts an engine whenever somebody waits at the socket and none runs, as systemd does."""
        self.listen()

        def loop():
            while not self.over.is_set():
                running = self.engines and self.engines[-1].poll() is None
                if not running and select.select([self.listener], [], [], 0.01)[0]:
                    self.start()
                else:
                    time.sleep(0.01)
        self.manager = threading.Thread(target=loop)
        self.manager.start()

    def tutti(self, *arguments):
        return subprocess.run([TUTTI, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def log(self):
        path = self.runtime / "tuttid.log"
        return path.read_text() if path.exists() else ""

    def test_the_first_program_starts_the_engine_and_it_leaves_and_comes_again(self):
        self.manage()
        for count in (1, 2):
            done = self.tutti("devices")
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn("Virtual sound card", done.stdout)
            self.assertEqual(count, len(self.engines))
            self.assertEqual(0, self.engines[-1].wait(timeout=WAIT_S))
            self.assertTrue((self.runtime / "engine").exists())

    def test_programs_learn_the_engines_process_and_not_the_managers(self):
        self.manage()
        self.environment["TUTTI_ENGINE_GRACE_MS"] = "20000"
        self.assertEqual(0, self.tutti("devices").returncode)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as program:
            program.connect(str(self.runtime / "engine"))
            pid = struct.unpack("3i", program.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        self.assertEqual(self.engines[-1].pid, pid)

    def test_looking_and_stopping_start_no_engine(self):
        self.manage()
        (self.runtime / "engine.service").touch()
        self.assertIsNone(json.loads(self.tutti("status", "--json").stdout)["engine"])
        self.assertEqual([], self.engines)
        self.environment["TUTTI_ENGINE_GRACE_MS"] = "20000"
        self.assertEqual(0, self.tutti("devices").returncode)
        self.assertEqual(self.engines[-1].pid, json.loads(self.tutti("status", "--json").stdout)["engine"]["pid"])
        done = self.tutti("stop-engine")
        self.assertRegex(done.stdout, r"The engine \(pid \d+\) ended\.\n")
        self.assertEqual(1, len(self.engines))

    def test_a_socket_for_another_process_is_not_taken(self):
        self.listen(name="other")
        self.environment["TUTTI_ENGINE_GRACE_MS"] = "20000"
        self.start(pid="1")
        self.assertTrue(wait_for((self.runtime / "engine").exists))
        self.assertEqual(0, self.tutti("devices").returncode)
        self.assertEqual(0, self.tutti("stop-engine").returncode)
        self.assertEqual(0, self.engines[-1].wait(timeout=WAIT_S))
        self.assertFalse((self.runtime / "engine").exists())

    def test_a_socket_of_another_kind_or_place_is_refused_with_a_sentence(self):
        self.listen(kind=socket.SOCK_STREAM)
        self.assertEqual(1, self.start().wait(timeout=WAIT_S))
        self.assertIn("ListenSequentialPacket=", self.log())
        self.listener.close()
        self.listen(name="elsewhere")
        self.assertEqual(1, self.start().wait(timeout=WAIT_S))
        self.assertIn("but programs look for the engine at", self.log())

    def test_the_units_are_whole(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze here")
        folder = pathlib.Path(self.folder.name) / "units"
        shutil.copytree(UNITS, folder)
        service = folder / "tuttid.service"
        service.write_text(service.read_text().replace("/usr/bin/tuttid", TUTTID))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(folder / "tuttid.socket"), str(service)], capture_output=True, text=True,
                              timeout=60, check=False)
        complaints = [line for line in done.stderr.splitlines() if "tuttid" in line]
        self.assertEqual([], complaints)


def main():
    global TUTTI, TUTTID, UNITS
    TUTTI, TUTTID, UNITS = sys.argv[1:4]
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])


main()
