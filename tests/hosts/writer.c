/* SPDX-License-Identifier: MIT */
/* Takes what callbacks left in the ring, writes it to the files, and looks for pings. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

enum { RING_BYTES = 64 << 20, RING_RECORDS_MAX = 4096, RING_RECORDS_MIN = 64 };

static struct {
    FILE *record, *blocks;
    void *storage;
    unsigned char *taken;
    HANDLE thread;
    _Atomic bool quit;
    bool failed;
} writer;

static void
put(FILE *file, const void *data, size_t bytes)
{
    if (file && fwrite(data, 1, bytes, file) != bytes) {
        writer.failed = true;
    }
}

static void
write_one(void)
{
    struct block_record block;
    const float *samples = (const float *)(const void *)(writer.taken + sizeof(block));

    memcpy(&block, writer.taken, sizeof(block));
    put(writer.blocks, &block, sizeof(block));
    put(writer.record, samples, (size_t)block.frames * audio.records * sizeof(float));
    if (audio.ping_input >= 0) {
        ping_hear(&audio.ping, &block, samples + (size_t)block.frames * audio.records,
                  block.flags == 0);
    }
}

static DWORD WINAPI
writer_main(void *arg)
{
    (void)arg;
    for (;;) {
        bool last = atomic_load(&writer.quit);
        while (ring_get(&audio.ring, writer.taken)) {
            write_one();
        }
        if (last) {
            return 0;
        }
        Sleep(5);
    }
}

static FILE *
open_file(const char *path)
{
    FILE *file = path ? fopen(path, "wb") : NULL;

    /* What was written stays when the host is killed: the demo kills it. */
    if (file) {
        setvbuf(file, NULL, _IONBF, 0);
    }
    if (path && !file) {
        fail("%s cannot be written", path);
    }
    return file;
}

bool
writer_open(void)
{
    unsigned channels = audio.records + (audio.ping_input >= 0);
    uint32_t capacity = RING_RECORDS_MAX;

    audio.record_bytes =
        (uint32_t)(sizeof(struct block_record) + (size_t)channels * audio.frames * sizeof(float));
    while (capacity > RING_RECORDS_MIN && (uint64_t)capacity * audio.record_bytes > RING_BYTES) {
        capacity /= 2;
    }
    writer.storage = calloc(capacity, audio.record_bytes);
    writer.taken = calloc(1, audio.record_bytes);
    audio.record = calloc(1, audio.record_bytes);
    if (!writer.storage || !writer.taken || !audio.record) {
        fail("not enough memory");
        return false;
    }
    ring_init(&audio.ring, writer.storage, audio.record_bytes, capacity);
    writer.record = open_file(audio.options->record);
    writer.blocks = open_file(audio.options->blocks);
    if ((audio.options->record && !writer.record) || (audio.options->blocks && !writer.blocks)) {
        return false;
    }
    writer.thread = CreateThread(NULL, 0, writer_main, NULL, 0, NULL);
    if (!writer.thread) {
        fail("no thread to write files");
    }
    return writer.thread != NULL;
}

static void
close_file(FILE *file)
{
    if (file && fclose(file)) {
        writer.failed = true;
    }
}

void
writer_close(void)
{
    if (writer.thread) {
        atomic_store(&writer.quit, true);
        WaitForSingleObject(writer.thread, INFINITE);
        CloseHandle(writer.thread);
    }
    close_file(writer.record);
    close_file(writer.blocks);
    if (writer.failed) {
        fail("a file was not written whole");
    }
    free(writer.storage);
    free(writer.taken);
}
