/* SPDX-License-Identifier: MIT */
/*
 * The virtual sound card: the ground truth of every latency test. It has a clock of its own and
 * "air" on both sides: what it plays at device frame t, and what it hears at device frame t. Device
 * frame 0 is where the first cycle after open begins; they go on over stop and start.
 *
 * A cycle at period Q begins when device frame F has just been captured: `in` holds the frames [F -
 * Q, F) - input_latency of the air's input; `out` is in the air from frame F + Q + output_latency
 * on (a card with two halves: one plays while the other is filled). The cable joins output c to
 * input c with its delay in the air.
 *
 * There are four cards. The first is the default; the others ("Second virtual sound card", "Third
 * ...", "Fourth ...") are for those who name them. Each has a clock, and faults, of its own.
 *
 * In real time it runs on a thread of its own, with a hard clock (a late cycle loses whole periods)
 * or an elastic one (time waits). For a test that owns the time the same card has no thread: each
 * sim_step() is one cycle on the caller's thread, at a virtual time.
 */
#ifndef TUTTI_SIM_H
#define TUTTI_SIM_H

#include "backend/backend.h"

extern const struct backend backend_sim;

/** The air: fills `samples` (frames long) with what channel hears in the device frames from
 * device_frame on. Added to the cable. Called on the cycle's thread. */
typedef void (*sim_source_fn)(void *user, uint32_t channel, uint64_t device_frame, float *samples,
                              uint32_t frames);
/** What channel plays in the air from device_frame on, after conversion to the device's format and
 * back. */
typedef void (*sim_sink_fn)(void *user, uint32_t channel, uint64_t device_frame,
                            const float *samples, uint32_t frames);

/** From the next open on (stepped or not) the card has no thread: time moves by sim_step() alone,
 * and starts at start_ns. For tests; false ends it. */
void sim_set_stepped(bool stepped, uint64_t start_ns);

/** The stepped or real-time stream that was opened last, for a test that opened it through the
 * engine; NULL when it was closed. */
struct backend_stream *sim_current(void);
/** The running stream, of any card, whose next cycle begins first; NULL: none runs. */
struct backend_stream *sim_next(void);
/** When its next cycle begins. */
uint64_t sim_next_ns(const struct backend_stream *stream);

/** Gives the card ears and a mouth; NULL: none. Before start() or between steps. */
void sim_set_air(struct backend_stream *stream, sim_source_fn source, sim_sink_fn sink, void *user);

/** One cycle, at the virtual time now; then the virtual time is the start of the next cycle of any
 * card. False when the stream is not running or lost. */
bool sim_step(struct backend_stream *stream);

/** The virtual time in ns (stepped) or os_now_ns(). */
uint64_t sim_now_ns(void);
/** Moves the virtual time forward within a cycle (a test's wait hook); never beyond what the next
 * step begins with unless it must: time past the period makes the card lose frames like a real one
 * (or wait, when elastic). */
void sim_advance_ns(uint64_t now_ns);

/** What happens, with the virtual card, in each millisecond in which an opening or a period takes
 * its time. NULL: nothing. */
void sim_set_passing(void (*passing)(void *user), void *user);

/** The system tells the open stream's owner of this. */
void sim_tell(enum backend_event_kind kind);
/** Periods that the card refused since sim_set_stepped(). */
unsigned sim_period_refusals(void);
/** How often this stream was started. */
unsigned sim_starts(const struct backend_stream *stream);

/** Device frame that the next step begins at (n·Q). */
uint64_t sim_device_frame(const struct backend_stream *stream);

/** A card is unplugged now: BACKEND_EVENT_LOST, and open() fails with NO_DEVICE until it is plugged
 * in. name: as listed. Process-wide. */
void sim_unplug_card(const char *name);
void sim_plug_card(const char *name);
/** All cards. */
void sim_unplug(void);
void sim_plug(void);

/** The card stands still: its cycles are silent, as backend.h wants it of all backends, until it
 * goes on. Process-wide; the script's "stand" does it for a time. */
void sim_stand(bool stands);

#endif
