/* SPDX-License-Identifier: MIT */
/*
 * The callbacks. ASIO gives them no pointer of the host's own, so there is one set of functions per
 * slot. What they see is written down; nothing is judged here, and nothing is said.
 */
#include "conform/inside.h"

#include <stdlib.h>
#include <string.h>

static _Atomic(struct host *) slots[HOST_SLOTS];

/* ---- blocks ---- */

static void
note_info(struct host_block *block, const struct asio_time *time)
{
    const uint32_t both = ASIO_TIME_SYSTEM_TIME_VALID | ASIO_TIME_SAMPLE_POSITION_VALID;

    block->position = asio_int64_value(time->info.sample_position);
    block->time_ns = asio_int64_value(time->info.system_time);
    block->rate_hz = time->info.sample_rate;
    block->flags = time->info.flags;
    block->answer = (time->info.flags & both) == both ? ASIO_OK : ASIO_SP_NOT_ADVANCING;
}

static void
take_block(unsigned slot, struct host_block *block, const struct asio_time *time)
{
    struct host *host = atomic_load(&slots[slot]);

    if (!host) {
        return; /* after the end: whoever calls now has been told to stop */
    }
    block->begin_ns = conform_now_ns();
    block->thread = GetCurrentThreadId();
    block->answer = ASIO_SP_NOT_ADVANCING;
    block->null_time = block->info && !time;
    if (atomic_fetch_add(&host->inside, 1) > 0) {
        atomic_fetch_add(&host->nested, 1);
    }
    if (time) {
        note_info(block, time);
    } else if (host->ask_position) {
        block->answer = call_get_sample_position(host->subject, &block->position, &block->time_ns);
    }
    if (host->on_block) {
        host->on_block(host, block);
    }
    if (host->output_ready) {
        call_output_ready(host->subject);
    }
    block->end_ns = conform_now_ns();
    uint32_t number = atomic_load(&host->block_count);
    if (number < HOST_BLOCKS) {
        host->blocks[number] = *block;
    }
    atomic_store(&host->block_count, number + 1);
    atomic_fetch_sub(&host->inside, 1);
    SetEvent(host->block_event);
}

/* ---- messages ---- */

static int32_t
usual_answer(const struct host *host, int32_t selector, int32_t value)
{
    bool known = selector >= 0 && selector < 32 && host->knows & 1u << selector;

    switch (selector) {
    case ASIO_MESSAGE_SELECTOR_SUPPORTED:
        return value >= 0 && value < 32 && (host->knows & 1u << value) != 0;
    case ASIO_MESSAGE_ENGINE_VERSION:
        return known ? 2 : 0;
    default:
        return known;
    }
}

static int32_t
take_message(unsigned slot, int32_t selector, int32_t value, void *message, double *option)
{
    struct host *host = atomic_load(&slots[slot]);

    if (!host) {
        return 0;
    }
    uint32_t number = atomic_fetch_add(&host->message_count, 1);
    if (number < HOST_MESSAGES) {
        host->messages[number] = (struct host_message){
            .selector = selector,
            .value = value,
            .at_ns = conform_now_ns(),
            .thread = GetCurrentThreadId(),
        };
    }
    if (host->on_message) {
        return host->on_message(host, selector, value, message, option);
    }
    return usual_answer(host, selector, value);
}

static void
take_rate(unsigned slot, double rate_hz)
{
    struct host *host = atomic_load(&slots[slot]);

    if (!host) {
        return;
    }
    atomic_fetch_add(&host->rate_count, 1);
    if (host->on_rate) {
        host->on_rate(host, rate_hz);
    }
}

/* ---- one set of functions per slot ---- */

#define SLOTS(X) X(0) X(1) X(2) X(3)

#define SLOT_FUNCTIONS(n)                                                                          \
    static void TUTTI_ASIO_HOST switch_##n(int32_t half, int32_t direct)                           \
    {                                                                                              \
        struct host_block block = {.half = half, .direct = direct};                                \
        take_block(n, &block, NULL);                                                               \
    }                                                                                              \
    static struct asio_time *TUTTI_ASIO_HOST switch_time_##n(struct asio_time *time, int32_t half, \
                                                             int32_t direct)                       \
    {                                                                                              \
        struct host_block block = {.half = half, .direct = direct, .info = true};                  \
        take_block(n, &block, time);                                                               \
        return NULL;                                                                               \
    }                                                                                              \
    static int32_t TUTTI_ASIO_HOST message_##n(int32_t selector, int32_t value, void *message,     \
                                               double *option)                                     \
    {                                                                                              \
        return take_message(n, selector, value, message, option);                                  \
    }                                                                                              \
    static void TUTTI_ASIO_HOST rate_##n(double rate_hz)                                           \
    {                                                                                              \
        take_rate(n, rate_hz);                                                                     \
    }
SLOTS(SLOT_FUNCTIONS)
#undef SLOT_FUNCTIONS

static const struct asio_callbacks functions[HOST_SLOTS] = {
#define SLOT_ROW(n) {switch_##n, rate_##n, message_##n, switch_time_##n},
    SLOTS(SLOT_ROW)
#undef SLOT_ROW
};

/* ---- life ---- */

bool
host_open(struct host *host, struct subject *subject)
{
    memset(host, 0, sizeof(*host));
    host->subject = subject;
    host->knows = HOST_KNOWS_USUAL;
    host->slot = HOST_SLOTS;
    host->blocks = calloc(HOST_BLOCKS, sizeof(*host->blocks));
    host->block_event = CreateEventW(NULL, FALSE, FALSE, NULL);
    for (unsigned i = 0; i < HOST_SLOTS && host->blocks && host->block_event; i++) {
        struct host *none = NULL;
        if (atomic_compare_exchange_strong(&slots[i], &none, host)) {
            host->slot = i;
            host->callbacks = functions[i];
            return true;
        }
    }
    host_close(host);
    return false;
}

void
host_close(struct host *host)
{
    if (host->slot < HOST_SLOTS) {
        atomic_store(&slots[host->slot], NULL);
    }
    if (host->block_event) {
        CloseHandle(host->block_event);
    }
    free(host->blocks);
    host->blocks = NULL;
    host->block_event = NULL;
    host->slot = HOST_SLOTS;
}

void
host_forget(struct host *host)
{
    atomic_store(&host->block_count, 0);
    atomic_store(&host->nested, 0);
    atomic_store(&host->message_count, 0);
    atomic_store(&host->rate_count, 0);
    ResetEvent(host->block_event);
}

bool
host_wait(struct host *host, uint32_t count, unsigned timeout_ms)
{
    uint64_t end = conform_now_ns() + (uint64_t)timeout_ms * 1000000u;

    while (atomic_load(&host->block_count) < count) {
        uint64_t now = conform_now_ns();
        if (now >= end) {
            return false;
        }
        uint64_t left_ms = (end - now) / 1000000u + 1;
        WaitForSingleObject(host->block_event, left_ms < 50 ? (DWORD)left_ms : 50);
    }
    return true;
}

unsigned
host_count_messages(const struct host *host, int32_t selector)
{
    uint32_t seen = atomic_load(&host->message_count);
    unsigned count = 0;

    for (uint32_t i = 0; i < seen && i < HOST_MESSAGES; i++) {
        count += host->messages[i].selector == selector;
    }
    return count;
}
