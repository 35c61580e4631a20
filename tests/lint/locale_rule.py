# SPDX-License-Identifier: MIT
"""Nothing follows the process's locale, which in a driver is the host's.

base/ascii.h and base/number.h do what these functions do in the "C" locale. Formats with a decimal
point are refused where they would run in a host; the programs never set LC_NUMERIC.
"""

import re

import tree

FUNCTIONS = re.compile(
    r"\b(strto(d|f|ld)|atof|is(alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)|"
    r"to(lower|upper)|str(n)?casecmp|_?str(n)?icmp|strcoll|strxfrm|setlocale|localeconv|mbstowcs|wcstombs)\(")
FORMATS = re.compile(r"%(?![-+ #0-9*]*\.0l?f)[-+ #0-9.*]*(l?[gGeEfF]|l[cs])")
IN_A_HOST = ("src/base/", "src/os/", "src/proto/", "src/client/", "src/asio/", "src/dsp/")
ALLOWED = {"src/console/terminal_posix.c": "setlocale"}  # LC_CTYPE alone: what the terminal shows
WIDE = re.compile(r'swprintf\(|L"')  # wide characters in and out: no locale


def complain(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        found = FUNCTIONS.search(line)
        if found and found.group(1) != ALLOWED.get(path):
            yield f"{path}:{number}: {found.group(1)}() follows the host's locale: base/ascii.h, base/number.h"
        if path.startswith(IN_A_HOST) and '"' in line and not WIDE.search(line) and FORMATS.search(line.replace("%%", "")):
            yield f"{path}:{number}: {line.strip()}: a decimal point of the host's locale: base/number.h"


def main():
    checked, complaints = 0, []
    for path in tree.files(("include/", "src/", "conform/"), (".c", ".h")):
        checked += 1
        complaints += complain(path, tree.read(path))
    tree.finish(complaints, checked)


if __name__ == "__main__":
    main()
