/* SPDX-License-Identifier: MIT */
/*
 * The done/owner protocol: who may touch a half, and who wakes whom. Every step of it is here, for
 * both sides, so that one test can run all interleavings of the real code. All functions are real
 * time and lock-free; each is a bounded number of atomic steps.
 *
 * A call has a sequence number; its half is seq & 1. Engine: handoff_issue() gives the half (input
 * filled, stamp written); from then until handoff_is_done() it touches neither input nor output of
 * that half. Program: handoff_begin() takes it, handoff_done() gives it back.
 *
 * Waking the engine: a cycle begins with handoff_count_begin(), which makes the shared count
 * unreachable; for each program that this cycle waits for the engine calls handoff_arm() before the
 * call is issued (or, for a call issued earlier, at any time), then handoff_count_end() with their
 * number. A program that hands its half back takes `armed` by exchange, so that each armed program
 * is counted out exactly once, by itself or by the engine (handoff_disarm()). The program's store
 * to owner[] comes before its exchange, the engine's arm before its reading of owner[]: in the one
 * total order of these steps at least one side sees the other. Whatever a hostile program writes
 * here costs the engine time until its deadline, and nothing else.
 */
#ifndef TUTTI_PROTO_HANDOFF_H
#define TUTTI_PROTO_HANDOFF_H

#include "proto/segment.h"

/* ---- engine ---- */

/** Hands half seq & 1 to the program. The stamp and the input are written before. The caller posts
 * the doorbell afterwards. */
void handoff_issue(struct proto_segment *segment, uint32_t seq);

/** True when the program has handed call seq's half back: its output may be read. */
bool handoff_is_done(const struct proto_segment *segment, uint32_t seq);

/** Says how the engine wants to hear of the program's next handing back. */
void handoff_arm(struct proto_segment *segment, enum proto_armed how);

/** Takes the arming back; what it was, or NOT when the program took it already. */
enum proto_armed handoff_disarm(struct proto_segment *segment);

/** Makes pending unreachable while programs are being armed and called. */
void handoff_count_begin(struct proto_rendezvous *rendezvous);

/** armed programs are to be waited for. True when all of them were counted out already. */
bool handoff_count_end(struct proto_rendezvous *rendezvous, uint32_t armed);

/** True when nobody is left to be counted out. A hint: look at handoff_is_done() then. Read the
 * wake word before this; after a post, look here again. */
bool handoff_is_counted(const struct proto_rendezvous *rendezvous);

/* ---- program ---- */

/** True when call seq was handed to the program: input and stamp may be read, output written. */
bool handoff_begin(struct proto_segment *segment, uint32_t seq);

/** Hands call seq's half back. True: post the engine's wake. */
bool handoff_done(struct proto_segment *segment, struct proto_rendezvous *rendezvous, uint32_t seq);

/** Makes both halves the engine's, as if call seq - 1 had been handed back: before a start whose
 * first call is seq. */
void handoff_reset(struct proto_segment *segment, uint32_t seq);

#endif
