/* SPDX-License-Identifier: MIT */
/*
 * The atomic operations of the handing over, each through one name, so that a test can stop the
 * real code before every one of them. Everything else uses them as they are in C11.
 */
#ifndef TUTTI_PROTO_ATOMIC_STEP_H
#define TUTTI_PROTO_ATOMIC_STEP_H

#include <stdatomic.h>

/* A test that explores schedules defines all four before it includes handoff.c. */
#ifndef STEP_LOAD
#define STEP_LOAD(word, order) atomic_load_explicit(word, order)
#define STEP_STORE(word, value, order) atomic_store_explicit(word, value, order)
#define STEP_EXCHANGE(word, value) atomic_exchange_explicit(word, value, memory_order_seq_cst)
#define STEP_FETCH_SUB(word, value) atomic_fetch_sub_explicit(word, value, memory_order_seq_cst)
#endif

#endif
