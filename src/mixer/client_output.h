/* SPDX-License-Identifier: MIT */
#ifndef TUTTI_CLIENT_OUTPUT_H
#define TUTTI_CLIENT_OUTPUT_H

#include "mixer/cycle.h"

/** A client's output samples of a channel for the frames [frame, frame + count), contiguous; NULL:
 * silence. The span does not cross a multiple of CYCLE_MIN_OUT_FRAMES. */
const float *client_output(const struct cycle_client *client, uint32_t channel, int64_t frame,
                           uint32_t count);

#endif
