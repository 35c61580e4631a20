#!/bin/sh
# SPDX-License-Identifier: MIT
# The 21 methods of a 32-bit driver are thiscall: they take `this` in ECX and pop the other arguments themselves. 32-bit programs cannot run
# everywhere, so this looks at the code: what each method's last instruction pops.
# usage: check_thiscall.sh OBJDUMP LIBRARY
set -eu

"$1" -d "$2" | awk '
BEGIN {
    # bytes popped: all arguments but `this`; a double has 8
    split("init 4 get_driver_name 4 get_driver_version 0 get_error_message 4 start 0 stop 0 " \
          "get_channels 8 get_latencies 8 get_buffer_size 16 can_sample_rate 8 get_sample_rate 4 " \
          "set_sample_rate 8 get_clock_sources 8 set_clock_source 4 get_sample_position 8 " \
          "get_channel_info 4 create_buffers 16 dispose_buffers 0 control_panel 0 future 8 " \
          "output_ready 0", list, " ")
    for (i = 1; i in list; i += 2)
        expected["_gate_" list[i]] = list[i + 1]
}
/^[0-9a-f]+ </ { name = $2; gsub(/[<>:]/, "", name) }
(name in expected) && /%ecx/ { ecx[name] = 1 }
(name in expected) && /\tret/ {
    popped = 0
    if (match($0, /\$0x[0-9a-f]+/)) {
        hex = substr($0, RSTART + 3, RLENGTH - 3)
        for (i = 1; i <= length(hex); i++)
            popped = popped * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    }
    seen[name] = 1
    if (popped != expected[name]) {
        print name " pops " popped " bytes, not " expected[name]
        bad = 1
    }
}
END {
    for (name in expected) {
        if (!seen[name]) {
            print name " is missing"
            bad = 1
        } else if (!ecx[name] && name != "_gate_get_driver_version") {
            print name " does not look at ECX"
            bad = 1
        }
        count++
    }
    if (!bad)
        print count " methods are thiscall"
    exit bad
}'
