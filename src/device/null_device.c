/* SPDX-License-Identifier: MIT */
#include "device/null_device.h"

#include "base/log.h"
#include "base/utf8.h"
#include "device/select.h"

enum { LOOK_MS = 1000, LOOK_MOST_MS = 16000 }; /* between two looks; more after failures */

void
null_device_note(struct null_device *null_device, const char *why)
{
    utf8_copy(null_device->why, sizeof(null_device->why), why);
}

bool
null_device_is_in_use(const struct null_device *null_device, const struct slot *slot)
{
    return null_device->why[0] && slot->state == PROTO_STREAM_RUNNING;
}

struct slot_stream
null_device_find_other(struct null_device *null_device, struct slot *slot,
                       const struct config *config)
{
    char error[PROTO_TEXT_BYTES] = "";
    const struct backend *backend;
    const struct slot_stream null_stream = slot->open;
    unsigned at = 0;
    while ((backend = select_next(config, &at)) && !backend->silent) {
        if (!slot_count_devices(slot, backend, config)) {
            continue;
        }
        if (slot_open(slot, backend, config, slot->known.period_frames, error) == TUTTI_OK) {
            return slot_swap(slot, null_stream);
        }
        null_device->look_wait_ms =
            null_device->look_wait_ms < LOOK_MOST_MS ? 2 * null_device->look_wait_ms : LOOK_MOST_MS;
        log_info("engine: backend %s has a device that does not open: %s", backend->name, error);
    }
    return (struct slot_stream){0};
}

void
null_device_put_off(struct null_device *null_device, uint64_t now_ns)
{
    null_device->look_ns = now_ns + (uint64_t)null_device->look_wait_ms * OS_NS_PER_MS;
}

bool
null_device_is_due(struct null_device *null_device, uint64_t now_ns, bool waits)
{
    if (waits) {
        null_device->look_ns = 0;
        return false;
    }
    if (!null_device->look_ns) {
        null_device->look_wait_ms = LOOK_MS;
        null_device_put_off(null_device, now_ns);
    }
    return now_ns >= null_device->look_ns;
}
