/* SPDX-License-Identifier: MIT */
/*
 * Which backend: the configuration's, or with "auto" the first that opens a device. The last is the
 * virtual card, which nobody hears. It is taken only where there is no device at all, and the
 * programs are told why.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "engine/engine_state.h"

#define SENTENCE "nobody hears this %s; start a sound server or plug in a device (%s)"

/* Of one reason, and of all. They and the rest of the sentence fit into one text. */
enum { REASON_BYTES = 56, REASONS_BYTES = 172 };

static bool
is_auto(const struct config *config)
{
    return strcmp(config->device_backend, "auto") == 0;
}

const struct backend *
choice_next(const struct config *config, unsigned *at)
{
    if (!is_auto(config)) {
        return (*at)++ ? NULL : backend_find(config->device_backend);
    }
    return backends[*at] ? backends[(*at)++] : NULL;
}

void
choice_pass_over(const struct backend *backend, const char *error, char why[PROTO_TEXT_BYTES])
{
    char reason[REASON_BYTES];
    size_t length = strlen(why);
    utf8_copy(reason, sizeof(reason), error);
    reason[strcspn(reason, ";")] = '\0'; /* what to do comes once for all */
    snprintf(why + length, PROTO_TEXT_BYTES - length, "%s%s: %s", length ? "; " : "", backend->name,
             reason);
}

bool
choice_found_device(enum tutti_status status)
{
    return status != TUTTI_OK && status != TUTTI_NO_DEVICE && status != TUTTI_UNSUPPORTED;
}

void
choice_settle(const struct config *config, const struct backend *backend,
              char why[PROTO_TEXT_BYTES])
{
    char reasons[REASONS_BYTES];
    /* who names the card wants it */
    bool told = backend->silent && is_auto(config) && !config->device_name[0];
    utf8_copy(reasons, sizeof(reasons), why);
    why[0] = '\0';
    if (told) {
        snprintf(why, PROTO_TEXT_BYTES, SENTENCE, backend->description, reasons);
        log_warning("engine: %s", why);
    }
}

void
engine_get_backends(char words[CONFIG_TEXT_BYTES])
{
    utf8_copy(words, CONFIG_TEXT_BYTES, "auto");
    for (const struct backend *const *backend = backends; *backend; backend++) {
        size_t length = strlen(words);
        snprintf(words + length, CONFIG_TEXT_BYTES - length, ", %s", (*backend)->name);
    }
}

uint32_t
engine_survey(const struct config *config, struct engine_finding *findings, uint32_t room)
{
    uint32_t count = 0;
    unsigned at = 0;
    for (const struct backend *backend;
         count < room && (backend = choice_next(config, &at)) != NULL;) {
        struct backend_device devices[PROTO_DEVICE_ENTRIES];
        unsigned found = PROTO_DEVICE_ENTRIES;
        struct engine_finding *finding = &findings[count++];
        *finding = (struct engine_finding){.backend = backend->name, .silent = backend->silent};
        finding->status = backend->list(config, devices, &found);
        finding->devices = finding->status == TUTTI_OK ? found : 0;
        for (unsigned d = 0; d < finding->devices && !finding->name[0]; d++) {
            const char *wanted = config->device_name;
            if (wanted[0] ? strcmp(devices[d].name, wanted) == 0 : devices[d].is_default) {
                utf8_copy(finding->name, sizeof(finding->name), devices[d].name);
            }
        }
    }
    return count;
}

uint32_t
choice_list(struct engine *engine, struct proto_device_entry *entries, uint32_t room)
{
    uint32_t count = 0;
    unsigned at = 0;
    bool has_default = false;
    for (const struct backend *backend; (backend = choice_next(&engine->config, &at));) {
        struct backend_device devices[PROTO_DEVICE_ENTRIES];
        unsigned found = PROTO_DEVICE_ENTRIES;
        if (backend->list(&engine->config, devices, &found) != TUTTI_OK) {
            continue;
        }
        for (unsigned d = 0; d < found && count < room; d++, count++) {
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
