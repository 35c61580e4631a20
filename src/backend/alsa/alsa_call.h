/* SPDX-License-Identifier: MIT */
/*
 * Calls into libasound that may wait for a server behind a plugin. One that hangs never answers,
 * and plugins set no limit; here such a call runs on a thread of its own and is left to itself when
 * its time is over.
 */
#ifndef TUTTI_BACKEND_ALSA_CALL_H
#define TUTTI_BACKEND_ALSA_CALL_H

#include <stdbool.h>

/** Runs run(arg) and waits for it, at most limit_ms. True: it returned. False: it did not, or an
 * earlier call is still out, and this one did not begin. Then arg belongs to the calls: left(arg)
 * ends it on their thread, after run if that had begun and after all that is out. One thread at a
 * time calls this. */
bool alsa_call(void (*run)(void *arg), void (*left)(void *arg), void *arg, unsigned limit_ms);

#endif
