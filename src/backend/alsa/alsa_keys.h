/* SPDX-License-Identifier: MIT */
/* The keys of this backend's section in the configuration: rows of CONFIG_TABLE (config/config.h).
 */
#ifndef TUTTI_ALSA_KEYS_H
#define TUTTI_ALSA_KEYS_H

#define CONFIG_KEYS_ALSA(S, I, B, D)                                                               \
    S(alsa, devices, "",                                                                           \
      "names of PCMs to offer beside the cards, with spaces between; the first is the default")    \
    S(alsa, capture, "", "another PCM for the input, on the same clock; empty: the device's own")  \
    I(alsa, periods, 2, 2, 8, "periods that are queued for the output; each adds one of latency")  \
    S(alsa, access, "auto", "auto, mmap (the device's own memory), rw (read and write)")           \
    I(alsa, inputs, -1, -1, 256, "input channels; -1: a card's own, two of a plugin")              \
    I(alsa, outputs, -1, -1, 256, "output channels, likewise")                                     \
    I(alsa, input_latency, 0, 0, 100000, "of the converters, in frames, on top of the period")     \
    I(alsa, output_latency, 0, 0, 100000, "of the converters, in frames, on top of the periods")

#endif
