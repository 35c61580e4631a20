/* SPDX-License-Identifier: MIT */
/*
 * Doorbells by pipe. A pipe is locked while somebody reads it, and a reader who reads into a page
 * whose fault he holds keeps the lock for as long as he likes: reading, writing and closing wait
 * for him. So whatever may wait is done by a worker, one bell at a time, and the worker says so in
 * `lead` before and after. The cycle, which only marks bells and wakes the worker, sees there when
 * a step lasts longer than a period and hands the lead to the spare worker. A bell that somebody
 * stands in is left alone by the others.
 *
 * There are two desks with a leading and a spare worker each: one writes the doors, woken by a
 * futex; the other hears what programs answer. Waiting (epoll) locks no pipe. A program is not
 * listened to more often than it was rung, so that it cannot keep the engine's processor.
 */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

enum {
    BELLS_MAX = 320, /* more than programs, for some still leave */
    MASK_WORDS = BELLS_MAX / 64,
    WORKERS_MAX = 8, /* of a desk */
    STUCK_MS = 50,   /* a step that a worker was taken out of, until its program is to blame */
    END_MS = 1000,
    EVENTS = 16,
    READ_BYTES = 4096,
    CREDIT_RING = 2, /* answers to a ring, one for good measure */
    CREDIT_MOST = 8,
    NO_WORKER = -1,
};

/* lead: which worker, the number of its step, and the bell that it works at. */
enum { LEAD_BELL_BITS = 12, LEAD_STEP_BITS = 16 };
#define LEAD_BELL_MASK ((UINT32_C(1) << LEAD_BELL_BITS) - 1)
#define LEAD_STEP_MASK ((UINT32_C(1) << LEAD_STEP_BITS) - 1)

enum desk_kind { DOORS, EARS, DESKS };
enum bell_state { BELL_FREE, BELL_USED, BELL_LEAVING };

struct bell {
    _Atomic uint32_t state; /* control: from free to used to leaving; the last desk: to free */
    _Atomic uint32_t open;  /* desks that have not closed their part */
    _Atomic uint32_t holder[DESKS]; /* the worker in its pipe + 1; 0: none */
    int door;                       /* written: the program waits there */
    int ear, answer;                /* read; what the program writes to */
    _Atomic bool muted;
    _Atomic uint32_t credit;
};

struct worker {
    struct desk *desk;
    struct os_thread *thread; /* control's; NULL: none */
    _Atomic uint32_t tid;
    _Atomic bool ended;
    uint64_t stuck_since_ns; /* control's: when it was first seen out of the lead; 0: it is not */
    int64_t pinned;
    uint32_t index, step;
};

struct desk {
    struct os_bells *bells;
    enum desk_kind kind;
    _Atomic uint32_t lead;
    _Atomic uint32_t turn;              /* counted up with each change of the lead */
    struct os_wake turned;              /* over it */
    _Atomic int32_t spare;              /* the worker that waits for the lead */
    uint32_t seen_lead;                 /* the cycle's */
    _Atomic uint64_t marks[MASK_WORDS]; /* DOORS: to be rung or closed; EARS: to be closed */
    struct worker worker[WORKERS_MAX];
};

struct os_bells {
    struct os_wake *heard;
    int epoll, kick;       /* an eventfd of ours alone: writing it waits for nobody */
    _Atomic uint32_t rung; /* futex of the doors' leader */
    _Atomic bool stop;
    _Atomic int64_t cpu;  /* that the cycle runs on */
    bool marked;          /* the cycle's */
    bool works;           /* control's: there are workers */
    struct os_mutex lock; /* control's: bells and workers come and go */
    struct desk desk[DESKS];
    struct bell bell[BELLS_MAX];
};

static uint32_t
leader_of(uint32_t lead)
{
    return lead >> (LEAD_BELL_BITS + LEAD_STEP_BITS);
}

static uint32_t
lead_of(uint32_t worker, uint32_t step, uint32_t bell_plus_one)
{
    return worker << (LEAD_BELL_BITS + LEAD_STEP_BITS) | (step & LEAD_STEP_MASK) << LEAD_BELL_BITS |
           bell_plus_one;
}

static bool
is_in_a_bell(uint32_t lead)
{
    return (lead & LEAD_BELL_MASK) != 0;
}

static void
mark(struct desk *desk, uint32_t bell)
{
    atomic_fetch_or(&desk->marks[bell / 64], UINT64_C(1) << bell % 64);
}

static void
wake_leader(struct desk *desk)
{
    struct os_bells *bells = desk->bells;
    const uint64_t one = 1;
    if (desk->kind == EARS) {
        (void)!write(bells->kick, &one, sizeof(one));
        return;
    }
    atomic_fetch_add(&bells->rung, 1);
    syscall(SYS_futex, &bells->rung, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* ---- a worker ---- */

/* False: another worker stands in this bell. */
static bool
enter(struct worker *worker, uint32_t which)
{
    struct desk *desk = worker->desk;
    struct bell *bell = &desk->bells->bell[which];
    uint32_t nobody = 0;
    if (!atomic_compare_exchange_strong(&bell->holder[desk->kind], &nobody, worker->index + 1)) {
        return false;
    }
    atomic_store(&desk->lead, lead_of(worker->index, ++worker->step, which + 1));
    return true;
}

/* False: it took so long that another worker leads now. */
static bool
leave(struct worker *worker, uint32_t which)
{
    struct desk *desk = worker->desk;
    uint32_t mine = lead_of(worker->index, worker->step, which + 1);
    const bool leads =
        atomic_compare_exchange_strong(&desk->lead, &mine, lead_of(worker->index, worker->step, 0));
    atomic_store(&desk->bells->bell[which].holder[desk->kind], 0);
    return leads;
}

static void
listen_to(struct os_bells *bells, uint32_t which, bool listen)
{
    struct epoll_event event = {.events = listen ? EPOLLIN | EPOLLET : 0, .data.u32 = which};
    (void)epoll_ctl(bells->epoll, EPOLL_CTL_MOD, bells->bell[which].ear, &event);
}

static bool
close_bell(struct worker *worker, uint32_t which)
{
    struct bell *bell = &worker->desk->bells->bell[which];
    if (!enter(worker, which)) {
        mark(worker->desk, which); /* once more, when somebody wakes us */
        return true;
    }
    if (worker->desk->kind == DOORS) {
        close(bell->door);
    } else {
        close(bell->ear); /* which takes it off the epoll: there is no other descriptor */
        close(bell->answer);
    }
    if (atomic_fetch_sub(&bell->open, 1) == 1) {
        atomic_store(&bell->state, BELL_FREE);
    }
    return leave(worker, which);
}

static bool
ring(struct worker *worker, uint32_t which)
{
    struct os_bells *bells = worker->desk->bells;
    struct bell *bell = &bells->bell[which];
    if (!enter(worker, which)) {
        return true;
    }
    if (atomic_load(&bell->credit) < CREDIT_MOST) {
        atomic_fetch_add(&bell->credit, CREDIT_RING);
    }
    if (atomic_exchange(&bell->muted, false)) {
        listen_to(bells, which, true);
    }
    /* a pipe that is full wakes its reader without this byte; one that nobody reads is no error */
    (void)!write(bell->door, "", 1);
    return leave(worker, which);
}

/* Every one that is marked. False: another worker leads now; what is left stays marked. */
static bool
look_at_marks(struct worker *worker)
{
    struct desk *desk = worker->desk;
    struct os_bells *bells = desk->bells;
    for (uint32_t w = 0; w < MASK_WORDS; w++) {
        for (uint64_t left = atomic_load(&desk->marks[w]); left != 0; left &= left - 1) {
            const uint32_t which = w * 64 + (uint32_t)__builtin_ctzll(left);
            atomic_fetch_and(&desk->marks[w], ~(UINT64_C(1) << which % 64));
            const uint32_t state = atomic_load(&bells->bell[which].state);
            if ((state == BELL_USED && desk->kind == DOORS && !ring(worker, which)) ||
                (state == BELL_LEAVING && !close_bell(worker, which))) {
                return false;
            }
        }
    }
    return true;
}

/* Where the cycle runs: woken by it, the worker begins when the cycle waits; and the cycle begins
 * at once when the worker wakes it. */
static void
follow_the_cycle(struct worker *worker)
{
    const int64_t cpu = atomic_load_explicit(&worker->desk->bells->cpu, memory_order_relaxed);
    if (cpu >= 0 && cpu != worker->pinned) {
        os_thread_pin((uint32_t)cpu);
        worker->pinned = cpu;
    }
}

static bool
hear(struct worker *worker, uint32_t which)
{
    char bytes[READ_BYTES]; /* nobody looks into it */
    struct os_bells *bells = worker->desk->bells;
    struct bell *bell = &bells->bell[which];
    if (atomic_load(&bell->state) == BELL_FREE) {
        return true; /* closed since the event was fetched */
    }
    if (atomic_load(&bell->credit) == 0) {
        listen_to(bells, which, false);
        atomic_store(&bell->muted, true);
        /* It may have been rung since. */
        if (atomic_load(&bell->credit) == 0 || !atomic_exchange(&bell->muted, false)) {
            return true;
        }
        listen_to(bells, which, true);
        return true;
    }
    atomic_fetch_sub(&bell->credit, 1);
    os_wake_post(bells->heard);
    if (!enter(worker, which)) {
        return true;
    }
    (void)!read(bell->ear, bytes, sizeof(bytes)); /* still open: closing is this desk's, too */
    return leave(worker, which);
}

static bool
serve_doors(struct worker *worker)
{
    struct os_bells *bells = worker->desk->bells;
    const uint32_t seen = atomic_load(&bells->rung);
    if (!look_at_marks(worker)) {
        return false;
    }
    if (!atomic_load(&bells->stop)) {
        syscall(SYS_futex, &bells->rung, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
    return true;
}

static bool
serve_ears(struct worker *worker)
{
    struct os_bells *bells = worker->desk->bells;
    struct epoll_event events[EVENTS];
    bool leads = true;
    const int count = epoll_wait(bells->epoll, events, EVENTS, -1);
    for (int i = 0; i < count && leads && !atomic_load(&bells->stop); i++) {
        const uint32_t which = events[i].data.u32;
        leads = which == BELLS_MAX ? look_at_marks(worker) : hear(worker, which);
    }
    return leads;
}

static void
lead(struct worker *worker)
{
    struct desk *desk = worker->desk;
    bool leads = look_at_marks(worker);
    if (desk->kind == EARS) {
        os_wake_post(desk->bells->heard); /* what the former one had heard and not passed on */
    }
    while (leads && !atomic_load(&desk->bells->stop)) {
        follow_the_cycle(worker);
        leads = desk->kind == DOORS ? serve_doors(worker) : serve_ears(worker);
    }
    if (leads) {
        look_at_marks(worker); /* those that leave at the end */
    }
}

static void
wait_for_the_lead(struct worker *worker)
{
    struct desk *desk = worker->desk;
    for (;;) {
        const uint32_t seen = atomic_load(&desk->turn);
        if (atomic_load(&desk->bells->stop) ||
            leader_of(atomic_load(&desk->lead)) == worker->index) {
            return;
        }
        os_wake_wait(&desk->turned, seen, UINT64_MAX);
    }
}

static void
work(void *arg)
{
    struct worker *worker = arg;
    struct desk *desk = worker->desk;
    sigset_t pipes;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipes, NULL);
    atomic_store(&worker->tid, os_thread_id());
    if (leader_of(atomic_load(&desk->lead)) == worker->index) {
        lead(worker);
    }
    while (!atomic_load(&desk->bells->stop)) {
        int32_t none = NO_WORKER;
        if (!atomic_compare_exchange_strong(&desk->spare, &none, (int32_t)worker->index)) {
            break; /* there is one */
        }
        wait_for_the_lead(worker);
        if (!atomic_load(&desk->bells->stop)) {
            lead(worker);
        }
    }
    atomic_store(&worker->ended, true);
}

/* ---- control ---- */

/* lock held. */
static enum tutti_status
start_worker(struct desk *desk, uint32_t index)
{
    static const char *const names[DESKS] = {"tutti-doors", "tutti-ears"};
    struct worker *worker = &desk->worker[index];
    worker->desk = desk;
    worker->index = index;
    worker->pinned = -1;
    worker->stuck_since_ns = 0;
    atomic_store(&worker->ended, false);
    atomic_store(&worker->tid, 0);
    return os_thread_start(&worker->thread, names[desk->kind], OS_PRIORITY_BELLS, work, worker);
}

/* lock held: one worker leads, one is spare, unless too many stand somewhere. */
static enum tutti_status
keep_workers(struct desk *desk)
{
    const uint32_t leader = leader_of(atomic_load(&desk->lead));
    unsigned others = 0;
    if (desk->worker[leader].thread == NULL && start_worker(desk, leader) != TUTTI_OK) {
        return TUTTI_NO_MEMORY;
    }
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *worker = &desk->worker[i];
        if (worker->thread != NULL && atomic_load(&worker->ended)) {
            os_thread_join(worker->thread);
            worker->thread = NULL;
        }
        others += worker->thread != NULL && i != leader;
    }
    if (atomic_load(&desk->spare) != NO_WORKER) {
        return TUTTI_OK;
    }
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        if (desk->worker[i].thread == NULL) {
            return start_worker(desk, i);
        }
    }
    return others < WORKERS_MAX - 1 ? TUTTI_OK : TUTTI_FULL;
}

enum tutti_status
os_bells_new(struct os_bells **out, struct os_wake *heard)
{
    struct os_bells *bells = calloc(1, sizeof(*bells));
    if (bells == NULL) {
        return TUTTI_NO_MEMORY;
    }
    bells->heard = heard;
    atomic_init(&bells->cpu, -1);
    for (unsigned kind = 0; kind < DESKS; kind++) {
        struct desk *desk = &bells->desk[kind];
        desk->bells = bells;
        desk->kind = (enum desk_kind)kind;
        atomic_init(&desk->spare, NO_WORKER);
        os_wake_init(&desk->turned, &desk->turn);
    }
    bells->epoll = posix_free_fd(epoll_create1(EPOLL_CLOEXEC));
    bells->kick = posix_free_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = BELLS_MAX};
    if (bells->epoll < 0 || bells->kick < 0 ||
        epoll_ctl(bells->epoll, EPOLL_CTL_ADD, bells->kick, &event) != 0) {
        log_error("cannot listen to doorbells: %s", strerror(errno));
        if (bells->epoll >= 0) {
            close(bells->epoll);
        }
        if (bells->kick >= 0) {
            close(bells->kick);
        }
        free(bells);
        return TUTTI_NO_MEMORY;
    }
    os_mutex_init(&bells->lock);
    *out = bells;
    return TUTTI_OK;
}

/* True when all workers have ended. */
static bool
end_workers(struct os_bells *bells)
{
    bool all = true;
    const uint64_t deadline_ns = os_now_ns() + (uint64_t)END_MS * OS_NS_PER_MS;
    atomic_store(&bells->stop, true);
    for (unsigned kind = 0; kind < DESKS; kind++) {
        wake_leader(&bells->desk[kind]);
        os_wake_post(&bells->desk[kind].turned);
    }
    for (unsigned kind = 0; kind < DESKS; kind++) {
        for (uint32_t i = 0; i < WORKERS_MAX; i++) {
            struct worker *worker = &bells->desk[kind].worker[i];
            if (os_thread_join_until(worker->thread, deadline_ns)) {
                worker->thread = NULL;
            }
            all = all && worker->thread == NULL;
        }
    }
    return all;
}

void
os_bells_free(struct os_bells *bells)
{
    if (bells == NULL) {
        return;
    }
    if (!end_workers(bells)) {
        log_warning("a program does not release its doorbell: what belongs to it stays");
        return;
    }
    close(bells->epoll);
    close(bells->kick);
    os_mutex_fini(&bells->lock);
    free(bells);
}

/* Nothing here waits for the pipe's lock: opening it again would. */
static bool
is_door(int fd)
{
    struct stat status;
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
           (flags & O_ACCMODE) != O_RDONLY && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* lock held; the workers are there. */
static enum tutti_status
add(struct os_bells *bells, int door, uint32_t *out)
{
    uint32_t which = 0;
    int ends[2];
    while (which < BELLS_MAX && atomic_load(&bells->bell[which].state) != BELL_FREE) {
        which++;
    }
    if (which == BELLS_MAX) {
        return TUTTI_FULL;
    }
    struct bell *bell = &bells->bell[which];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return TUTTI_NO_MEMORY;
    }
    bell->door = door;
    bell->ear = ends[0];
    bell->answer = ends[1];
    atomic_store(&bell->muted, false);
    atomic_store(&bell->credit, CREDIT_RING);
    atomic_store(&bell->open, DESKS);
    /* Partner: the worker's look at it, once the bell is marked or heard. */
    atomic_store(&bell->state, BELL_USED);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = which};
    if (epoll_ctl(bells->epoll, EPOLL_CTL_ADD, bell->ear, &event) != 0) {
        close(ends[0]);
        close(ends[1]);
        atomic_store(&bell->state, BELL_FREE);
        return TUTTI_NO_MEMORY;
    }
    *out = which;
    return TUTTI_OK;
}

enum tutti_status
os_bells_add(struct os_bells *bells, os_handle *doorbell, uint32_t *bell)
{
    *bell = OS_NO_BELL;
    if (*doorbell == OS_NO_HANDLE) {
        return TUTTI_OK;
    }
    const int door = (int)*doorbell;
    *doorbell = OS_NO_HANDLE;
    if (!is_door(door)) {
        log_warning("what a peer wants to be woken by is no pipe: refused");
        close(door);
        return TUTTI_PROTOCOL;
    }
    os_mutex_lock(&bells->lock);
    bells->works = true;
    enum tutti_status status = keep_workers(&bells->desk[DOORS]);
    if (status == TUTTI_OK) {
        status = keep_workers(&bells->desk[EARS]);
    }
    if (status == TUTTI_OK) {
        status = add(bells, door, bell);
    }
    os_mutex_unlock(&bells->lock);
    if (status != TUTTI_OK) {
        log_warning("no room for another doorbell by pipe: %s", tutti_status_text(status));
        close(door);
    }
    return status;
}

os_handle
os_bells_answer(const struct os_bells *bells, uint32_t bell)
{
    return bell == OS_NO_BELL ? OS_NO_HANDLE : bells->bell[bell].answer;
}

void
os_bells_remove(struct os_bells *bells, uint32_t bell)
{
    if (bell == OS_NO_BELL) {
        return;
    }
    atomic_store(&bells->bell[bell].state, BELL_LEAVING);
    for (unsigned kind = 0; kind < DESKS; kind++) {
        mark(&bells->desk[kind], bell);
        wake_leader(&bells->desk[kind]);
    }
}

/* A thread that waits to run is not to blame for what it has not done. */
static bool
is_waiting(uint32_t tid)
{
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/self/task/%u/stat", tid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end != NULL && name_end[1] == ' ' && name_end[2] != 'R';
}

/* lock held. The bell that a worker was taken out of, when that is to blame. */
static uint32_t
bell_of_stuck(struct desk *desk)
{
    struct os_bells *bells = desk->bells;
    const uint64_t now = os_now_ns();
    const uint32_t leader = leader_of(atomic_load(&desk->lead));
    uint32_t in[WORKERS_MAX], stuck = OS_NO_BELL;
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        in[i] = OS_NO_BELL;
    }
    for (uint32_t b = 0; b < BELLS_MAX; b++) {
        const uint32_t holder = atomic_load(&bells->bell[b].holder[desk->kind]);
        if (holder != 0 && holder - 1 != leader) {
            in[holder - 1] = b;
        }
    }
    for (uint32_t i = 0; i < WORKERS_MAX; i++) {
        struct worker *worker = &desk->worker[i];
        if (in[i] == OS_NO_BELL) {
            worker->stuck_since_ns = 0;
        } else if (worker->stuck_since_ns == 0) {
            worker->stuck_since_ns = now;
        } else if (now - worker->stuck_since_ns > (uint64_t)STUCK_MS * OS_NS_PER_MS &&
                   is_waiting(atomic_load(&worker->tid)) &&
                   atomic_load(&bells->bell[in[i]].state) == BELL_USED) {
            stuck = in[i];
        }
    }
    return stuck;
}

/* lock held. Without bells nobody stands anywhere. */
static void
retire_workers(struct os_bells *bells)
{
    for (uint32_t b = 0; b < BELLS_MAX; b++) {
        if (atomic_load(&bells->bell[b].state) != BELL_FREE) {
            return;
        }
    }
    if (!end_workers(bells)) {
        return; /* they end when they can */
    }
    for (unsigned kind = 0; kind < DESKS; kind++) {
        atomic_store(&bells->desk[kind].lead, 0);
        atomic_store(&bells->desk[kind].spare, NO_WORKER);
    }
    atomic_store(&bells->stop, false);
    bells->works = false;
}

uint32_t
os_bells_tend(struct os_bells *bells)
{
    uint32_t stuck = OS_NO_BELL;
    os_mutex_lock(&bells->lock);
    if (bells->works) {
        retire_workers(bells);
    }
    for (unsigned kind = 0; kind < DESKS; kind++) {
        struct desk *desk = &bells->desk[kind];
        bool left = false;
        if (desk->worker[leader_of(atomic_load(&desk->lead))].thread == NULL) {
            continue;
        }
        keep_workers(desk);
        const uint32_t here = bell_of_stuck(desk);
        stuck = here == OS_NO_BELL ? stuck : here;
        for (uint32_t w = 0; w < MASK_WORDS; w++) {
            left = left || atomic_load(&desk->marks[w]) != 0;
        }
        if (left) {
            wake_leader(desk);
        }
    }
    os_mutex_unlock(&bells->lock);
    return stuck;
}

/* ---- the cycle ---- */

void
os_bells_ring(struct os_bells *bells, uint32_t bell)
{
    mark(&bells->desk[DOORS], bell);
    bells->marked = true;
}

void
os_bells_go(struct os_bells *bells, uint32_t cpu)
{
    if (bells == NULL || !bells->marked) {
        return;
    }
    bells->marked = false;
    atomic_store_explicit(&bells->cpu, cpu, memory_order_relaxed);
    wake_leader(&bells->desk[DOORS]);
}

static void
watch(struct desk *desk)
{
    uint32_t was = desk->seen_lead;
    desk->seen_lead = atomic_load(&desk->lead);
    if (!is_in_a_bell(was) || desk->seen_lead != was) {
        return;
    }
    const int32_t spare = atomic_load(&desk->spare);
    if (spare == NO_WORKER ||
        !atomic_compare_exchange_strong(&desk->lead, &was, lead_of((uint32_t)spare, 0, 0))) {
        return;
    }
    atomic_store(&desk->spare, NO_WORKER);
    os_wake_post(&desk->turned);
}

void
os_bells_watch(struct os_bells *bells)
{
    for (unsigned kind = 0; bells != NULL && kind < DESKS; kind++) {
        watch(&bells->desk[kind]);
    }
}
