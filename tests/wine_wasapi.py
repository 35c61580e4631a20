# SPDX-License-Identifier: MIT
"""wine_wasapi.py PROGRAM: the contract suite, a Windows program, over Wine's WASAPI on a PulseAudio
server of the test's own with two null sinks. The suite says in lines that begin with "@" what is to
become of the server. Tried under Wine, not on Windows.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WRAPPER = os.path.join(TOP, "tools", "wine-wrapper")
PREFIX = os.path.join(TOP, "build", "prefix-pulse")
ANSWER_S = 60
SINK = "module-null-sink norewinds=1 format=float32le rate=48000 channels=2"


class Server:
    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.env = dict(os.environ, WINEPREFIX=PREFIX, TUTTI_TEST_PULSE="1",
                        XDG_RUNTIME_DIR=folder, PULSE_RUNTIME_PATH=folder,
                        PULSE_STATE_PATH=folder, PULSE_COOKIE=f"{folder}/cookie")
        self.env.pop("PULSE_SERVER", None)

    def answers(self):
        done = subprocess.run(["pactl", "info"], env=self.env, capture_output=True, check=False)
        return done.returncode == 0

    def bring(self):
        if self.process:
            return
        self.process = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
             "-L", "module-native-protocol-unix auth-anonymous=1",
             "-L", f"{SINK} sink_name=tutti sink_properties=device.description=Tutti-test",
             "-L", f"{SINK} sink_name=other sink_properties=device.description=Other"],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        end = time.monotonic() + ANSWER_S
        while not self.answers():
            if time.monotonic() > end or self.process.poll() is not None:
                sys.exit("wine_wasapi: PulseAudio does not start")
            time.sleep(0.02)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            if os.path.exists(f"{self.folder}/native"):
                os.unlink(f"{self.folder}/native")

    def do(self, what):
        if what == "bring":
            self.bring()
        elif what == "kill":
            self.kill()
        elif self.process:
            self.process.send_signal(signal.SIGSTOP if what == "stand" else signal.SIGCONT)


def main(program):
    if not shutil.which("pulseaudio") or not shutil.which("pactl"):
        print("skipped: pulseaudio is not installed (packages pulseaudio, pulseaudio-utils)")
        return 77
    with tempfile.TemporaryDirectory(prefix="tutti-wasapi-") as folder:
        server = Server(folder)
        server.bring()  # Wine looks for a server when it loads its driver
        try:
            subprocess.run([WRAPPER, "reg", "add", r"HKCU\Software\Wine\Drivers", "/v", "Audio",
                            "/d", "pulse", "/f"], env=server.env, check=False, capture_output=True)
            suite = subprocess.Popen([WRAPPER, program, "wasapi"], env=server.env, text=True,
                                     bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for line in suite.stdout:
                if line.startswith("@"):
                    server.do(line[1:].strip())
                    suite.stdin.write("done\n")
                    suite.stdin.flush()
                elif line.strip():
                    print(line, end="", flush=True)
            return suite.wait()
        finally:
            server.kill()


sys.exit(main(sys.argv[1]))
