/* SPDX-License-Identifier: MIT */
/*
 * A PipeWire server of the test's own, with a configuration and a folder that nobody else has, and
 * without a session manager: started, ended, killed and stopped. POSIX. Failures end the test.
 */
#ifndef TUTTI_TEST_PIPEWIRED_H
#define TUTTI_TEST_PIPEWIRED_H

#include <stdbool.h>
#include <stdint.h>

/** False: there is no pipewire here (or one of its tools); reason says what to install. */
bool pipewired_available(char reason[256]);
/** Gives this process and its children a folder for their server's socket. Call first. */
void pipewired_choose_folder(void);
/** Takes the folder away. Call last. */
void pipewired_leave_folder(void);
/** Starts it and waits till it answers. sinks: virtual ones, stereo, named test-sink-1 and so on;
 * they have no default but their order. */
void pipewired_start(uint32_t rate_hz, uint32_t quantum, unsigned sinks);
/** Ends it: SIGTERM, or SIGKILL. Nothing when none runs. */
void pipewired_end(bool kill_it);
/** SIGSTOP, SIGCONT. */
void pipewired_hang(bool hangs);
/** Runs one of PipeWire's own tools and waits for it; its status. argv ends with NULL. */
int pipewired_tool(const char *const *argv);
/** Links two ports by their names, "NODE:PORT"; links that are there already are fine. */
int pipewired_link(const char *output, const char *input);
/** Sets one of the server's settings (clock.force-quantum, ...). */
void pipewired_set(const char *setting, uint32_t value);
/** Makes this sink the default, as a session manager would. */
void pipewired_set_default_sink(const char *name);

#endif
