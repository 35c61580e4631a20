/* SPDX-License-Identifier: MIT */
/*
 * Decimal numbers in texts, with a point, whatever the process's locale and floating-point
 * environment are: in a driver both are the host's. Whole-number arithmetic only. Any thread.
 */
#ifndef TUTTI_NUMBER_H
#define TUTTI_NUMBER_H

#include <stdbool.h>

enum {
    NUMBER_TEXT_BYTES = 32,
    NUMBER_DIGITS = 6,       /* that printf()'s %g writes */
    NUMBER_EXACT_DIGITS = 17 /* that tell any two numbers apart */
};

struct number_text {
    char text[NUMBER_TEXT_BYTES];
};

/** Reads [+-]digits[.digits][e[+-]digits], without space before it; a side of the point may be
 * empty, not both. *end: the first character behind it. False, and nothing is written, when there
 * is none or it is too great for a double. The nearest double, up to 19 significant digits. */
bool number_read(const char *text, const char **end, double *value);

/** A number with at most `digits` (1 to 17) significant digits, as printf()'s %.*g writes it in the
 * "C" locale; "nan", "inf", "-inf" for what is none. */
struct number_text number_write(double value, unsigned digits);

/** The same with NUMBER_DIGITS: for "%s", number_text(value).text. */
struct number_text number_text(double value);

/** The fewest digits, at least NUMBER_DIGITS, that number_read() gives the same number for. */
struct number_text number_write_exactly(double value);

#endif
