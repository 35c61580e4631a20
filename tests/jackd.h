/* SPDX-License-Identifier: MIT */
/*
 * A jackd of the test's own, with the dummy driver and a name that nobody else has: started, ended,
 * killed and stopped. POSIX. Failures end the test.
 */
#ifndef TUTTI_TEST_JACKD_H
#define TUTTI_TEST_JACKD_H

#include <stdbool.h>
#include <stdint.h>

/** False: there is no jackd here (or no jack_connect); reason says what to install. */
bool jackd_available(char reason[256]);
/** Gives this process and its children a server name of their own. Call first. */
void jackd_choose_name(void);
/** Starts it and waits till it answers. ports: physical ones each way. */
void jackd_start(uint32_t rate_hz, uint32_t period_frames, unsigned ports);
/** Ends it: SIGTERM, or SIGKILL. Nothing when none runs. The last end of a test is an orderly one,
 * with or without a server: it takes away what killed ones have left, for JACK counts them as
 * servers till the machine starts anew, and eight are the most. */
void jackd_end(bool kill_it);
/** SIGSTOP, SIGCONT. */
void jackd_hang(bool hangs);
/** Runs one of JACK's own tools (jack_connect, jack_bufsize) and waits for it; its status. */
int jackd_tool(const char *tool, const char *first, const char *second);

#endif
