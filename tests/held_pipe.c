/* SPDX-License-Identifier: MIT */
#include "held_pipe.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, AGAIN_MS = 50 };

static void *
read_into_the_page(void *arg)
{
    struct held_pipe *held = arg;
    (void)!read(held->reads, held->page, 1);
    return NULL;
}

bool
held_pipe_take(struct held_pipe *held, int reads, int writes)
{
    struct uffdio_api api = {.api = UFFD_API};
    held->reads = reads;
    held->faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    if (held->faults < 0) {
        return false;
    }
    held->page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register whole = {
        .range = {.start = (unsigned long)held->page, .len = PAGE_BYTES},
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    if (held->page == MAP_FAILED || ioctl(held->faults, UFFDIO_API, &api) != 0 ||
        ioctl(held->faults, UFFDIO_REGISTER, &whole) != 0 ||
        pthread_create(&held->reader, NULL, read_into_the_page, held) != 0) {
        close(held->faults);
        return false;
    }
    struct pollfd fault = {.fd = held->faults, .events = POLLIN};
    /* It may hold one already, that was there; and another reader may be quicker. */
    while (poll(&fault, 1, AGAIN_MS) < 1) {
        (void)!write(writes, "", 1);
    }
    return true;
}

void
held_pipe_release(struct held_pipe *held)
{
    close(held->faults); /* the fault is an ordinary one again */
    pthread_join(held->reader, NULL);
    munmap(held->page, PAGE_BYTES);
}
