/* SPDX-License-Identifier: MIT */
/*
 * The done/owner protocol. Orders: owner[] carries the samples (release on giving, acquire on
 * taking). The pair "program stores owner[], then exchanges armed" against "engine stores armed,
 * then loads owner[]" is sequentially consistent on all four, so that at least one side sees the
 * other; the exchange decides who of the two counts the program out.
 *
 * Sequence numbers wrap after 2^31 calls; they are compared for equality only, and two calls of one
 * half are two apart.
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
    /* Partner: handoff_begin(). Carries input and stamp. */
    STEP_STORE(&segment->owner[seq & 1], owned_by_program(seq), memory_order_seq_cst);
}

bool
handoff_is_done(const struct proto_segment *segment, uint32_t seq)
{
    /* Partner: the store in handoff_done(). Carries output. */
    return STEP_LOAD(&segment->owner[seq & 1], memory_order_seq_cst) == owned_by_engine(seq);
}

void
handoff_arm(struct proto_segment *segment, enum proto_armed how)
{
    STEP_STORE(&segment->armed, (uint32_t)how, memory_order_seq_cst);
}

enum proto_armed
handoff_disarm(struct proto_segment *segment)
{
    uint32_t was = STEP_EXCHANGE(&segment->armed, PROTO_ARMED_NOT);
    return was == PROTO_ARMED_COUNT || was == PROTO_ARMED_WAKE ? (enum proto_armed)was
                                                               : PROTO_ARMED_NOT;
}

void
handoff_count_begin(struct proto_rendezvous *rendezvous)
{
    STEP_STORE(&rendezvous->pending, COUNT_UNREACHABLE, memory_order_seq_cst);
}

bool
handoff_count_end(struct proto_rendezvous *rendezvous, uint32_t armed)
{
    uint32_t take = COUNT_UNREACHABLE - armed;
    return STEP_FETCH_SUB(&rendezvous->pending, take) == take;
}

bool
handoff_begin(struct proto_segment *segment, uint32_t seq)
{
    return STEP_LOAD(&segment->owner[seq & 1], memory_order_acquire) == owned_by_program(seq);
}

bool
handoff_done(struct proto_segment *segment, struct proto_rendezvous *rendezvous, uint32_t seq)
{
    STEP_STORE(&segment->owner[seq & 1], owned_by_engine(seq), memory_order_seq_cst);
    uint32_t armed = STEP_EXCHANGE(&segment->armed, PROTO_ARMED_NOT);
    if (armed == PROTO_ARMED_COUNT) {
        return STEP_FETCH_SUB(&rendezvous->pending, 1) == 1;
    }
    return armed == PROTO_ARMED_WAKE;
}

void
handoff_reset(struct proto_segment *segment, uint32_t seq)
{
    STEP_STORE(&segment->owner[(seq - 1) & 1], owned_by_engine(seq - 1), memory_order_release);
    STEP_STORE(&segment->owner[seq & 1], owned_by_engine(seq - 2), memory_order_release);
}
