/* SPDX-License-Identifier: MIT */
/* Writes a block's outputs once its callback has returned. See loop_writer.h. */
#include "conform/loop_writer.h"

#include <stdlib.h>

#include "conform/samples.h"

/* So long mixing takes: a driver that takes the block when the callback returns has done so. */
enum { MIXING_MS = 3 };

struct loop_writer {
    struct subject *subject;
    enum loop_writing how;
    HANDLE thread, wake;
    /* of the block that is posted; the callback's while it is not */
    int32_t info, half;
    const float *samples;
    _Atomic bool posted; /* by the callback, taken back by the thread when it is written */
    _Atomic bool quit, slow;
};

static DWORD WINAPI
writer_main(void *arg)
{
    struct loop_writer *writer = arg;
    struct subject *s = writer->subject;

    SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_TIME_CRITICAL);
    for (;;) {
        WaitForSingleObject(writer->wake, INFINITE);
        if (atomic_load(&writer->quit)) {
            return 0;
        }
        conform_sleep_ms(MIXING_MS);
        samples_put(s->infos[writer->info].buffers[writer->half], s->types[writer->info],
                    writer->samples, (uint32_t)s->buffer_frames);
        atomic_store(&writer->posted, false);
        if (writer->how == WRITES_LATER_AND_TELLS) {
            call_output_ready(s);
        }
    }
}

struct loop_writer *
loop_writer_open(struct subject *s, enum loop_writing how)
{
    struct loop_writer *writer = calloc(1, sizeof(*writer));

    if (!writer) {
        return NULL;
    }
    writer->subject = s;
    writer->how = how;
    writer->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (writer->wake) {
        writer->thread = CreateThread(NULL, 0, writer_main, writer, 0, NULL);
    }
    if (writer->thread) {
        return writer;
    }
    loop_writer_close(writer);
    return NULL;
}

bool
loop_writer_post(struct loop_writer *writer, int32_t info, int32_t half, const float *samples)
{
    if (atomic_load(&writer->posted)) {
        atomic_store(&writer->slow, true);
        return false;
    }
    writer->info = info;
    writer->half = half;
    writer->samples = samples;
    atomic_store(&writer->posted, true);
    SetEvent(writer->wake);
    return true;
}

bool
loop_writer_close(struct loop_writer *writer)
{
    if (!writer) {
        return true;
    }
    atomic_store(&writer->quit, true);
    if (writer->thread) {
        SetEvent(writer->wake);
        WaitForSingleObject(writer->thread, INFINITE);
        CloseHandle(writer->thread);
    }
    if (writer->wake) {
        CloseHandle(writer->wake);
    }
    bool kept_up = !atomic_load(&writer->slow);
    free(writer);
    return kept_up;
}
