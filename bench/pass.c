/* SPDX-License-Identifier: MIT */
/* bench_pass_SYSTEM FILE NUMBER FRAMES: see pass.h. */
#include "pass.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

struct pass_record *
pass_begin(struct pass_file *file)
{
    uint64_t count = atomic_load_explicit(&file->count, memory_order_relaxed);
    struct pass_record *record = &file->record[count % PASS_RECORDS];
    record->call_ns = now_ns();
    return record;
}

void
pass_end(struct pass_file *file, struct pass_record *record)
{
    record->done_ns = now_ns();
    atomic_fetch_add_explicit(&file->count, 1, memory_order_release);
}

int
main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s FILE NUMBER FRAMES\n", argv[0]);
        return 2;
    }
    int descriptor = open(argv[1], O_RDWR | O_CREAT, 0600);
    if (descriptor < 0 || ftruncate(descriptor, sizeof(struct pass_file)) != 0) {
        perror(argv[1]);
        return 1;
    }
    struct pass_file *file =
        mmap(NULL, sizeof(*file), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    if (file == MAP_FAILED) {
        perror(argv[1]);
        return 1;
    }
    return pass_run(file, (unsigned)strtoul(argv[2], NULL, 10),
                    (uint32_t)strtoul(argv[3], NULL, 10));
}
