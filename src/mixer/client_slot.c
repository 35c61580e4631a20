/* SPDX-License-Identifier: MIT */
/*
 * One client within the cycle: when its blocks are given out, taken back, left out. All of it runs
 * on the cycle's thread. What the client can write is read through handoff.h and judged here;
 * nothing else of the segment is believed.
 */
#include "mixer/client_slot.h"

#include <string.h>

#include "mixer/client_output.h"
#include "mixer/direct_monitor.h"
#include "mixer/schedule.h"

#define HOG_NS (UINT64_C(30) * OS_NS_PER_MS)

/* From row to column: client state machine of the plan, but for connected and gone, which control
 * alone knows. */
static const bool allowed[PROTO_PROGRAM_STATE_COUNT][PROTO_PROGRAM_STATE_COUNT] = {
    [PROTO_PROGRAM_PREPARED] = {[PROTO_PROGRAM_PREPARED] = true, [PROTO_PROGRAM_RUNNING] = true},
    [PROTO_PROGRAM_RUNNING] = {[PROTO_PROGRAM_PREPARED] = true, [PROTO_PROGRAM_LATE] = true},
    [PROTO_PROGRAM_LATE] = {[PROTO_PROGRAM_PREPARED] = true, [PROTO_PROGRAM_RUNNING] = true},
};

static void
set_state(struct cycle_client *client, enum proto_program_state state)
{
    if (!allowed[client->state][state]) {
        return;
    }
    client->state = state;
    atomic_store_explicit(&client->state_shown, state, memory_order_relaxed);
}

static void
add(_Atomic uint64_t *own, _Atomic uint64_t *shown, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(own, memory_order_relaxed) + amount;
    atomic_store_explicit(own, value, memory_order_relaxed);
    atomic_store_explicit(shown, value, memory_order_relaxed);
}

static void
count_late(struct cycle_client *client, enum late_cause cause, uint64_t blocks)
{
    struct proto_segment *segment = client->segment;
    switch (cause) {
    case LATE_PROGRAM:
        add(&client->late_program, &segment->late_program, blocks);
        break;
    case LATE_DEVICE:
        add(&client->late_device, &segment->late_device, blocks);
        break;
    case LATE_MACHINE:
        add(&client->late_machine, &segment->late_machine, blocks);
        break;
    }
}

static void
clear_output(struct cycle_client *client, int64_t from, int64_t to)
{
    if (to > client->out_valid_to) {
        to = client->out_valid_to;
    }
    if (from >= to) {
        return;
    }
    uint32_t mask = client->out_frames - 1;
    uint64_t frames = (uint64_t)(to - from);
    if (frames > client->out_frames) {
        frames = client->out_frames;
    }
    uint32_t first = (uint32_t)from & mask;
    uint32_t head = client->out_frames - first;
    if (head > frames) {
        head = (uint32_t)frames;
    }
    for (uint32_t c = 0; c < client->layout.outputs; c++) {
        float *ring = client->out_ring + (size_t)c * client->out_frames;
        memset(ring + first, 0, head * sizeof(float));
        memset(ring, 0, (frames - head) * sizeof(float));
    }
}

static void
store_output(struct cycle_client *client, const struct cycle_half *half)
{
    uint32_t mask = client->out_frames - 1;
    uint32_t frames = client->layout.buffer_frames;
    uint32_t first = (uint32_t)half->out_frame & mask;
    uint32_t head = client->out_frames - first;
    if (head > frames) {
        head = frames;
    }
    for (uint32_t c = 0; c < client->layout.outputs; c++) {
        const float *from = proto_output(&client->layout, client->segment, c, half->seq & 1);
        float *ring = client->out_ring + (size_t)c * client->out_frames;
        memcpy(ring + first, from, head * sizeof(float));
        memcpy(ring, from + head, (frames - head) * sizeof(float));
    }
    if (half->out_frame + frames > client->out_valid_to) {
        client->out_valid_to = half->out_frame + frames;
    }
}

static void
stop(struct cycle *cycle, struct cycle_client *client)
{
    clear_output(client, cycle->pos, client->out_valid_to);
    client->out_valid_to = cycle->pos;
    client->half[0].state = client->half[1].state = HALF_FREE;
    set_state(client, PROTO_PROGRAM_PREPARED);
}

static void
start(struct cycle *cycle, struct cycle_client *client)
{
    uint32_t buffer = client->layout.buffer_frames;
    client->next_seq = atomic_load_explicit(&client->segment->start_seq, memory_order_relaxed);
    client->origin = client->next_frame = cycle->pos;
    client->phase = schedule_gcd(buffer, cycle->quantum);
    client->in_place = schedule_in_place(buffer, cycle->quantum, client->phase, client->offset);
    client->jumped = false;
    client->out_valid_to = cycle->pos;
    set_state(client, PROTO_PROGRAM_RUNNING);
}

/* Moves on by whole blocks to the first one that fits what the caller asks. */
static void
jump(struct cycle_client *client, uint64_t blocks, enum late_cause cause)
{
    uint64_t frames = blocks * client->layout.buffer_frames;
    client->next_frame += (int64_t)frames;
    client->jumped = true;
    add(&client->missed_frames, &client->segment->missed_frames, frames);
    count_late(client, cause, blocks);
}

/* Whether a client that was late has answered as far as it must before it is called again. */
static bool
has_answered(const struct cycle_client *client)
{
    enum half_state next = client->half[client->next_seq & 1].state;
    enum half_state other = client->half[~client->next_seq & 1].state;
    bool next_free = next == HALF_FREE || next == HALF_DONE;
    bool other_free = other == HALF_FREE || other == HALF_DONE;
    /* A late_take client keeps the other half until its next call returns. */
    return next_free && (other_free || client->late_take);
}

static void
begin_watch(struct cycle *cycle, struct cycle_client *client)
{
    /* Partner: control's exchange, after it made the thread. */
    client->hog_thread = atomic_load_explicit(&client->watched, memory_order_acquire);
    client->hog_since_ns = cycle->start_ns;
    client->hog_cpu_ns = client->hog_thread ? os_thread_time_ns(client->hog_thread->time) : 0;
}

/* Late because its thread computes, or because it sleeps or another one keeps it from running? */
static void
look_for_hog(struct cycle *cycle, struct cycle_client *client)
{
    uint64_t passed_ns = cycle->start_ns - client->hog_since_ns;
    if (!client->pid || passed_ns < HOG_NS ||
        atomic_load_explicit(&client->hog, memory_order_acquire) != CYCLE_NO_HOG) {
        return;
    }
    struct cycle_thread *thread = atomic_load_explicit(&client->watched, memory_order_acquire);
    uint64_t before_ns = client->hog_cpu_ns;
    bool same = thread == client->hog_thread;
    begin_watch(cycle, client);
    if (!same || (thread && client->hog_cpu_ns < before_ns + passed_ns / 2)) {
        return;
    }
    bool done = thread && os_thread_demote(client->pid, thread->id, &thread->level);
    /* Partner: control's acquire load, before it reads the level. */
    atomic_store_explicit(&client->hog, done ? CYCLE_HOG_DEMOTED : CYCLE_HOG_AT_LARGE,
                          memory_order_release);
}

void
client_slot_begin_cycle(struct cycle *cycle, struct cycle_client *client)
{
    /* Partner: the client's release store of run, after start_seq and its reset of owner[]. */
    uint32_t run = atomic_load_explicit(&client->segment->run, memory_order_acquire);
    client->waited = false;
    if (run != client->run) {
        client->run = run;
        stop(cycle, client);
        if (run & 1) {
            start(cycle, client);
        }
    }
    if (client->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    client_slot_collect(client);
    if (client->state == PROTO_PROGRAM_LATE) {
        look_for_hog(cycle, client);
    }
    if (client->state == PROTO_PROGRAM_LATE && has_answered(client)) {
        /* In again with the first block that becomes due now or later, so that it has its full time
         * to answer. */
        int64_t behind =
            cycle->pos - cycle->quantum - (client->next_frame + client->layout.buffer_frames);
        if (behind >= 0) {
            jump(client, (uint64_t)behind / client->layout.buffer_frames + 1, client->late_cause);
        }
        client->jumped = true;
        set_state(client, PROTO_PROGRAM_RUNNING);
    }
}

static bool
is_due(const struct cycle *cycle, const struct cycle_client *client)
{
    return client->next_frame + client->layout.buffer_frames <= cycle->pos;
}

static bool
needed_now(const struct cycle *cycle, int64_t out_frame)
{
    return out_frame < cycle->pos + cycle->quantum;
}

bool
client_slot_expects(const struct cycle *cycle, const struct cycle_client *client)
{
    if (client->state == PROTO_PROGRAM_PREPARED) {
        return false;
    }
    return client_slot_is_awaited(cycle, client) ||
           (client->state == PROTO_PROGRAM_RUNNING && is_due(cycle, client) &&
            needed_now(cycle, client->next_frame + client->offset));
}

bool
client_slot_bursts(const struct cycle *cycle, const struct cycle_client *client)
{
    return client->layout.buffer_frames < cycle->quantum;
}

static void
fill_input(struct cycle *cycle, struct cycle_client *client, unsigned half)
{
    uint32_t frames = client->layout.buffer_frames;
    uint32_t first = (uint32_t)(client->next_frame - client->input_delay) & (CYCLE_RING_FRAMES - 1);
    uint32_t head = CYCLE_RING_FRAMES - first;
    if (head > frames) {
        head = frames;
    }
    bool metering =
        cycle->start_ns < atomic_load_explicit(&cycle->meters_until_ns, memory_order_relaxed);
    for (uint32_t c = 0; c < client->layout.inputs; c++) {
        float *to = proto_input(&client->layout, client->segment, c, half);
        const float *ring = client->input[c].ring;
        if (!ring) {
            memset(to, 0, frames * sizeof(float));
            continue;
        }
        if (client->monitor) {
            direct_monitor_hear(cycle, client, c, to, ring, first, frames);
        } else {
            memcpy(to, ring + first, head * sizeof(float));
            memcpy(to + head, ring, (frames - head) * sizeof(float));
        }
        if (metering && c < PROTO_STATUS_METERS) {
            statistics_peak(&client->peak_in[c], dsp_peak(ring + first, head));
        }
    }
}

static void
stamp(struct cycle *cycle, struct cycle_client *client, struct proto_stamp *stamp)
{
    int64_t end = client->next_frame + client->layout.buffer_frames;
    stamp->seq = client->next_seq;
    stamp->flags = (client->jumped ? PROTO_STAMP_JUMPED : 0) |
                   (cycle->replacement ? PROTO_STAMP_REPLACEMENT : 0);
    stamp->position_frames = (uint64_t)(client->next_frame - client->origin);
    stamp->time_ns =
        cycle->time_ns - (uint64_t)((double)(cycle->pos - end) * 1e9 / cycle->rate_hz + 0.5);
    stamp->device_frames = (uint64_t)(client->next_frame - client->input_delay);
    stamp->generation = cycle->generation;
}

unsigned
client_slot_call(struct cycle *cycle, struct cycle_client *client)
{
    unsigned calls = 0;
    uint32_t buffer = client->layout.buffer_frames;
    while (client->state == PROTO_PROGRAM_RUNNING && is_due(cycle, client)) {
        struct cycle_half *half = &client->half[client->next_seq & 1];
        int64_t behind = cycle->pos - 1 - (client->next_frame + client->offset);
        if (behind >= 0) {
            jump(client, (uint64_t)behind / buffer + 1, LATE_DEVICE);
            continue;
        }
        if (half->state != HALF_FREE) {
            break;
        }
        fill_input(cycle, client, client->next_seq & 1);
        stamp(cycle, client, &client->segment->stamp[client->next_seq & 1]);
        *half = (struct cycle_half){
            .state = HALF_ISSUED,
            .seq = client->next_seq,
            .out_frame = client->next_frame + client->offset,
            .issued_ns = cycle->clock->now_ns(cycle->clock->user),
        };
        handoff_issue(client->segment, client->next_seq);
        add(&client->calls, &client->segment->calls, 1);
        client->jumped = false;
        client->next_seq++;
        client->next_frame += buffer;
        calls++;
    }
    if (calls && client->bell != OS_NO_BELL) {
        /* as os_wake_post(), but for the waking: that is another thread's */
        atomic_fetch_add(client->doorbell.word, 1);
        os_bells_ring(cycle->bells, client->bell);
    } else if (calls) {
        os_wake_post(&client->doorbell);
    }
    return calls;
}

unsigned
client_slot_collect(struct cycle_client *client)
{
    unsigned taken = 0;
    for (unsigned h = 0; h < 2; h++) {
        struct cycle_half *half = &client->half[h];
        if ((half->state != HALF_ISSUED && half->state != HALF_DROPPED) ||
            !handoff_is_done(client->segment, half->seq)) {
            continue;
        }
        uint64_t done_ns = atomic_load_explicit(&client->segment->done_ns, memory_order_relaxed);
        uint64_t begun_ns = atomic_load_explicit(&client->segment->begun_ns, memory_order_relaxed);
        statistics_add(&client->lateness_us,
                       done_ns > half->issued_ns ? (done_ns - half->issued_ns) / 1000 : 0);
        statistics_add(&client->computing_us, done_ns > begun_ns ? (done_ns - begun_ns) / 1000 : 0);
        atomic_store_explicit(
            &client->clipped_samples,
            atomic_load_explicit(&client->segment->clipped_samples, memory_order_relaxed),
            memory_order_relaxed);
        if (half->state == HALF_DROPPED) {
            half->state = HALF_FREE;
        } else if (client->in_place) {
            half->state = HALF_DONE;
        } else {
            store_output(client, half);
            half->state = HALF_FREE;
        }
        taken++;
    }
    return taken;
}

bool
client_slot_is_awaited(const struct cycle *cycle, const struct cycle_client *client)
{
    for (unsigned h = 0; h < 2; h++) {
        if (client->half[h].state == HALF_ISSUED && needed_now(cycle, client->half[h].out_frame)) {
            return true;
        }
    }
    return false;
}

void
client_slot_end_wait(struct cycle *cycle, struct cycle_client *client, enum late_cause cause)
{
    if (client->waited) {
        handoff_disarm(client->segment);
    }
    if (client->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    client_slot_collect(client);
    if (!client_slot_is_awaited(cycle, client)) {
        return;
    }
    for (unsigned h = 0; h < 2; h++) {
        struct cycle_half *half = &client->half[h];
        if (half->state == HALF_ISSUED && needed_now(cycle, half->out_frame)) {
            half->state = HALF_DROPPED;
            /* A client that was told to stop is not late. */
            if (atomic_load_explicit(&client->segment->run, memory_order_relaxed) == client->run) {
                count_late(client, cause, 1);
            }
        }
    }
    client->late_cause = cause;
    begin_watch(cycle, client);
    set_state(client, PROTO_PROGRAM_LATE);
    atomic_fetch_add_explicit(&cycle->late_events, 1, memory_order_relaxed);
}

/* Halves read to their end are free again. */
static void
release_read(struct cycle_client *client, int64_t to)
{
    for (unsigned h = 0; h < 2; h++) {
        if (client->half[h].state == HALF_DONE &&
            client->half[h].out_frame + client->layout.buffer_frames <= to) {
            client->half[h].state = HALF_FREE;
        }
    }
}

void
client_slot_end_cycle(struct cycle *cycle, struct cycle_client *client)
{
    int64_t end = cycle->pos + cycle->quantum;
    if (cycle->start_ns < atomic_load_explicit(&cycle->meters_until_ns, memory_order_relaxed)) {
        uint32_t channels = client->layout.outputs < PROTO_STATUS_METERS ? client->layout.outputs
                                                                         : PROTO_STATUS_METERS;
        uint32_t room = CYCLE_MIN_OUT_FRAMES - ((uint32_t)cycle->pos & (CYCLE_MIN_OUT_FRAMES - 1));
        uint32_t span = cycle->quantum < room ? cycle->quantum : room;
        for (uint32_t c = 0; c < channels; c++) {
            const float *from = client_output(client, c, cycle->pos, span);
            if (from) {
                statistics_peak(&client->peak_out[c], dsp_peak(from, span));
            }
        }
    }
    clear_output(client, cycle->pos, end);
    release_read(client, end);
}

void
client_slot_skip(struct cycle *cycle, struct cycle_client *client, int64_t to, bool gap)
{
    if (client->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    uint64_t skipped = (uint64_t)(to - cycle->pos);
    client_slot_collect(client);
    if (gap) {
        /* Whatever was on its way is lost with the device, and the new one may place output
         * elsewhere. */
        to = to > client->out_valid_to ? to : client->out_valid_to;
    }
    clear_output(client, cycle->pos, to);
    release_read(client, gap ? INT64_MAX : to);
    for (unsigned h = 0; h < 2; h++) {
        struct cycle_half *half = &client->half[h];
        if (half->state == HALF_ISSUED && (gap || half->out_frame < to)) {
            half->state = HALF_DROPPED;
            count_late(client, LATE_DEVICE, 1);
            client->late_cause = LATE_DEVICE;
            set_state(client, PROTO_PROGRAM_LATE);
        }
    }
    if (!gap && !cycle->replacement) {
        /* Its position may go on: a buffer above the period reaches over what was lost. */
        atomic_fetch_add_explicit(&client->losses, 1, memory_order_relaxed);
    }
    if (gap) {
        add(&client->gap_frames, &client->segment->gap_frames, skipped);
        client->in_place = false; /* until client_slot_resume(): the offset may change */
    }
}

void
client_slot_resume(const struct cycle *cycle, struct cycle_client *client, uint32_t offset,
                   uint32_t input_delay)
{
    client->offset = offset;
    client->input_delay = input_delay;
    if (client->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    uint32_t buffer = client->layout.buffer_frames;
    uint32_t phase = schedule_gcd(buffer, cycle->quantum);
    int64_t beyond = (cycle->pos - client->next_frame) % phase;
    /* Positions go on by whole buffers. */
    client->next_frame += beyond;
    client->origin += beyond;
    client->jumped = client->jumped || beyond;
    client->phase = phase;
    client->in_place = schedule_in_place(buffer, cycle->quantum, phase, offset);
}

void
client_slot_set_quantum(struct cycle *cycle, struct cycle_client *client)
{
    if (client->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    uint32_t buffer = client->layout.buffer_frames;
    client->phase = schedule_gcd(client->phase, schedule_gcd(buffer, cycle->quantum));
    if (client->in_place &&
        !schedule_in_place(buffer, cycle->quantum, client->phase, client->offset)) {
        for (unsigned h = 0; h < 2; h++) {
            if (client->half[h].state == HALF_DONE) {
                store_output(client, &client->half[h]);
                client->half[h].state = HALF_FREE;
            }
        }
        client->in_place = false;
    }
}
