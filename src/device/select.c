/* SPDX-License-Identifier: MIT */
#include "device/select.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "device/period.h"

#define SENTENCE "nobody hears this %s; start a sound server or plug in a device (%s)"

/* What a list holds of a device. */
#define LEARN(type, name, limit, key, unit, meaning, source) LEARN_##source(type, name)
#define LEARN_LISTED(type, name) FIELD_COPY_##type(known->name, device->name)
#define LEARN_OPENED(type, name)
#define LEARN_ENGINE(type, name)

/* Of one reason, and of all. They and the rest of the sentence fit into one text. */
enum { REASON_BYTES = 56, REASONS_BYTES = 172 };

static bool
is_auto(const struct config *config)
{
    return strcmp(config->device_backend, "auto") == 0;
}

const struct backend *
select_next(const struct config *config, unsigned *at)
{
    if (!is_auto(config)) {
        return (*at)++ ? NULL : backend_find(config->device_backend);
    }
    return backends[*at] ? backends[(*at)++] : NULL;
}

void
select_pass_over(const struct backend *backend, const char *error, char why[PROTO_TEXT_BYTES])
{
    char reason[REASON_BYTES];
    size_t length = strlen(why);
    utf8_copy(reason, sizeof(reason), error);
    reason[strcspn(reason, ";")] = '\0'; /* what to do comes once for all */
    snprintf(why + length, PROTO_TEXT_BYTES - length, "%s%s: %s", length ? "; " : "", backend->name,
             reason);
}

bool
select_found_device(enum tutti_status status)
{
    return status != TUTTI_OK && status != TUTTI_NO_DEVICE && status != TUTTI_UNSUPPORTED;
}

void
select_settle(const struct config *config, const struct backend *backend,
              char why[PROTO_TEXT_BYTES])
{
    char reasons[REASONS_BYTES];
    /* a card that the configuration names is wanted */
    bool unasked = backend->silent && is_auto(config) && !config->device_name[0];
    utf8_copy(reasons, sizeof(reasons), why);
    why[0] = '\0';
    if (unasked) {
        snprintf(why, PROTO_TEXT_BYTES, SENTENCE, backend->description, reasons);
        log_warning("engine: %s", why);
    }
}

uint32_t
select_list(const struct config *config, struct proto_device_entry *entries, uint32_t capacity)
{
    uint32_t count = 0;
    unsigned at = 0;
    bool has_default = false;
    for (const struct backend *backend; (backend = select_next(config, &at));) {
        struct backend_device devices[PROTO_DEVICE_ENTRIES];
        unsigned found = PROTO_DEVICE_ENTRIES;
        if (backend->list(config, devices, &found) != TUTTI_OK) {
            continue;
        }
        for (unsigned d = 0; d < found && count < capacity; d++, count++) {
            struct proto_device_entry *entry = &entries[count];
            memset(entry, 0, sizeof(*entry));
            utf8_copy(entry->name, sizeof(entry->name), devices[d].name);
            utf8_copy(entry->backend, sizeof(entry->backend), backend->name);
            entry->inputs = devices[d].inputs;
            entry->outputs = devices[d].outputs;
            /* each backend has a default; the engine's is that of the first backend */
            entry->is_default = devices[d].is_default && !has_default;
            has_default |= devices[d].is_default;
        }
    }
    return count;
}

void
select_learn(const struct config *config, double rate_hz, struct proto_device *known)
{
    unsigned at = 0;
    known->rate_hz = rate_hz;
    for (const struct backend *backend; (backend = select_next(config, &at));) {
        struct backend_device devices[PROTO_DEVICE_ENTRIES];
        unsigned found = PROTO_DEVICE_ENTRIES;
        if (backend->list(config, devices, &found) != TUTTI_OK) {
            continue;
        }
        for (unsigned d = 0; d < found; d++) {
            const struct backend_device *device = &devices[d];
            const char *wanted = config->device_name;
            if (wanted[0] ? strcmp(device->name, wanted) != 0 : !device->is_default) {
                continue;
            }
            utf8_copy(known->backend, sizeof(known->backend), backend->name);
            DEVICE_FIELDS(LEARN)
            if (device->rates_hz[0] > 0 && device->rates_hz[1] <= 0) {
                known->rate_hz = device->rates_hz[0]; /* it has one only */
            }
            int32_t period = config->device_period ? config->device_period : config->program_buffer;
            known->period_frames = period_snap(known, (uint32_t)period);
            known->input_latency_frames = known->output_latency_frames = known->period_frames;
            return;
        }
    }
}
