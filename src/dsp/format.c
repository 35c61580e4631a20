/* SPDX-License-Identifier: MIT */
/* The formats' table. */
#include "dsp/dsp.h"

static const struct {
    unsigned bytes, bits;
    const char *text;
} table[DSP_FORMAT_COUNT] = {
#define ROW(name, bytes, bits, text) {bytes, bits, text},
    DSP_FORMAT_TABLE(ROW)
#undef ROW
};

unsigned
dsp_format_bytes(enum dsp_format format)
{
    return (unsigned)format < DSP_FORMAT_COUNT ? table[format].bytes : 0;
}

unsigned
dsp_format_bits(enum dsp_format format)
{
    return (unsigned)format < DSP_FORMAT_COUNT ? table[format].bits : 0;
}

const char *
dsp_format_text(enum dsp_format format)
{
    return (unsigned)format < DSP_FORMAT_COUNT ? table[format].text : "?";
}
