/* SPDX-License-Identifier: MIT */
/*
 * Speed of the sample kernels, against memcpy of the same samples in the same run: ns per sample,
 * for a mix ns per sample and source. Median of many repeats, and between which values nine of ten
 * of them lie.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/dsp.h"
#include "os/os.h"

enum { FRAMES = 64, CHANNELS = 64, ROUNDS = 64, REPEATS = 301, SOURCES = 32 };

static float floats[SOURCES][FRAMES * CHANNELS];
static unsigned char device[FRAMES * CHANNELS * 4];

struct job {
    char name[48];
    enum dsp_format format;
    unsigned sources;
    enum { COPY, FROM, TO, MIX, FROM_MANY, TO_MANY } kind;
};

struct speed {
    double median, low, high; /* ns */
};

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
once(const struct job *job)
{
    const float *sources[SOURCES], *from[CHANNELS];
    float *to[CHANNELS];
    size_t bytes = dsp_format_bytes(job->format);
    if (job->kind >= FROM_MANY) {
        for (size_t c = 0; c < CHANNELS; c++) {
            from[c] = to[c] = floats[0] + c * FRAMES;
        }
        if (job->kind == FROM_MANY) {
            dsp_from_interleaved(to, CHANNELS, device, bytes * CHANNELS, job->format, FRAMES);
        } else {
            dsp_to_interleaved(device, CHANNELS, bytes * CHANNELS, job->format, from, FRAMES);
        }
        __asm__ volatile("" : : "r"(device), "r"(floats) : "memory");
        return;
    }
    for (size_t c = 0; c < CHANNELS; c++) {
        float *plane = floats[0] + c * FRAMES;
        unsigned char *memory = device + c * FRAMES * bytes;
        for (unsigned s = 0; s < job->sources; s++) {
            sources[s] = floats[s] + c * FRAMES;
        }
        switch (job->kind) {
        case COPY:
            memcpy(memory, plane, FRAMES * sizeof(float));
            break;
        case FROM:
            dsp_from_device(plane, memory, bytes, job->format, FRAMES);
            break;
        case TO:
            dsp_to_device(memory, bytes, job->format, plane, FRAMES);
            break;
        case MIX:
            dsp_mix_to_device(memory, bytes, job->format, sources, job->sources, 1.0f, FRAMES);
            break;
        case FROM_MANY:
        case TO_MANY:
            break;
        }
        __asm__ volatile("" : : "r"(memory), "r"(plane) : "memory");
    }
}

static struct speed
measure(const struct job *job)
{
    static double times[REPEATS];
    for (unsigned r = 0; r < REPEATS; r++) {
        uint64_t begin = os_now_ns();
        for (unsigned n = 0; n < ROUNDS; n++) {
            once(job);
        }
        unsigned sources = job->sources ? job->sources : 1;
        times[r] = (double)(os_now_ns() - begin) / ROUNDS / FRAMES / CHANNELS / sources;
    }
    qsort(times, REPEATS, sizeof(times[0]), compare);
    return (struct speed){times[REPEATS / 2], times[REPEATS / 20],
                          times[REPEATS - 1 - REPEATS / 20]};
}

int
main(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct job jobs[2 * DSP_FORMAT_COUNT + 8] = {{.name = "memcpy", .kind = COPY}};
    unsigned count = 1;
    for (unsigned f = 0; f < DSP_FORMAT_COUNT; f++) {
        for (unsigned kind = FROM; kind <= TO; kind++) {
            struct job *job = &jobs[count++];
            job->format = (enum dsp_format)f;
            job->kind = kind == FROM ? FROM : TO;
            snprintf(job->name, sizeof(job->name), "%s %s", kind == FROM ? "from" : "to",
                     dsp_format_text(job->format));
        }
    }
    for (unsigned sources = 1; sources <= SOURCES; sources = sources == 1 ? 8 : sources * 4) {
        struct job *job = &jobs[count++];
        job->kind = MIX;
        job->sources = sources;
        snprintf(job->name, sizeof(job->name), "mix of %u to float32", sources);
    }
    static const enum dsp_format interleaved[] = {DSP_F32, DSP_S32};
    for (unsigned i = 0; i < 4; i++) {
        struct job *job = &jobs[count++];
        job->format = interleaved[i / 2];
        job->kind = i % 2 ? TO_MANY : FROM_MANY;
        snprintf(job->name, sizeof(job->name), "%s %s, interleaved", i % 2 ? "to" : "from",
                 dsp_format_text(job->format));
    }
    for (size_t i = 0; i < SOURCES; i++) {
        for (size_t n = 0; n < FRAMES * CHANNELS; n++) {
            floats[i][n] = (float)((n * 7919 + i * 31) % 2001) / 1000.0f / 40.0f - 0.02f;
        }
    }
    if (json) {
        printf("{\"variant\": \"%s\"", dsp_variant_name(dsp_best()));
    } else {
        printf("%-28s %9s %15s %9s   (%s, %d frames, %d channels)\n", "kernel", "ns", "nine of ten",
               "x memcpy", dsp_variant_name(dsp_best()), FRAMES, CHANNELS);
    }
    double copy = 0;
    for (unsigned j = 0; j < count; j++) {
        struct speed ns = measure(&jobs[j]);
        copy = j ? copy : ns.median;
        if (json) {
            printf(", \"%s\": [%.4f, %.4f, %.4f]", jobs[j].name, ns.median, ns.low, ns.high);
        } else {
            printf("%-28s %9.3f %7.3f–%.3f %9.1f\n", jobs[j].name, ns.median, ns.low, ns.high,
                   ns.median / copy);
        }
    }
    printf(json ? "}\n" : "");
    return 0;
}
