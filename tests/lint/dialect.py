# SPDX-License-Identifier: MIT
"""One dialect of C: what clang-format does not decide.

Braces stand around each body of if, else, for, while and do, even one of a single line; sizeof has parentheses.
"""

import re

import tree

# comments, strings and directives are blanked out; lines stay where they are
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.S | re.M)
SIZEOF = re.compile(r"\bsizeof\b(?!\s*\()")
HEAD = re.compile(r"\b(if|for|while)\b\s*(?=\()")
BARE = re.compile(r"\b(else|do)\b(?!\s*\{)(?!\s*if\b)")


def behind_parentheses(code, at):
    """Where the text goes on behind the parenthesis that opens at `at`."""
    depth = 0
    for place in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if depth == 0:
            return place + 1
    return len(code)


def complain(path, text):
    def at(place):
        return f"{path}:{code.count(chr(10), 0, place) + 1}"
    code = NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    for found in SIZEOF.finditer(code):
        yield f"{at(found.start())}: sizeof without parentheses"
    for found in HEAD.finditer(code):
        follows = code[behind_parentheses(code, found.end()):].lstrip()[:1]
        # a semicolon behind while ends a do
        if follows != "{" and not (found.group(1) == "while" and follows == ";"):
            yield f"{at(found.start())}: {found.group(1)} without braces"
    for found in BARE.finditer(code):
        yield f"{at(found.start())}: {found.group(1)} without braces"


def main():
    checked, complaints = 0, []
    for path in tree.files(endings=(".c", ".h", ".cpp")):
        checked += 1
        complaints += complain(path, tree.read(path))
    tree.finish(complaints, checked)


if __name__ == "__main__":
    main()
