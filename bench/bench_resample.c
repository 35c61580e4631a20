/* SPDX-License-Identifier: MIT */
/*
 * Resamplers beside each other: ours with several numbers of taps, libsamplerate, soxr, speexdsp.
 * Two channels, blocks of 64 frames. For each: ns per frame and channel; latency in frames; what is
 * left of tones of 1, 10 and 19 kHz beside the sine with the phase that the ratios given make; the
 * same with a ratio that changes by some ppm with each block; allocations while it runs.
 */
#include <math.h>
#include <samplerate.h>
#include <soxr.h>
#include <speex/speex_resampler.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dsp/resample.h"
#include "os/os.h"

enum {
    BLOCK = 64,
    CHANNELS = 2,
    FRAMES = 96000,
    INPUT_FRAMES = 2 * FRAMES,
    WARM = 4800,
    MOST_TURNS = 1000, /* until a block is full */
    REPEATS = 5
};

static const double pi = 3.14159265358979323846;

/* ---- allocations, by the linker's --wrap ---- */

static unsigned allocations;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *
__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

/* ---- the resamplers, one interface ---- */

/* Takes input from a signal as it needs it; makes `frames` frames of output at `ratio` input frames
 * for each. */
struct job {
    const char *name;
    int quality;
    double ratio; /* nominal: input frames per output frame */
    size_t taken; /* input frames so far */
    SRC_STATE *src;
    soxr_t soxr;
    SpeexResamplerState *speex;
    struct resampler ours;
    float *table;
    uint64_t position;                 /* of ours: 32.32, relative to the window's begin */
    float queue[CHANNELS * 2 * BLOCK]; /* of the others: input taken and not used yet */
    size_t queued, chunk;              /* frames in it; taken at once */
    float window[CHANNELS][2 * BLOCK + RESAMPLE_MOST_TAPS];
    unsigned filled;
};

static float signal_frames[INPUT_FRAMES];

static void
take_planar(struct job *job, float *const *to, size_t frames)
{
    for (unsigned c = 0; c < CHANNELS; c++) {
        memcpy(to[c], signal_frames + job->taken, frames * sizeof(float));
    }
    job->taken += frames;
}

static void
fill_queue(struct job *job)
{
    for (; job->queued < job->chunk; job->queued++, job->taken++) {
        job->queue[2 * job->queued] = job->queue[2 * job->queued + 1] = signal_frames[job->taken];
    }
}

static void
use_queue(struct job *job, size_t frames)
{
    job->queued -= frames;
    memmove(job->queue, job->queue + CHANNELS * frames, CHANNELS * job->queued * sizeof(float));
}

static bool
open_ours(struct job *job)
{
    unsigned taps = job->quality ? (unsigned)job->quality : resample_taps(job->ratio * 1.0005);
    job->table = malloc(resample_bytes(taps));
    resample_init(&job->ours, job->table, taps, job->ratio * 1.0005);
    job->position = (uint64_t)resample_before(&job->ours) << 32;
    memset(job->window, 0, sizeof(job->window));
    job->filled = resample_before(&job->ours);
    return job->table != NULL;
}

static size_t
make_ours(struct job *job, float *to, double ratio)
{
    float planes[CHANNELS][BLOCK];
    float *into[CHANNELS] = {planes[0], planes[1]};
    const float *from[CHANNELS] = {job->window[0], job->window[1]};
    struct resample_block block = {.to = into,
                                   .from = from,
                                   .channels = CHANNELS,
                                   .frames = BLOCK,
                                   .position = job->position,
                                   .step = (int64_t)llrint(ratio * 4294967296.0)};
    uint64_t end = job->position + BLOCK * (uint64_t)block.step;
    unsigned wanted = (unsigned)(end >> 32) + resample_after(&job->ours) + 1;
    float *at[CHANNELS] = {job->window[0] + job->filled, job->window[1] + job->filled};
    take_planar(job, at, wanted - job->filled);
    job->filled = wanted;
    resample_read(&job->ours, &block);
    unsigned past = (unsigned)(end >> 32) - resample_before(&job->ours);
    for (unsigned c = 0; c < CHANNELS; c++) {
        memmove(job->window[c], job->window[c] + past, (job->filled - past) * sizeof(float));
        for (unsigned i = 0; i < BLOCK; i++) {
            to[2 * i + c] = planes[c][i];
        }
    }
    job->filled -= past;
    job->position = end - ((uint64_t)past << 32);
    return BLOCK;
}

static bool
open_samplerate(struct job *job)
{
    int error;
    job->src = src_new(job->quality, CHANNELS, &error);
    return job->src != NULL;
}

static size_t
make_samplerate(struct job *job, float *to, double ratio)
{
    size_t made = 0;
    for (unsigned turn = 0; made < BLOCK && turn < MOST_TURNS; turn++) {
        fill_queue(job);
        SRC_DATA data = {.data_in = job->queue,
                         .data_out = to + CHANNELS * made,
                         .input_frames = (long)job->queued,
                         .output_frames = (long)(BLOCK - made),
                         .src_ratio = 1 / ratio};
        if (src_process(job->src, &data)) {
            return 0;
        }
        use_queue(job, (size_t)data.input_frames_used);
        made += (size_t)data.output_frames_gen;
    }
    return made;
}

static bool
open_soxr(struct job *job)
{
    soxr_error_t error;
    soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    soxr_quality_spec_t quality = soxr_quality_spec((unsigned long)job->quality, SOXR_VR);
    job->soxr = soxr_create(job->ratio * 1.01, 1, CHANNELS, &error, &io, &quality, NULL);
    return !error && !soxr_set_io_ratio(job->soxr, job->ratio, 0);
}

static size_t
make_soxr(struct job *job, float *to, double ratio)
{
    size_t made = 0;
    soxr_set_io_ratio(job->soxr, ratio, 0);
    for (unsigned turn = 0; made < BLOCK && turn < MOST_TURNS; turn++) {
        size_t used, gave;
        fill_queue(job);
        soxr_process(job->soxr, job->queue, job->queued, &used, to + CHANNELS * made, BLOCK - made,
                     &gave);
        use_queue(job, used);
        made += gave;
    }
    return made;
}

static bool
open_speex(struct job *job)
{
    int error;
    job->speex = speex_resampler_init(CHANNELS, (unsigned)lrint(48000 * job->ratio), 48000,
                                      job->quality, &error);
    return error == 0;
}

static size_t
make_speex(struct job *job, float *to, double ratio)
{
    size_t made = 0;
    /* in steps of 2 ppm: with finer ones it crashes */
    unsigned whole = 480000;
    speex_resampler_set_rate_frac(job->speex, (unsigned)lrint(whole * ratio), whole,
                                  (unsigned)lrint(48000 * job->ratio), 48000);
    for (unsigned turn = 0; made < BLOCK && turn < MOST_TURNS; turn++) {
        fill_queue(job);
        unsigned used = (unsigned)job->queued, gave = (unsigned)(BLOCK - made);
        speex_resampler_process_interleaved_float(job->speex, job->queue, &used,
                                                  to + CHANNELS * made, &gave);
        use_queue(job, used);
        made += gave;
    }
    return made;
}

struct kind {
    const char *name;
    int quality;
    bool (*open)(struct job *job);
    size_t (*make)(struct job *job, float *to, double ratio);
};

static const struct kind kinds[] = {
    {"ours, 16 taps", 16, open_ours, make_ours},
    {"ours, 32 taps", 32, open_ours, make_ours},
    {"ours, 48 taps", 48, open_ours, make_ours},
    {"ours, 96 taps", 96, open_ours, make_ours},
    {"ours as it chooses", 0, open_ours, make_ours},
    {"libsamplerate fastest", SRC_SINC_FASTEST, open_samplerate, make_samplerate},
    {"libsamplerate medium", SRC_SINC_MEDIUM_QUALITY, open_samplerate, make_samplerate},
    {"libsamplerate best", SRC_SINC_BEST_QUALITY, open_samplerate, make_samplerate},
    {"soxr HQ variable", SOXR_HQ, open_soxr, make_soxr},
    {"speexdsp 10", 10, open_speex, make_speex},
};

static struct job *
open_job(const struct kind *kind, double ratio)
{
    struct job *job = calloc(1, sizeof(*job));
    if (!job) {
        abort();
    }
    *job = (struct job){
        .name = kind->name, .quality = kind->quality, .ratio = ratio, .chunk = 2 * BLOCK};
    if (!kind->open(job)) {
        fprintf(stderr, "%s does not open\n", kind->name);
        exit(1);
    }
    return job;
}

static void
close_job(struct job *job)
{
    if (job->src) {
        src_delete(job->src);
    }
    if (job->soxr) {
        soxr_delete(job->soxr);
    }
    if (job->speex) {
        speex_resampler_destroy(job->speex);
    }
    free(job->table);
    free(job);
}

/* ---- measuring ---- */

struct run {
    double residual_db, latency_frames, ns;
    unsigned allocations;
};

static float made[CHANNELS * (FRAMES + BLOCK)];
/* Input frames at each frame of the output, by the ratios asked for: as they are within a block,
 * and as lines between the blocks. */
static double stepped[FRAMES + BLOCK], lined[FRAMES + BLOCK];

static double
residual(const double *positions, double hz)
{
    double ss = 0, sc = 0, cc = 0, sy = 0, cy = 0, left = 0, whole = 0;
    for (size_t i = WARM; i < FRAMES; i++) {
        double s = sin(2 * pi * hz * positions[i]), c = cos(2 * pi * hz * positions[i]);
        ss += s * s;
        sc += s * c;
        cc += c * c;
        sy += s * (double)made[2 * i];
        cy += c * (double)made[2 * i];
    }
    double in_phase = (sy * cc - cy * sc) / (ss * cc - sc * sc);
    double across = (cy * ss - sy * sc) / (ss * cc - sc * sc);
    for (size_t i = WARM; i < FRAMES; i++) {
        double phase = 2 * pi * hz * positions[i];
        double sine = in_phase * sin(phase) + across * cos(phase);
        left += ((double)made[2 * i] - sine) * ((double)made[2 * i] - sine);
        whole += sine * sine;
    }
    return 10 * log10(left / whole);
}

/* hz: in cycles per input frame. wobble: by which each block's ratio may differ from the nominal.
 */
static struct run
run(const struct kind *kind, double ratio, double hz, double wobble)
{
    struct job *job = open_job(kind, ratio);
    uint64_t state = 88172645463325252u, spent = 0;
    double position = 0, line = 0, last = ratio;
    struct run result = {0};
    for (size_t i = 0; i < INPUT_FRAMES; i++) {
        signal_frames[i] = (float)(0.5 * sin(2 * pi * hz * (double)i));
    }
    for (size_t frames = 0; frames < FRAMES; frames += BLOCK) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        double now = ratio * (1 + wobble * ((double)(state >> 11) / 4503599627370496.0 - 1));
        now = nearbyint(now * 4294967296.0) / 4294967296.0;
        unsigned before = allocations;
        uint64_t begin = os_now_ns();
        size_t count = kind->make(job, made + 2 * frames, now);
        spent += os_now_ns() - begin;
        result.allocations += frames > WARM ? allocations - before : 0;
        if (count != BLOCK) {
            fprintf(stderr, "%s does not fill a block\n", kind->name);
            exit(1);
        }
        for (size_t i = 0; i < BLOCK; i++) {
            stepped[frames + i] = position;
            lined[frames + i] = line;
            position += now;
            line += last + (now - last) * (double)(i + 1) / BLOCK;
        }
        last = now;
    }
    close_job(job);
    double a = residual(stepped, hz), b = residual(lined, hz);
    result.residual_db = a < b ? a : b;
    result.ns = (double)spent / FRAMES / CHANNELS;
    return result;
}

/* How far the input used is ahead of the signal that comes out, as an impulse shows it. */
static double
latency(const struct kind *kind, double ratio)
{
    struct job *job = open_job(kind, ratio);
    double moment = 0, weight = 0, most_ahead = 0;
    job->chunk = 1; /* no more than is needed */
    memset(signal_frames, 0, sizeof(signal_frames));
    signal_frames[WARM] = 1;
    for (size_t frames = 0; frames < 3 * WARM; frames += BLOCK) {
        kind->make(job, made + 2 * frames, ratio);
        for (size_t i = frames; i < frames + BLOCK; i++) {
            moment += (double)made[2 * i] * (double)i;
            weight += (double)made[2 * i];
        }
        double used = (double)(job->taken - job->queued);
        double ahead = used / ratio - (double)(frames + BLOCK);
        most_ahead = ahead > most_ahead ? ahead : most_ahead;
    }
    close_job(job);
    return moment / weight - WARM / ratio + most_ahead;
}

static void
show(const struct kind *kind, double ratio)
{
    struct run least = {.ns = 1e9};
    for (unsigned i = 0; i < REPEATS; i++) {
        struct run one = run(kind, ratio, 1000 / (48000 * ratio), 0);
        least = one.ns < least.ns ? one : least;
    }
    struct run ten = run(kind, ratio, 10000 / (48000 * ratio), 0);
    struct run high = run(kind, ratio, 19000 / (48000 * ratio), 0);
    struct run wobble = run(kind, ratio, 1000 / (48000 * ratio), 5e-6);
    struct run wobble_ten = run(kind, ratio, 10000 / (48000 * ratio), 5e-6);
    printf("%-22s %6.0f %8.0f   %6.0f %6.0f %6.0f   %6.0f %6.0f   %6u\n", kind->name, least.ns,
           latency(kind, ratio), least.residual_db, ten.residual_db, high.residual_db,
           wobble.residual_db, wobble_ten.residual_db, wobble.allocations);
}

/* In a process of its own: not all of them survive. */
static void
show_apart(const struct kind *kind, double ratio)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        show(kind, ratio);
        fflush(stdout);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status) {
        printf("%-22s crashed\n", kind->name);
    }
}

int
main(void)
{
    static const struct {
        const char *name;
        double ratio;
        size_t first;
    } cases[] = {{"48 kHz to 48 kHz, +300 ppm", 1.0003, 0},
                 {"48 kHz to 48 kHz, -300 ppm", 0.9997, 0},
                 {"44.1 kHz to 48 kHz", 44100.0 / 48000, 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        printf("%s%-28s %s\n", i ? "\n" : "", cases[i].name,
               "                dB left of 1, 10, 19 kHz   of 1, 10 kHz,");
        printf("%-22s %6s %8s   %20s   %13s   %6s\n", "", "ns", "latency", "", "wobbling",
               "malloc");
        for (size_t k = cases[i].first; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            show_apart(&kinds[k], cases[i].ratio);
        }
    }
    return 0;
}
