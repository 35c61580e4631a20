/* SPDX-License-Identifier: MIT */
/* Names, sentences and ASIO errors of the statuses, from the one table in tutti/status.h. */
#include "tutti/status.h"

static const struct {
    const char *name;
    int asio_error;
    const char *text;
} table[TUTTI_STATUS_COUNT] = {
#define ROW(name, asio, text) {#name, asio, text},
    TUTTI_STATUS_TABLE(ROW)
#undef ROW
};

static unsigned
row(enum tutti_status status)
{
    return (unsigned)status < TUTTI_STATUS_COUNT ? (unsigned)status : TUTTI_PROTOCOL;
}

const char *
tutti_status_name(enum tutti_status status)
{
    return table[row(status)].name;
}

const char *
tutti_status_text(enum tutti_status status)
{
    return table[row(status)].text;
}

int
tutti_status_asio_error(enum tutti_status status)
{
    return table[row(status)].asio_error;
}
