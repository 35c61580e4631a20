/* SPDX-License-Identifier: MIT */
/* Samples on their way into 24-bit files. Pure. */
#ifndef TUTTI_CLI_PCM_H
#define TUTTI_CLI_PCM_H

#include <stdint.h>

/** Converts float samples into 24 bits in the upper part of 32, rounded, limited to full scale.
 * What a 24-bit converter delivered comes out bit for bit: full scale is 2^23, as in the engine and
 * as when the file is read again. NaN becomes 0. */
void pcm_to_int24(int32_t *to, const float *from, uint64_t count);

#endif
