/* SPDX-License-Identifier: MIT */
/* How often the server of a test dies, and how long it then takes until programs hear sound. */
#ifndef TUTTI_TEST_DEATHS_H
#define TUTTI_TEST_DEATHS_H

#include <stdint.h>

/** Takes the arguments TUTTID [DEATHS]; three without a number. 0: they are wrong, which was said.
 */
unsigned deaths_wanted(int argc, char **argv);

/** Says, as `./run campaign servers` reads it, that sound is heard again after the death of this
 * number; the server was there again at this time. */
void deaths_tell(unsigned number, uint64_t there_ns);

#endif
