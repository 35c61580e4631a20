# SPDX-License-Identifier: MIT
"""The tarball as a user meets it: packed, unpacked, installed into a home of its own, looked at, uninstalled to the last file.

Arguments: the source folder, and the folders of the native, 64- and 32-bit Windows builds. Without a Windows build,
files stand in for the driver; with Wine and the real one a prefix is registered.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

TOP, NATIVE, WIN64, WIN32 = None, None, None, None
WINE, SERVER = "/usr/lib/wine/wine64", "/usr/lib/wine/wineserver64"
OVERRIDES = "mscoree,mshtml,winemenubuilder.exe,services.exe,explorer.exe,plugplay.exe,winedevice.exe="


def snapshot(folder):
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


class Tarball(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tutti package ")
        cls.top = pathlib.Path(cls.folder.name).resolve()
        cls.real = (WIN64 / "src/asio/tutti.dll").exists() and (WIN64 / "src/cli/tutti.exe").exists()
        win64 = WIN64 if cls.real else cls.stand_in()
        made = subprocess.run([TOP / "tools/package.sh", NATIVE, win64, WIN32, cls.top / "out"], capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
        cls.tarball = pathlib.Path(made.stdout.strip())
        subprocess.run(["tar", "-C", cls.top, "-xzf", cls.tarball], check=True)
        cls.unpacked = cls.top / cls.tarball.name.removesuffix(".tar.gz")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def stand_in(cls):
        for name in ("src/asio/tutti.dll", "src/tuttid/tuttid.exe", "src/cli/tutti.exe", "conform/tutti-conform.exe"):
            path = cls.top / "win64" / name
            path.parent.mkdir(parents=True)
            path.write_bytes(b"MZ")
        return cls.top / "win64"

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="home ", dir=self.top))
        self.tools = pathlib.Path(tempfile.mkdtemp(prefix="tools ", dir=self.top))
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="run ", dir=self.top))
        self.environment = {"HOME": str(self.home), "PATH": f"{self.tools}:/usr/bin:/bin", "TUTTI_RUNTIME_DIR": str(self.runtime),
                            "TUTTI_DEVICE_BACKEND": "sim", "TUTTI_ENGINE_GRACE_MS": "200", "LC_ALL": "C.UTF-8"}
        self.systemctl("exit 1")

    def systemctl(self, does):
        tool = self.tools / "systemctl"
        tool.write_text(f'#!/bin/sh\necho "$*" >>"{self.tools}/calls"\n{does}\n')
        tool.chmod(0o755)

    def calls(self):
        return (self.tools / "calls").read_text()

    def run_script(self, script, *arguments, code=0):
        done = subprocess.run([script, *arguments], env=self.environment, capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def install(self, *arguments, code=0):
        return self.run_script(self.unpacked / "install.sh", *arguments, code=code)

    def test_install_use_uninstall_leaves_the_home_as_it_was(self):
        (self.home / ".local/bin").mkdir(parents=True)
        (self.home / ".local/bin/mine").write_text("mine")
        before = snapshot(self.home)
        said = self.install()
        self.assertIn(f"is installed in {self.home}/.local.", said)
        self.assertIn("There is no systemd for this user", said)
        self.assertIn("There is no Wine prefix yet", said)
        self.assertIn("into your PATH", said)
        tutti = self.home / ".local/bin/tutti"
        self.assertIn("Virtual sound card", self.run_script(tutti, "devices"))
        self.assertIn("an engine runs", self.run_script("/bin/sh", "-c", f'"{tutti}" doctor; exit 0'))
        self.install()
        self.run_script(self.home / ".local/share/tutti/uninstall.sh")
        self.assertEqual(before, snapshot(self.home))

    def test_another_prefix_is_undone_from_the_unpacked_folder(self):
        where = self.home / "some where"
        self.install("--prefix", str(where), "--no-service", "--no-wine")
        self.assertTrue((where / "lib/tutti/x86_64-windows/tuttid.exe").exists())
        self.run_script(self.unpacked / "uninstall.sh", "--prefix", str(where))
        self.assertEqual({}, snapshot(self.home))
        self.assertIn("nothing that install.sh put there", self.run_script(self.unpacked / "uninstall.sh", "--prefix", str(where), code=1))

    def test_files_of_others_are_neither_overwritten_nor_removed(self):
        (self.home / ".local/bin").mkdir(parents=True)
        (self.home / ".local/bin/tutti").write_text("another program")
        before = snapshot(self.home)
        self.assertIn("was not installed by this script", self.install(code=1))
        self.assertEqual(before, snapshot(self.home))
        (self.home / ".local/bin/tutti").unlink()
        self.install()
        (self.home / ".local/share/tutti/mine").write_text("mine")
        self.run_script(self.unpacked / "uninstall.sh")
        self.assertEqual(["mine"], [path.name for path in self.home.rglob("*") if path.is_file()])

    def test_a_newer_version_takes_away_what_only_the_older_had(self):
        self.install("--no-wine")
        installed = self.home / ".local/share/tutti/installed"
        (self.home / ".local/share/tutti/old").write_text("old")
        installed.write_text(installed.read_text() + "file share/tutti/old\n")
        self.install("--no-wine")
        self.assertFalse((self.home / ".local/share/tutti/old").exists())
        self.run_script(self.unpacked / "uninstall.sh")
        self.assertEqual([], [path for path in self.home.rglob("*") if path.is_file()])

    def test_systemd_gets_the_units_and_gives_them_back(self):
        self.systemctl("exit 0")
        self.assertIn("systemd starts the engine", self.install("--no-wine"))
        units = self.home / ".config/systemd/user"
        self.assertIn(f'ExecStart="{self.home}/.local/bin/tuttid"', (units / "tuttid.service").read_text())
        self.assertIn("--user enable --now tuttid.socket", self.calls())
        self.install("--no-wine")
        self.run_script(self.unpacked / "uninstall.sh")
        self.assertIn("--user disable --now tuttid.socket", self.calls())
        self.assertEqual([], [path for path in self.home.rglob("*") if path.is_file()])

    def test_a_prefix_is_registered_and_comes_back(self):
        if not (self.real and os.path.exists(WINE)):
            self.skipTest("needs Wine and the 64-bit Windows build")
        prefix = self.home / ".wine"
        environment = {**self.environment, "WINEPREFIX": str(prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": OVERRIDES}
        subprocess.run([WINE, "wineboot", "-i"], env=environment, check=True, timeout=120, capture_output=True)
        subprocess.run([SERVER, "-w"], env=environment, check=True, timeout=60)
        self.assertIn(f"{prefix}: registered", self.install())
        self.assertIn("the same as this", self.run_script(self.home / ".local/bin/tutti", "wine", "status"))
        self.assertIn("64df45ea", (prefix / "system.reg").read_text(errors="replace").lower())
        self.windows_programs_meet_the_native_engine(environment, self.home / ".local/lib/tutti/x86_64-windows")
        copies = prefix / "drive_c/Program Files/Tutti"
        shutil.copytree(self.home / ".local/lib/tutti/x86_64-windows", copies)
        self.windows_programs_meet_the_native_engine(environment, copies)
        shutil.rmtree(copies)
        # a prefix that is busy keeps the files that it refers to
        subprocess.run([SERVER, "-p30"], env=environment, check=True)
        self.assertIn("still refers to the driver", self.run_script(self.unpacked / "uninstall.sh", code=1))
        self.assertTrue((self.home / ".local/bin/tutti").exists())
        subprocess.run([SERVER, "-k"], env=environment, check=False)
        subprocess.run([SERVER, "-w"], env=environment, check=False, timeout=60)
        self.assertIn("taken out", self.run_script(self.unpacked / "uninstall.sh"))
        self.assertNotIn("64df45ea", (prefix / "system.reg").read_text(errors="replace").lower())
        self.assertFalse((self.home / ".local").exists())

    def windows_programs_meet_the_native_engine(self, environment, folder):
        """One that is there, and one that they start."""
        tutti = self.home / ".local/bin/tutti"
        environment = {**environment, "TUTTI_ENGINE_GRACE_MS": "20000"}
        for starts in ([tutti, "devices"], [WINE, folder / "tutti.exe", "devices"]):
            subprocess.run(starts, env=environment, check=True, timeout=60, capture_output=True)
            seen = [json.loads(subprocess.run([*command, "status", "--json"], env=environment, check=True, timeout=60,
                                              capture_output=True).stdout)["engine"]["pid"]
                    for command in ([tutti], [WINE, folder / "tutti.exe"])]
            self.assertEqual(seen[0], seen[1])
            self.assertIn("tuttid", os.readlink(f"/proc/{seen[0]}/exe"))
            subprocess.run([tutti, "stop-engine"], env=environment, check=True, timeout=30, capture_output=True)
        # the command starts Wine itself, and hands on what it is given and what comes of it
        listed = subprocess.run([tutti, "conform", "--list", "--only=interface"], env=environment, check=True, timeout=60, capture_output=True, text=True)
        self.assertIn("created_with_its_clsid_as_interface", listed.stdout)
        self.assertEqual(2, subprocess.run([tutti, "conform", "--only=no_such_case", "No Such Driver"], env=environment, check=False, timeout=60,
                                           capture_output=True).returncode)
        subprocess.run([SERVER, "-w"], env=environment, check=True, timeout=60)

    def test_links_in_the_documents_lead_somewhere(self):
        top = self.unpacked / "share/doc/tutti"
        documents = sorted(top.rglob("*.md"))
        self.assertIn(top / "docs/adr/0005-wine-transport.md", documents)
        self.assertTrue((top / "include/tutti/status.h").exists())
        links = 0
        for document in documents:
            for link, anchor in re.findall(r"\]\(([^)#\s]*)(#[^)\s]*)?\)", document.read_text()):
                if "://" in link:
                    continue
                links += 1
                target = document.parent / link if link else document
                self.assertTrue(target.exists(), f"{document.relative_to(top)}: {link}")
                if anchor:
                    heads = [re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-") for head in re.findall(r"^#+ (.*)$", target.read_text(), re.M)]
                    self.assertIn(anchor[1:], heads, f"{document.relative_to(top)}: {link}{anchor}")
        self.assertGreater(links, 30)

    def test_what_is_staged_works_together_where_it_lies(self):
        stage = self.top / "stage"
        win64 = WIN64 if self.real else self.top / "win64"
        subprocess.run([TOP / "tools/stage.sh", NATIVE, win64, WIN32, stage, stage / "bin/tutti-bridge"], check=True, capture_output=True)
        checks = {check["name"]: check for check in json.loads(self.run_script("/bin/sh", "-c", f'"{stage}/bin/tutti" doctor --json; exit 0'))["checks"]}
        for name in ("engine", "bridge", "device"):
            self.assertEqual("ok", checks[name]["verdict"], checks[name])
        self.assertIn(f"starts {stage}/bin/tuttid", checks["engine"]["text"])
        (self.home / ".wine/drive_c").mkdir(parents=True)
        self.assertNotIn("is not installed", self.run_script(stage / "bin/tutti", "wine", "install", code=1))
        self.assertEqual(f"{stage}/bin/tutti-bridge\n", (stage / "lib/tutti/x86_64-windows/tutti-bridge.txt").read_text())
        shutil.rmtree(stage)

    def test_a_build_that_lacks_a_librarys_headers_is_not_packed(self):
        native = self.top / "lacking"
        (native / "src/backend").mkdir(parents=True)

        def refusal(backends):
            (native / "src/backend/backends_built.h").write_text(f"#define BACKENDS_BUILT(X) {' '.join(f'X({name})' for name in backends)}\n")
            refused = subprocess.run([TOP / "tools/package.sh", native, WIN64, WIN32, self.top / "none"], capture_output=True, text=True, check=False)
            self.assertEqual(1, refused.returncode)
            return refused.stderr

        every = ["pipewire", "jack", "alsa", "sim"]
        for lacking in every[:3]:
            self.assertIn(f"without the {lacking} backend", refusal(name for name in every if name != lacking))
        self.assertIn("without RealtimeKit", refusal(every))

    def test_in_steams_container_the_engine_starts_or_is_shared(self):
        """Steam's container has its own /run/user and /usr, but this home, this /tmp and these processes (pressure-vessel)."""
        if not (self.real and os.path.exists(WINE) and os.geteuid() == 0):
            self.skipTest("needs Wine, the 64-bit Windows build and root for mounts")
        self.install("--no-service", "--no-wine")
        del self.environment["TUTTI_RUNTIME_DIR"]
        environment = {**self.environment, "XDG_RUNTIME_DIR": str(self.runtime), "WINEPREFIX": str(self.home / ".wine"),
                       "WINEDEBUG": "-all", "WINEDLLOVERRIDES": OVERRIDES, "TUTTI_ENGINE_GRACE_MS": "20000"}
        folder = self.home / ".local/lib/tutti/x86_64-windows"
        tutti = self.home / ".local/bin/tutti"
        for program in ("tuttid", "tutti-bridge"):
            needs = subprocess.run(["ldd", tutti.parent / program], check=True, capture_output=True, text=True).stdout
            self.assertLessEqual(set(re.findall(r"(lib\w+)[\w.-]*\.so", needs)), {"libc", "libm"}, f"{program} needs more than that /usr has")

        def engine(*command):
            done = subprocess.run([*command, "status", "--json"], env=environment, check=True, timeout=60, capture_output=True)
            return json.loads(done.stdout)["engine"]["pid"]

        subprocess.run([WINE, "wineboot", "-i"], env=environment, check=True, timeout=120, capture_output=True)
        subprocess.run([SERVER, "-w"], env=environment, check=True, timeout=60)
        subprocess.run([tutti, "devices"], env=environment, check=True, timeout=30, capture_output=True)
        outside = engine(tutti)
        for shared in (False, True):
            # the launch option PRESSURE_VESSEL_FILESYSTEMS_RW binds a folder to its own place
            script = ('kept=$(mktemp -d) && mount --bind "$1" "$kept" && mount -t tmpfs none "$1" && '
                      + ('mkdir "$1/tutti" && mount --bind "$kept/tutti" "$1/tutti" && ' if shared else "") +
                      '"$2" "$3" devices >/dev/null && "$2" "$3" status --json; "$4" -k; umount "$kept"; rmdir "$kept"')
            done = subprocess.run(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, "-", self.runtime, WINE,
                                   folder / "tutti.exe", SERVER], env=environment, timeout=120, capture_output=True, text=True, check=False)
            self.assertTrue(done.stdout, done.stderr)
            pid = json.loads(done.stdout)["engine"]["pid"]
            self.assertEqual(shared, pid == outside, done.stderr)
            self.assertEqual(str(self.home / ".local/bin/tuttid"), os.readlink(f"/proc/{pid}/exe"))
            if not shared:
                os.kill(pid, signal.SIGTERM)
        subprocess.run([tutti, "stop-engine"], env=environment, check=True, timeout=30, capture_output=True)

    def test_the_same_builds_give_the_same_bytes(self):
        again = self.top / "again"
        win64 = WIN64 if self.real else self.top / "win64"
        made = subprocess.run([TOP / "tools/package.sh", NATIVE, win64, WIN32, again], capture_output=True, text=True, check=True)
        self.assertEqual(self.tarball.read_bytes(), pathlib.Path(made.stdout.strip()).read_bytes())
        shutil.rmtree(again)


def main():
    global TOP, NATIVE, WIN64, WIN32
    TOP, NATIVE, WIN64, WIN32 = map(pathlib.Path, sys.argv[1:5])
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])


main()
