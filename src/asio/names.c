/* SPDX-License-Identifier: MIT */
/* What channels are called. See names.h. */
#include "asio/names.h"

#include <stdio.h>

#include "asio/ansi.h"
#include "base/log.h"

void
names_get(const struct config *config, bool is_input, unsigned index, uint16_t channel,
          unsigned page, char name[ASIO_NAME_BYTES])
{
    const char *names = is_input ? config->program_input_names : config->program_output_names;
    char given[CONFIG_TEXT_BYTES];

    if (!config_list_item(names, index, given, sizeof(given)) ||
        !ansi_copy(page, name, ASIO_NAME_BYTES, given)) {
        snprintf(name, ASIO_NAME_BYTES, "%s %u", is_input ? "In" : "Out", channel + 1U);
    }
}

void
names_log(const struct config *config, unsigned page)
{
    char given[CONFIG_TEXT_BYTES], name[ASIO_NAME_BYTES];

    for (unsigned i = 0; i < 2 * CONFIG_CHANNELS; i++) {
        const char *names = i % 2 ? config->program_output_names : config->program_input_names;
        if (config_list_item(names, i / 2, given, sizeof(given)) &&
            !ansi_copy(page, name, sizeof(name), given)) {
            log_warning("asio: the code page %u of this program has not all characters of the name "
                        "'%s': its %s %u keeps its plain name",
                        page, given, i % 2 ? "output" : "input", i / 2 + 1);
        }
    }
}
