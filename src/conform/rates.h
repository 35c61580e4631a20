/* SPDX-License-Identifier: MIT */
/* The sample rates that hosts ask for: one list for all cases. */
#ifndef TUTTI_CONFORM_RATES_H
#define TUTTI_CONFORM_RATES_H

#include "conform/conform.h"

enum { RATES = 15, RATES_COMMON = 5 /* from here on they are streamed: 44.1 kHz */ };
/** In Hz, in rising order. */
extern const double rates_hz[RATES];

/** The first one from 44.1 kHz on that the driver takes and does not have now; 0: there is none. */
double rates_other(struct subject *s);

#endif
