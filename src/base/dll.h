/* SPDX-License-Identifier: MIT */
/*
 * A delay-locked loop of second order: the smooth time of something that happens once a period and
 * is seen with jitter. Pure: time is given. (F. Adriaensen, "Using a DLL to filter time", 2005.)
 */
#ifndef TUTTI_DLL_H
#define TUTTI_DLL_H

struct dll {
    double nominal_ns, period_ns; /* of one period: by the rate; as measured */
    double next_ns;               /* when the next one is expected; set by the user at first */
    double weight;                /* of an error: the loop's bandwidth */
};

/** A loop that knows the nominal period and nothing else yet. */
void dll_init(struct dll *dll, double nominal_ns);

/** It happened error_ns after next_ns: next_ns and period_ns follow. At most half a period at once,
 * so that time never turns back. Real time. */
void dll_follow(struct dll *dll, double error_ns);

/** value, or the nearest that is no further from 0 than `most`. */
double dll_within(double value, double most);

#endif
