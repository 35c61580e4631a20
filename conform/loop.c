/* SPDX-License-Identifier: MIT */
/*
 * The loopback. The callbacks do as little as they can: outputs come from a prepared tape, inputs
 * go onto one per channel, and the search is done when the stream has stopped.
 */
#include "conform/loop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conform/burst.h"
#include "conform/samples.h"

enum {
    MOST_OUTPUTS = 8,
    MOST_INPUTS = 32,
    LEAD_BLOCKS = 4, /* before the burst, so that a stream has settled */
    LEAD_MS = 200,   /* and a patch bay has patched it */
    TRIES = 12,      /* a block that a busy machine lost loses the burst */
    LISTEN_MS = 400, /* longest round trip that is looked for, beyond four blocks */
    TELL_MS = 250,   /* an Overload comes so long after its block at most */
    MOST_JUMPS = 64, /* more are as good as no stream */
    MOST_TOLD = 1 + MOST_JUMPS + HOST_MESSAGES,
};

struct tape {
    float *samples;
    int32_t info; /* index in the subject's list */
};

struct loop {
    struct tape outputs[MOST_OUTPUTS], inputs[MOST_INPUTS];
    unsigned output_count, input_count;
    uint32_t frames, block, at; /* length of the tapes; of a block; how far they are */
    float *scratch;
    uint32_t begin; /* of the burst */
    uint32_t jump;  /* where time was lost first from there on; UINT32_MAX: nowhere */
    uint64_t next_position;
    uint32_t jumps[MOST_JUMPS]; /* of the position: the first frame after each */
    unsigned jump_count;
    bool hears_late;            /* what is told after the last block counts */
    struct loop_writer *writer; /* NULL: the callback writes */
};

/* ---- the callback ---- */

static void
note_jump(struct loop *loop, const struct host_block *block)
{
    if (block->answer != ASIO_OK) {
        return;
    }
    bool jumped = loop->at > 0 && block->position != loop->next_position;
    if (jumped && loop->at > loop->begin && loop->jump > loop->at) {
        loop->jump = loop->at;
    }
    if (jumped && loop->jump_count < MOST_JUMPS) {
        loop->jumps[loop->jump_count++] = loop->at;
    }
    loop->next_position = block->position + loop->block;
}

static void
turn_tapes(struct host *host, const struct host_block *block)
{
    struct loop *loop = host->user;
    struct subject *s = host->subject;
    int32_t half = block->half & 1;

    if (loop->at + loop->block > loop->frames) {
        return;
    }
    note_jump(loop, block);
    for (unsigned i = 0; i < loop->input_count; i++) {
        const struct tape *tape = &loop->inputs[i];
        samples_get(tape->samples + loop->at, s->infos[tape->info].buffers[half],
                    s->types[tape->info], loop->block);
    }
    for (unsigned i = 0; i < loop->output_count; i++) {
        const struct tape *tape = &loop->outputs[i];
        if (loop->writer) {
            loop_writer_post(loop->writer, tape->info, half, tape->samples + loop->at);
        } else {
            samples_put(s->infos[tape->info].buffers[half], s->types[tape->info],
                        tape->samples + loop->at, loop->block);
        }
    }
    loop->at += loop->block;
}

/* ---- tapes ---- */

static void
free_loop(struct loop *loop)
{
    for (unsigned i = 0; i < MOST_OUTPUTS; i++) {
        free(loop->outputs[i].samples);
    }
    for (unsigned i = 0; i < MOST_INPUTS; i++) {
        free(loop->inputs[i].samples);
    }
    free(loop);
}

/* Tapes of so many frames for the channels chosen (-1: the first ones), silent. */
static struct loop *
make_loop(struct subject *s, int32_t output, int32_t input, uint32_t frames)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (!loop) {
        return NULL;
    }
    loop->jump = UINT32_MAX;
    loop->block = (uint32_t)s->buffer_frames;
    loop->frames = frames / loop->block * loop->block;
    for (int32_t i = 0; i < s->count; i++) {
        const struct asio_buffer_info *info = &s->infos[i];
        int32_t wanted = info->is_input ? input : output;
        unsigned *count = info->is_input ? &loop->input_count : &loop->output_count;
        struct tape *list = info->is_input ? loop->inputs : loop->outputs;
        unsigned most = info->is_input ? MOST_INPUTS : MOST_OUTPUTS;
        if (*count == most || (wanted >= 0 && wanted != info->channel) ||
            !samples_bytes(s->types[i])) {
            continue;
        }
        list[*count].info = i;
        list[*count].samples = calloc(loop->frames, sizeof(float));
        if (!list[(*count)++].samples) {
            free_loop(loop);
            return NULL;
        }
    }
    return loop;
}

static uint32_t
round_up(double frames, uint32_t block)
{
    return (uint32_t)ceil(frames / block) * block;
}

/* Where the burst begins: at a block. */
static uint32_t
lead_of(const struct subject *s)
{
    uint32_t block = (uint32_t)s->buffer_frames;

    return round_up(s->rate_hz * LEAD_MS / 1000, block) + LEAD_BLOCKS * block;
}

/* Runs the tapes once. False: failed and said. */
static bool
turn(struct subject *s, struct loop *loop)
{
    s->host.user = loop;
    s->host.on_block = turn_tapes;
    s->host.ask_position = true;
    bool played = subject_stream(s, loop->frames / loop->block);
    conform_sleep_ms(loop->hears_late ? TELL_MS : 0);
    subject_stop(s);
    s->host.on_block = NULL;
    return played;
}

/* ---- looking ---- */

/* Which output is heard by which input, nearest numbers first. */
static void
find_pair(struct subject *s, struct loop *loop, const float (*bursts)[BURST_FRAMES],
          int32_t *output, int32_t *input)
{
    for (unsigned o = 0; o < loop->output_count; o++) {
        for (unsigned i = 0; i < loop->input_count; i++) {
            if (burst_find(bursts[o], loop->inputs[i].samples, loop->frames) < 0) {
                continue;
            }
            *output = s->infos[loop->outputs[o].info].channel;
            *input = s->infos[loop->inputs[i].info].channel;
            return;
        }
    }
}

/* Plays and listens once. False: time was lost meanwhile, so that silence says nothing. */
static bool
look_once(struct subject *s, int32_t *output, int32_t *input)
{
    static float bursts[MOST_OUTPUTS][BURST_FRAMES];
    uint32_t block = (uint32_t)s->buffer_frames, begin = lead_of(s);
    uint32_t frames = round_up(begin + s->rate_hz * LISTEN_MS / 1000 + 4 * block, block);
    struct loop *loop = make_loop(s, -1, -1, frames);

    if (!loop) {
        return true;
    }
    for (unsigned o = 0; o < loop->output_count; o++) {
        burst_make(bursts[o], o);
        memcpy(loop->outputs[o].samples + begin, bursts[o], sizeof(bursts[o]));
    }
    if (turn(s, loop)) {
        find_pair(s, loop, (const float(*)[BURST_FRAMES])bursts, output, input);
    }
    bool whole = loop->jump_count == 0 && host_count_messages(&s->host, ASIO_MESSAGE_OVERLOAD) == 0;
    free_loop(loop);
    return whole;
}

void
loop_look(struct subject *s, int32_t *output, int32_t *input)
{
    *output = *input = -1;
    if (s->inputs < 1 || s->outputs < 1) {
        return;
    }
    for (unsigned i = 0; i < TRIES && *output < 0; i++) {
        if (!subject_prepare(s, MOST_INPUTS, MOST_OUTPUTS, 0)) {
            return;
        }
        bool whole = look_once(s, output, input);
        subject_dispose(s);
        if (whole) {
            return;
        }
    }
}

static bool
prepare_pair(struct subject *s, int32_t output, int32_t input, int32_t buffer_frames)
{
    return subject_prepare(s, input + 1, output + 1, buffer_frames);
}

/* turn(), with the outputs written so. False: failed and said. */
static bool
turn_as(struct subject *s, struct loop *loop, enum loop_writing how, bool *kept_up)
{
    *kept_up = true;
    if (how == WRITES_IN_CALLBACK) {
        return turn(s, loop);
    }
    loop->writer = loop_writer_open(s, how);
    if (!loop->writer) {
        return conform_expect(s->t, false, "no thread that writes");
    }
    bool played = turn(s, loop);
    *kept_up = loop_writer_close(loop->writer);
    return played;
}

int32_t
loop_measure_as(struct subject *s, int32_t output, int32_t input, int32_t buffer_frames,
                enum loop_writing how)
{
    float burst[BURST_FRAMES];
    int32_t found = -1;

    burst_make(burst, 0);
    for (unsigned i = 0; i < TRIES && found < 0; i++) {
        if (!prepare_pair(s, output, input, buffer_frames)) {
            return -2;
        }
        uint32_t block = (uint32_t)s->buffer_frames, begin = lead_of(s);
        struct loop *loop = make_loop(
            s, output, input,
            round_up(begin + BURST_FRAMES + 4 * block + s->rate_hz * LISTEN_MS / 1000, block));
        if (!loop || loop->output_count != 1 || loop->input_count != 1) {
            conform_fail(s->t, "no tapes for the loopback");
            if (loop) {
                free_loop(loop);
            }
            subject_dispose(s);
            return -2;
        }
        memcpy(loop->outputs[0].samples + begin, burst, sizeof(burst));
        loop->begin = begin;
        bool kept_up, played = turn_as(s, loop, how, &kept_up);
        int32_t place = burst_find(burst, loop->inputs[0].samples, loop->frames);
        if (played && kept_up && place >= (int32_t)begin &&
            loop->jump > (uint32_t)place + BURST_FRAMES) {
            found = place - (int32_t)begin;
        }
        free_loop(loop);
        subject_dispose(s);
        if (!played) {
            return -2;
        }
    }
    return found;
}

int32_t
loop_measure(struct subject *s, int32_t output, int32_t input, int32_t buffer_frames)
{
    return loop_measure_as(s, output, input, buffer_frames, WRITES_IN_CALLBACK);
}

/* ---- before the first block ---- */

int32_t
loop_least_frames(void)
{
    return BURST_FRAMES;
}

int32_t
loop_first_half(struct subject *s, int32_t output, int32_t input, bool fills, bool brief)
{
    float burst[BURST_FRAMES];
    uint32_t block = (uint32_t)s->buffer_frames;
    uint32_t frames = round_up(s->rate_hz * LISTEN_MS / 1000 + 4.0 * block, block);
    struct loop *loop = make_loop(s, output, input, brief ? block : frames);
    int32_t found = -2;

    if (loop && loop->output_count == 1 && loop->input_count == 1) {
        const struct tape *tape = &loop->outputs[0];
        burst_make(burst, 0);
        memcpy(tape->samples, burst, sizeof(burst));
        if (fills) {
            samples_put(s->infos[tape->info].buffers[1], s->types[tape->info], tape->samples,
                        block);
        }
        memset(tape->samples, 0, sizeof(burst));
        if (turn(s, loop)) {
            found = burst_find(burst, loop->inputs[0].samples, loop->frames);
        }
        if (fills && loop->jump_count > 0) {
            found = -1; /* time was lost: where it is heard says nothing */
        }
    } else {
        conform_fail(s->t, "no tapes for the loopback");
    }
    if (loop) {
        free_loop(loop);
    }
    return found;
}

/* ---- comparing ---- */

static void
fill_noise(float *samples, uint32_t begin, uint32_t frames)
{
    uint32_t x = 0x2545f491u;

    for (uint32_t i = begin; i < frames; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        samples[i] = ((float)(x >> 8) / 8388608.0f - 1.0f) * 0.25f;
    }
}

/* Frames that were on their way, or given, when time was lost, as far as the driver told that. */
struct told {
    uint32_t begin, end;
};

/* How far the tapes were at that time. */
static uint32_t
frames_at(const struct subject *s, const struct loop *loop, uint64_t at_ns)
{
    uint32_t count = atomic_load(&s->host.block_count), begun = 0;

    while (begun < count && begun < HOST_BLOCKS && s->host.blocks[begun].begin_ns <= at_ns) {
        begun++;
    }
    return begun * loop->block < loop->frames ? begun * loop->block : loop->frames;
}

static struct told
before_frame(uint32_t end, double frames)
{
    return (struct told){end > frames ? end - (uint32_t)frames : 0, end};
}

/* A jump of the position tells where time was lost; an Overload, some time later, that a block was.
 * More of them than are kept: all of it. */
static unsigned
list_told(const struct subject *s, const struct loop *loop, uint32_t round_trip,
          struct told told[MOST_TOLD])
{
    uint32_t messages = atomic_load(&s->host.message_count);
    unsigned count = 0;

    if (loop->jump_count == MOST_JUMPS || messages > HOST_MESSAGES) {
        told[count++] = (struct told){0, loop->frames};
    }
    for (unsigned i = 0; i < loop->jump_count; i++) {
        told[count++] = before_frame(loop->jumps[i], round_trip);
    }
    for (uint32_t i = 0; i < messages && i < HOST_MESSAGES; i++) {
        const struct host_message *message = &s->host.messages[i];
        if (message->selector == ASIO_MESSAGE_OVERLOAD) {
            told[count++] = before_frame(frames_at(s, loop, message->at_ns),
                                         round_trip + s->rate_hz * TELL_MS / 1000);
        }
    }
    return count;
}

static bool
is_told(const struct told *told, unsigned count, uint32_t frame)
{
    for (unsigned i = 0; i < count; i++) {
        if (frame >= told[i].begin && frame < told[i].end) {
            return true;
        }
    }
    return false;
}

static void
compare_tapes(const struct subject *s, const struct loop *loop, struct loop_heard *heard)
{
    struct told told[MOST_TOLD];
    uint32_t shift = (uint32_t)heard->round_trip_frames;
    unsigned count = list_told(s, loop, shift, told);
    const float *played = loop->outputs[0].samples, *came = loop->inputs[0].samples + shift;
    double product = 0, own = 0;

    for (uint32_t i = 0; i + shift < loop->frames; i++) {
        if (played[i] == 0.0f) {
            continue;
        }
        if (is_told(told, count, i)) {
            heard->told++;
            continue;
        }
        heard->compared++;
        product += (double)played[i] * (double)came[i];
        own += (double)played[i] * (double)played[i];
    }
    heard->gain = own > 0 ? product / own : 0;
    for (uint32_t i = 0; i + shift < loop->frames; i++) {
        double off = (double)came[i] - heard->gain * (double)played[i];
        if (played[i] == 0.0f || fabs(off) <= 0.02 * fabs(heard->gain) || is_told(told, count, i)) {
            continue;
        }
        if (heard->different++ == 0) {
            heard->first_different = i;
        }
    }
}

bool
loop_compare(struct subject *s, int32_t output, int32_t input, double seconds,
             struct loop_heard *heard)
{
    float burst[BURST_FRAMES];
    bool played_whole = false;

    *heard = (struct loop_heard){.round_trip_frames = -1};
    if (!prepare_pair(s, output, input, 0)) {
        return false;
    }
    uint32_t block = (uint32_t)s->buffer_frames, begin = lead_of(s);
    struct loop *loop = make_loop(s, output, input, round_up(s->rate_hz * seconds, block));
    if (loop && loop->output_count == 1 && loop->input_count == 1) {
        loop->begin = begin;
        loop->hears_late = true;
        float *played = loop->outputs[0].samples;
        burst_make(burst, 0);
        memcpy(played + begin, burst, sizeof(burst));
        fill_noise(played, begin + BURST_FRAMES, loop->frames);
        played_whole = turn(s, loop);
        int32_t place = burst_find(burst, loop->inputs[0].samples, loop->frames);
        if (played_whole && place >= (int32_t)begin) {
            heard->round_trip_frames = place - (int32_t)begin;
            compare_tapes(s, loop, heard);
        }
    }
    if (loop) {
        free_loop(loop);
    }
    subject_dispose(s);
    return played_whole;
}
