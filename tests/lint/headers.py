# SPDX-License-Identifier: MIT
"""Each header compiles alone: in C, and the public ones in C++ too, with the compiler that understands it.

headers.py NATIVE-BUILD-FOLDER. Headers of Windows rooms are compiled for Windows, when that compiler is here.
"""

import os
import shutil
import subprocess
import sys

import tree

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wno-unused-parameter", "-Werror", "-fsyntax-only"]
WINDOWS_ROOMS = ("src/os/win32/", "src/asio/", "conform/", "src/backend/wasapi/", "src/panel/")
PUBLIC = "include/tutti/"
TEMPLATES = ("src/dsp/simd_kernels.h",)  # say in their first comment what must stand before them
NATIVE = {"c": "gcc", "c++": "g++"}
WINDOWS = {"c": "x86_64-w64-mingw32-gcc", "c++": "x86_64-w64-mingw32-g++"}
STANDARD = {"c": "gnu11", "c++": "gnu++17"}
SYSTEM = {"gcc": ["-D_GNU_SOURCE"],
          "x86_64-w64-mingw32-gcc": ["-DUNICODE", "-D_UNICODE", "-DWINVER=0x0A00", "-D_WIN32_WINNT=0x0A00",
                                     "-DCOBJMACROS", "-Wno-attributes"]}
# rooms with headers of a library in the build: its name for pkg-config
LIBRARIES = {"src/backend/pipewire/": "libpipewire-0.3", "src/backend/jack/": "jack", "src/backend/alsa/": "alsa"}


def library_flags(path):
    """What the compiler needs for a library's headers; None when the library is not here."""
    for room, library in LIBRARIES.items():
        if path.startswith(room):
            try:
                asked = subprocess.run(["pkg-config", "--cflags-only-I", library], text=True, capture_output=True, check=True)
            except (OSError, subprocess.CalledProcessError):
                return None
            return [f"-isystem{flag.removeprefix('-I')}" for flag in asked.stdout.split()]
    return []


def compile_alone(compiler, language, path, generated):
    """None when it compiles; else what the compiler said."""
    name = path.split("/", 1)[1]
    source = f'#include "{name}"\n#include "{name}"\nextern int not_an_empty_file;\n'
    command = [compiler, "-x", language, f"-std={STANDARD[language]}", *WARNINGS, *SYSTEM.get(compiler, []),
               "-Iinclude", "-Isrc", "-I.", *(f"-I{folder}" for folder in generated), *(library_flags(path) or []),
               f"-I{os.path.dirname(path)}", "-"]
    done = subprocess.run(command, input=source, text=True, capture_output=True, cwd=tree.TOP, check=False)
    return None if done.returncode == 0 else done.stderr.strip()


def main():
    generated = [os.path.join(sys.argv[1], folder) for folder in ("src/backend", "src/dsp")]
    checked, complaints, left_out = 0, [], []
    for path in tree.files(("include/", "src/", "conform/"), (".h",)):
        if path in TEMPLATES:
            continue
        if library_flags(path) is None:
            left_out.append(f"{path}: its library's headers are not here")
            continue
        compilers = WINDOWS if path.startswith(WINDOWS_ROOMS) else NATIVE
        for language in ["c", "c++"] if path.startswith(PUBLIC) else ["c"]:
            compiler = compilers[language]
            if not shutil.which(compiler):
                left_out.append(f"{path}: no {compiler} here")
                continue
            checked += 1
            said = compile_alone(compiler, language, path, generated)
            if said:
                complaints.append(f"{path} as {language}:\n{said}")
    print("\n".join(left_out))
    tree.finish(complaints, checked)


if __name__ == "__main__":
    main()
