# SPDX-License-Identifier: MIT
"""The installed libtutti: it exports what its headers declare and nothing else, public structures have their sizes, and docs/example.c, built by
pkg-config against a copy anywhere, finds the engine below the library's prefix or in PATH.

A new public function is a line in src/client/libtutti.map, a new public structure one in SIZES. Sizes grow only before the first release.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

SIZES_64 = {
    "tutti_block": 48,
    "tutti_channel": 12,
    "tutti_device": 288,
    "tutti_device_entry": 92,
    "tutti_device_status": 336,
    "tutti_engine_status": 3312,
    "tutti_event": 40,
    "tutti_monitor": 32,
    "tutti_open_params": 56,
    "tutti_path": 12,
    "tutti_program_status": 480,
    "tutti_stream_params": 56,
}
SOURCE, BUILD = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
LIBRARY = BUILD / "src/client/libtutti.so.0.1.0"
HEADERS = ("tutti.h", "status.h")


def text(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, timeout=60, **options).stdout


def declared():
    headers = "".join((SOURCE / "include/tutti" / name).read_text() for name in HEADERS)
    headers = re.sub(r"/\*.*?\*/", "", headers, flags=re.S)
    return set(re.findall(r"^[a-z][\w *]*?\b(tutti_\w+)\(", headers, flags=re.M)), set(re.findall(r"^struct (tutti_\w+) \{", headers, flags=re.M))


def check_abi(folder):
    functions, structures = declared()
    exported = {line.split()[-1].split("@")[0] for line in text("nm", "-D", "--defined-only", LIBRARY).splitlines() if " T " in line}
    assert exported == functions, f"exported but not declared: {exported - functions}; declared but not exported: {functions - exported}"
    assert structures == set(SIZES_64), f"the test knows other structures than the header: {structures ^ set(SIZES_64)}"
    if sys.maxsize <= 2**32:
        return
    program = folder / "sizes.c"
    program.write_text("#include <stdio.h>\n#include <tutti/tutti.h>\nint main(void) {\n" +
                       "".join(f'printf("{name} %zu\\n", sizeof(struct {name}));\n' for name in sorted(structures)) + "return 0; }\n")
    text("cc", "-I", SOURCE / "include", program, "-o", folder / "sizes")
    sizes = {line.split()[0]: int(line.split()[1]) for line in text(folder / "sizes").splitlines()}
    assert sizes == SIZES_64, f"sizes changed: {dict(set(sizes.items()) ^ set(SIZES_64.items()))}"


def lay_out(prefix):
    """As an installation has it."""
    for name in ("lib/pkgconfig", "include/tutti", "bin"):
        (prefix / name).mkdir(parents=True)
    shutil.copy(LIBRARY, prefix / "lib")
    (prefix / "lib/libtutti.so.0").symlink_to(LIBRARY.name)
    (prefix / "lib/libtutti.so").symlink_to("libtutti.so.0")
    for name in HEADERS:
        shutil.copy(SOURCE / "include/tutti" / name, prefix / "include/tutti")
    lines = (BUILD / "meson-private/tutti.pc").read_text().splitlines()
    replaced = {"prefix": prefix, "libdir": "${prefix}/lib", "includedir": "${prefix}/include"}
    (prefix / "lib/pkgconfig/tutti.pc").write_text("".join(
        f"{line.split('=')[0]}={replaced[line.split('=')[0]]}\n" if line.split("=")[0] in replaced else line + "\n" for line in lines))


def play(folder, prefix, path):
    """The example, with an engine of its own."""
    runtime = pathlib.Path(tempfile.mkdtemp(dir=folder, prefix="run"))
    environment = {"PATH": path, "HOME": str(folder), "LD_LIBRARY_PATH": str(prefix / "lib"), "TUTTI_RUNTIME_DIR": str(runtime), "TUTTI_CONFIG": str(folder / "tutti.ini"),
                   "TUTTI_DEVICE_BACKEND": "sim", "TUTTI_ENGINE_GRACE_MS": "0"}
    said = text(folder / "example", env=environment)
    assert int(said.split()[0]) > 0, said
    engine = int((runtime / "engine.pid").read_text() or 0) if (runtime / "engine.pid").exists() else 0
    found = os.path.realpath(f"/proc/{engine}/exe") if engine else ""
    deadline = time.monotonic() + 20
    while engine and os.path.exists(f"/proc/{engine}") and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def main():
    with tempfile.TemporaryDirectory(prefix="tutti-library-") as name:
        folder = pathlib.Path(name)
        check_abi(folder)
        prefix, other = folder / "opt", folder / "other"
        lay_out(prefix)
        flags = text("pkg-config", "--cflags", "--libs", "tutti", env={**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}).split()
        text("cc", "-Wall", "-Wextra", "-Werror", SOURCE / "docs/example.c", *flags, "-o", folder / "example")
        shutil.copy(BUILD / "src/tuttid/tuttid", prefix / "bin")
        play(folder, prefix, "/nonexistent")
        other.mkdir()
        shutil.move(prefix / "bin/tuttid", other)
        play(folder, prefix, f"/nonexistent:{other}:/usr/bin")
    return 0


sys.exit(main())
