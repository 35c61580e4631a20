/* SPDX-License-Identifier: MIT */
/*
 * What Tutti's driver answers to future() beyond the common selectors. A host that knows Tutti can
 * place each block on the device's own timeline, so that what several programs recorded at once can
 * be aligned to the frame. Other drivers answer INVALID_PARAMETER.
 *
 *     struct tutti_asio_block block = {.size = sizeof(block)};
 *     if (driver->methods->future(driver, TUTTI_ASIO_GET_BLOCK, &block) == ASIO_SUCCESS) …
 */
#ifndef TUTTI_ASIO_TUTTI_H
#define TUTTI_ASIO_TUTTI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Selectors: 'T' 'U' 'T' and a number. */
enum tutti_asio_future {
    /** struct tutti_asio_block: within bufferSwitch the block of that call, elsewhere the last one.
     * Any thread, real time. Answers SUCCESS; SP_NOT_ADVANCING when no block came since
     * start; INVALID_PARAMETER for NULL or a size too small. */
    TUTTI_ASIO_GET_BLOCK = 0x54555401,
};

enum tutti_asio_block_flag {
    TUTTI_ASIO_BLOCK_SILENT = 1, /* no device: inputs are zero, outputs are dropped */
    TUTTI_ASIO_BLOCK_JUMPED = 2, /* frames were lost before this block */
};

struct tutti_asio_block {
    /* in: bytes of this struct as the host knows it; later versions only append */
    uint32_t size;
    /* enum tutti_asio_block_flag */
    uint32_t flags;
    /* frames since start, of the block's first frame */
    uint64_t position;
    /* when the block's last input frame had been captured: ns on the scale of
     * QueryPerformanceCounter, the same in all programs */
    uint64_t time_ns;
    /* the block's first input frame on the device's timeline, common to all programs */
    uint64_t device_frames;
    /* of the engine; device_frames compare within one. 0: no engine just now */
    uint64_t generation;
};

static_assert(sizeof(struct tutti_asio_block) == 40, "size of tutti_asio_block");
static_assert(offsetof(struct tutti_asio_block, flags) == 4, "tutti_asio_block.flags");
static_assert(offsetof(struct tutti_asio_block, position) == 8, "tutti_asio_block.position");
static_assert(offsetof(struct tutti_asio_block, time_ns) == 16, "tutti_asio_block.time_ns");
static_assert(offsetof(struct tutti_asio_block, device_frames) == 24, "tutti_asio_block.device");
static_assert(offsetof(struct tutti_asio_block, generation) == 32, "tutti_asio_block.generation");

#ifdef __cplusplus
}
#endif
#endif
