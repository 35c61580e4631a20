/* SPDX-License-Identifier: MIT */
/* The sample types of ASIO buffers, but for DSD, from and to float32. */
#ifndef TUTTI_CONFORM_SAMPLES_H
#define TUTTI_CONFORM_SAMPLES_H

#include <stdint.h>

/** Bytes of a sample; 0: a type that is not known here. */
unsigned samples_bytes(int32_t type);
/** The type's name, "Float32LSB"; of DSD, too; "?" when there is no such type. */
const char *samples_name(int32_t type);

/** From float32 (full scale 1.0, cut there) to a type that has bytes, and back. Real time. */
void samples_put(void *to, int32_t type, const float *from, uint32_t frames);
void samples_get(float *to, const void *from, int32_t type, uint32_t frames);

#endif
