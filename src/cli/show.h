/* SPDX-License-Identifier: MIT */
/* What the commands found out, for people and for machines. Pure: structs in, text out. */
#ifndef TUTTI_CLI_SHOW_H
#define TUTTI_CLI_SHOW_H

#include "cli/probe.h"
#include "console/style.h"
#include "tutti/tutti.h"

/** The engine, its devices and a table of programs with meters; at most style_columns() wide. What
 * does not fit into style->lines is left out, meters first, and the last line of the table says how
 * many programs are not shown. */
void show_status(struct text *out, const struct style *style,
                 const struct tutti_engine_status *status,
                 const struct tutti_program_status *programs);
/** The same as one line of JSON. status NULL: no engine runs. */
void show_status_json(struct text *out, const struct tutti_engine_status *status,
                      const struct tutti_program_status *programs);
/** The first device that is in use, else the one that would be opened, with its counters. */
struct tutti_device_status show_main_device(const struct tutti_engine_status *status);
/** The device that a program plays through, or would. */
const struct tutti_device *show_device_of(const struct tutti_engine_status *status,
                                          const struct tutti_program_status *program);

void show_devices(struct text *out, const struct style *style,
                  const struct tutti_device_entry *devices, uint32_t count);
void show_devices_json(struct text *out, const struct tutti_device_entry *devices, uint32_t count);

/* One measurement of 'tutti latency'. */
struct show_latency {
    uint32_t output, input; /* channels, counted from 1 */
    uint32_t buffer_frames;
    uint32_t input_latency_frames, output_latency_frames; /* as reported */
    double rate_hz;
    double heard_peak;        /* of all that came in, full scale 1.0 */
    uint64_t measured_frames; /* the round trip; only when match.found */
    uint64_t lost_frames;     /* that the stream jumped over meanwhile */
    struct probe_match match;
};
void show_latency(struct text *out, const struct style *style, const struct show_latency *latency);
void show_latency_json(struct text *out, const struct show_latency *latency);

/* How far a file is played or recorded. */
struct show_progress {
    double seconds, total_seconds; /* total 0: unknown */
    const float *levels;           /* count long; none are shown without */
    uint32_t count;
};
/** One line shorter than the terminal is wide, at most 79 columns, without a newline. */
void show_progress(struct text *out, const struct style *style,
                   const struct show_progress *progress);

#endif
