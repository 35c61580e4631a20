/* SPDX-License-Identifier: MIT */
/* Locales for tests, also where the system has none but "C". */
#ifndef TUTTI_TESTS_LOCALES_H
#define TUTTI_TESTS_LOCALES_H

#include <stdbool.h>

/** setlocale(LC_ALL) to German, with a comma in numbers: de_DE.UTF-8, which is compiled for this
 * process where it is not installed; German_Germany.1252. False when there is none. */
bool locales_set_comma(void);

/** Likewise Turkish, where the small i is no small I. */
bool locales_set_turkish(void);

#endif
