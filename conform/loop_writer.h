/* SPDX-License-Identifier: MIT */
/* A host that mixes in a thread of its own: its callback returns at once, and the outputs are
 * written afterwards. */
#ifndef TUTTI_CONFORM_LOOP_WRITER_H
#define TUTTI_CONFORM_LOOP_WRITER_H

#include "conform/conform.h"

enum loop_writing {
    WRITES_IN_CALLBACK,
    WRITES_LATER,           /* and never calls outputReady */
    WRITES_LATER_AND_TELLS, /* calls outputReady when it has written */
};

struct loop_writer;

/** Starts the thread; how is not WRITES_IN_CALLBACK. NULL: no thread. Ends with
 * loop_writer_close(). */
struct loop_writer *loop_writer_open(struct subject *s, enum loop_writing how);
/** The callback's last act: samples (borrowed until they are written) belong into half of the
 * subject's entry `info`. False: those of the block before are not written yet. */
bool loop_writer_post(struct loop_writer *writer, int32_t info, int32_t half, const float *samples);
/** After stop. False: once the thread was slower than the callbacks. NULL is fine. */
bool loop_writer_close(struct loop_writer *writer);

#endif
