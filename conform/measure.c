/* SPDX-License-Identifier: MIT */
/* Figures of streams. See measure.h. */
#include "conform/measure.h"

#include <psapi.h>
#include <tlhelp32.h>

#include <math.h>
#include <stdlib.h>

enum { LEAST_BLOCKS = 8, STREAM_CHANNELS = 2 };

uint32_t
measure_blocks(const struct subject *s, double seconds)
{
    double blocks = seconds * (s->rate_hz >= 1000 ? s->rate_hz : 44100) / s->buffer_frames;

    if (blocks < LEAST_BLOCKS) {
        return LEAST_BLOCKS;
    }
    return blocks > HOST_BLOCKS ? HOST_BLOCKS : (uint32_t)blocks;
}

struct subject *
measure_stream(struct conform *t, double seconds, bool ask_position)
{
    struct subject *s = subject_open(t);

    if (!s) {
        return NULL;
    }
    s->host.ask_position = ask_position;
    if (!subject_prepare(s, STREAM_CHANNELS, STREAM_CHANNELS, 0) ||
        !subject_stream(s, measure_blocks(s, seconds))) {
        subject_close(s);
        return NULL;
    }
    subject_stop(s);
    return s;
}

uint32_t
measure_count(const struct subject *s)
{
    uint32_t count = atomic_load(&s->host.block_count);

    return count < HOST_BLOCKS ? count : HOST_BLOCKS;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double
measure_quantile(double *values, uint32_t count, double share)
{
    if (!count) {
        return 0;
    }
    qsort(values, count, sizeof(*values), compare_doubles);
    return values[(uint32_t)((count - 1) * share)];
}

static double
rate_between(const struct host_block *first, const struct host_block *last, double frames)
{
    double ns = (double)(last->begin_ns - first->begin_ns);

    return ns > 0 ? frames * 1e9 / ns : 0;
}

double
measure_delivered(const struct subject *s)
{
    uint32_t count = measure_count(s);

    if (count < 2) {
        return 0;
    }
    return rate_between(&s->host.blocks[0], &s->host.blocks[count - 1],
                        (double)(count - 1) * s->buffer_frames);
}

double
measure_rate(const struct subject *s)
{
    uint32_t count = measure_count(s);

    if (count < 3) {
        return 0;
    }
    const struct host_block *first = &s->host.blocks[1], *last = &s->host.blocks[count - 1];
    if (first->answer != ASIO_OK || last->answer != ASIO_OK) {
        return measure_delivered(s);
    }
    return rate_between(first, last, (double)(last->position - first->position));
}

bool
measure_set_rate(struct subject *s, double rate_hz)
{
    if (call_can_sample_rate(s, rate_hz) != ASIO_OK) {
        return false;
    }
    int32_t answer = call_set_sample_rate(s, rate_hz);
    if (answer != ASIO_OK) {
        conform_fail(s->t, "canSampleRate accepts %g Hz, setSampleRate answered %s", rate_hz,
                     conform_error_text(answer));
        return false;
    }
    s->rate_hz = rate_hz;
    return true;
}

int32_t
measure_tolerance(const struct subject *s)
{
    int32_t of_time = (int32_t)ceil(s->rate_hz / 1000), of_buffer = s->buffer_frames / 2;

    return of_time < of_buffer ? of_time : of_buffer;
}

double
measure_block_ns(const struct subject *s)
{
    return s->buffer_frames * 1e9 / (s->rate_hz >= 1000 ? s->rate_hz : 44100);
}

static uint32_t
count_threads(void)
{
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    uint32_t count = 0;

    if (all == INVALID_HANDLE_VALUE) {
        return 0;
    }
    for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
        count += entry.th32OwnerProcessID == GetCurrentProcessId();
    }
    CloseHandle(all);
    return count;
}

/* For systems that do not tell: each number that is a handle. */
static uint32_t
count_handles(void)
{
    enum { MOST = 1 << 16, STEP = 4 };
    uint32_t count = 0;
    DWORD flags;

    for (uintptr_t number = STEP; number < MOST; number += STEP) {
        count += GetHandleInformation((HANDLE)number, &flags) != 0;
    }
    return count;
}

/* For systems that do not tell: private pages of this process that are committed. */
static uint64_t
count_private_bytes(void)
{
    MEMORY_BASIC_INFORMATION region;
    uint64_t bytes = 0;

    for (const char *at = NULL; VirtualQuery(at, &region, sizeof(region)) == sizeof(region);
         at = (const char *)region.BaseAddress + region.RegionSize) {
        if (region.State == MEM_COMMIT && region.Type == MEM_PRIVATE) {
            bytes += region.RegionSize;
        }
        if ((uintptr_t)region.BaseAddress + region.RegionSize < (uintptr_t)at) {
            break;
        }
    }
    return bytes;
}

void
measure_holding(struct measure_holding *holding)
{
    PROCESS_MEMORY_COUNTERS_EX memory = {.cb = sizeof(memory)};
    DWORD handles = 0;

    GetProcessHandleCount(GetCurrentProcess(), &handles);
    GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&memory, sizeof(memory));
    holding->handles = handles ? handles : count_handles();
    holding->threads = count_threads();
    holding->private_bytes = memory.PrivateUsage ? memory.PrivateUsage : count_private_bytes();
}

/* ---- what a busy machine spoils ---- */

static uint64_t
ticks_of(const FILETIME *time)
{
    return (uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime;
}

void
measure_time(struct measure_time *now)
{
    FILETIME idle, kernel, user, begun, ended;

    *now = (struct measure_time){0, 0, 0};
    if (GetSystemTimes(&idle, &kernel, &user)) {
        now->idle = ticks_of(&idle);
        now->all = ticks_of(&kernel) + ticks_of(&user); /* the kernel's includes idling */
    }
    if (GetProcessTimes(GetCurrentProcess(), &begun, &ended, &kernel, &user)) {
        now->own = ticks_of(&kernel) + ticks_of(&user);
    }
}

double
measure_others(const struct measure_time *since)
{
    struct measure_time now;

    measure_time(&now);
    double all = (double)(now.all - since->all);
    double idle = (double)(now.idle - since->idle), own = (double)(now.own - since->own);
    return all > 0 ? 100 * (all - idle - own) / all : 0;
}

double
measure_others_at_rest(void)
{
    struct measure_time began;

    measure_time(&began);
    conform_sleep_ms(MEASURE_REST_MS);
    return measure_others(&began);
}

bool
measure_excuses(double others, double at_rest)
{
    return others > MEASURE_BUSY_PERCENT && at_rest > MEASURE_BUSY_PERCENT;
}

void
measure_judge_busy(struct conform *t, double others, const char *why)
{
    double at_rest = others > MEASURE_BUSY_PERCENT ? measure_others_at_rest() : 0;

    if (measure_excuses(others, at_rest)) {
        conform_skip(t,
                     "the machine is busy, other programs have %.0f %% of it, %.0f %% while the "
                     "driver rests: %s",
                     others, at_rest, why);
    } else {
        conform_fail(t, "%s", why);
    }
}

void
measure_try(struct conform *t,
            bool (*once)(struct conform *t, const void *arg, char why[CONFORM_TEXT_BYTES]),
            const void *arg)
{
    char why[CONFORM_TEXT_BYTES] = "";
    struct measure_time began;
    double others = 0;

    for (unsigned i = 0; i < MEASURE_TRIES; i++) {
        conform_tries(t, i + 1);
        measure_time(&began);
        if (once(t, arg, why)) {
            return;
        }
        others = measure_others(&began);
        conform_sleep_ms(300);
    }
    measure_judge_busy(t, others, why);
}
