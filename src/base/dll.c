/* SPDX-License-Identifier: MIT */
#include "base/dll.h"

static const double bandwidth_hz = 0.5;
static const double most_weight = 0.35; /* of very long periods */
static const double most_ppm = 10000;   /* by which a clock may be off */

void
dll_init(struct dll *dll, double nominal_ns)
{
    double omega = 2 * 3.14159265358979 * bandwidth_hz * nominal_ns * 1e-9;
    *dll = (struct dll){
        .nominal_ns = nominal_ns,
        .period_ns = nominal_ns,
        .weight = omega < most_weight ? omega : most_weight,
    };
}

double
dll_within(double value, double most)
{
    return value > most ? most : value < -most ? -most : value;
}

void
dll_follow(struct dll *dll, double error_ns)
{
    double error = dll_within(error_ns, dll->nominal_ns / 2);
    double w = dll->weight;
    dll->next_ns += dll->period_ns + 1.41421356 * w * error;
    dll->period_ns += w * w * error;
    dll->period_ns = dll->nominal_ns + dll_within(dll->period_ns - dll->nominal_ns,
                                                  dll->nominal_ns * most_ppm * 1e-6);
}
