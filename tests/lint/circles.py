# SPDX-License-Identifier: MIT
"""Files of one folder form no circles: none uses, even by way of others, a file that uses it.

A file is a .c with its .h. It uses another one of its folder when it calls a function that is defined there. What stands in ALLOWED is a
group of files that know each other, with the reason; it may shrink, and no other group may appear.
"""

import collections
import os
import re

import tree

NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
# the house's style: the name of a function begins its line
DEFINED = re.compile(r"^(?!static\b)([^\n;{}()=]*)\n(\w+)\(", re.M)
NAME = re.compile(r"\b[a-z]\w+\b")

# folder: (files, the reason)
ALLOWED = {
    "src/asio": [("driver messages", "the message thread ends with the object that it belongs to")],
    "src/cli/linux": [("wine_find wine_find_managers wine_find_proton", "the list of prefixes stands in the first")],
    "conform": [("find script script_steps subject", "of one driver: finding, making, calling")],
    "src/os/posix": [("link listener", "an accepted link is made by the listener")],
    "src/os/win32": [("identity runtime", "whose folder, and whose user"), ("bridge bridge_link bridge_object shm thread", "the way to the native engine under Wine")],
}


def graph(texts):
    """texts: the text of each file by its name without ending. Who uses whom."""
    code = {name: NOT_CODE.sub(" ", text) for name, text in texts.items()}
    home = {}
    for name, text in code.items():
        for found in DEFINED.finditer(text):
            if not re.search(r"\bstatic\b", found.group(1)):
                home[found.group(2)] = name
    return {name: {home[word] for word in NAME.findall(text) if home.get(word, name) != name} for name, text in code.items()}


def circles(uses):
    """The groups of files that reach each other, by Tarjan's algorithm; each sorted."""
    number, low, stack, found = {}, {}, [], []

    def visit(name):
        number[name] = low[name] = len(number)
        stack.append(name)
        for other in sorted(uses[name]):
            if other not in number:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], number[other])
        if low[name] == number[name]:
            group = []
            while not group or group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))
    for name in sorted(uses):
        if name not in number:
            visit(name)
    return found


def complain(folder, texts, allowed):
    groups = circles(graph(texts))
    for files, _ in allowed:
        if sorted(files.split()) not in groups:
            yield f"{folder}: no circle any more, or a smaller one: take it out of the table: {files}"
    for group in groups:
        if not any(set(group) <= set(files.split()) for files, _ in allowed):
            yield f"{folder}: a circle of files: {', '.join(group)}"


def main():
    folders = collections.defaultdict(dict)
    for path in tree.files(("src/", "conform/"), (".c",)):
        folder, name = os.path.split(path)
        folders[folder][name.removesuffix(".c")] = tree.read(path)
    complaints = [text for folder, texts in sorted(folders.items()) for text in complain(folder, texts, ALLOWED.get(folder, []))]
    tree.finish(complaints, sum(len(texts) for texts in folders.values()))


if __name__ == "__main__":
    main()
