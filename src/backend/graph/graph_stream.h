/* SPDX-License-Identifier: MIT */
/*
 * The functions of the contract that are the same for every graph server: a backend puts them into
 * its struct backend as they are. A backend_stream begins with its struct graph.
 */
#ifndef TUTTI_BACKEND_GRAPH_STREAM_H
#define TUTTI_BACKEND_GRAPH_STREAM_H

#include "backend/graph/graph.h"

const struct backend_info *graph_stream_info(const struct backend_stream *stream);

/** Cycles may come, from a stream that is in the server's graph. Errors: DEVICE_LOST. */
enum tutti_status graph_stream_start(struct backend_stream *stream);
void graph_stream_stop(struct backend_stream *stream);

enum tutti_status graph_stream_set_period(struct backend_stream *stream, uint32_t period_frames);
enum tutti_status graph_stream_request_period(struct backend_stream *stream,
                                              uint32_t period_frames);

#endif
