# SPDX-License-Identifier: MIT
"""tutti wine in a home of its own: layouts are found, what must not be touched is not, and what install does uninstall undoes.

Arguments: the tutti command, and the folder of the 64-bit Windows build. Without Wine or that build the tests that
need them are left out. "both" after them: prefixes with both halves alone, and nothing may be left out.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

# the loader as tutti chooses it
WINE = next((path for path in ("/usr/lib/wine/wine", "/usr/lib/wine/wine64") if os.path.exists(path)), "")
SERVER = "/usr/lib/wine/wineserver64"
INF = "/usr/share/wine/wine.inf"
NOBODY = 64125
REGISTRY = ('WINE REGISTRY Version 2\n;; All keys relative to REGISTRY\\\\Machine\n\n#arch=win64\n\n'
            '[Software\\\\Microsoft\\\\Windows NT\\\\CurrentVersion] 1\n@="x"\n\n[System\\\\Select] 1\n"Current"=dword:00000001\n')
CLSID = "{64DF45EA-BF66-45EF-B350-D02DB142E37E}"
TUTTI, BUILD, TEMPLATE = None, None, None
BOTH = False  # nothing may be left out
WRITTEN_BY_WINE = set()
HASHES = {}  # by file, as it was last written


def wine_works():
    return os.path.exists(WINE) and os.path.exists(INF)


def driver_built():
    return (BUILD / "src/asio/tutti.dll").exists() and (BUILD / "src/tuttid/tuttid.exe").exists()


def keys(path):
    """A registry file as it matters: values by key, without the times of writing."""
    found, key = {}, None
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("["):
            key = re.sub(r"\] [0-9 ]+$", "]", line)
            found[key] = []
        elif key and line and not line.startswith(("#time=", ";;")):
            found[key].append(line)
    return found


def content(path):
    """Of a file; prefixes share most of theirs."""
    status = path.stat()
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in HASHES:
        HASHES[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return HASHES[key]


def copy_template(prefix):
    """The programs of Windows are shared by hard links; the registry, which Wine may write in place, is not."""
    for folder in ("windows", "Program Files", "Program Files (x86)"):
        if (pathlib.Path(TEMPLATE) / "drive_c" / folder).exists():
            (prefix / "drive_c").mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-al", f"{TEMPLATE}/drive_c/{folder}", prefix / "drive_c/"], check=True)
    subprocess.run(["cp", "-an", f"{TEMPLATE}/.", f"{prefix}/"], check=True)


def files(prefix):
    """What is in a prefix: links by target, files by content; the registry and the server's mark apart."""
    found = {}
    for path in sorted(prefix.rglob("*")):
        name = str(path.relative_to(prefix))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_dir():
            found[name] = "folder"
        elif not name.endswith(".reg") and name != "wineserver":
            found[name] = content(path)
    return found


def everything(prefix):
    return {"files": files(prefix), **{name: keys(prefix / name) for name in ("system.reg", "user.reg", "userdef.reg")}}


def untouched(prefix):
    """Bytes and times of everything: for a prefix that must not even be opened."""
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
            for path in sorted(prefix.rglob("*"))}


class Home(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tutti wine ")
        self.home = pathlib.Path(self.folder.name).resolve() / "home"
        self.home.mkdir()
        self.dlls = self.home / ".local/lib/tutti"
        for half, build in (("x86_64-windows", BUILD), ("i386-windows", BUILD.parent / "win32")):
            (self.dlls / half).mkdir(parents=True)
            for name, source in (("tutti.dll", "src/asio/tutti.dll"), ("tuttid.exe", "src/tuttid/tuttid.exe")):
                if (build / source).exists():
                    shutil.copy(build / source, self.dlls / half / name)
                else:
                    (self.dlls / half / name).write_bytes(b"MZ")
        (self.home / ".local/bin").mkdir()
        native = pathlib.Path(TUTTI).resolve().parent.parent
        for program in ("bridge/tutti-bridge", "tuttid/tuttid"):
            shutil.copy(native / program, self.home / ".local/bin")
        self.environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TUTTI_WINE_DLLS": str(self.dlls), "LC_ALL": "C.UTF-8"}

    def tearDown(self):
        self.folder.cleanup()

    def run_tutti(self, *arguments, code=0, **options):
        done = subprocess.run([TUTTI, "wine", *arguments], env=self.environment, capture_output=True, text=True, timeout=120, check=False, **options)
        self.said = done.stdout + done.stderr
        self.assertEqual(code, done.returncode, self.said)
        return self.said

    def status(self, *arguments):
        return json.loads(self.run_tutti("status", "--json", *arguments))["prefixes"]

    def only(self, *arguments):
        found = self.status(*arguments)
        self.assertEqual(1, len(found), found)
        return found[0]

    def make(self, path, registry=REGISTRY, stamp=None):
        """A prefix that looks like one to whoever does not run it."""
        prefix = self.home / path
        (prefix / "drive_c/windows/system32").mkdir(parents=True)
        (prefix / "dosdevices").mkdir()
        (prefix / "dosdevices/c:").symlink_to("../drive_c")
        (prefix / "dosdevices/z:").symlink_to("/")
        (prefix / "system.reg").write_text(registry)
        stamp = stamp if stamp is not None else f"{int(os.stat(INF).st_mtime)}\n" if os.path.exists(INF) else "1\n"
        (prefix / ".update-timestamp").write_text(stamp)
        return prefix

    def fake_wine(self, path, version):
        """A Wine of another kind: it says its version, and leaves a trace when it is asked for anything else."""
        loader = self.home / path
        loader.parent.mkdir(parents=True)
        loader.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {version} || echo "$WINEPREFIX $*" >>"{self.home}/ran"\n')
        loader.chmod(0o755)
        inf = loader.parent.parent / "share/wine/wine.inf"
        inf.parent.mkdir(parents=True)
        inf.write_text("")
        os.utime(inf, (1600000000, 1600000000))
        server = loader.parent / "wineserver"
        server.write_text("#!/bin/sh\n")
        server.chmod(0o755)
        return loader


class Layouts(Home):
    """What is found where; nothing is run in it."""

    def test_without_a_prefix_it_says_how_one_comes_to_be(self):
        self.assertIn("There is no Wine prefix.", self.run_tutti("status"))
        self.assertEqual([], self.status())
        self.assertIn("there is no Wine prefix", self.run_tutti("install", code=1))

    def test_wines_own_places(self):
        self.make(".wine")
        self.make(".local/share/wineprefixes/studio")
        self.make("elsewhere")
        self.environment["WINEPREFIX"] = str(self.home / "elsewhere")
        found = self.status()
        self.assertEqual({"WINEPREFIX": "elsewhere", ".wine": ".wine", "studio": ".local/share/wineprefixes/studio"},
                         {p["name"]: os.path.relpath(p["path"], self.home) for p in found})
        self.assertEqual({"wine"}, {p["layout"] for p in found})

    def test_protons_prefixes_in_all_libraries_with_their_own_wine(self):
        loader = self.fake_wine("games/steamapps/common/Proton 8.0/dist/bin/wine64", "wine-8.0-proton")
        (self.home / ".local/share/Steam/steamapps").mkdir(parents=True)
        (self.home / ".steam").mkdir()
        (self.home / ".steam/root").symlink_to(self.home / ".local/share/Steam")
        games = str(self.home / "games")
        (self.home / ".local/share/Steam/steamapps/libraryfolders.vdf").write_text(
            '"libraryfolders"\n{\n\t"0"\n\t{\n\t\t"path"\t\t"' + str(self.home) + '/.local/share/Steam"\n\t}\n'
            '\t"1"\n\t{\n\t\t"path"\t\t"' + games + '"\n\t}\n}\n')
        for library, number in ((".local/share/Steam", "1234"), ("games", "99")):
            prefix = self.make(f"{library}/steamapps/compatdata/{number}/pfx", stamp="1600000000\n")
            (prefix.parent / "version").write_text("8.0-102\n")
            (prefix.parent / "config_info").write_text(f"8.0-102\n{loader.parent.parent}/share/fonts/\n{loader.parent.parent}/lib/\n")
        found = {p["name"]: p for p in self.status()}
        self.assertEqual({"1234", "99"}, set(found))
        for prefix in found.values():
            self.assertEqual("proton", prefix["layout"])
            self.assertEqual(str(loader), prefix["wine"])
            self.assertEqual("wine-8.0-proton", prefix["wine_version"])
            self.assertEqual("Proton 8.0-102", prefix["runner"])
            self.assertIsNone(prefix["refused"])
        self.assertEqual(2, self.run_tutti("status").count(" PRESSURE_VESSEL_FILESYSTEMS_RW=$XDG_RUNTIME_DIR/tutti %command%\n"))
        by_folder = self.only("--prefix", str(self.home / "games/steamapps/compatdata/99"))
        self.assertEqual("99", by_folder["name"])

    def test_a_proton_that_cannot_be_told_is_refused(self):
        prefix = self.make(".local/share/Steam/steamapps/compatdata/7/pfx")
        self.assertIn("start its program once from Steam", self.only()["refused"])
        before = untouched(prefix)
        self.run_tutti("install", code=1)
        self.assertEqual(before, untouched(prefix))

    def test_bottles_and_their_runners_native_and_flatpak(self):
        for data in (".local/share/bottles", ".var/app/com.usebottles.bottles/data/bottles"):
            loader = self.fake_wine(f"{data}/runners/soda-9.0-1/bin/wine64", "soda")
            bottle = self.make(f"{data}/bottles/Music", stamp="1600000000\n")
            (bottle / "bottle.yml").write_text("Arch: win64\nName: 'My Music'\nRunner: soda-9.0-1\nExternal_Programs:\n  x:\n    Runner: other\n")
            found = [p for p in self.status() if p["path"] == str(bottle)][0]
            self.assertEqual(("bottles", "My Music", "soda-9.0-1", str(loader), ".var" in data),
                             tuple(found[k] for k in ("layout", "name", "runner", "wine", "sandboxed")))
            self.assertIsNone(found["refused"])

    def test_lutris_games_and_their_runners(self):
        loader = self.fake_wine(".local/share/lutris/runners/wine/wine-ge-8-26-x86_64/bin/wine", "ge")
        games = self.home / ".config/lutris/games"
        games.mkdir(parents=True)
        self.make("Games/daw", stamp="1600000000\n")
        self.make("Games/lonely", stamp="1600000000\n")
        (games / "daw-1690000000.yml").write_text(
            f"game:\n  exe: x.exe\n  prefix: {self.home}/Games/daw\nsystem:\n  version: no\nwine:\n  version: wine-ge-8-26-x86_64\n")
        found = {p["name"]: p for p in self.status()}
        self.assertEqual({"daw-1690000000", "lonely"}, set(found))
        self.assertEqual(str(loader), found["daw-1690000000"]["wine"])
        self.assertIsNone(found["daw-1690000000"]["refused"])

    def test_lutris_as_a_flatpak(self):
        app = ".var/app/net.lutris.Lutris"
        loader = self.fake_wine(f"{app}/data/lutris/runners/wine/wine-ge-8-26-x86_64/bin/wine", "ge")
        for number, games in enumerate((f"{app}/data/lutris/games", f"{app}/config/lutris/games")):
            self.make(f"Games/daw{number}", stamp="1600000000\n")
            (self.home / games).mkdir(parents=True)
            (self.home / games / f"daw{number}.yml").write_text(f"game:\n  prefix: ~/Games/daw{number}\nwine:\n  version: wine-ge-8-26-x86_64\n")
        found = {p["name"]: p for p in self.status()}
        self.assertEqual({"daw0", "daw1"}, set(found))
        for prefix in found.values():
            self.assertEqual(("lutris", str(loader), True, None), tuple(prefix[k] for k in ("layout", "wine", "sandboxed", "refused")))
        self.assertIn("lutris daw0 (Flatpak)", self.run_tutti("status"))

    def test_a_runner_that_is_gone_is_not_replaced_by_another_wine(self):
        bottle = self.make(".local/share/bottles/bottles/Old")
        (bottle / "bottle.yml").write_text("Name: Old\nRunner: caffe-7.0\n")
        self.assertIn("caffe-7.0, is not installed", self.only()["refused"])

    def test_names_that_lead_elsewhere_are_no_runners(self):
        self.fake_wine("evil/bin/wine64", "evil")
        bottle = self.make(".local/share/bottles/bottles/Odd")
        (bottle / "bottle.yml").write_text("Name: Odd\nRunner: ../../../../evil\n")
        self.assertNotIn("evil", str(self.only()["wine"]))


@unittest.skipUnless(wine_works(), "no Wine here")
class TheNativeWay(Home):
    """What a registered driver would start; the registry is written by hand, and nothing runs in the prefix."""

    def setUp(self):
        super().setUp()
        self.bin = self.home / ".local/bin"
        self.folder_of_driver = self.dlls / "x86_64-windows"
        self.register(self.folder_of_driver)

    def register(self, folder, *profiles):
        path = "Z:" + str(folder / "tutti.dll").replace("/", "\\")
        entries = "".join(f'[Software\\\\ASIO\\\\{name}] 1\n"CLSID"="{CLSID}"\n\n' for name in ("Tutti", *profiles))
        server = f'[Software\\\\Classes\\\\CLSID\\\\{CLSID}\\\\InprocServer32] 1\n@="' + path.replace("\\", "\\\\") + '"\n\n'
        shutil.rmtree(self.home / ".wine", ignore_errors=True)
        self.make(".wine", REGISTRY.replace("[Software", entries + server + "[Software", 1))

    def looked_at(self):
        found = self.only()
        self.advice = found["advice"]
        driver = found["drivers"][0]
        self.assertTrue(driver["registered"] and driver["same"], found)
        self.assertEqual(driver["native"], driver["not_native"] is None)
        return driver

    def warns(self, sentence):
        driver = self.looked_at()
        self.assertFalse(driver["native"])
        self.assertIn(sentence, driver["not_native"])
        self.assertIn("meet no native program: " + driver["not_native"], self.advice)
        shown = " ".join(self.run_tutti("status").split())
        self.assertIn("Wine's own: " + driver["not_native"], shown)
        done = subprocess.run([TUTTI, "doctor", "--json"], env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        check = [one for one in json.loads(done.stdout)["checks"] if one["name"] == "driver"][0]
        self.assertEqual("warn", check["verdict"])
        self.assertIn(sentence, check["text"])

    def test_the_bridge_of_the_installation(self):
        driver = self.looked_at()
        self.assertTrue(driver["native"])
        self.assertTrue(os.path.samefile(driver["bridge"], self.bin / "tutti-bridge"))
        self.assertIsNone(self.advice)
        self.assertIn("native, by ", self.run_tutti("status"))

    def test_the_bridge_that_the_file_beside_the_driver_names(self):
        other = self.home / "other"
        other.mkdir()
        for name in ("tutti-bridge", "tuttid"):
            shutil.copy(self.bin / name, other)
        (self.bin / "tutti-bridge").unlink()
        (self.folder_of_driver / "tutti-bridge.txt").write_text(f"{other}/tutti-bridge\n")
        self.assertEqual(f"{other}/tutti-bridge", self.looked_at()["bridge"])
        self.assertIsNone(self.advice)
        (other / "tutti-bridge").unlink()
        self.warns(f"{other}/tutti-bridge is not there")

    def test_no_bridge(self):
        (self.bin / "tutti-bridge").unlink()
        self.warns("the driver finds no tutti-bridge")

    def test_a_bridge_that_does_not_run(self):
        (self.bin / "tutti-bridge").unlink()
        (self.bin / "tutti-bridge").write_text("#!/bin/sh\nexit 1\n")
        self.warns("tutti-bridge does not run")
        (self.bin / "tutti-bridge").chmod(0o755)
        self.warns("tutti-bridge does not run")

    def test_no_engine_beside_the_bridge(self):
        (self.bin / "tuttid").unlink()
        self.warns("there is no tuttid beside")

    def test_entries_of_profiles_are_listed(self):
        self.assertEqual([], self.looked_at()["profiles"])
        self.register(self.folder_of_driver, "Tutti Low Latency", "Tutti Wide", "Tuttifrutti")
        self.assertEqual(["Low Latency", "Wide"], self.looked_at()["profiles"])
        self.assertIn("profiles  Low Latency, Wide\n", self.run_tutti("status"))


@unittest.skipUnless(wine_works(), "no Wine here")
class Refusals(Home):
    """What is broken, foreign or busy is told in a sentence and left as it is."""

    def refused(self, sentence, prefix):
        before = untouched(prefix)
        found = self.only("--prefix", str(prefix))
        self.assertIn(sentence, found["refused"])
        self.assertIn(sentence, " ".join(self.run_tutti("install", "--prefix", str(prefix), code=1).split()))
        self.run_tutti("uninstall", "--prefix", str(prefix))
        self.assertEqual(before, untouched(prefix))

    def test_a_registry_that_is_cut_off(self):
        self.refused("system.reg is cut off", self.make(".wine", REGISTRY[:-3]))
        self.refused("system.reg is cut off", self.make("b", REGISTRY.split("[System")[0]))

    def test_a_registry_that_is_empty_or_something_else(self):
        self.refused("system.reg is empty", self.make(".wine", ""))
        self.refused("does not begin as a Wine registry does", self.make("b", "REGEDIT4\n"))

    def test_a_registry_that_is_missing(self):
        prefix = self.make(".wine")
        (prefix / "system.reg").unlink()
        self.refused("system.reg cannot be read", prefix)

    def test_a_prefix_without_its_drive(self):
        prefix = self.make(".wine")
        shutil.rmtree(prefix / "drive_c")
        self.refused("it has no drive_c", prefix)

    def test_a_32_bit_prefix_where_wine_runs_64_bit_ones_only(self):
        if os.path.exists("/usr/lib/i386-linux-gnu/wine"):
            self.skipTest("this Wine runs 32-bit prefixes")
        self.refused("it is a 32-bit prefix", self.make(".wine", REGISTRY.replace("win64", "win32")))

    def test_a_prefix_of_another_wine_is_not_rebuilt(self):
        self.refused("it was last used with another Wine", self.make(".wine", stamp="1500000000\n"))

    def test_a_prefix_that_wine_never_rebuilds_may_be_of_any(self):
        self.make(".wine", stamp="disable\n")
        self.assertIsNone(self.only()["refused"])

    def test_a_prefix_that_cannot_be_written_or_is_somebody_elses(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become another user")
        prefix = self.make(".wine")
        os.chown(prefix, NOBODY, NOBODY)
        self.refused("it belongs to another user", prefix)
        for path in [self.home.parent, self.home, *self.home.rglob("*")]:
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        prefix.chmod(0o555)
        tutti = shutil.copy(TUTTI, self.home)
        done = subprocess.run([tutti, "wine", "install"], env=self.environment, capture_output=True, text=True, user=NOBODY, group=NOBODY,
                              extra_groups=[], timeout=60, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("it cannot be written: Permission denied", done.stderr)

    def test_a_folder_that_is_no_prefix(self):
        (self.home / "empty").mkdir()
        self.assertIn("is no Wine prefix", self.run_tutti("install", "--prefix", str(self.home / "empty"), code=1))
        self.assertIn("there is no folder", self.run_tutti("status", "--prefix", "/nowhere", code=1))

    def test_a_driver_that_is_not_there(self):
        self.make(".wine")
        self.assertIn("there is no driver in", self.run_tutti("install", "--dlls", str(self.home), code=1))
        del self.environment["TUTTI_WINE_DLLS"]
        self.assertIn("the Windows driver is not installed", self.run_tutti("install", code=1))


class Arguments(Home):
    def test_wrong_ones_end_with_2(self):
        self.assertIn("ACTION is missing", self.run_tutti(code=2))
        self.assertIn("install, uninstall or status", self.run_tutti("remove", code=2))
        self.assertIn("name it with --prefix", self.run_tutti("install", "--wine", "/usr/bin/wine", code=2))


class RealPrefixes(Home):
    """Wine itself, in copies of one prefix."""

    def setUp(self):
        super().setUp()
        if not (wine_works() and driver_built()):
            self.leave_out("needs Wine and the 64-bit Windows build")
        for half in ("x86_64-windows", "i386-windows"):  # as install.sh writes it
            (self.dlls / half / "tutti-bridge.txt").write_text(f"{self.home}/.local/bin/tutti-bridge\n")
        self.prefix = self.home / ".wine"
        copy_template(self.prefix)
        (self.prefix / "wineserver").unlink(missing_ok=True)
        self.before = everything(self.prefix)

    def leave_out(self, why):
        self.assertFalse(BOTH, why)
        self.skipTest(why)

    def wine(self, *arguments):
        return run_wine(self.prefix, *arguments)

    def assert_as_before(self):
        now = everything(self.prefix)
        for part, before in self.before.items():
            changed = [f"{name}: {before.get(name)} was before, now {now[part].get(name)}" for name in sorted({*before, *now[part]})
                       if before.get(name) != now[part].get(name) and (part, name) not in WRITTEN_BY_WINE]
            self.assertEqual([], changed, part)

    def driver(self):
        return self.only()["drivers"][0]

    def test_install_registers_status_sees_it_uninstall_leaves_no_trace(self):
        self.assertIn("register it with 'tutti wine install", self.only()["advice"])
        self.assertIn("registered", self.run_tutti("install"))
        found = self.only()
        driver = found["drivers"][0]
        self.assertEqual("Z:" + str(self.dlls / "x86_64-windows/tutti.dll").replace("/", "\\"), driver["registered"])
        self.assertTrue(driver["same"] and driver["engine"] and driver["native"] and found["installed"])
        self.assertIsNone(found["advice"])
        self.assertFalse((self.prefix / "drive_c/Program Files/Tutti").exists())
        shown = self.wine("reg", "query", r"HKLM\SOFTWARE\ASIO\Tutti", "/v", "CLSID").stdout
        self.assertIn(CLSID, shown)
        self.run_tutti("install")
        self.assertIn("taken out", self.run_tutti("uninstall"))
        self.assert_as_before()
        self.assertIn("nothing to take out", self.run_tutti("uninstall"))

    def test_both_halves_where_the_prefix_has_both(self):
        if not (self.only()["both"] and (BUILD.parent / "win32/src/asio/tutti.dll").exists()):
            self.leave_out("needs Wine's 32-bit part and the 32-bit Windows build")
        for how, begin in (([], "Z:"), (["--copy"], "C:")):
            self.assertNotIn(";", self.run_tutti("install", *how))
            found = self.only()
            self.assertIsNone(found["advice"])
            for driver, half in zip(found["drivers"], ("x86_64-windows", "i386-windows")):
                self.assertTrue(driver["registered"].startswith(begin) and half in driver["registered"], driver)
                self.assertTrue(driver["same"] and driver["engine"], driver)
            for folder in ("system32", "syswow64"):
                shown = self.wine(rf"C:\windows\{folder}\reg.exe", "query", r"HKLM\SOFTWARE\ASIO\Tutti", "/v", "CLSID").stdout
                self.assertIn(CLSID, shown, folder)
            self.run_tutti("uninstall")
            self.assert_as_before()

    def test_a_half_that_cannot_be_loaded_leaves_the_other(self):
        if not self.only()["both"]:
            self.leave_out("needs Wine's 32-bit part")
        (self.dlls / "i386-windows/tutti.dll").write_bytes(b"MZ no driver")
        self.assertIn("registered; the 32-bit driver could not be registered", self.run_tutti("install"))
        self.assertIsNone(self.only()["drivers"][1]["registered"])
        self.run_tutti("uninstall")
        self.assert_as_before()

    def test_a_32_bit_prefix(self):
        if not self.only()["both"]:
            self.leave_out("needs Wine's 32-bit part")
        shutil.rmtree(self.prefix)
        run_wine(self.prefix, "wineboot", "-i", overrides="", WINEARCH="win32")
        for _ in range(2):
            run_wine(self.prefix, "regsvr32", "/s", "C:\\nothing.dll")
        self.before = everything(self.prefix)
        self.assertEqual(32, self.only()["bits"])
        self.run_tutti("install")
        driver = self.only()["drivers"][1]
        self.assertTrue("i386-windows" in driver["registered"] and driver["same"] and driver["engine"] and driver["native"], driver)
        self.run_tutti("uninstall")
        self.assert_as_before()

    def test_copies_go_as_they_came(self):
        self.run_tutti("install", "--copy")
        self.assertEqual(r"C:\Program Files\Tutti\x86_64-windows\tutti.dll", self.driver()["registered"])
        self.assertTrue(self.driver()["engine"])
        self.run_tutti("uninstall")
        self.assert_as_before()

    def test_files_that_others_put_beside_the_copies_stay(self):
        self.run_tutti("install", "--copy")
        own = self.prefix / "drive_c/Program Files/Tutti/presets.txt"
        own.write_text("mine")
        self.run_tutti("uninstall")
        self.assertEqual("mine", own.read_text())
        self.assertEqual(["presets.txt"], os.listdir(own.parent))

    def test_a_prefix_whose_programs_do_not_see_our_files_gets_copies(self):
        (self.prefix / "dosdevices/z:").unlink()
        for _ in range(2):  # Wine finds its fonts by other names now
            self.wine("regsvr32", "/s", "C:\\nothing.dll")
        self.before = everything(self.prefix)
        self.run_tutti("install")
        self.assertTrue(self.driver()["registered"].startswith("C:"))
        self.run_tutti("uninstall")
        self.assert_as_before()

    def test_what_was_registered_by_hand_comes_back(self):
        other = self.home / "by hand"
        shutil.copytree(self.dlls / "x86_64-windows", other)
        self.wine("regsvr32", "/s", "Z:" + str(other / "tutti.dll").replace("/", "\\"))
        self.before = everything(self.prefix)
        self.assertIn("registered here by hand, and stays", self.run_tutti("uninstall"))
        self.run_tutti("install")
        self.assertIn("x86_64-windows", self.driver()["registered"])
        self.run_tutti("uninstall")
        self.assert_as_before()

    def test_each_profile_of_the_configuration_is_an_entry_and_goes_with_it(self):
        configuration = self.home / ".config/tutti/tutti.ini"
        configuration.parent.mkdir(parents=True)
        configuration.write_text("[profile Low Latency]\nprogram.buffer = 64\n[profile Wide]\n")

        def entries():
            return sorted(key.split("\\\\")[-1].rstrip("]") for key in keys(self.prefix / "system.reg") if key.startswith("[Software\\\\ASIO\\\\"))

        self.run_tutti("install")
        self.assertEqual(["Tutti", "Tutti Low Latency", "Tutti Wide"], entries())
        configuration.write_text("[profile Wide]\n[profile Third]\n")
        self.run_tutti("install")
        self.assertEqual(["Tutti", "Tutti Third", "Tutti Wide"], entries())
        self.run_tutti("uninstall")
        self.assert_as_before()

    def test_a_driver_of_another_build_and_one_whose_file_is_gone_are_told(self):
        self.run_tutti("install")
        newer = self.home / "newer"
        shutil.copytree(self.dlls, newer)
        with open(newer / "x86_64-windows/tutti.dll", "ab") as file:
            file.write(b"x")
        found = self.only("--dlls", str(newer))
        self.assertFalse(found["drivers"][0]["same"])
        self.assertIn("is another build", found["advice"])
        (self.dlls / "x86_64-windows/tuttid.exe").unlink()
        self.assertIn("tuttid.exe is missing", self.only()["advice"])
        (self.dlls / "x86_64-windows/tutti.dll").unlink()
        found = self.only("--dlls", str(newer))
        self.assertIn("file is gone", found["advice"])
        self.run_tutti("uninstall", "--dlls", str(newer))
        self.assert_as_before()

    def test_a_file_that_is_no_driver_leaves_nothing_behind(self):
        (self.dlls / "x86_64-windows/tutti.dll").write_bytes(b"MZ no driver")
        for how in ([], ["--copy"]):
            self.assertIn("could not be registered", self.run_tutti("install", *how, code=1))
            self.assert_as_before()

    def test_a_prefix_in_use_is_refused(self):
        environment = {**self.environment, "WINEPREFIX": str(self.prefix), "WINEDEBUG": "-all"}
        subprocess.run([SERVER, "-p30"], env=environment, check=True)
        try:
            self.assertTrue(self.only()["in_use"])
            self.assertIn("a program runs in it now", self.run_tutti("install", code=1))
        finally:
            subprocess.run([SERVER, "-k"], env=environment, check=False)
            subprocess.run([SERVER, "-w"], env=environment, check=False, timeout=60)
        self.assert_as_before()

    def test_a_prefix_that_is_still_being_set_up_is_waited_for(self):
        # as wineboot leaves it: the server writes the registry when it ends
        environment = {**self.environment, "WINEPREFIX": str(self.prefix), "WINEDEBUG": "-all"}
        registry = (self.prefix / "system.reg").read_text()
        subprocess.run([SERVER, "-p"], env=environment, check=True)
        # it has read the registry once a program runs; before, it would write an empty one when it ends
        subprocess.run([WINE, "cmd", "/c", "exit"], env={**environment, "WINEDLLOVERRIDES": "mscoree,mshtml,services.exe,explorer.exe="}, check=False,
                       capture_output=True, timeout=60)
        try:
            (self.prefix / "system.reg").unlink()
            self.assertIn("still setting it up", self.only()["refused"])
            command = subprocess.Popen([TUTTI, "wine", "install", "--prefix", str(self.prefix), "--dlls", str(self.dlls)], env=self.environment,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertIn("waiting", command.stdout.readline())
        finally:
            subprocess.run([SERVER, "-k"], env=environment, check=False)
            subprocess.run([SERVER, "-w"], env=environment, check=False, timeout=60)
            if not (self.prefix / "system.reg").exists():
                # whole at once, as Wine's server does it: the command reads it as soon as it is there
                whole = self.prefix / "system.reg.new"
                whole.write_text(registry)
                whole.rename(self.prefix / "system.reg")
        said = command.communicate(timeout=120)[0]
        self.assertEqual(0, command.returncode, said)
        self.assertIn("registered", said)

    def test_a_path_that_hosts_do_not_list_gets_a_copy(self):
        for name, reason in (("d" * 130, "more than 127 characters"), ("Müsik", "outside ASCII")):
            dlls = self.home / name
            shutil.copytree(self.dlls, dlls)
            said = " ".join(self.run_tutti("install", "--dlls", str(dlls)).split())
            self.assertIn(reason, said)
            self.assertEqual(r"C:\Program Files\Tutti\x86_64-windows\tutti.dll", self.driver()["registered"])
            self.assertTrue(self.driver()["engine"])
            self.run_tutti("uninstall")
            self.assert_as_before()
            # registered by hand, or by an older Tutti
            driver = "Z:" + str(dlls / "x86_64-windows/tutti.dll").replace("/", "\\")
            run_wine(self.prefix, "regsvr32", "/s", driver, LC_ALL="C.UTF-8")
            self.assertIn(reason, self.only("--dlls", str(dlls))["advice"])
            run_wine(self.prefix, "regsvr32", "/s", "/u", driver, LC_ALL="C.UTF-8")
            self.before = everything(self.prefix)

    def test_a_stopped_installation_can_be_taken_out(self):
        # as if the process had ended between the copies and the registering
        copies = self.prefix / "drive_c/Program Files/Tutti/x86_64-windows"
        copies.mkdir(parents=True)
        (copies / "tutti.dll").write_bytes(b"half")
        (self.prefix / ".tutti-wine").write_text(
            "tutti wine install 0.1.0\nfolder 64 -\nfolder both -\ncopy 64 tutti.dll\ncopy 64 tuttid.exe\n"
            "copy 64 ../../../../../system.reg\n")
        self.run_tutti("uninstall")
        self.assert_as_before()


def run_wine(prefix, *arguments, overrides=",services.exe,explorer.exe,plugplay.exe,winedevice.exe", **variables):
    """Runs a Windows program and waits until the prefix sleeps."""
    environment = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "WINEPREFIX": str(prefix), "WINEDEBUG": "-all",
                   "WINEDLLOVERRIDES": f"mscoree,mshtml,winemenubuilder.exe{overrides}=", **variables}
    done = subprocess.run([WINE, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False)
    subprocess.run([SERVER, "-w"], env=environment, check=False, timeout=60)
    return done


def make_template(folder):
    """A prefix, and which keys Wine itself writes anew whenever it starts."""
    prefix = pathlib.Path(folder)
    run_wine(prefix, "wineboot", "-i", overrides="")
    seen = []
    for _ in range(3):
        run_wine(prefix, "regsvr32", "/s", "C:\\nothing.dll")
        seen.append(everything(prefix))
    for one, other in zip(seen, seen[1:]):
        WRITTEN_BY_WINE.update((part, name) for part in one for name in {*one[part], *other[part]} if one[part].get(name) != other[part].get(name))


def main():
    global TUTTI, BUILD, TEMPLATE, BOTH
    TUTTI, BUILD = sys.argv[1], pathlib.Path(sys.argv[2])
    BOTH = sys.argv[3:] == ["both"]
    only = ["RealPrefixes.test_both_halves_where_the_prefix_has_both", "RealPrefixes.test_a_half_that_cannot_be_loaded_leaves_the_other",
            "RealPrefixes.test_a_32_bit_prefix"]
    with tempfile.TemporaryDirectory(prefix="tutti-wine-template-") as folder:
        TEMPLATE = os.path.join(folder, "prefix")
        if wine_works() and driver_built():
            make_template(TEMPLATE)
        done = unittest.main(argv=[sys.argv[0], *(only if BOTH else sys.argv[3:])], exit=False)
    if not done.result.wasSuccessful():
        sys.exit(1)
    print("PASSED")


main()
