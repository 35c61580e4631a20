/* SPDX-License-Identifier: MIT */
/* Speed of the sample kernels, against memcpy of the same samples in the same run: ns per sample,
 * median of many repeats. */
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
    enum { COPY, FROM, TO, MIX } kind;
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
    const float *sources[SOURCES];
    size_t bytes = dsp_format_bytes(job->format);
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
        }
        __asm__ volatile("" : : "r"(memory), "r"(plane) : "memory");
    }
}

static double
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
    return times[REPEATS / 2];
}

int
main(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct job jobs[2 * DSP_FORMAT_COUNT + 4] = {{.name = "memcpy", .kind = COPY}};
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
    for (size_t i = 0; i < SOURCES; i++) {
        for (size_t n = 0; n < FRAMES * CHANNELS; n++) {
            floats[i][n] = (float)((n * 7919 + i * 31) % 2001) / 1000.0f / 40.0f - 0.02f;
        }
    }
    if (json) {
        printf("{\"variant\": \"%s\"", dsp_variant_name(dsp_best()));
    } else {
        printf("%-24s %10s %10s   (%s, %d frames, %d channels, planar)\n", "kernel", "ns/sample",
               "x memcpy", dsp_variant_name(dsp_best()), FRAMES, CHANNELS);
    }
    double copy = 0;
    for (unsigned j = 0; j < count; j++) {
        double ns = measure(&jobs[j]);
        copy = j ? copy : ns;
        if (json) {
            printf(", \"%s\": %.4f", jobs[j].name, ns);
        } else {
            printf("%-24s %10.3f %10.1f\n", jobs[j].name, ns, ns / copy);
        }
    }
    printf(json ? "}\n" : "");
    return 0;
}
