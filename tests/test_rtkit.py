# SPDX-License-Identifier: MIT
"""An engine whose user has no right to real-time priority asks RealtimeKit: here a service of our own on a message bus of our own, which
raises threads as the real one does. Needs root, to be that service and to run the engine as a user without rights.

Arguments: the tutti command and tuttid. As "serve ADDRESS FOLDER MODE" it is the service.
"""

import os
import pathlib
import pwd
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import dbus
    import dbus.mainloop.glib
    import dbus.service
    from gi.repository import GLib
except ImportError:
    dbus = None

USER = pwd.getpwnam("nobody").pw_uid  # the bus wants to know its users
SKIPPED = 77
WAIT_S = 20
NAME = "org.freedesktop.RealtimeKit1"
BUS = """<busconfig><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>"""
TUTTI, TUTTID = None, None


def serve(address, folder, mode):
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(address)
    folder = pathlib.Path(folder)

    class Kit(dbus.service.Object):
        @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
        def Get(self, _interface, name):
            return dbus.Int64(150000) if name == "RTTimeUSecMax" else dbus.Int32(15)

        @dbus.service.method(NAME, in_signature="tu", out_signature="", sender_keyword="sender")
        def MakeThreadRealtime(self, thread, priority, sender=None):
            process = bus.get_object("org.freedesktop.DBus", "/").GetConnectionUnixProcessID(sender, dbus_interface="org.freedesktop.DBus")
            limits = pathlib.Path(f"/proc/{process}/limits").read_text()
            with open(folder / "asked", "a") as file:
                file.write(f"{thread} {priority} {limits[limits.index('Max realtime timeout'):].splitlines()[0]}\n")
            if mode == "refuse":
                raise dbus.exceptions.DBusException("no more of you today", name="org.freedesktop.DBus.Error.AccessDenied")
            os.sched_setscheduler(int(thread), os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(int(priority)))

    Kit(bus, "/org/freedesktop/RealtimeKit1")
    name = dbus.service.BusName(NAME, bus)
    (folder / "serves").touch()
    GLib.MainLoop().run()
    return name


def wait_for(what):
    end = time.monotonic() + WAIT_S
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Rtkit(unittest.TestCase):
    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="tutti-rtkit-"))
        self.top.chmod(0o755)
        self.runtime = self.top / "run"
        self.runtime.mkdir(mode=0o700)
        os.chown(self.runtime, USER, USER)
        for program in (TUTTI, TUTTID):
            shutil.copy(program, self.top)
        self.address = f"unix:path={self.top}/bus"
        self.environment = {"PATH": "/usr/bin:/bin", "TUTTI_RUNTIME_DIR": str(self.runtime), "TUTTI_CONFIG": "/dev/null", "TUTTI_DEVICE_BACKEND": "sim",
                            "DBUS_SYSTEM_BUS_ADDRESS": self.address, "TUTTI_ENGINE_GRACE_MS": "60000"}
        self.processes = []

    def tearDown(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=WAIT_S)
        shutil.rmtree(self.top)

    def start(self, *arguments, **options):
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def bus(self, mode):
        config = self.top / "bus.conf"
        config.write_text(BUS.format(self.top / "bus"))
        self.start("dbus-daemon", f"--config-file={config}", "--nofork")
        self.assertTrue(wait_for((self.top / "bus").exists))
        self.start("/usr/bin/python3", __file__, "serve", self.address, str(self.top), mode)
        self.assertTrue(wait_for((self.top / "serves").exists))

    def play(self):
        """An engine whose device runs, because a program records."""
        def no_rights():
            resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
        user = {"env": self.environment, "cwd": "/", "user": USER, "group": USER, "extra_groups": [], "preexec_fn": no_rights}
        self.start(self.top / "tuttid", **user)
        self.assertTrue(wait_for((self.runtime / "engine").exists))
        self.record = lambda name, buffer: self.start(self.top / "tutti", "record", str(self.runtime / name), "--buffer", buffer, **user)
        self.record("take.wav", "1024")
        return self.processes[-2]

    def policies(self, process):
        found = []
        for thread in os.listdir(f"/proc/{process.pid}/task"):
            found.append((os.sched_getscheduler(int(thread)) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(int(thread)).sched_priority))
        return found

    def log(self):
        return (self.runtime / "tuttid.log").read_text()

    def asked(self):
        path = self.top / "asked"
        return path.read_text().splitlines() if path.exists() else []

    def test_a_refused_cycle_thread_gets_its_priority_from_the_service(self):
        self.bus("give")
        engine = self.play()
        self.assertTrue(wait_for(self.asked))
        self.assertTrue(wait_for(lambda: (os.SCHED_RR, 15) in self.policies(engine)), self.policies(engine))
        # as many microseconds as the service allows, and no more rights than asked for
        self.assertRegex(self.asked()[0], r"^\d+ 15 Max realtime timeout +150000 +150000 +us")

    def test_a_service_that_refuses_leaves_the_engine_playing(self):
        self.bus("refuse")
        engine = self.play()
        self.assertTrue(wait_for(self.asked))
        self.assertTrue(wait_for((self.runtime / "take.wav").exists))
        self.assertIsNone(engine.poll())
        self.assertEqual({(os.SCHED_OTHER, 0)}, set(self.policies(engine)))
        # a smaller buffer opens the device anew, with another thread
        self.record("second.wav", "128")
        self.assertTrue(wait_for(lambda: self.log().count("sim 'Virtual sound card' runs") == 2), self.log())
        self.assertTrue(wait_for(lambda: (self.runtime / "second.wav").exists() and (self.runtime / "second.wav").stat().st_size > 10000))
        self.assertEqual(1, len(self.asked()))
        self.assertIn("RealtimeKit: no more of you today", self.log())

    def test_without_a_bus_the_engine_plays_and_says_what_to_do(self):
        engine = self.play()
        self.assertTrue(wait_for((self.runtime / "take.wav").exists))
        self.assertIsNone(engine.poll())
        self.assertTrue(wait_for(lambda: "runs without real-time priority" in self.log()))
        self.assertIn("'tutti doctor' tells more", self.log())


def main():
    global TUTTI, TUTTID
    if dbus is None or os.geteuid() != 0 or not shutil.which("dbus-daemon"):
        print("needs root, dbus-daemon and Python's dbus")
        sys.exit(SKIPPED)
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:5])
        return
    TUTTI, TUTTID = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])


main()
