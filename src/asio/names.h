/* SPDX-License-Identifier: MIT */
/* What hosts' channels are called. Any thread. */
#ifndef TUTTI_ASIO_NAMES_H
#define TUTTI_ASIO_NAMES_H

#include "config/config.h"
#include "tutti/asio.h"

/** The name of the index-th channel that is offered, which is the device's `channel`, in a code
 * page (GetACP() is the process's). A name that the code page cannot express is left out: "In 1".
 */
void names_get(const struct config *config, bool is_input, unsigned index, uint16_t channel,
               unsigned page, char name[ASIO_NAME_BYTES]);
/** Logs the names that the code page cannot express. */
void names_log(const struct config *config, unsigned page);

#endif
