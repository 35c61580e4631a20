/* SPDX-License-Identifier: MIT */
/*
 * The sample types that hosts may work with, and how one channel of a block goes from the engine's
 * float32 to each and back. Pure functions, no Windows.
 *
 * Exact are: 16- and 24-bit integers in every type that holds them; float32 in float64. An int32 is
 * rounded to the 24 bits that float32 has, and integers end at 0 dBFS.
 */
#ifndef TUTTI_ASIO_CONVERT_H
#define TUTTI_ASIO_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/dop.h"
#include "tutti/asio.h"

/** The sample type of a word of [program] sample_type; ASIO_FLOAT32_LSB for an unknown one. */
int32_t convert_type_of(const char *word);

/** What people call it: the word of [program] sample_type or dsd. Static text. */
const char *convert_type_text(int32_t type);

/** True for DSD, which is carried as DoP. */
bool convert_is_dsd(int32_t type);

/** Bytes of a channel per frame of the device. 0: a type that is not served. */
size_t convert_frame_bytes(int32_t type);

/** What silence is: the byte to fill a buffer with. */
int convert_silence(int32_t type);

/** One channel of a block for the host. dop: of that input, for DSD. Real time. */
void convert_input(void *to, int32_t type, const float *from, size_t frames,
                   struct dop_channel *dop);

/** How many of these samples are above 0 dBFS and clipped by convert_input(). Real time. */
uint32_t convert_clips(int32_t type, const float *from, size_t frames);

/** One channel of a block from the host. first_frame: its position, for DSD. Real time. */
void convert_output(float *to, int32_t type, const void *from, size_t frames, uint64_t first_frame);

#endif
