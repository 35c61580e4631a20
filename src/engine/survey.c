/* SPDX-License-Identifier: MIT */
/* What the backends find, without an engine. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "device/select.h"
#include "engine/engine.h"

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
         count < room && (backend = select_next(config, &at)) != NULL;) {
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
