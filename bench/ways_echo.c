/* SPDX-License-Identifier: MIT */
/*
 * The native program of ./run bench wine --only ways: see ways.h.
 *   bench_ways_echo fifo TO_NATIVE TO_WINDOWS
 *   bench_ways_echo memory FILE
 * sends back what comes, until it is ended;
 *   bench_ways_echo futex
 * measures a futex between two native processes, for comparison.
 */
#include "ways.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int
echo_pipes(const char *to_native, const char *to_windows)
{
    /* for both, so that neither open waits for the other side */
    int in = open(to_native, O_RDWR), out = open(to_windows, O_RDWR);
    char byte;
    while (in >= 0 && out >= 0 && read(in, &byte, 1) == 1 && write(out, &byte, 1) == 1) {
    }
    perror("bench_ways_echo");
    return 1;
}

static int
echo_memory(const char *path)
{
    int descriptor = open(path, O_RDWR);
    struct ways_page *page =
        mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (page == MAP_FAILED) {
        perror(path);
        return 1;
    }
    for (unsigned spins = 0;; spins++) {
        uint32_t number = atomic_load(&page->there);
        if (number != atomic_load_explicit(&page->back, memory_order_relaxed)) {
            atomic_store(&page->back, number);
        } else if (spins % WAYS_SPINS == WAYS_SPINS - 1) {
            sched_yield();
        }
    }
}

static void
wait_for(_Atomic uint32_t *word, uint32_t number)
{
    uint32_t seen;
    while ((seen = atomic_load(word)) != number) {
        syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
    }
}

static void
send(_Atomic uint32_t *word, uint32_t number)
{
    atomic_store(word, number);
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int
measure_futex(void)
{
    static uint64_t took[WAYS_ROUNDS];
    const uint32_t rounds = WAYS_WARM_UP + WAYS_ROUNDS;
    struct ways_page *page =
        mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = page == MAP_FAILED ? -1 : fork();
    if (child < 0) {
        perror("bench_ways_echo");
        return 1;
    }
    if (child == 0) {
        for (uint32_t number = 1; number <= rounds; number++) {
            wait_for(&page->there, number);
            send(&page->back, number);
        }
        _exit(0);
    }
    for (uint32_t number = 1; number <= rounds; number++) {
        nanosleep(&(struct timespec){0, 1000000}, NULL);
        uint64_t from = now_ns();
        send(&page->there, number);
        wait_for(&page->back, number);
        if (number > WAYS_WARM_UP) {
            took[number - 1 - WAYS_WARM_UP] = now_ns() - from;
        }
    }
    qsort(took, WAYS_ROUNDS, sizeof(took[0]), compare);
    printf("%llu %llu %llu\n", (unsigned long long)took[WAYS_ROUNDS / 2],
           (unsigned long long)took[WAYS_ROUNDS - 1 - WAYS_ROUNDS / 100],
           (unsigned long long)took[WAYS_ROUNDS - 1 - WAYS_ROUNDS / 1000]);
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "fifo") == 0) {
        return echo_pipes(argv[2], argv[3]);
    }
    if (argc == 3 && strcmp(argv[1], "memory") == 0) {
        return echo_memory(argv[2]);
    }
    if (argc == 2 && strcmp(argv[1], "futex") == 0) {
        return measure_futex();
    }
    fprintf(stderr, "usage: %s fifo TO_NATIVE TO_WINDOWS | memory FILE | futex\n", argv[0]);
    return 2;
}
