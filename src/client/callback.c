/* SPDX-License-Identifier: MIT */
/*
 * The callback thread: called by an engine, or pacing itself. Its loop takes no lock, allocates
 * nothing and logs nothing. Whatever happens to engines, the host sees halves that alternate and a
 * position that never goes backward.
 */
#include "client/callback.h"

#include <string.h>

#include "base/pace.h"
#include "proto/handoff.h"

enum wake_reason { WAKE_CALL, WAKE_STOP, WAKE_DEAD, WAKE_HUNG };

/* A wait that returns this much after its deadline was not the engine's fault: the machine or this
 * program stood still. */
#define STALL_SLACK_NS (UINT64_C(20) * OS_NS_PER_MS)

/* Before any device was opened its rate may be unknown; silence has to go at some pace. */
static uint32_t
rate_millihz(const struct callback *callback)
{
    uint32_t rate = atomic_load_explicit(&callback->rate_millihz, memory_order_relaxed);
    return rate ? rate : UINT32_C(48000000);
}

static uint64_t
block_ns(const struct callback *callback)
{
    return callback->layout.buffer_frames * (OS_NS_PER_S * 1000) / rate_millihz(callback);
}

/* The segment's words are on the engine's time. */
static uint64_t
engine_now_ns(void)
{
    return os_now_ns() + (uint64_t)os_link_clock_offset_ns();
}

/* ---- completing a block ---- */

/* Hands a half back. The caller took the block's token (or is the callback thread in late_take), so
 * that each is handed back once. */
static void
hand_back(struct callback *callback, uint32_t seq)
{
    struct attachment *attachment = atomic_load(&callback->current);
    if (!attachment) {
        return;
    }
    atomic_store_explicit(&callback->segment->done_ns, engine_now_ns(), memory_order_relaxed);
    if (handoff_done(callback->segment, attachment->rendezvous, seq)) {
        os_wake_post(&attachment->engine);
    }
}

/* Hands the open block back if nobody did; false when there was none. */
static bool
complete_open(struct callback *callback)
{
    uint64_t token = atomic_exchange(&callback->open, 0);
    if (!token) {
        return false;
    }
    hand_back(callback, (uint32_t)(token >> 1));
    return true;
}

void
callback_ready(struct callback *callback)
{
    atomic_store(&callback->ready_mode, true);
    if (atomic_load(&callback->open) == 0) {
        return;
    }
    /*
     * This may be any thread of the host, at any priority, and the callback thread may lose its
     * engine meanwhile. The count is raised before the token is taken and `current` is read:
     * a thread that saw it at zero after `current` changed (callback_quiet()) knows that nobody
     * holds the former one, nor will write an owner word for it.
     */
    atomic_fetch_add(&callback->completers, 1);
    /* Partner: wait_for_call() raises `deferred` and looks at `open` again. */
    if (complete_open(callback) && atomic_load(&callback->deferred)) {
        os_wake_post(&callback->doorbell);
    }
    atomic_fetch_sub(&callback->completers, 1);
}

bool
callback_quiet(struct callback *callback)
{
    return atomic_load(&callback->completers) == 0;
}

/* ---- calling the host ---- */

/* One call of process(). position and time are clamped: never backward, whatever an engine stamps.
 */
static void
call_host(struct callback *callback, struct tutti_block *block)
{
    uint64_t now = os_now_ns();

    block->half = callback->next_seq & 1;
    block->frames = callback->layout.buffer_frames;
    block->jumped = block->jumped || callback->lost;
    if (block->time_ns < callback->last_time_ns) {
        block->time_ns = callback->last_time_ns;
    }
    callback->lost = false;
    callback->last_time_ns = block->time_ns;
    callback->last_device_frames = block->device_frames;
    callback->last_begun_ns = now;
    callback->next_position = block->position_frames + block->frames;
    atomic_store_explicit(&callback->segment->begun_ns, now + (uint64_t)os_link_clock_offset_ns(),
                          memory_order_relaxed);
    atomic_store_explicit(&callback->segment->begun_seq, callback->next_seq, memory_order_release);
    last_block_put(&callback->last_block, block);
    float_env_leave(&callback->host_env);
    callback->process(callback->user, block);
    float_env_enter(&callback->host_env);
    callback->next_seq++;
}

/* ---- called by an engine ---- */

/* Says to the engine of the current attachment: call me, beginning with next_seq. Both halves are
 * this side's until then. */
static void
join_engine(struct callback *callback)
{
    struct proto_segment *segment = callback->segment;

    callback->offset = callback->next_position;
    callback->lost = callback->lost || callback->next_position > 0;
    callback->have_previous = false;
    callback->run = (callback->run + 2) | 1;
    handoff_reset(segment, callback->next_seq);
    atomic_store_explicit(&segment->start_seq, callback->next_seq, memory_order_relaxed);
    atomic_store(&segment->run, callback->run); /* after start_seq; the engine acquires it */
    callback->joined = true;
}

static enum wake_reason
wait_for_call(struct callback *callback, struct attachment *attachment)
{
    struct proto_segment *segment = callback->segment;
    uint64_t since = os_now_ns(); /* patience counts from here */
    uint64_t unready = since + 2 * block_ns(callback);

    for (;;) {
        uint32_t seen = atomic_load(&segment->doorbell);
        if (atomic_load(&callback->stop)) {
            return WAKE_STOP;
        }
        bool called = handoff_begin(segment, callback->next_seq);
        /* Called again (buffers smaller than the period come in bursts) before the host said ready:
         * that word belongs to the former block, so the next waits for it. */
        atomic_store(&callback->deferred, called);
        bool open = atomic_load(&callback->open) != 0;
        if (called && !open) {
            atomic_store_explicit(&callback->patience_end_ns, UINT64_MAX, memory_order_relaxed);
            return WAKE_CALL;
        }
        if (atomic_load(&attachment->dead)) {
            return WAKE_DEAD;
        }
        uint64_t now = os_now_ns();
        uint64_t done = atomic_load_explicit(&segment->done_ns, memory_order_relaxed) -
                        (uint64_t)os_link_clock_offset_ns();
        if (done > since && done <= now) {
            since = done;
        }
        if (open && now >= unready) {
            /* A host that said ready once and then did not: without this no call would ever come
             * again. */
            if (complete_open(callback)) {
                atomic_fetch_add(&callback->unready_blocks, 1);
            }
            since = now;
            continue;
        }
        uint64_t patience_ns = atomic_load(&attachment->patience_ns);
        uint64_t deadline = since + patience_ns;
        if (now >= deadline) {
            if (now - deadline <= patience_ns / 2 + STALL_SLACK_NS) {
                return WAKE_HUNG;
            }
            since = now; /* the machine slept, or this program was stopped: the engine gets its time
                            again */
            continue;
        }
        /* A timer of its own would cost every call a fifth of its waking: the link thread, which
         * is woken a few times a second anyway, rings when the patience ends. */
        atomic_store_explicit(&callback->patience_end_ns, deadline, memory_order_relaxed);
        os_wake_wait(&callback->doorbell, seen, open ? unready : UINT64_MAX);
    }
}

/* Completes what the call that just returned completes. */
static void
complete_after_return(struct callback *callback)
{
    uint32_t seq = callback->next_seq - 1;

    if (callback->late_take) {
        if (callback->have_previous) {
            hand_back(callback, seq - 1);
        }
        callback->have_previous = true;
    } else if (!atomic_load(&callback->ready_mode)) {
        complete_open(callback);
    }
}

/* The engine's first call of a run is answered with half 1 as it was filled before the start, so
 * that it is played directly before the first block. process() does not see this call. With
 * late_take the host may write there until its first call returns. */
static void
run_prefilled(struct callback *callback)
{
    struct proto_segment *segment = callback->segment;

    callback->priming = false;
    callback->begins = true;
    atomic_store_explicit(&segment->begun_ns, engine_now_ns(), memory_order_relaxed);
    atomic_store_explicit(&segment->begun_seq, callback->next_seq, memory_order_release);
    if (callback->late_take) {
        callback->have_previous = true;
    } else {
        hand_back(callback, callback->next_seq);
    }
    callback->next_seq++;
}

static void
run_block(struct callback *callback, struct attachment *attachment)
{
    /* a copy: the words are the engine's */
    struct proto_stamp stamp = callback->segment->stamp[callback->next_seq & 1];
    /* The first block is at 0, though the engine has counted since the call before it. */
    if (callback->begins) {
        callback->offset = 0 - stamp.position_frames;
        callback->begins = false;
    }
    struct tutti_block block = {
        .position_frames = callback->offset + stamp.position_frames,
        .time_ns = stamp.time_ns - (uint64_t)os_link_clock_offset_ns(),
        .device_frames = stamp.device_frames,
        .generation = attachment->generation,
        .jumped = stamp.flags & PROTO_STAMP_JUMPED,
        .silent = stamp.flags & PROTO_STAMP_REPLACEMENT,
    };

    if (block.position_frames < callback->next_position) {
        callback->offset += callback->next_position - block.position_frames;
        block.position_frames = callback->next_position;
    }
    if (!callback->late_take) {
        atomic_store(&callback->open, (uint64_t)callback->next_seq << 1 | 1);
    }
    call_host(callback, &block);
    complete_after_return(callback);
}

static void
push_retired(struct callback *callback, struct attachment *attachment)
{
    attachment->next = atomic_load(&callback->retired);
    while (!atomic_compare_exchange_weak(&callback->retired, &attachment->next, attachment)) {
    }
}

/* Releases the current attachment: no token of it stays open, its memory goes to the link thread.
 * `run` is zero before that thread can see it retired, and only then does it show the segment to
 * another engine, which must not begin with the former one's start_seq. */
static void
retire_current(struct callback *callback)
{
    struct attachment *attachment = atomic_load(&callback->current);

    if (!attachment) {
        return;
    }
    atomic_store(&callback->segment->run, 0);
    atomic_store(&callback->open, 0);
    callback->joined = false;
    callback->have_previous = false;
    atomic_store(&callback->current, NULL);
    push_retired(callback, attachment);
    /* Not before: until then the link thread looks every other millisecond. */
    atomic_store(&callback->patience_end_ns, UINT64_MAX);
}

/* Without a thread the attachment lies where the next thread, or the link thread, will take it. */
static void
put_back_current(struct callback *callback)
{
    struct attachment *attachment = atomic_load(&callback->current);
    struct attachment *none = NULL;

    if (!attachment) {
        return;
    }
    atomic_store(&callback->current, NULL);
    if (!atomic_compare_exchange_strong(&callback->offered, &none, attachment)) {
        push_retired(callback, attachment);
    }
}

/* Returns when asked to stop or when the engine is gone. */
static void
run_attached(struct callback *callback, struct attachment *attachment)
{
    for (;;) {
        switch (wait_for_call(callback, attachment)) {
        case WAKE_CALL:
            if (callback->priming) {
                run_prefilled(callback);
            } else {
                run_block(callback, attachment);
            }
            break;
        case WAKE_STOP:
            return;
        case WAKE_HUNG:
            atomic_store(&attachment->hung, true);
            callback->lost = true;
            retire_current(callback);
            return;
        case WAKE_DEAD:
            callback->lost = true;
            retire_current(callback);
            return;
        }
    }
}

/* ---- alone ---- */

static void
run_silent_block(struct callback *callback, uint64_t due_ns, uint64_t skipped_blocks)
{
    callback->next_seq += callback->priming; /* it goes with the output that nobody plays */
    callback->priming = callback->begins = false;

    uint32_t frames = callback->layout.buffer_frames;
    uint64_t skipped = skipped_blocks * frames;
    unsigned half = callback->next_seq & 1;
    struct tutti_block block = {
        .position_frames = callback->next_position + skipped,
        .time_ns = due_ns,
        .device_frames = callback->last_device_frames + skipped + frames,
        .jumped = skipped > 0,
        .silent = true,
    };

    for (uint32_t i = 0; i < callback->layout.inputs; i++) {
        memset(proto_input(&callback->layout, callback->segment, i, half), 0,
               callback->layout.half_bytes);
    }
    call_host(callback, &block);
}

static bool
may_take_offer(struct callback *callback)
{
    /* A completer in flight could still write an owner word of the former engine: only without one
     * are the halves reset. */
    return atomic_load(&callback->offered) && callback_quiet(callback);
}

/* Returns when asked to stop or when an attachment was offered. No engine: the owner words mean
 * nothing, both halves are ours. */
static void
run_alone(struct callback *callback)
{
    struct pace pace;
    uint64_t now = os_now_ns();
    uint64_t first = callback->last_begun_ns ? callback->last_begun_ns + block_ns(callback) : now;

    pace_init(&pace, first, rate_millihz(callback) / 1000.0, callback->layout.buffer_frames);
    for (;;) {
        uint32_t seen = atomic_load(&callback->segment->doorbell);
        if (atomic_load(&callback->stop) || may_take_offer(callback)) {
            return;
        }
        uint64_t due = pace_due_ns(&pace);
        now = os_now_ns();
        if (now < due) {
            os_wake_wait(&callback->doorbell, seen, due);
            continue;
        }
        uint64_t skipped = pace_next(&pace, now);
        run_silent_block(callback, due + skipped * block_ns(callback), skipped);
    }
}

/* ---- the thread ---- */

/* At the end: nothing of ours may make the engine wait. A call that came too late for the host is
 * given back as silence. */
static void
leave_engine(struct callback *callback)
{
    struct proto_segment *segment = callback->segment;

    atomic_store(&segment->run, 0);
    if (callback->joined) {
        complete_open(callback);
        if (callback->late_take && callback->have_previous) {
            hand_back(callback, callback->next_seq - 1);
        }
        if (handoff_begin(segment, callback->next_seq)) {
            for (uint32_t i = 0; i < callback->layout.outputs; i++) {
                memset(proto_output(&callback->layout, segment, i, callback->next_seq & 1), 0,
                       callback->layout.half_bytes);
            }
            hand_back(callback, callback->next_seq++);
        }
    }
    callback->joined = false;
    callback->have_previous = false;
}

static void
clear_halves(struct callback *callback)
{
    memset((unsigned char *)callback->memory.base + PROTO_SEGMENT_HEADER_BYTES, 0,
           callback->layout.size_bytes - PROTO_SEGMENT_HEADER_BYTES);
}

/* What was handed back last may still be mixed, within the cycle that waited for it. */
static void
clear_after_stop(struct callback *callback)
{
    os_sleep_until_ns(os_now_ns() + block_ns(callback));
    clear_halves(callback);
}

static void
callback_main(void *arg)
{
    struct callback *callback = arg;

    float_env_enter(&callback->host_env);
    atomic_store(&callback->thread_id, os_thread_id());
    atomic_store_explicit(&callback->segment->thread_id, os_thread_id(), memory_order_relaxed);
    while (!atomic_load(&callback->stop)) {
        struct attachment *attachment = NULL;
        if (may_take_offer(callback)) {
            attachment = atomic_exchange(&callback->offered, NULL);
        }
        if (!attachment) {
            run_alone(callback);
            continue;
        }
        atomic_store(&callback->current, attachment);
        if (atomic_load(&attachment->dead) || atomic_load(&attachment->hung)) {
            retire_current(callback);
            continue;
        }
        join_engine(callback);
        run_attached(callback, attachment);
    }
    atomic_store(&callback->patience_end_ns, UINT64_MAX);
    leave_engine(callback);
    if (callback->prefilled) {
        clear_after_stop(callback);
    }
    put_back_current(callback);
    atomic_store(&callback->thread_id, 0);
}

void
callback_init(struct callback *callback)
{
    memset(callback, 0, sizeof(*callback));
    atomic_init(&callback->patience_end_ns, UINT64_MAX);
}

enum tutti_status
callback_prepare(struct callback *callback, const struct tutti_stream_params *params)
{
    enum tutti_status status = proto_layout_init(&callback->layout, params->buffer_frames,
                                                 params->inputs, params->outputs);
    if (status) {
        return status;
    }
    status = os_shm_create(&callback->memory, callback->layout.size_bytes);
    if (status) {
        return status;
    }
    callback->segment = callback->memory.base;
    proto_segment_init(callback->segment, &callback->layout);
    status = os_wake_init(&callback->doorbell, &callback->segment->doorbell);
    if (status) {
        os_shm_close(&callback->memory);
        callback->segment = NULL;
        return status;
    }
    callback->process = params->process;
    callback->user = params->user;
    callback->late_take = params->late_take;
    callback->prefilled = params->prefilled;
    callback->next_seq = 0;
    callback->run = 0;
    return TUTTI_OK;
}

static void
await_quiet(struct callback *callback)
{
    while (!callback_quiet(callback)) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

void
callback_dispose(struct callback *callback)
{
    if (!callback->segment) {
        return;
    }
    await_quiet(callback);
    os_wake_fini(&callback->doorbell);
    os_shm_close(&callback->memory);
    callback->segment = NULL;
}

enum tutti_status
callback_start(struct callback *callback)
{
    await_quiet(callback);
    if (!callback->prefilled) {
        clear_halves(callback);
    }
    /* Half 0 first, or 1 before it; and a number that no call of the last run can have, should the
     * engine just be issuing one. */
    callback->next_seq = ((callback->next_seq + 3) & ~UINT32_C(1)) + callback->prefilled;
    callback->priming = callback->prefilled;
    callback->begins = false;
    callback->next_position = 0;
    callback->offset = 0;
    callback->last_time_ns = 0;
    callback->last_device_frames = 0;
    callback->last_begun_ns = 0;
    callback->lost = false;
    callback->have_previous = false;
    callback->joined = false;
    last_block_clear(&callback->last_block);
    atomic_store(&callback->open, 0);
    atomic_store(&callback->ready_mode, false);
    atomic_store(&callback->stop, false);
    return os_thread_start(&callback->thread, "tutti-callback", OS_PRIORITY_PROGRAM, callback_main,
                           callback);
}

void
callback_ask_stop(struct callback *callback)
{
    atomic_store(&callback->stop, true);
    os_wake_post(&callback->doorbell);
}

void
callback_join(struct callback *callback)
{
    os_thread_join(callback->thread);
    callback->thread = NULL;
}

bool
callback_is_self(const struct callback *callback)
{
    return atomic_load(&callback->thread_id) == os_thread_id();
}

void
callback_offer(struct callback *callback, struct attachment *attachment)
{
    atomic_store(&callback->offered, attachment);
    callback_wake(callback);
}

struct attachment *
callback_withdraw(struct callback *callback)
{
    return atomic_exchange(&callback->offered, NULL);
}

void
callback_wake(struct callback *callback)
{
    os_wake_post(&callback->doorbell);
}

uint64_t
callback_patience_end_ns(const struct callback *callback)
{
    return atomic_load(&callback->patience_end_ns);
}

struct attachment *
callback_take_retired(struct callback *callback)
{
    return atomic_exchange(&callback->retired, NULL);
}
