/* SPDX-License-Identifier: MIT */
/*
 * tutti-crowd: one process with many ASIO objects, of all registered drivers in turn, which all
 * play at once; and a host that looks at every entry while it lists them. What it saw is one line
 * of JSON; it ends with 0 when every object was called as it should.
 *
 * usage: tutti-crowd [--objects N] [--buffer FRAMES] [--seconds S] [--scans N] [--stop-file FILE]
 */
#include <windows.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <objbase.h>

#include "tutti/asio.h"

enum {
    MOST_OBJECTS = 64,
    MOST_ENTRIES = 64,
    NAME_CHARS = 128,
    CALLS = 8,
    PATIENCE_MS = 120000,
    SAMPLE_BYTES = 2, /* of the smallest type: no buffer is written beyond its end */
};

struct entry {
    wchar_t name[NAME_CHARS];
    CLSID clsid;
};

struct object {
    struct asio_driver *driver;
    struct asio_buffer_info infos[2]; /* an output, an input */
    int32_t buffer;
    _Atomic uint32_t calls, wrong;
    int32_t last_half;
    uint64_t last_position;
};

static struct entry entries[MOST_ENTRIES];
static unsigned entry_count;
static struct object objects[MOST_OBJECTS];
static unsigned failures;

static void
fail(const char *what, struct asio_driver *driver)
{
    char text[ASIO_ERROR_BYTES] = "";

    if (driver) {
        driver->methods->get_error_message(driver, text);
    }
    fprintf(stderr, "tutti-crowd: %s: %s\n", what, text);
    failures++;
}

/* ---- callbacks: they have no user pointer, so there is one function per object ---- */

static void
called(struct object *object, int32_t half)
{
    struct asio_int64 position = {0, 0}, time;
    uint32_t calls = atomic_load(&object->calls);
    bool wrong = half < 0 || half > 1 || half == object->last_half;

    if (object->driver->methods->get_sample_position(object->driver, &position, &time) == ASIO_OK) {
        uint64_t here = asio_int64_value(position);
        wrong = wrong || (calls > 0 && here < object->last_position + (uint64_t)object->buffer);
        object->last_position = here;
    }
    if (wrong) {
        atomic_fetch_add(&object->wrong, 1);
    } else {
        memset(object->infos[0].buffers[half], 0, (size_t)object->buffer * SAMPLE_BYTES);
    }
    object->last_half = half;
    atomic_fetch_add(&object->calls, 1);
}

/* Numbers are octal. */
#define ROW(X, row) X(row##0) X(row##1) X(row##2) X(row##3) X(row##4) X(row##5) X(row##6) X(row##7)
#define ALL(X) ROW(X, 0) ROW(X, 1) ROW(X, 2) ROW(X, 3) ROW(X, 4) ROW(X, 5) ROW(X, 6) ROW(X, 7)
#define SWITCH(number)                                                                             \
    static void TUTTI_ASIO_HOST switch_##number(int32_t half, int32_t direct)                      \
    {                                                                                              \
        (void)direct;                                                                              \
        called(&objects[0##number], half);                                                         \
    }
#define CALLBACKS(number) {.buffer_switch = switch_##number},
ALL(SWITCH)
static const struct asio_callbacks callbacks[MOST_OBJECTS] = {ALL(CALLBACKS)};

/* ---- drivers ---- */

static void
find_entries(void)
{
    HKEY list;

    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\ASIO", 0, KEY_READ, &list)) {
        return;
    }
    for (DWORD i = 0; entry_count < MOST_ENTRIES; i++) {
        struct entry *entry = &entries[entry_count];
        wchar_t text[64];
        DWORD length = NAME_CHARS, bytes = sizeof(text);
        if (RegEnumKeyExW(list, i, entry->name, &length, NULL, NULL, NULL, NULL)) {
            break;
        }
        if (!RegGetValueW(list, entry->name, L"CLSID", RRF_RT_REG_SZ, NULL, text, &bytes) &&
            CLSIDFromString(text, &entry->clsid) == S_OK) {
            entry_count++;
        }
    }
    RegCloseKey(list);
}

static struct asio_driver *
create(const struct entry *entry)
{
    void *object = NULL;

    if (CoCreateInstance(&entry->clsid, NULL, CLSCTX_INPROC_SERVER, &entry->clsid, &object) !=
        S_OK) {
        return NULL;
    }
    return object;
}

/* As hosts do that fill their list of devices: each entry is made, initialised and asked. */
static void
scan(void)
{
    for (unsigned e = 0; e < entry_count; e++) {
        struct asio_driver *driver = create(&entries[e]);
        struct asio_channel_info info = {.channel = 0};
        int32_t inputs, outputs, min, max, preferred, granularity;
        double rate;
        if (!driver || !driver->methods->init(driver, NULL)) {
            fail("an entry cannot be initialised", driver);
        } else if (driver->methods->get_channels(driver, &inputs, &outputs) ||
                   driver->methods->get_buffer_size(driver, &min, &max, &preferred, &granularity) ||
                   driver->methods->get_sample_rate(driver, &rate) ||
                   driver->methods->get_channel_info(driver, &info)) {
            fail("an entry does not answer", driver);
        }
        if (driver) {
            driver->methods->release(driver);
        }
    }
}

static bool
open_object(unsigned number, int32_t buffer)
{
    struct object *object = &objects[number];
    struct asio_driver *driver = create(&entries[number % entry_count]);
    int32_t inputs = 0, outputs = 0;

    object->driver = driver;
    object->buffer = buffer;
    object->last_half = -1;
    if (!driver || !driver->methods->init(driver, NULL) ||
        driver->methods->get_channels(driver, &inputs, &outputs)) {
        fail("an object cannot be initialised", driver);
        return false;
    }
    if (inputs < 1 || outputs < 1) {
        fail("a device needs inputs and outputs", NULL);
        return false;
    }
    object->infos[0].channel = (int32_t)number % outputs;
    object->infos[1].channel = (int32_t)number % inputs;
    object->infos[1].is_input = 1;
    if (driver->methods->create_buffers(driver, object->infos, 2, buffer, &callbacks[number]) ||
        driver->methods->start(driver)) {
        fail("an object does not start", driver);
        return false;
    }
    return true;
}

/* Every other one in order, the rest as hosts do that are closed. */
static void
close_object(unsigned number)
{
    struct asio_driver *driver = objects[number].driver;

    if (!driver) {
        return;
    }
    if (number % 2 == 0 &&
        (driver->methods->stop(driver) || driver->methods->dispose_buffers(driver))) {
        fail("an object does not stop", driver);
    }
    driver->methods->release(driver);
}

/* True when each was called so many times more. */
static bool
await_calls(unsigned count, uint32_t more)
{
    ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    uint32_t before[MOST_OBJECTS];

    for (unsigned i = 0; i < count; i++) {
        before[i] = atomic_load(&objects[i].calls);
    }
    for (unsigned i = 0; i < count; i++) {
        while (atomic_load(&objects[i].calls) - before[i] < more) {
            if (GetTickCount64() > deadline) {
                return false;
            }
            Sleep(1);
        }
    }
    return true;
}

/* ---- the order of things ---- */

struct options {
    unsigned objects, scans;
    int32_t buffer;
    unsigned seconds;
    const char *stop_file;
};

static bool
parse(struct options *options, int argc, char **argv)
{
    *options = (struct options){.objects = 2, .buffer = 256};
    for (int i = 1; i + 1 < argc; i += 2) {
        unsigned number = (unsigned)strtoul(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--objects") && number <= MOST_OBJECTS) {
            options->objects = number;
        } else if (!strcmp(argv[i], "--buffer") && number >= 1) {
            options->buffer = (int32_t)number;
        } else if (!strcmp(argv[i], "--seconds")) {
            options->seconds = number;
        } else if (!strcmp(argv[i], "--scans")) {
            options->scans = number;
        } else if (!strcmp(argv[i], "--stop-file")) {
            options->stop_file = argv[i + 1];
        } else {
            return false;
        }
    }
    return argc % 2 == 1;
}

static void
stay(const struct options *options)
{
    ULONGLONG end = GetTickCount64() + (ULONGLONG)options->seconds * 1000;

    while (options->stop_file ? GetFileAttributesA(options->stop_file) == INVALID_FILE_ATTRIBUTES
                              : GetTickCount64() < end) {
        Sleep(10);
    }
}

static void
run(const struct options *options)
{
    unsigned open = 0;

    while (open < options->objects && open_object(open, options->buffer)) {
        open++;
    }
    if (open == options->objects && await_calls(open, CALLS)) {
        printf("ready\n");
        fflush(stdout);
        for (unsigned i = 0; i < options->scans; i++) {
            scan();
        }
        stay(options);
        if (!await_calls(open, CALLS)) {
            fail("an object is no longer called", NULL);
        }
    } else if (open == options->objects) {
        fail("an object is not called", NULL);
    }
    for (unsigned i = 0; i < options->objects; i++) {
        close_object(i);
    }
}

int
main(int argc, char **argv)
{
    struct options options;
    uint32_t least = UINT32_MAX, wrong = 0;
    uint64_t calls = 0;

    if (!parse(&options, argc, argv)) {
        fprintf(stderr, "usage: tutti-crowd [--objects N] [--buffer FRAMES] [--seconds S] "
                        "[--scans N] [--stop-file FILE]\n");
        return 2;
    }
    printf("begun\n"); /* a program that Wine did not start says nothing */
    fflush(stdout);
    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    find_entries();
    if (!entry_count) {
        fail("no driver is registered", NULL);
    } else {
        run(&options);
    }
    for (unsigned i = 0; i < options.objects; i++) {
        uint32_t mine = atomic_load(&objects[i].calls);
        least = mine < least ? mine : least;
        calls += mine;
        wrong += atomic_load(&objects[i].wrong);
    }
    printf("{\"bits\": %u, \"entries\": %u, \"objects\": %u, \"scans\": %u, \"calls\": %llu, "
           "\"least\": %u, \"wrong\": %u, \"failures\": %u}\n",
           (unsigned)sizeof(void *) * 8, entry_count, options.objects, options.scans,
           (unsigned long long)calls, options.objects ? (unsigned)least : 0, (unsigned)wrong,
           failures);
    CoUninitialize();
    return failures || wrong ? 1 : 0;
}
