/* SPDX-License-Identifier: MIT */
/* The keys of this backend's section in the configuration: rows of CONFIG_TABLE (config/config.h).
 */
#ifndef TUTTI_SIM_KEYS_H
#define TUTTI_SIM_KEYS_H

#define CONFIG_KEYS_SIM(S, I, B, D)                                                                \
    I(sim, inputs, 8, 0, 256, "input channels of the virtual sound card")                          \
    I(sim, outputs, 8, 0, 256, "output channels")                                                  \
    S(sim, format, "float32", "float32, int16, int24, int24in32, int32")                           \
    B(sim, interleaved, true, "interleaved device memory")                                         \
    I(sim, period, 64, 16, 4096, "period when nobody asks for another")                            \
    I(sim, period_min, 16, 16, 4096, "smallest period")                                            \
    I(sim, period_max, 4096, 16, 4096, "largest period")                                           \
    I(sim, period_step, 1, 0, 4096, "periods are multiples of this; 0: powers of two")             \
    B(sim, live_period, false, "the period changes without reopening")                             \
    D(sim, ppm, 0, -10000, 10000, "clock error in parts per million")                              \
    I(sim, input_latency, 0, 0, 100000, "converter delay in frames, on top of the period")         \
    I(sim, output_latency, 0, 0, 100000, "converter delay in frames, on top of the period")        \
    I(sim, cable, -1, -1, 100000,                                                                  \
      "loopback cable from output n to input n: its delay in frames; -1: none")                    \
    I(sim, elastic_ms, 0, 0, 10000,                                                                \
      "the clock waits this long for late programs; 0: a hard clock")                              \
    S(sim, faults, "", "script of faults, see docs/configuration.md")

#endif
