/* SPDX-License-Identifier: MIT */
/* The list of rates. See rates.h. */
#include "conform/rates.h"

const double rates_hz[RATES] = {8000,  11025,  16000,  22050,  32000,  44100,  48000, 88200,
                                96000, 176400, 192000, 352800, 384000, 705600, 768000};

double
rates_other(struct subject *s)
{
    for (unsigned i = RATES_STREAMED; i < RATES; i++) {
        if (rates_hz[i] != s->rate_hz && call_can_sample_rate(s, rates_hz[i]) == ASIO_OK) {
            return rates_hz[i];
        }
    }
    return 0;
}
