/* SPDX-License-Identifier: MIT */
/*
 * One program within the cycle: when its blocks are given out, taken back, left out. All of it runs
 * on the cycle's thread. What the program can write is read through handoff.h and judged here;
 * nothing else of the segment is believed.
 */
#include "engine/cycle.h"

#include <string.h>

#include "engine/schedule.h"

#define HOG_NS (UINT64_C(30) * OS_NS_PER_MS)

/* From row to column: program state machine of the plan, but for connected and gone, which control
 * alone knows. */
static const bool allowed[PROTO_PROGRAM_STATE_COUNT][PROTO_PROGRAM_STATE_COUNT] = {
    [PROTO_PROGRAM_PREPARED] = {[PROTO_PROGRAM_PREPARED] = true, [PROTO_PROGRAM_RUNNING] = true},
    [PROTO_PROGRAM_RUNNING] = {[PROTO_PROGRAM_PREPARED] = true, [PROTO_PROGRAM_LATE] = true},
    [PROTO_PROGRAM_LATE] = {[PROTO_PROGRAM_PREPARED] = true, [PROTO_PROGRAM_RUNNING] = true},
};

static void
set_state(struct cycle_program *program, enum proto_program_state state)
{
    if (!allowed[program->state][state]) {
        return;
    }
    program->state = state;
    atomic_store_explicit(&program->state_shown, state, memory_order_relaxed);
}

static void
add(_Atomic uint64_t *own, _Atomic uint64_t *shown, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(own, memory_order_relaxed) + amount;
    atomic_store_explicit(own, value, memory_order_relaxed);
    atomic_store_explicit(shown, value, memory_order_relaxed);
}

static void
count_late(struct cycle_program *program, enum late_cause cause, uint64_t blocks)
{
    struct proto_segment *segment = program->segment;
    switch (cause) {
    case LATE_PROGRAM:
        add(&program->late_program, &segment->late_program, blocks);
        break;
    case LATE_DEVICE:
        add(&program->late_device, &segment->late_device, blocks);
        break;
    case LATE_MACHINE:
        add(&program->late_machine, &segment->late_machine, blocks);
        break;
    }
}

static void
clear_output(struct cycle_program *program, int64_t from, int64_t to)
{
    if (to > program->out_valid_to) {
        to = program->out_valid_to;
    }
    if (from >= to) {
        return;
    }
    uint32_t mask = program->out_frames - 1;
    uint64_t frames = (uint64_t)(to - from);
    if (frames > program->out_frames) {
        frames = program->out_frames;
    }
    uint32_t first = (uint32_t)from & mask;
    uint32_t head = program->out_frames - first;
    if (head > frames) {
        head = (uint32_t)frames;
    }
    for (uint32_t c = 0; c < program->layout.outputs; c++) {
        float *ring = program->out_ring + (size_t)c * program->out_frames;
        memset(ring + first, 0, head * sizeof(float));
        memset(ring, 0, (frames - head) * sizeof(float));
    }
}

static void
store_output(struct cycle_program *program, const struct cycle_half *half)
{
    uint32_t mask = program->out_frames - 1;
    uint32_t frames = program->layout.buffer_frames;
    uint32_t first = (uint32_t)half->out_frame & mask;
    uint32_t head = program->out_frames - first;
    if (head > frames) {
        head = frames;
    }
    for (uint32_t c = 0; c < program->layout.outputs; c++) {
        const float *from = proto_output(&program->layout, program->segment, c, half->seq & 1);
        float *ring = program->out_ring + (size_t)c * program->out_frames;
        memcpy(ring + first, from, head * sizeof(float));
        memcpy(ring, from + head, (frames - head) * sizeof(float));
    }
    if (half->out_frame + frames > program->out_valid_to) {
        program->out_valid_to = half->out_frame + frames;
    }
}

static void
stop(struct cycle *cycle, struct cycle_program *program)
{
    clear_output(program, cycle->pos, program->out_valid_to);
    program->out_valid_to = cycle->pos;
    program->half[0].state = program->half[1].state = HALF_FREE;
    set_state(program, PROTO_PROGRAM_PREPARED);
}

static void
start(struct cycle *cycle, struct cycle_program *program)
{
    uint32_t buffer = program->layout.buffer_frames;
    program->next_seq = atomic_load_explicit(&program->segment->start_seq, memory_order_relaxed);
    program->origin = program->next_frame = cycle->pos;
    program->phase = schedule_gcd(buffer, cycle->quantum);
    program->in_place = schedule_in_place(buffer, cycle->quantum, program->phase, program->offset);
    program->jumped = false;
    program->out_valid_to = cycle->pos;
    set_state(program, PROTO_PROGRAM_RUNNING);
}

/* Moves on by whole blocks to the first one that fits what the caller asks. */
static void
jump(struct cycle_program *program, uint64_t blocks, enum late_cause cause)
{
    uint64_t frames = blocks * program->layout.buffer_frames;
    program->next_frame += (int64_t)frames;
    program->jumped = true;
    add(&program->missed_frames, &program->segment->missed_frames, frames);
    count_late(program, cause, blocks);
}

/* Whether a program that was late has answered as far as it must before it is called again. */
static bool
has_answered(const struct cycle_program *program)
{
    enum half_state next = program->half[program->next_seq & 1].state;
    enum half_state other = program->half[~program->next_seq & 1].state;
    bool next_free = next == HALF_FREE || next == HALF_DONE;
    bool other_free = other == HALF_FREE || other == HALF_DONE;
    /* A late_take program keeps the other half until its next call returns. */
    return next_free && (other_free || program->late_take);
}

static void
begin_watch(struct cycle *cycle, struct cycle_program *program)
{
    /* Partner: control's exchange, after it made the thread. */
    program->hog_thread = atomic_load_explicit(&program->watched, memory_order_acquire);
    program->hog_since_ns = cycle->start_ns;
    program->hog_cpu_ns = program->hog_thread ? os_thread_time_ns(program->hog_thread->time) : 0;
}

/* Late because its thread computes, or because it sleeps or another one keeps it from running? */
static void
look_for_hog(struct cycle *cycle, struct cycle_program *program)
{
    uint64_t passed_ns = cycle->start_ns - program->hog_since_ns;
    if (!program->pid || passed_ns < HOG_NS ||
        atomic_load_explicit(&program->hog, memory_order_acquire) != CYCLE_NO_HOG) {
        return;
    }
    struct cycle_thread *thread = atomic_load_explicit(&program->watched, memory_order_acquire);
    uint64_t before_ns = program->hog_cpu_ns;
    bool same = thread == program->hog_thread;
    begin_watch(cycle, program);
    if (!same || (thread && program->hog_cpu_ns < before_ns + passed_ns / 2)) {
        return;
    }
    bool done = thread && os_thread_demote(program->pid, thread->id, &thread->level);
    /* Partner: control's acquire load, before it reads the level. */
    atomic_store_explicit(&program->hog, done ? CYCLE_HOG_DEMOTED : CYCLE_HOG_AT_LARGE,
                          memory_order_release);
}

void
program_begin_cycle(struct cycle *cycle, struct cycle_program *program)
{
    /* Partner: the program's release store of run, after start_seq and its reset of owner[]. */
    uint32_t run = atomic_load_explicit(&program->segment->run, memory_order_acquire);
    program->waited = false;
    if (run != program->run) {
        program->run = run;
        stop(cycle, program);
        if (run & 1) {
            start(cycle, program);
        }
    }
    if (program->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    program_collect(program);
    if (program->state == PROTO_PROGRAM_LATE) {
        look_for_hog(cycle, program);
    }
    if (program->state == PROTO_PROGRAM_LATE && has_answered(program)) {
        /* In again with the first block that becomes due now or later, so that it has its full time
         * to answer. */
        int64_t behind =
            cycle->pos - cycle->quantum - (program->next_frame + program->layout.buffer_frames);
        if (behind >= 0) {
            jump(program, (uint64_t)behind / program->layout.buffer_frames + 1,
                 program->late_cause);
        }
        program->jumped = true;
        set_state(program, PROTO_PROGRAM_RUNNING);
    }
}

static bool
is_due(const struct cycle *cycle, const struct cycle_program *program)
{
    return program->next_frame + program->layout.buffer_frames <= cycle->pos;
}

static bool
needed_now(const struct cycle *cycle, int64_t out_frame)
{
    return out_frame < cycle->pos + cycle->quantum;
}

bool
program_expects(const struct cycle *cycle, const struct cycle_program *program)
{
    if (program->state == PROTO_PROGRAM_PREPARED) {
        return false;
    }
    return program_is_awaited(cycle, program) ||
           (program->state == PROTO_PROGRAM_RUNNING && is_due(cycle, program) &&
            needed_now(cycle, program->next_frame + program->offset));
}

bool
program_bursts(const struct cycle *cycle, const struct cycle_program *program)
{
    return program->layout.buffer_frames < cycle->quantum;
}

static void
fill_input(struct cycle *cycle, struct cycle_program *program, unsigned half)
{
    uint32_t frames = program->layout.buffer_frames;
    uint32_t first =
        (uint32_t)(program->next_frame - program->input_delay) & (CYCLE_RING_FRAMES - 1);
    uint32_t head = CYCLE_RING_FRAMES - first;
    if (head > frames) {
        head = frames;
    }
    bool metering =
        cycle->start_ns < atomic_load_explicit(&cycle->meters_until_ns, memory_order_relaxed);
    for (uint32_t c = 0; c < program->layout.inputs; c++) {
        float *to = proto_input(&program->layout, program->segment, c, half);
        const float *ring = program->input[c].ring;
        if (!ring) {
            memset(to, 0, frames * sizeof(float));
            continue;
        }
        if (program->monitor) {
            monitor_hear(cycle, program, c, to, ring, first, frames);
        } else {
            memcpy(to, ring + first, head * sizeof(float));
            memcpy(to + head, ring, (frames - head) * sizeof(float));
        }
        if (metering && c < PROTO_STATUS_METERS) {
            statistics_peak(&program->peak_in[c], dsp_peak(ring + first, head));
        }
    }
}

static void
stamp(struct cycle *cycle, struct cycle_program *program, struct proto_stamp *stamp)
{
    int64_t end = program->next_frame + program->layout.buffer_frames;
    stamp->seq = program->next_seq;
    stamp->flags = (program->jumped ? PROTO_STAMP_JUMPED : 0) |
                   (cycle->replacement ? PROTO_STAMP_REPLACEMENT : 0);
    stamp->position_frames = (uint64_t)(program->next_frame - program->origin);
    stamp->time_ns =
        cycle->time_ns - (uint64_t)((double)(cycle->pos - end) * 1e9 / cycle->rate_hz + 0.5);
    stamp->device_frames = (uint64_t)(program->next_frame - program->input_delay);
    stamp->generation = cycle->generation;
}

unsigned
program_call(struct cycle *cycle, struct cycle_program *program)
{
    unsigned calls = 0;
    uint32_t buffer = program->layout.buffer_frames;
    while (program->state == PROTO_PROGRAM_RUNNING && is_due(cycle, program)) {
        struct cycle_half *half = &program->half[program->next_seq & 1];
        int64_t behind = cycle->pos - 1 - (program->next_frame + program->offset);
        if (behind >= 0) {
            jump(program, (uint64_t)behind / buffer + 1, LATE_DEVICE);
            continue;
        }
        if (half->state != HALF_FREE) {
            break;
        }
        fill_input(cycle, program, program->next_seq & 1);
        stamp(cycle, program, &program->segment->stamp[program->next_seq & 1]);
        *half = (struct cycle_half){
            .state = HALF_ISSUED,
            .seq = program->next_seq,
            .out_frame = program->next_frame + program->offset,
            .issued_ns = cycle->clock->now_ns(cycle->clock->user),
        };
        handoff_issue(program->segment, program->next_seq);
        add(&program->calls, &program->segment->calls, 1);
        program->jumped = false;
        program->next_seq++;
        program->next_frame += buffer;
        calls++;
    }
    if (calls && program->bell != OS_NO_BELL) {
        /* as os_wake_post(), but for the waking: that is another thread's */
        atomic_fetch_add(program->doorbell.word, 1);
        os_bells_ring(cycle->bells, program->bell);
    } else if (calls) {
        os_wake_post(&program->doorbell);
    }
    return calls;
}

unsigned
program_collect(struct cycle_program *program)
{
    unsigned taken = 0;
    for (unsigned h = 0; h < 2; h++) {
        struct cycle_half *half = &program->half[h];
        if ((half->state != HALF_ISSUED && half->state != HALF_DROPPED) ||
            !handoff_is_done(program->segment, half->seq)) {
            continue;
        }
        uint64_t done_ns = atomic_load_explicit(&program->segment->done_ns, memory_order_relaxed);
        uint64_t begun_ns = atomic_load_explicit(&program->segment->begun_ns, memory_order_relaxed);
        statistics_add(&program->lateness_us,
                       done_ns > half->issued_ns ? (done_ns - half->issued_ns) / 1000 : 0);
        statistics_add(&program->computing_us,
                       done_ns > begun_ns ? (done_ns - begun_ns) / 1000 : 0);
        atomic_store_explicit(
            &program->clipped_samples,
            atomic_load_explicit(&program->segment->clipped_samples, memory_order_relaxed),
            memory_order_relaxed);
        if (half->state == HALF_DROPPED) {
            half->state = HALF_FREE;
        } else if (program->in_place) {
            half->state = HALF_DONE;
        } else {
            store_output(program, half);
            half->state = HALF_FREE;
        }
        taken++;
    }
    return taken;
}

bool
program_is_awaited(const struct cycle *cycle, const struct cycle_program *program)
{
    for (unsigned h = 0; h < 2; h++) {
        if (program->half[h].state == HALF_ISSUED &&
            needed_now(cycle, program->half[h].out_frame)) {
            return true;
        }
    }
    return false;
}

void
program_end_wait(struct cycle *cycle, struct cycle_program *program, enum late_cause cause)
{
    if (program->waited) {
        handoff_disarm(program->segment);
    }
    if (program->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    program_collect(program);
    if (!program_is_awaited(cycle, program)) {
        return;
    }
    for (unsigned h = 0; h < 2; h++) {
        struct cycle_half *half = &program->half[h];
        if (half->state == HALF_ISSUED && needed_now(cycle, half->out_frame)) {
            half->state = HALF_DROPPED;
            /* A program that was told to stop is not late. */
            if (atomic_load_explicit(&program->segment->run, memory_order_relaxed) ==
                program->run) {
                count_late(program, cause, 1);
            }
        }
    }
    program->late_cause = cause;
    begin_watch(cycle, program);
    set_state(program, PROTO_PROGRAM_LATE);
    atomic_fetch_add_explicit(&cycle->late_events, 1, memory_order_relaxed);
}

const float *
program_output(const struct cycle_program *program, uint32_t channel, int64_t frame, uint32_t count)
{
    if (program->in_place) {
        for (unsigned h = 0; h < 2; h++) {
            const struct cycle_half *half = &program->half[h];
            if (half->state == HALF_DONE && half->out_frame <= frame &&
                frame + count <= half->out_frame + program->layout.buffer_frames) {
                return proto_output(&program->layout, program->segment, channel, h) +
                       (frame - half->out_frame);
            }
        }
        return NULL;
    }
    if (frame >= program->out_valid_to) {
        return NULL;
    }
    return program->out_ring + (size_t)channel * program->out_frames +
           ((uint32_t)frame & (program->out_frames - 1));
}

/* Halves read to their end are free again. */
static void
release_read(struct cycle_program *program, int64_t to)
{
    for (unsigned h = 0; h < 2; h++) {
        if (program->half[h].state == HALF_DONE &&
            program->half[h].out_frame + program->layout.buffer_frames <= to) {
            program->half[h].state = HALF_FREE;
        }
    }
}

void
program_end_cycle(struct cycle *cycle, struct cycle_program *program)
{
    int64_t end = cycle->pos + cycle->quantum;
    if (cycle->start_ns < atomic_load_explicit(&cycle->meters_until_ns, memory_order_relaxed)) {
        uint32_t channels = program->layout.outputs < PROTO_STATUS_METERS ? program->layout.outputs
                                                                          : PROTO_STATUS_METERS;
        uint32_t room = CYCLE_MIN_OUT_FRAMES - ((uint32_t)cycle->pos & (CYCLE_MIN_OUT_FRAMES - 1));
        uint32_t span = cycle->quantum < room ? cycle->quantum : room;
        for (uint32_t c = 0; c < channels; c++) {
            const float *from = program_output(program, c, cycle->pos, span);
            if (from) {
                statistics_peak(&program->peak_out[c], dsp_peak(from, span));
            }
        }
    }
    clear_output(program, cycle->pos, end);
    release_read(program, end);
}

void
program_skip(struct cycle *cycle, struct cycle_program *program, int64_t to, bool gap)
{
    if (program->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    uint64_t skipped = (uint64_t)(to - cycle->pos);
    program_collect(program);
    if (gap) {
        /* Whatever was on its way is lost with the device, and the new one may place output
         * elsewhere. */
        to = to > program->out_valid_to ? to : program->out_valid_to;
    }
    clear_output(program, cycle->pos, to);
    release_read(program, gap ? INT64_MAX : to);
    for (unsigned h = 0; h < 2; h++) {
        struct cycle_half *half = &program->half[h];
        if (half->state == HALF_ISSUED && (gap || half->out_frame < to)) {
            half->state = HALF_DROPPED;
            count_late(program, LATE_DEVICE, 1);
            program->late_cause = LATE_DEVICE;
            set_state(program, PROTO_PROGRAM_LATE);
        }
    }
    if (!gap && !cycle->replacement) {
        /* Its position may go on: a buffer above the period reaches over what was lost. */
        atomic_fetch_add_explicit(&program->losses, 1, memory_order_relaxed);
    }
    if (gap) {
        add(&program->gap_frames, &program->segment->gap_frames, skipped);
        program->in_place = false; /* until program_resume(): the offset may change */
    }
}

void
program_resume(const struct cycle *cycle, struct cycle_program *program, uint32_t offset,
               uint32_t input_delay)
{
    program->offset = offset;
    program->input_delay = input_delay;
    if (program->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    uint32_t buffer = program->layout.buffer_frames;
    uint32_t phase = schedule_gcd(buffer, cycle->quantum);
    int64_t beyond = (cycle->pos - program->next_frame) % phase;
    /* Positions go on by whole buffers. */
    program->next_frame += beyond;
    program->origin += beyond;
    program->jumped = program->jumped || beyond;
    program->phase = phase;
    program->in_place = schedule_in_place(buffer, cycle->quantum, phase, offset);
}

void
program_set_quantum(struct cycle *cycle, struct cycle_program *program)
{
    if (program->state == PROTO_PROGRAM_PREPARED) {
        return;
    }
    uint32_t buffer = program->layout.buffer_frames;
    program->phase = schedule_gcd(program->phase, schedule_gcd(buffer, cycle->quantum));
    if (program->in_place &&
        !schedule_in_place(buffer, cycle->quantum, program->phase, program->offset)) {
        for (unsigned h = 0; h < 2; h++) {
            if (program->half[h].state == HALF_DONE) {
                store_output(program, &program->half[h]);
                program->half[h].state = HALF_FREE;
            }
        }
        program->in_place = false;
    }
}
