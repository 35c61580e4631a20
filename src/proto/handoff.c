/* SPDX-License-Identifier: MIT */
/*
 * The done/owner protocol. Three orders carry it:
 *
 * 1. owner[] carries the samples: a store that gives a half, a load by the other side that finds it
 *    given. Release and acquire would do for this.
 * 2. The program stores owner[] and then exchanges `armed`; the engine stores `armed` and then
 * loads owner[]. All four are sequentially consistent: in their one total order either the
 * program's exchange comes after the engine's store and finds the arming, or the engine's load
 * comes after the program's store and finds the half. Were one of the two stores weaker, both sides
 * could miss each other, and the engine would sleep with everything done. tests/test_handoff.c
 * shows it.
 * 3. The exchange decides who counts an armed program out: the side that gets the arming has it
 * alone.
 *
 * Sequence numbers lose their top bit in owner[] and wrap there after 2^31 calls. They are compared
 * for equality only, and the word of a half can only hold the number that is asked for, the one two
 * before it, or one of an earlier start: to meet an alias, 2^31 calls would have to pass meanwhile.
 */
#include "proto/handoff.h"

#include "proto/atomic_step.h"

/* More programs than there can be: pending cannot reach zero while the engine still calls. */
#define COUNT_UNREACHABLE (UINT32_C(1) << 30)

static uint32_t
owned_by_program(uint32_t seq)
{
    return seq << 1 | 1;
}

static uint32_t
owned_by_engine(uint32_t seq)
{
    return seq << 1;
}

void
handoff_issue(struct proto_segment *segment, uint32_t seq)
{
    /* Partner: the load in handoff_begin(). Carries input and stamp. */
    STEP_STORE(&segment->owner[seq & 1], owned_by_program(seq), memory_order_seq_cst);
}

bool
handoff_is_done(const struct proto_segment *segment, uint32_t seq)
{
    /* Partner: the store in handoff_done(). Carries output; with handoff_arm() before it, half of
     * order 2. */
    return STEP_LOAD(&segment->owner[seq & 1], memory_order_seq_cst) == owned_by_engine(seq);
}

void
handoff_arm(struct proto_segment *segment, enum proto_armed how)
{
    /* Partner: the exchange in handoff_done(). The engine looks at owner[] after this. */
    STEP_STORE(&segment->armed, (uint32_t)how, memory_order_seq_cst);
}

enum proto_armed
handoff_disarm(struct proto_segment *segment)
{
    /* Partner: the exchange in handoff_done(); one of the two gets the arming. */
    uint32_t was = STEP_EXCHANGE(&segment->armed, PROTO_ARMED_NOT);
    return was == PROTO_ARMED_COUNT || was == PROTO_ARMED_WAKE ? (enum proto_armed)was
                                                               : PROTO_ARMED_NOT;
}

void
handoff_count_begin(struct proto_rendezvous *rendezvous)
{
    /* Partner: the subtraction in handoff_done(). One that was meant for an earlier cycle and comes
     * after this makes the count end early, never late. */
    STEP_STORE(&rendezvous->pending, COUNT_UNREACHABLE, memory_order_seq_cst);
}

/* Below zero is a count that a program took part in that was late for an earlier cycle. */
static bool
is_counted(uint32_t pending)
{
    return pending == 0 || pending > COUNT_UNREACHABLE;
}

bool
handoff_count_end(struct proto_rendezvous *rendezvous, uint32_t armed)
{
    uint32_t take = COUNT_UNREACHABLE - armed;
    return is_counted(STEP_FETCH_SUB(&rendezvous->pending, take) - take);
}

bool
handoff_is_counted(const struct proto_rendezvous *rendezvous)
{
    /* Partner: the subtraction in handoff_done(), which comes before its caller's post. */
    return is_counted(STEP_LOAD(&rendezvous->pending, memory_order_acquire));
}

bool
handoff_begin(struct proto_segment *segment, uint32_t seq)
{
    /* Partner: the store in handoff_issue(). */
    return STEP_LOAD(&segment->owner[seq & 1], memory_order_acquire) == owned_by_program(seq);
}

bool
handoff_done(struct proto_segment *segment, struct proto_rendezvous *rendezvous, uint32_t seq)
{
    /* Partner: the load in handoff_is_done(). In this order: see 2 above. */
    STEP_STORE(&segment->owner[seq & 1], owned_by_engine(seq), memory_order_seq_cst);
    /* Partners: handoff_arm() and handoff_disarm(). */
    uint32_t armed = STEP_EXCHANGE(&segment->armed, PROTO_ARMED_NOT);
    if (armed == PROTO_ARMED_COUNT) {
        /* Partners: handoff_count_end() and handoff_is_counted(). Exactly one subtraction of a
         * count takes it to zero. */
        return STEP_FETCH_SUB(&rendezvous->pending, 1) == 1;
    }
    return armed == PROTO_ARMED_WAKE;
}

void
handoff_reset(struct proto_segment *segment, uint32_t seq)
{
    /* Published by the caller's store to `run`, which the engine acquires. */
    STEP_STORE(&segment->owner[(seq - 1) & 1], owned_by_engine(seq - 1), memory_order_release);
    STEP_STORE(&segment->owner[seq & 1], owned_by_engine(seq - 2), memory_order_release);
}
