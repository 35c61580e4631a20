/* SPDX-License-Identifier: MIT */
/*
 * The Windows program of ./run bench wine --only ways: see ways.h.
 *   tutti-ways fifo TO_NATIVE TO_WINDOWS   two named pipes of Linux, as \\?\unix\... paths
 *   tutti-ways memory FILE                 a word of memory that both look at without sleeping
 *   tutti-ways event | event-echo          two named events, to another Windows program
 * Prints the median, the 99th and the 99.9th percentile of the time there and back, in ns.
 */
#include "ways.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

struct way {
    HANDLE out, in; /* pipes' ends, or events */
    struct ways_page *page;
    bool (*go)(struct way *way, uint32_t number);
};

static bool
go_by_pipe(struct way *way, uint32_t number)
{
    unsigned char byte = (unsigned char)number;
    DWORD count = 0;
    return WriteFile(way->out, &byte, 1, &count, NULL) &&
           ReadFile(way->in, &byte, 1, &count, NULL) && count == 1;
}

static bool
go_by_memory(struct way *way, uint32_t number)
{
    atomic_store(&way->page->there, number);
    for (unsigned spins = 0; atomic_load(&way->page->back) != number; spins++) {
        if (spins % WAYS_SPINS == WAYS_SPINS - 1) {
            SwitchToThread();
        }
    }
    return true;
}

static bool
go_by_event(struct way *way, uint32_t number)
{
    (void)number;
    return SetEvent(way->out) && WaitForSingleObject(way->in, INFINITE) == WAIT_OBJECT_0;
}

static HANDLE
open_file(const char *path, DWORD access)
{
    return CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0,
                       NULL);
}

static HANDLE
open_event(const char *name)
{
    return CreateEventA(NULL, FALSE, FALSE, name);
}

static bool
find_way(struct way *way, int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "fifo") == 0) {
        way->out = open_file(argv[2], GENERIC_WRITE);
        way->in = open_file(argv[3], GENERIC_READ);
        way->go = go_by_pipe;
        return way->out != INVALID_HANDLE_VALUE && way->in != INVALID_HANDLE_VALUE;
    }
    if (argc == 3 && strcmp(argv[1], "memory") == 0) {
        HANDLE file = open_file(argv[2], GENERIC_READ | GENERIC_WRITE);
        HANDLE mapping = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
        way->page = mapping ? MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0) : NULL;
        way->go = go_by_memory;
        return way->page != NULL;
    }
    if (argc == 2 && strncmp(argv[1], "event", 5) == 0) {
        way->out = open_event("tutti-ways-there");
        way->in = open_event("tutti-ways-back");
        way->go = go_by_event;
        return way->out && way->in;
    }
    return false;
}

/* The other Windows program: it is ended from outside. */
static int
echo_events(struct way *way)
{
    while (WaitForSingleObject(way->out, INFINITE) == WAIT_OBJECT_0 && SetEvent(way->in)) {
    }
    return 1;
}

static int
compare(const void *a, const void *b)
{
    LONGLONG x = *(const LONGLONG *)a, y = *(const LONGLONG *)b;
    return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
    static LONGLONG took[WAYS_ROUNDS];
    struct way way = {0};
    if (!find_way(&way, argc, argv)) {
        fprintf(stderr, "tutti-ways: no such way, or it cannot be opened (%lu)\n", GetLastError());
        return 1;
    }
    if (strcmp(argv[1], "event-echo") == 0) {
        return echo_events(&way);
    }
    LARGE_INTEGER frequency, from, to;
    QueryPerformanceFrequency(&frequency);
    for (uint32_t round = 0; round < WAYS_WARM_UP + WAYS_ROUNDS; round++) {
        Sleep(1);
        QueryPerformanceCounter(&from);
        if (!way.go(&way, round % WAYS_LAST + (way.page ? 1 : 0))) {
            fprintf(stderr, "tutti-ways: nothing comes back (%lu)\n", GetLastError());
            return 1;
        }
        QueryPerformanceCounter(&to);
        if (round >= WAYS_WARM_UP) {
            took[round - WAYS_WARM_UP] =
                (to.QuadPart - from.QuadPart) * 1000000000 / frequency.QuadPart;
        }
    }
    qsort(took, WAYS_ROUNDS, sizeof(took[0]), compare);
    printf("%lld %lld %lld\n", took[WAYS_ROUNDS / 2], took[WAYS_ROUNDS - 1 - WAYS_ROUNDS / 100],
           took[WAYS_ROUNDS - 1 - WAYS_ROUNDS / 1000]);
    return 0;
}
