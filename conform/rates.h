/* SPDX-License-Identifier: MIT */
/* The sample rates that hosts ask for: one list for all cases. */
#ifndef TUTTI_CONFORM_RATES_H
#define TUTTI_CONFORM_RATES_H

#include "conform/conform.h"

enum { RATES_STREAMED = 5, RATES = 15 };
/** In Hz, in rising order; from RATES_STREAMED on, 44.1 kHz, those at which streams are tried. */
extern const double rates_hz[RATES];

/** The first one from RATES_STREAMED on that the driver takes and does not have now; 0: there is
 * none. */
double rates_other(struct subject *s);

#endif
