/* SPDX-License-Identifier: MIT */
/* The test rig; rig.h says what it is. */
#include "rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine_state.h"

/* ---- signals ---- */

static float
hash_sample(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) ^ b * UINT64_C(0xC2B2AE3D27D4EB4F) ^
                 (c + 1) * UINT64_C(0x165667B19E3779F9);
    x ^= x >> 29;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    x ^= x >> 32;
    int32_t value = (int32_t)(x % 13000) - 6500; /* 80 of them stay within ±1 */
    return (float)value / 524288.0f;
}

float
rig_played(uint32_t program_index, uint32_t channel, uint64_t position)
{
    return hash_sample(program_index + 1, channel, position);
}

float
rig_heard(uint32_t channel, uint64_t device_frame)
{
    return hash_sample(1000, channel, device_frame);
}

/* ---- the air ---- */

static void
air_source(void *user, uint32_t channel, uint64_t device_frame, float *samples, uint32_t frames)
{
    (void)user;
    for (uint32_t i = 0; i < frames; i++) {
        samples[i] = rig_heard(channel, device_frame + i);
    }
}

struct rig_air *
rig_air(struct rig *rig, const char *name)
{
    unsigned i = 0;
    while (rig->air[i].name[0] && strcmp(rig->air[i].name, name) != 0) {
        assert_true(++i < RIG_MAX_CARDS);
    }
    rig->air[i].rig = rig;
    snprintf(rig->air[i].name, sizeof(rig->air[i].name), "%s", name);
    return &rig->air[i];
}

static int64_t
offset_of(const struct rig *rig, const struct rig_air *air)
{
    return air == &rig->air[0] ? rig->frame_offset : air->frame_offset;
}

/* The reference mixer: for one device frame and channel, what every program that was told so plays
 * there. card: NULL: whatever the programs play on. */
static float
reference(const struct rig *rig, const char *card, uint32_t channel, int64_t engine_frame)
{
    double sum = 0;
    for (uint32_t p = 0; p < rig->programs; p++) {
        const struct rig_program *program = &rig->program[p];
        if (!program->has_origin || (card && strcmp(card, program->answer.device.name) != 0)) {
            continue;
        }
        /* Position 0's first output is in the air buffer + output latency after its first input
         * frame's device frame. */
        int64_t position = engine_frame - (int64_t)program->origin_frame -
                           program->layout.buffer_frames - program->output_latency;
        if (position < 0) {
            continue;
        }
        for (uint32_t c = 0; c < program->layout.outputs; c++) {
            if (program->output[c].kind == PROTO_CHANNEL_DEVICE &&
                program->output[c].channel == channel) {
                sum += (double)rig_played(program->index, c, (uint64_t)position);
            }
        }
    }
    return (float)(sum > 1.0 ? 1.0 : sum < -1.0 ? -1.0 : sum);
}

float
rig_reference(const struct rig *rig, uint32_t channel, int64_t engine_frame)
{
    return reference(rig, NULL, channel, engine_frame);
}

static void
air_sink(void *user, uint32_t channel, uint64_t device_frame, const float *samples, uint32_t frames)
{
    struct rig_air *air = user;
    struct rig *rig = air->rig;
    if (!rig->check_output) {
        return;
    }
    for (uint32_t i = 0; i < frames; i++) {
        float expected =
            reference(rig, air->name, channel, (int64_t)(device_frame + i) + offset_of(rig, air));
        float difference = fabsf(samples[i] - expected);
        rig->output_frames++;
        air->output_frames++;
        if (samples[i] != expected) {
            rig->wrong_outputs++;
            air->wrong_outputs++;
        }
        if (difference > rig->worst) {
            rig->worst = difference;
        }
    }
}

/* ---- programs at virtual time ---- */

static void
check_inputs(struct rig_program *program, const struct proto_stamp *stamp)
{
    struct rig *rig = program->rig;
    int64_t offset = offset_of(rig, rig_air(rig, program->answer.device.name));
    for (uint32_t c = 0; c < program->layout.inputs; c++) {
        if (program->input[c].kind != PROTO_CHANNEL_DEVICE) {
            continue;
        }
        const float *input = proto_input(&program->layout, program->segment, c, stamp->seq & 1);
        /* Device frames count what the card captured; converter delay shifts what it heard. */
        int64_t heard = (int64_t)stamp->device_frames - offset -
                        ((int64_t)program->input_latency - program->layout.buffer_frames);
        for (uint32_t i = 0; i < program->layout.buffer_frames; i++) {
            int64_t frame = heard + i;
            if (frame >= 0 && stamp->device_frames + i >= program->silent_before_frame &&
                input[i] != rig_heard(program->input[c].channel, (uint64_t)frame)) {
                program->wrong_inputs++;
            }
        }
    }
}

static void
answer(struct rig_program *program, uint64_t now_ns)
{
    uint32_t seq = program->next_seq++;
    const struct proto_stamp *stamp = &program->segment->stamp[seq & 1];
    program->blocks++;
    if (!program->has_origin) {
        program->origin_frame =
            stamp->device_frames + program->input_delay - stamp->position_frames;
        program->has_origin = true;
    }
    program->wrong_stamps += stamp->seq != seq;
    program->wrong_stamps += stamp->device_frames + program->input_delay !=
                             program->origin_frame + stamp->position_frames;
    if (stamp->position_frames != program->next_position) {
        program->jumps++;
        program->wrong_stamps +=
            stamp->position_frames < program->next_position || !(stamp->flags & PROTO_STAMP_JUMPED);
    }
    program->next_position = stamp->position_frames + program->layout.buffer_frames;
    check_inputs(program, stamp);
    for (uint32_t c = 0; c < program->layout.outputs; c++) {
        float *output = proto_output(&program->layout, program->segment, c, seq & 1);
        for (uint32_t i = 0; i < program->layout.buffer_frames; i++) {
            output[i] = rig_played(program->index, c, stamp->position_frames + i);
        }
    }
    if (program->on_block) {
        program->on_block(program, stamp);
    }
    atomic_store(&program->segment->done_ns, now_ns);
    uint32_t back = program->late_take ? seq - 1 : seq;
    bool has_back = !program->late_take || program->blocks > 1;
    if (has_back && handoff_done(program->segment, program->rendezvous, back)) {
        os_wake_post(&program->engine_wake);
    }
}

/* Begins and answers what can be by now; calls that nobody saw yet were made at called_ns. The time
 * of the next answer, or UINT64_MAX. */
static uint64_t
settle(struct rig *rig, uint64_t now_ns, uint64_t called_ns)
{
    uint64_t next_ns = UINT64_MAX;
    for (uint32_t p = 0; p < rig->programs; p++) {
        struct rig_program *program = &rig->program[p];
        while (program->running && !program->never_starts) {
            if (!program->busy) {
                if (!handoff_begin(program->segment, program->next_seq)) {
                    break;
                }
                uint64_t begin_ns =
                    called_ns > program->busy_until_ns || program->busy_until_ns > now_ns
                        ? called_ns
                        : program->busy_until_ns;
                program->busy = true;
                program->busy_until_ns = program->cost_ns == RIG_NEVER
                                             ? UINT64_MAX
                                             : begin_ns + (uint64_t)program->cost_ns;
            }
            if (program->busy_until_ns > now_ns) {
                break;
            }
            program->busy = false;
            answer(program, program->busy_until_ns);
        }
        if (program->running && program->busy && program->busy_until_ns < next_ns) {
            next_ns = program->busy_until_ns;
        }
    }
    return next_ns;
}

static uint64_t
clock_now(void *user)
{
    (void)user;
    return sim_now_ns();
}

static void
clock_wait(void *user, struct os_wake *wake, uint32_t seen, uint64_t deadline_ns)
{
    struct rig *rig = user;
    rig->waits++;
    if (rig->in_cycle) {
        rig->in_cycle(rig);
    }
    uint64_t next_ns = settle(rig, sim_now_ns(), sim_now_ns());
    while (atomic_load(wake->word) == seen) {
        if (next_ns >= deadline_ns) {
            sim_advance_ns(deadline_ns);
            return;
        }
        sim_advance_ns(next_ns);
        next_ns = settle(rig, next_ns, next_ns);
    }
}

/* ---- the rig ---- */

static void
on_event(void *user, uint32_t program_id, const struct proto_event *event)
{
    struct rig *rig = user;
    rig->events[event->kind]++;
    rig->last_event[event->kind] = *event;
    for (uint32_t p = 0; p < rig->programs && event->kind == PROTO_EVENT_LATENCIES; p++) {
        if (rig->program[p].id == program_id) {
            rig->program[p].input_latency = event->input_latency_frames;
            rig->program[p].output_latency = event->output_latency_frames;
        }
    }
}

static void
on_remove(void *user, uint32_t program_id)
{
    struct rig *rig = user;
    rig->removed = program_id;
}

void
rig_config(struct rig *rig)
{
    char problem[CONFIG_TEXT_BYTES];
    memset(rig, 0, sizeof(*rig));
    config_init(&rig->config);
    assert_int_equal(config_set(&rig->config, "device", "backend", "sim", problem), TUTTI_OK);
    rig->check_output = true;
}

void
rig_open(struct rig *rig)
{
    char error[PROTO_TEXT_BYTES];
    rig->clock = (struct cycle_clock){rig, clock_now, clock_wait};
    rig->rate_hz = rig->config.device_rate;
    sim_plug();
    sim_set_stepped(true, RIG_START_NS);
    struct engine_params params = {
        .config = &rig->config,
        .clock = &rig->clock,
        .event = on_event,
        .remove = on_remove,
        .user = rig,
        .generation = 7,
    };
    assert_int_equal(engine_new(&rig->engine, &params, error), TUTTI_OK);
}

void
rig_close(struct rig *rig)
{
    for (uint32_t p = 0; p < rig->programs; p++) {
        struct rig_program *program = &rig->program[p];
        if (program->segment) {
            os_wake_fini(&program->doorbell);
            os_shm_close(&program->shm);
            os_wake_fini(&program->engine_wake);
            os_shm_close(&program->page);
        }
    }
    engine_free(rig->engine);
    sim_set_stepped(false, 0);
}

/* To the card that was opened last. */
static void
listen(struct rig *rig)
{
    const char *name = backend_sim.info(sim_current())->name;
    sim_set_air(sim_current(), air_source, air_sink, rig_air(rig, name));
}

enum tutti_status
rig_try_join(struct rig *rig, struct rig_program *program, uint32_t buffer, uint32_t inputs,
             const struct proto_channel *input, uint32_t outputs,
             const struct proto_channel *output, uint32_t flags)
{
    struct proto_hello hello = {.bits = 64, .program = "rig"};
    struct proto_prepare message = {
        .buffer_frames = buffer, .inputs = inputs, .outputs = outputs, .flags = flags};
    char *error = rig->error;
    if (rig->profile) {
        snprintf(hello.profile, sizeof(hello.profile), "%s", rig->profile);
    }
    memset(program, 0, sizeof(*program));
    program->rig = rig;
    program->index = (uint32_t)(program - rig->program);
    memcpy(message.input, input, inputs * sizeof(*input));
    memcpy(message.output, output, outputs * sizeof(*output));
    memcpy(program->input, input, inputs * sizeof(*input));
    memcpy(program->output, output, outputs * sizeof(*output));
    program->late_take = flags & PROTO_PREPARE_LATE_TAKE;
    assert_int_equal(proto_layout_init(&program->layout, buffer, inputs, outputs), TUTTI_OK);
    assert_int_equal(os_shm_create(&program->shm, program->layout.size_bytes), TUTTI_OK);
    program->segment = program->shm.base;
    proto_segment_init(program->segment, &program->layout);
    assert_int_equal(os_wake_init(&program->doorbell, &program->segment->doorbell), TUTTI_OK);
    assert_int_equal(engine_connect(rig->engine, &hello, rig->pid, &program->id), TUTTI_OK);
    enum tutti_status status =
        engine_prepare(rig->engine, program->id, &message, os_handle_duplicate(program->shm.handle),
                       os_handle_duplicate(rig->doorbell ? rig->doorbell : program->doorbell.event),
                       &program->answer, error);
    bool piped = rig->doorbell != 0;
    rig->doorbell = 0;
    if (status != TUTTI_OK) {
        engine_disconnect(rig->engine, program->id);
        os_wake_fini(&program->doorbell);
        os_shm_close(&program->shm);
        program->segment = NULL;
        return status;
    }
    program->input_latency = program->answer.input_latency_frames;
    program->output_latency = program->answer.output_latency_frames;
    os_handle page, event;
    engine_get_rendezvous(rig->engine, program->id, &page, &event);
    if (piped) {
        event = OS_NO_HANDLE; /* the rig answers by the word, not by the pipe */
    }
    assert_int_equal(
        os_shm_adopt(&program->page, os_handle_duplicate(page), sizeof(struct proto_rendezvous)),
        TUTTI_OK);
    program->rendezvous = program->page.base;
    assert_int_equal(os_wake_adopt(&program->engine_wake, &program->rendezvous->wake,
                                   os_handle_duplicate(event)),
                     TUTTI_OK);
    if (!rig->rendezvous) {
        rig->rendezvous = program->rendezvous;
    }
    if (sim_current()) {
        listen(rig);
    }
    return TUTTI_OK;
}

struct rig_program *
rig_join(struct rig *rig, uint32_t buffer, uint32_t inputs, uint32_t outputs, uint32_t shift,
         uint32_t flags)
{
    struct proto_channel input[8] = {{0}}, output[8] = {{0}};
    for (uint32_t c = 0; c < inputs; c++) {
        input[c].channel = (uint16_t)((c + shift) % (uint32_t)rig->config.sim_inputs);
    }
    for (uint32_t c = 0; c < outputs; c++) {
        output[c].channel = (uint16_t)((c + shift) % (uint32_t)rig->config.sim_outputs);
    }
    struct rig_program *program = &rig->program[rig->programs];
    assert_true(rig->programs < RIG_MAX_PROGRAMS);
    assert_int_equal(rig_try_join(rig, program, buffer, inputs, input, outputs, output, flags),
                     TUTTI_OK);
    rig->programs++;
    rig_start(program);
    return program;
}

void
rig_start(struct rig_program *program)
{
    struct proto_segment *segment = program->segment;
    program->next_seq = (program->next_seq + 3) & ~1U;
    handoff_reset(segment, program->next_seq);
    atomic_store(&segment->start_seq, program->next_seq);
    atomic_store(&segment->run, (atomic_load(&segment->run) + 1) | 1);
    program->running = true;
    program->busy = program->has_origin = false;
    program->next_position = program->blocks = 0;
}

void
rig_stop(struct rig_program *program)
{
    atomic_store(&program->segment->run, (atomic_load(&program->segment->run) | 1) + 1);
    program->running = false;
}

void
rig_kill(struct rig_program *program)
{
    program->running = false;
    program->has_origin = false;
    engine_disconnect(program->rig->engine, program->id);
}

void
rig_steps(struct rig *rig, unsigned cycles)
{
    while (cycles-- > 0) {
        settle(rig, sim_now_ns(), rig->cycle_ns);
        rig->cycle_ns = sim_now_ns();
        struct backend_stream *stream = sim_next();
        if (stream) {
            assert_true(sim_step(stream) || rig->may_lose);
        }
        engine_tend(rig->engine);
    }
}

void
rig_pass(struct rig *rig)
{
    settle(rig, sim_now_ns(), rig->cycle_ns);
    rig->cycle_ns = sim_now_ns();
    engine_tend(rig->engine);
}

void
rig_run_frames(struct rig *rig, uint64_t frames)
{
    uint64_t end_ns = sim_now_ns() + (uint64_t)((double)frames * 1e9 / rig->rate_hz);
    while (sim_now_ns() < end_ns) {
        rig_steps(rig, 1);
    }
}

void
rig_follow_card(struct rig *rig)
{
    const struct proto_device *device = &rig->engine->mix[0]->master.slot.known;
    struct backend_stream *card = sim_current();
    assert_non_null(card);
    settle(rig, sim_now_ns(), rig->cycle_ns); /* blocks from before the change */
    listen(rig);
    rig->frame_offset = rig->engine->mix[0]->master.cycle.pos - (int64_t)sim_device_frame(card);
    for (uint32_t p = 0; p < rig->programs; p++) {
        struct rig_program *program = &rig->program[p];
        program->input_delay = program->input_latency + device->period_frames -
                               program->layout.buffer_frames - device->input_latency_frames;
        program->has_origin = false;
    }
}
