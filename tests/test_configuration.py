# SPDX-License-Identifier: MIT
"""The real engine and its configuration file: mistakes stop nothing, all are reported, and what the file is, is called by its name.

Arguments: the folder of the native build.
"""

import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import wave

BUILD = None
PATIENCE_S = 20


class Configuration(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tutti-ini-")
        self.top = pathlib.Path(self.folder.name).resolve()
        for name in ("home", "run", "bin"):
            (self.top / name).mkdir(mode=0o700)
        for program in ("cli/tutti", "tuttid/tuttid", "bridge/tutti-bridge"):
            shutil.copy(BUILD / "src" / program, self.top / "bin")
        self.ini = self.top / "home/.config/tutti/tutti.ini"
        self.ini.parent.mkdir(parents=True)
        self.environment = {"HOME": str(self.top / "home"), "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(self.top / "run"), "LC_ALL": "C.UTF-8",
                            "TUTTI_JACK_SERVER": f"tutti-none-{os.getpid()}", "ALSA_CONFIG_PATH": "/dev/null"}
        self.recording = None

    def tearDown(self):
        if self.recording:
            self.recording.terminate()
            self.recording.communicate()
        self.run_program("tutti", "stop-engine")
        self.folder.cleanup()

    def run_program(self, program, *arguments):
        done = subprocess.run([self.top / "bin" / program, *arguments], env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S,
                              check=False)
        self.code, self.error = done.returncode, done.stderr
        return done.stdout

    def record(self):
        """A program that keeps the device open."""
        self.recording = subprocess.Popen([self.top / "bin/tutti", "record", self.top / "take.wav", "--seconds", "120", "--replace"], env=self.environment,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.await_(lambda: self.status().get("device", {}).get("state") == "running")

    def status(self):
        text = self.run_program("tutti", "status", "--json")
        found = json.loads(text) if text else {"engine": None}
        return {**found["engine"], "device": found["device"]} if found["engine"] else {}

    def await_(self, holds):
        end = time.monotonic() + PATIENCE_S
        while not holds():
            self.assertLess(time.monotonic(), end, self.log()[-1500:])
            time.sleep(0.05)

    def await_problem(self, text):
        self.await_(lambda: text in self.status().get("problem", ""))

    def log(self):
        path = self.top / "run/tutti/tuttid.log"
        return path.read_text() if path.exists() else ""

    def doctor(self):
        return [check for check in json.loads(self.run_program("tutti", "doctor", "--json"))["checks"] if check["name"] == "configuration"][0]

    def check_takes_a_mistake(self, sentence):
        self.run_program("tutti", "record", str(self.top / "take.wav"), "--seconds", "0.05", "--replace")
        self.assertEqual(0, self.code, self.error)
        self.assertIn(sentence, self.status()["problem"])
        self.assertIn(sentence, self.log())

    def test_a_wrong_backend_stops_nothing_and_is_reported(self):
        for word, stays in (("alas", "one of auto, "), ("wasapi", "not 'wasapi'; auto stays")):
            self.ini.write_text(f"[device]\nbackend = {word}\n")
            self.check_takes_a_mistake("tutti.ini:2: backend is one of auto, ")
            self.assertIn(stays, self.status()["problem"])
            self.assertEqual("warn", self.doctor()["verdict"])
            self.assertIn("line 2: backend is one of auto, ", self.doctor()["text"])
            self.assertNotIn("()", self.run_program("tutti", "doctor"))
            self.run_program("tutti", "stop-engine")

    def test_a_wrong_backend_while_a_program_plays_makes_no_gap(self):
        self.ini.write_text("[device]\nbackend = sim\n")
        self.record()
        self.ini.write_text("[device]\nbackend = sin\n")
        self.await_problem("not 'sin'; sim stays")
        self.assertEqual((0, 0), (self.status()["reopenings"], self.status()["gap_frames"]))
        self.ini.write_text("[device]\nbackend = sim\n")
        self.await_(lambda: not self.status()["problem"])
        self.assertEqual(0, self.status()["reopenings"])

    def test_all_mistakes_are_in_the_log_and_the_doctors(self):
        self.ini.write_text("[program]\nbuffer = big\n[sim]\nperiod_min = 64\nperiod_max = 32\n[profile A]\nprogram.buffer = 3\n")
        self.check_takes_a_mistake("tutti.ini:2: buffer is a whole number")
        self.assertIn("(and 2 more: see the log)", self.status()["problem"])
        log = self.log()
        for sentence in ("tutti.ini:2: buffer", "tutti.ini:5: period_min 64 is above period_max 32; 16 and 4096 stay",
                         "tutti.ini:7: buffer is a whole number"):
            self.assertEqual(1, log.count(sentence), log)
        shown = self.run_program("tuttid", "--configuration").splitlines()
        self.assertEqual((1, f"file: {self.ini}", 4), (self.code, shown[0], len(shown)))
        for line in ("line 2: ", "line 5: ", "line 7: "):
            self.assertIn(line, self.doctor()["text"])

    def test_no_file_and_a_misnamed_one_are_called_what_they_are(self):
        self.assertEqual(("ok", f"there is no file '{self.ini}'; every key has its default"), (self.doctor()["verdict"], self.doctor()["text"]))
        self.ini.with_suffix(".ini.txt").write_text("[program]\nbuffer = 64\n")
        self.assertIn("only one with .txt behind its name", self.doctor()["text"])
        self.check_takes_a_mistake("only one with .txt behind its name")

    def test_a_pipe_or_a_folder_hangs_nobody(self):
        os.mkfifo(self.ini)
        self.check_takes_a_mistake("tutti.ini: this is no regular file but")
        self.run_program("tutti", "log", "level")
        self.assertIn("no regular file", self.error)
        self.ini.unlink()
        self.ini.write_text("[log]\nlevel = debug\n")
        self.await_(lambda: not self.status()["problem"].startswith("/"))
        self.ini.unlink()
        self.ini.mkdir()
        self.await_problem("no regular file")

    def test_who_plays_goes_on_over_a_change_that_leaves_the_rate(self):
        song = self.top / "song.wav"
        with wave.open(str(song), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(48000)
            file.writeframes(bytes(4 * 48000 * 3))
        self.ini.write_text("[device]\nbackend = sim\n")
        player = subprocess.Popen([self.top / "bin/tutti", "play", song], env=self.environment, stderr=subprocess.PIPE, text=True)
        self.await_(lambda: self.status().get("device", {}).get("state") == "running")
        self.ini.write_text("[device]\nbackend = sim\nperiod = 128\n")
        self.await_(lambda: self.status()["reopenings"] == 1)
        said = player.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual((0, False), (player.returncode, "Hz" in said), said)

    @unittest.skipUnless(os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK | os.W_OK), "needs root and /dev/fuse")
    def test_a_folder_that_does_not_answer_hangs_nobody(self):
        """A file system in user space whose program does not even answer the kernel's first question."""
        self.ini.write_text("[log]\nlevel = debug\n")
        self.record()
        libc = ctypes.CDLL(None, use_errno=True)
        driver = os.open("/dev/fuse", os.O_RDWR)
        folder = str(self.ini.parent).encode()
        self.assertEqual(0, libc.mount(b"hangs", folder, b"fuse", 0, f"fd={driver},rootmode=40000,user_id=0,group_id=0".encode()))
        try:
            self.await_problem("tutti.ini: this does not answer; a folder on a network")
            self.assertEqual(0, self.status()["reopenings"])
            self.recording.terminate()
            self.recording.communicate()
            self.recording = None
            self.run_program("tutti", "stop-engine")
            for code, command in ((1, ("log", "level")), (1, ("log", "level", "info")), (0, ("profile", "list"))):
                self.run_program("tutti", *command)
                self.assertEqual(code, self.code, command)
                self.assertIn("tutti.ini: this does not answer; a folder on a network", self.error)
            self.check_takes_a_mistake("tutti.ini: this does not answer; a folder on a network")
        finally:
            libc.umount2(folder, 2)
            os.close(driver)
        self.await_(lambda: not self.status()["problem"].startswith(("/", "...")))

    def test_a_link_into_a_store_is_followed_when_it_is_switched(self):
        store = [self.top / name for name in ("one", "two")]
        for path, frames in zip(store, (128, 256)):
            path.write_text(f"[device]\nbackend = sim\nperiod = {frames}\n")
            os.utime(path, (1, 1))
        self.ini.symlink_to(store[0])
        self.record()
        self.assertEqual(128, self.status()["device"]["period_frames"])
        fresh = self.ini.with_suffix(".fresh")
        fresh.symlink_to(store[1])
        fresh.rename(self.ini)
        self.await_(lambda: self.status()["device"]["period_frames"] == 256)

    def test_the_log_level_is_written_through_a_link(self):
        """Dotfiles: a link to a link to a file, by relative paths; then one to a file that is not there yet."""
        (self.top / "dotfiles").mkdir()
        (self.top / "dotfiles/tutti.ini").write_text("[program]\nbuffer = 64\n")
        (self.top / "dotfiles/link").symlink_to("tutti.ini")
        self.ini.symlink_to(os.path.relpath(self.top / "dotfiles/link", self.ini.parent))
        for link, target in ((self.ini, "tutti.ini"), (self.ini.with_name("other.ini"), "new.ini")):
            if link != self.ini:
                link.symlink_to(self.top / "dotfiles" / target)
            self.environment["TUTTI_CONFIG"] = str(link)
            self.run_program("tutti", "log", "level", "debug")
            self.assertEqual((0, True), (self.code, link.is_symlink()), self.error)
            self.assertIn("level = debug", (self.top / "dotfiles" / target).read_text())
        self.assertIn("buffer = 64", self.ini.read_text())
        self.ini.unlink()
        self.ini.symlink_to(self.ini.name)
        self.environment["TUTTI_CONFIG"] = str(self.ini)
        self.run_program("tutti", "log", "level", "debug")
        self.assertEqual((1, True), (self.code, self.ini.is_symlink()), self.error)


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1))
    unittest.main()
