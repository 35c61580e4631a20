/* SPDX-License-Identifier: MIT */
/* A burst of noise, and where it comes back: noise is like itself at one place only, so that the
 * place is exact to the frame. */
#ifndef TUTTI_CONFORM_BURST_H
#define TUTTI_CONFORM_BURST_H

#include <stdint.h>

enum { BURST_FRAMES = 512 };

/** Half of full scale. Bursts of different numbers are not like one another. */
void burst_make(float burst[BURST_FRAMES], uint32_t number);

/** Where the burst begins in n frames, at whatever level; -1: nowhere. */
int32_t burst_find(const float burst[BURST_FRAMES], const float *heard, uint32_t n);

#endif
