# SPDX-License-Identifier: MIT
"""Plain words in what people read: retired words, and lines that fit 100 columns, in documents and manual pages; retired phrases in the
comments and the strings of the sources.

The table gives the word to use. Code, and what programs print, stands between backticks or in blocks and is not looked at; the names of
cases in the tables of docs/conform.md are keys of its report and stay.
"""

import re

import tree

MOST_COLUMNS = 100
RETIRED = {
    r"told": "reported, notified",
    r"anew": "again; reopened, restarted",
    r"mended": "fixed",
    r"whoever": "the exact noun",
    r"quanta|quantum": "period",
    r"(?<!CPU )hogs?": "CPU hog",
    r"lets? go( of)?": "release; unpin",
    r"neighbours?": "the exact noun",
    r"nobody hears( it)?": "null device",
    r"promised frame": "the expected frame",
}
# in sources phrases only: a single word may be an identifier, or a field's own
RETIRED_PHRASES = {
    r"(?:am|are|be|been|being|have|has|is|not|was|were) told|told (?:by|of|the|to)": "reported, notified, known",
    r"anew": "again; reopened, restarted",
    r"mended": "fixed",
    r"whoever": "the exact noun",
    r"(?<!CPU )hogs?": "CPU hog",
    r"lets? go": "release; unpin",
    r"nobody hears( it)?": "null device",
    r"promised frame": "the expected frame",
}
READ_SOURCES = ("include/", "src/asio/", "src/base/", "src/bridge/", "src/cli/", "src/client/", "src/config/", "src/console/", "src/dsp/",
                "src/os/", "src/proto/", "src/tuttid/")
# one comment, or strings that the compiler joins; a character is skipped so that '"' begins no string
PROSE = re.compile(r"""/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])+'|"(?:\\.|[^"\\\n])*"(?:\s*"(?:\\.|[^"\\\n])*")*""", re.S)
JOINED = re.compile(r'"\s*\n\s*"|\\n|\s*\n\s*\*?\s*')
# a word of the system's or of a server's own, explained where it stands
ALLOWED = {("docs/configuration.md", "quantum")}
NOT_PROSE = re.compile(r"^```.*?^```|<!--.*?-->|`[^`]*`|\]\([^)]*\)|^    .*?$", re.S | re.M)
# tables and pictures do not wrap; results of benchmarks are written by the benchmarks
TABLE = re.compile(r"^\s*(\||!\[|<!--|    )")
RESULTS = "bench/RESULTS.md"


def complain(path, text):
    prose = NOT_PROSE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    for word, better in RETIRED.items():
        for found in re.finditer(rf"\b({word})\b", prose, re.I):
            if (path, found.group().lower()) not in ALLOWED:
                number = prose.count("\n", 0, found.start()) + 1
                yield f"{path}:{number}: '{found.group()}' is a retired word: {better}"
    in_block = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_block = not in_block
        if path.endswith(".md") and len(line) > MOST_COLUMNS and not in_block and not TABLE.match(line):
            yield f"{path}:{number}: {len(line)} columns; {MOST_COLUMNS} are the most"


def complain_source(path, text):
    for prose in PROSE.finditer(text):
        number = text.count("\n", 0, prose.start()) + 1
        joined = re.sub(r"`[^`]*`", " ", JOINED.sub(lambda found: "" if found.group().startswith('"') else " ", prose.group()))
        for phrase, better in RETIRED_PHRASES.items():
            for found in re.finditer(rf"\b({phrase})\b", joined, re.I):
                yield f"{path}:{number}: '{found.group()}' is a retired phrase: {better}"


def main():
    checked, complaints = 0, []
    for path in tree.files(endings=(".md", ".1", ".8")):
        if path != RESULTS:
            checked += 1
            complaints += complain(path, tree.read(path))
    for path in tree.files(folders=READ_SOURCES, endings=(".c", ".h")):
        checked += 1
        complaints += complain_source(path, tree.read(path))
    tree.finish(complaints, checked)


if __name__ == "__main__":
    main()
