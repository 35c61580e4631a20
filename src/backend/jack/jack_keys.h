/* SPDX-License-Identifier: MIT */
/* The keys of this backend's section in the configuration: rows of CONFIG_TABLE (config/config.h).
 */
#ifndef TUTTI_JACK_KEYS_H
#define TUTTI_JACK_KEYS_H

#define CONFIG_KEYS_JACK(S, I, B, D)                                                               \
    S(jack, server, "", "name of the JACK server; empty: $JACK_DEFAULT_SERVER or its default")     \
    I(jack, inputs, -1, -1, 256, "input ports; -1: one for each physical port of the server")      \
    I(jack, outputs, -1, -1, 256, "output ports, likewise")                                        \
    B(jack, connect, true, "connect them with the physical ports, in order")                       \
    B(jack, set_period, false, "the engine may change the server's buffer size")                   \
    I(jack, budget, 70, 10, 95, "percent of a period in which programs answer")

#endif
