# SPDX-License-Identifier: MIT
"""A machine without a sound server and without a card: play, record, status and doctor say that nobody hears anything, and why.

Arguments: the folder of the native build.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
import wave

BUILD = None
UNHEARD = "nobody hears this virtual sound card"


class NoDevice(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tutti-none-")
        self.top = pathlib.Path(self.folder.name).resolve()
        for name in ("home", "run", "bin"):
            (self.top / name).mkdir(mode=0o700)
        for program in ("cli/tutti", "tuttid/tuttid", "bridge/tutti-bridge"):
            shutil.copy(BUILD / "src" / program, self.top / "bin")
        # no server of the session, no JACK server of that name, no configuration by which libasound finds cards
        self.environment = {"HOME": str(self.top / "home"), "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(self.top / "run"), "LC_ALL": "C.UTF-8",
                            "TUTTI_JACK_SERVER": f"tutti-none-{os.getpid()}", "ALSA_CONFIG_PATH": "/dev/null"}
        with wave.open(str(self.top / "song.wav"), "wb") as song:
            song.setnchannels(2)
            song.setsampwidth(2)
            song.setframerate(48000)
            song.writeframes(bytes(4 * 4800))

    def tearDown(self):
        self.run_tutti("stop-engine")
        self.folder.cleanup()

    def run_tutti(self, *arguments, program="tutti"):
        done = subprocess.run([self.top / "bin" / program, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        self.code, self.error = done.returncode, done.stderr
        return done.stdout

    def status(self):
        return json.loads(self.run_tutti("status", "--json"))["engine"]

    def doctor(self, name):
        return [check for check in json.loads(self.run_tutti("doctor", "--json"))["checks"] if check["name"] == name][0]

    def test_who_plays_and_records_is_told_and_so_is_who_looks(self):
        self.run_tutti("play", str(self.top / "song.wav"))
        self.assertEqual(0, self.code)
        self.assertIn(UNHEARD, self.error)
        for reason in ("no PipeWire server runs", "no JACK server runs", "alsa: there is no sound card"):
            self.assertIn(reason, self.error)
        self.run_tutti("record", str(self.top / "take.wav"), "--seconds", "0.05")
        self.assertIn(UNHEARD, self.error)
        self.assertIn(UNHEARD, self.status()["problem"])
        self.assertIn("Problem " + UNHEARD, self.run_tutti("status"))
        self.assertIn(UNHEARD, (self.top / "run/tutti/tuttid.log").read_text())

    def test_a_server_that_hangs_is_among_the_reasons(self):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.top / "run/pipewire-0"))
            server.listen()
            found = self.run_tutti("--devices", program="tuttid")
            self.run_tutti("play", str(self.top / "song.wav"))
            self.assertIn("pipewire: the PipeWire server does not answer", self.error)
            self.assertIn("pipewire -: [does not answer]\n", found)
            self.assertIn("pipewire does not answer", self.doctor("device")["text"])

    def test_the_doctor_tells_before_anybody_plays(self):
        check = self.doctor("device")
        self.assertEqual("warn", check["verdict"])
        self.assertIn("there is only the virtual sound card (pipewire finds nothing, jack finds nothing, alsa finds nothing)", check["text"])
        self.assertEqual("ok", self.doctor("bridge")["verdict"])
        (self.top / "bin/tutti-bridge").unlink()
        self.assertIn("tutti-bridge is not beside tutti", self.doctor("bridge")["text"])

    def test_who_wants_the_virtual_card_hears_no_warning(self):
        configuration = self.top / "home/.config/tutti/tutti.ini"
        configuration.parent.mkdir(parents=True)
        for wish in ("backend = sim", "name = Virtual sound card"):
            configuration.write_text(f"[device]\n{wish}\n")
            self.run_tutti("play", str(self.top / "song.wav"))
            self.assertEqual((0, ""), (self.code, self.error))
            self.assertEqual("", self.status()["problem"])
            self.run_tutti("stop-engine")
        configuration.write_text("[device]\nbackend = jack\n")
        self.assertEqual("fail", self.doctor("device")["verdict"])


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1))
    unittest.main()
