/* SPDX-License-Identifier: MIT */
/* The last block for everybody who asks, and time on the scale that hosts know. */
#include "asio/driver.h"

#include <timeapi.h>

void
block_clear(struct driver_block *block)
{
    atomic_store(&block->version, 0);
}

/* One writer. A reader that saw a new field (acquire) also sees the odd version that came before it
 * (release). */
void
block_put(struct driver_block *block, const struct tutti_block *from)
{
    uint32_t version = atomic_load_explicit(&block->version, memory_order_relaxed);
    uint32_t flags =
        (from->silent ? TUTTI_ASIO_BLOCK_SILENT : 0) | (from->jumped ? TUTTI_ASIO_BLOCK_JUMPED : 0);

    atomic_store_explicit(&block->version, version + 1, memory_order_relaxed);
    atomic_store_explicit(&block->flags, flags, memory_order_release);
    atomic_store_explicit(&block->position, from->position_frames, memory_order_release);
    atomic_store_explicit(&block->time_ns, from->time_ns, memory_order_release);
    atomic_store_explicit(&block->device_frames, from->device_frames, memory_order_release);
    atomic_store_explicit(&block->generation, from->generation, memory_order_release);
    /* 0 means none: the count passes over it. */
    atomic_store_explicit(&block->version, version + 2 ? version + 2 : 2, memory_order_release);
}

bool
block_get(const struct driver_block *block, struct tutti_asio_block *to)
{
    uint32_t before, after;

    do {
        before = atomic_load_explicit(&block->version, memory_order_acquire);
        if (before == 0) {
            return false;
        }
        to->flags = atomic_load_explicit(&block->flags, memory_order_acquire);
        to->position = atomic_load_explicit(&block->position, memory_order_acquire);
        to->time_ns = atomic_load_explicit(&block->time_ns, memory_order_acquire);
        to->device_frames = atomic_load_explicit(&block->device_frames, memory_order_acquire);
        to->generation = atomic_load_explicit(&block->generation, memory_order_acquire);
        after = atomic_load_explicit(&block->version, memory_order_relaxed);
    } while (before != after || before & 1);
    return true;
}

/* One scale: positions count frames since start, times go from the device's clock to the system's
 * by one offset per start. A block that another clock drives than the one before (another engine,
 * or the one that replaces a lost device) says so. */
void
block_fill_time(struct driver *driver, const struct tutti_block *block, struct asio_time *time)
{
    struct driver_former *former = &driver->former;
    double rate_hz = double_of_bits(atomic_load_explicit(&driver->rate, memory_order_relaxed));
    bool rate_changed = former->is_there && former->rate_hz != rate_hz;
    bool clock_changed = former->is_there && (former->generation != block->generation ||
                                              former->silent != block->silent);

    *former = (struct driver_former){true, block->silent, block->generation, rate_hz};
    *time = (struct asio_time){
        .info =
            {
                .speed = 1.0,
                .system_time = asio_int64_from(block->time_ns + driver->stream.time_offset_ns),
                .sample_position = asio_int64_from(block->position_frames * dsd_unit(driver)),
                .sample_rate = rate_hz * dsd_unit(driver),
                .flags = ASIO_TIME_SYSTEM_TIME_VALID | ASIO_TIME_SAMPLE_POSITION_VALID |
                         ASIO_TIME_SAMPLE_RATE_VALID | ASIO_TIME_SPEED_VALID |
                         (rate_changed ? ASIO_TIME_SAMPLE_RATE_CHANGED : 0) |
                         (clock_changed ? ASIO_TIME_CLOCK_SOURCE_CHANGED : 0),
            },
    };
}

uint64_t
block_time_offset_ns(void)
{
    uint64_t best = 0;
    uint64_t begin = tutti_now_ns();

    /* timeGetTime() stands still between ticks, so a difference is the truer the greater it is:
     * just after a tick. */
    timeBeginPeriod(1);
    for (;;) {
        uint64_t milliseconds = timeGetTime();
        uint64_t now = tutti_now_ns();
        uint64_t offset = milliseconds * 1000000 - now;
        if (best == 0 || (int64_t)(offset - best) > 0) {
            best = offset;
        }
        if (now - begin > 1100000) {
            break;
        }
    }
    timeEndPeriod(1);
    return best;
}
