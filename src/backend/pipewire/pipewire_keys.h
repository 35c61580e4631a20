/* SPDX-License-Identifier: MIT */
/* The keys of this backend's section in the configuration: rows of CONFIG_TABLE (config/config.h).
 */
#ifndef TUTTI_PIPEWIRE_KEYS_H
#define TUTTI_PIPEWIRE_KEYS_H

#define CONFIG_KEYS_PIPEWIRE(S, I, B, D)                                                           \
    S(pipewire, remote, "", "name of the PipeWire server; empty: $PIPEWIRE_REMOTE or its default") \
    I(pipewire, inputs, -1, -1, 256, "input ports; -1: one for each port of the source")           \
    I(pipewire, outputs, -1, -1, 256, "output ports; -1: one for each port of the sink")           \
    B(pipewire, connect, true, "link them with the device's ports, in order")                      \
    B(pipewire, set_period, true, "ask the graph for the period and the rate of the programs")     \
    B(pipewire, force, false, "make the graph run so, for all of its programs")                    \
    I(pipewire, budget, 70, 10, 95, "percent of a period in which programs answer")

#endif
