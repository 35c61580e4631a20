# SPDX-License-Identifier: MIT
"""At most five parameters: a function that needs more takes a struct.

ALLOWED holds those that are older than the rule, with their number. It only shrinks: an entry that is no longer needed is a complaint.
"""

import os
import re

import dialect
import tree

MOST = 5
# file and function: how many parameters it has
ALLOWED = {
    "alsa_list.c alsa_list_look": 6,
    "alsa_params.c alsa_pair_open": 8,
    "alsa_params.c alsa_params_agree": 6,
    "args.c args_number": 6,
    "args.c args_whole": 6,
    "args_channels.c args_channels": 6,
    "bridge_link.c bridge_link_recv": 6,
    "bridge_link.c bridge_link_send": 6,
    "clients.c engine_prepare": 7,
    "clients.c prepare": 6,
    "cycle.c mix_together": 6,
    "direct_monitor.c direct_monitor_hear": 7,
    "direct_monitor.c take": 6,
    "dsp.c dsp_from_interleaved": 6,
    "dsp.c dsp_mix_to_device": 7,
    "dsp.c dsp_to_interleaved": 6,
    "jack_ports.c register_ports": 6,
    "link.c os_link_recv": 6,
    "link.c os_link_send": 6,
    "link.c run_io": 6,
    "link.c send_in_turn": 6,
    "names.c names_get": 6,
    "pipewire_filter.c find_memory": 6,
    "scalar.c mix": 6,
    "sim.c lay_out": 6,
    "simd_kernels.h mix": 6,
    "simd_kernels.h mix_all": 7,
    "simd_kernels.h mix_vectors": 7,
    "stream.c stream_create": 6,
    "style.c style_add_wrapped": 6,
    "wine_register.c wine_register": 7,
}
# callbacks whose parameters a library decides
FOREIGN = {
    "alsa_api.c take_message": 6,
    "pipewire_registry.c on_global": 6,
    "pipewire_registry.c on_port_param": 6,
}
# clang-format puts the name of a function that is defined at the begin of its line
DEFINED = re.compile(r"^(\w+)\((?=[^;]*?\)\s*\{)", re.M)


def count(parameters):
    """Of a list within its parentheses: commas outside of any others."""
    depth, commas = 0, 0
    for letter in parameters:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        commas += letter == "," and depth == 0
    return commas + 1


def functions(code):
    for found in DEFINED.finditer(code):
        end = dialect.behind_parentheses(code, found.end() - 1)
        if code[end:].lstrip().startswith("{"):
            yield found.group(1), count(code[found.end():end - 1]), code.count("\n", 0, found.start()) + 1


def complain(path, text, needed):
    code = dialect.NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    for name, parameters, line in functions(code):
        if parameters <= MOST:
            continue
        key = f"{os.path.basename(path)} {name}"
        needed.add(key)
        allowed = {**ALLOWED, **FOREIGN}.get(key, MOST)
        if parameters > allowed:
            yield f"{path}:{line}: {name}() has {parameters} parameters; {allowed} are the most: make them a struct"
        elif parameters < allowed:
            yield f"{path}:{line}: {name}() has {parameters} parameters: lower its number in tests/lint/parameters.py"


def main():
    checked, complaints, needed = 0, [], set()
    for path in tree.files(("src/", "conform/"), (".c", ".h")):
        checked += 1
        complaints += complain(path, tree.read(path), needed)
    complaints += [f"tests/lint/parameters.py: '{key}' is allowed more and needs no more" for key in {**ALLOWED, **FOREIGN} if key not in needed]
    tree.finish(complaints, checked)


if __name__ == "__main__":
    main()
