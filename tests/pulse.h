/* SPDX-License-Identifier: MIT */
/*
 * A PulseAudio server of the test's own with one null sink, reached through libasound's plugin as
 * the PCM "pulse"; its input is the sink's monitor.
 */
#ifndef TUTTI_TEST_PULSE_H
#define TUTTI_TEST_PULSE_H

#include <stdbool.h>
#include <stdint.h>

/** False: pulseaudio or the plugin is not installed; reason says which. */
bool pulse_available(char reason[256]);
/** Starts the server, if it does not run, and waits until it answers. $ALSA_CONFIG_PATH of this
 * process, and of those that it starts, leads to it. */
void pulse_start(void);
/** Kill -9 or an orderly end; what it left is removed. */
void pulse_end(bool kill_it);
/** It stops where it is, or goes on. */
void pulse_hang(bool hangs);

#endif
