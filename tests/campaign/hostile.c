/* SPDX-License-Identifier: MIT */
/*
 * A program that means harm: it speaks the protocol well enough to be let in, and then writes over,
 * lies about or floods whatever a program can. campaign_hostile ATTACK SEED [THREAD…] does one
 * attack and ends with 0; --list prints the table. THREAD: ids of other programs' threads. What
 * must hold afterwards is corrupt.py's to judge.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../held_pipe.h"
#include "os/os.h"
#include "proto/handoff.h"
#include "proto/message.h"

enum { BUFFER = 64, CHANNEL = 40, PATIENCE_MS = 20000, WAITERS = 1000 };

/* How it ends, but for 0; corrupt.py knows them. */
enum { BELIEVED = 3, SHUT_OUT = 4 };

static struct {
    struct os_link *link;
    struct os_shm memory;
    struct os_wake doorbell;
    struct proto_layout layout;
    struct proto_segment *segment;
    struct os_shm page;
    struct proto_rendezvous *rendezvous;
    struct os_wake engine;
    os_handle answers; /* a pipe, if it has one for its doorbell */
    struct os_thread *thread;
    _Atomic bool quit, silent;
    uint32_t *others; /* thread ids */
    unsigned others_count;
} me;

static uint64_t state;
static uint64_t attack_ms = 150; /* TUTTI_ATTACK_MS: longer, for numbers */

static uint64_t
random_word(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t
in_ms(uint64_t ms)
{
    return os_now_ns() + ms * OS_NS_PER_MS;
}

/* ---- getting in ---- */

static bool
connect_engine(struct os_link **link)
{
    struct proto_hello hello = {.oldest_version = 1, .bits = 64};
    _Alignas(8) unsigned char answer[OS_LINK_MAX_MESSAGE_BYTES];
    os_handle handles[OS_LINK_MAX_HANDLES];
    size_t bytes;
    proto_header_init(&hello.header, PROTO_HELLO, 1);
    strcpy(hello.program, "hostile");
    return os_link_connect(link, in_ms(PATIENCE_MS)) == TUTTI_OK &&
           os_link_send(*link, &hello, sizeof(hello), NULL, 0, in_ms(PATIENCE_MS)) == TUTTI_OK &&
           os_link_recv(*link, answer, sizeof(answer), &bytes, handles, in_ms(PATIENCE_MS)) ==
               TUTTI_OK;
}

static void
fill_prepare(struct proto_prepare *prepare, uint32_t buffer, uint32_t channels)
{
    memset(prepare, 0, sizeof(*prepare));
    proto_header_init(&prepare->header, PROTO_PREPARE, 2);
    prepare->buffer_frames = buffer;
    prepare->inputs = prepare->outputs = channels;
    for (uint32_t c = 0; c < channels && c < PROTO_MAX_CHANNELS; c++) {
        prepare->input[c].channel = prepare->output[c].channel = CHANNEL;
    }
}

/* Shows a handle as the segment; true when the engine took it. handles: those of its answer. */
static bool
show(const struct proto_prepare *prepare, const os_handle *mine, unsigned count, os_handle *handles)
{
    _Alignas(8) static unsigned char answer[OS_LINK_MAX_MESSAGE_BYTES];
    const struct proto_header *header = (const struct proto_header *)answer;
    size_t bytes;
    if (os_link_send(me.link, prepare, sizeof(*prepare), mine, count, in_ms(PATIENCE_MS)) !=
        TUTTI_OK) {
        return false;
    }
    do {
        if (os_link_recv(me.link, answer, sizeof(answer), &bytes, handles, in_ms(PATIENCE_MS)) !=
            TUTTI_OK) {
            return false;
        }
    } while (header->type == PROTO_EVENT);
    return header->type == PROTO_PREPARED;
}

/* The good side of a program: answers each call at once, until told to be silent. */
static void
answer_calls(void *arg)
{
    (void)arg;
    os_thread_set_priority(OS_PRIORITY_PROGRAM);
    uint32_t seq = 0;
    atomic_store(&me.segment->thread_id, os_thread_id());
    while (!atomic_load(&me.quit)) {
        uint32_t seen = atomic_load(&me.segment->doorbell);
        if (!atomic_load(&me.silent) && handoff_begin(me.segment, seq)) {
            if (handoff_done(me.segment, me.rendezvous, seq)) {
                os_wake_post(&me.engine);
            }
            seq++;
            continue;
        }
        os_wake_wait(&me.doorbell, seen, in_ms(5));
    }
}

/* pipe: the doorbell, as of a program under Wine; OS_NO_HANDLE: the word alone. */
static bool
join_by(uint32_t buffer, uint32_t channels, os_handle pipe)
{
    struct proto_prepare prepare;
    os_handle handles[OS_LINK_MAX_HANDLES];
    if (proto_layout_init(&me.layout, buffer, channels, channels) != TUTTI_OK ||
        os_shm_create(&me.memory, me.layout.size_bytes) != TUTTI_OK) {
        return false;
    }
    me.segment = me.memory.base;
    proto_segment_init(me.segment, &me.layout);
    fill_prepare(&prepare, buffer, channels);
    os_wake_init(&me.doorbell, &me.segment->doorbell);
    const os_handle mine[2] = {me.memory.handle, pipe};
    if (!show(&prepare, mine, 2, handles) ||
        os_shm_adopt(&me.page, handles[0], sizeof(struct proto_rendezvous)) != TUTTI_OK) {
        return false;
    }
    me.rendezvous = me.page.base;
    me.answers = handles[1];
    os_wake_init(&me.engine, &me.rendezvous->wake);
    handoff_reset(me.segment, 0);
    atomic_store(&me.segment->run, 1);
    return os_thread_start(&me.thread, "hostile", OS_PRIORITY_NORMAL, answer_calls, NULL) ==
           TUTTI_OK;
}

static bool
join(uint32_t buffer, uint32_t channels)
{
    return join_by(buffer, channels, OS_NO_HANDLE);
}

static void
end_unless(bool good, const char *what, int status)
{
    if (!good) {
        fprintf(stderr, "hostile: %s\n", what);
        exit(status);
    }
}

/* What the engine must not believe or allow. */
static void
require(bool good, const char *what)
{
    end_unless(good, what, BELIEVED);
}

/* What it must do even for one like this. */
static void
require_service(bool good, const char *what)
{
    end_unless(good, what, SHUT_OUT);
}

static void
require_joined(void)
{
    require_service(join(BUFFER, 2), "was not let in");
}

/* ---- the attacks ---- */

static const uint32_t chosen[] = {
    0, 1, 2, 3, 63, 64, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x1000, 0x40000000};

static uint32_t
some_word(void)
{
    return random_word() % 3 ? chosen[random_word() % (sizeof(chosen) / sizeof(*chosen))]
                             : (uint32_t)random_word();
}

/* Words [first, end) of memory, again and again, while the engine works with them. */
static void
scribble(void *memory, unsigned first, unsigned end)
{
    _Atomic uint32_t *word = memory;
    for (uint64_t until = in_ms(attack_ms); os_now_ns() < until;) {
        for (unsigned i = 0; i < 64; i++) {
            atomic_store_explicit(&word[first + random_word() % (end - first)], some_word(),
                                  memory_order_relaxed);
        }
        if (random_word() % 8 == 0) {
            os_sleep_until_ns(os_now_ns() + random_word() % 1000000);
        }
    }
}

static void
words_everywhere(void)
{
    require_joined();
    scribble(me.segment, 0, PROTO_SEGMENT_HEADER_BYTES / 4);
}

static void
words_of_the_program(void)
{
    require_joined();
    scribble(me.segment, 64 / 4, 128 / 4);
}

static void
owner_words(void)
{
    require_joined();
    scribble(me.segment, 128 / 4, 192 / 4);
}

/* Numbers that could be right: those near the call's. */
static void
owner_words_that_are_nearly_right(void)
{
    require_joined();
    for (uint64_t until = in_ms(attack_ms); os_now_ns() < until;) {
        unsigned half = random_word() % 2;
        uint32_t near = atomic_load(&me.segment->owner[half]) + (uint32_t)(random_word() % 9) - 4;
        atomic_store(&me.segment->owner[half], near);
        atomic_store(&me.segment->armed, (uint32_t)random_word() % 4);
    }
}

static void
hint_page(void)
{
    require_joined();
    scribble(me.rendezvous, 0, 48);
}

static void
waking_storm(void)
{
    require_joined();
    for (uint64_t until = in_ms(attack_ms); os_now_ns() < until;) {
        os_wake_post(&me.engine);
        atomic_store(&me.rendezvous->pending, some_word());
    }
}

/* Its own way to the engine, filled and emptied. */
static void
answers_without_calls(void)
{
    static char bytes[65536];
    int ends[2];
    require_service(pipe2(ends, O_CLOEXEC) == 0 && join_by(BUFFER, 2, ends[1]), "was not let in");
    for (uint64_t until = in_ms(attack_ms); os_now_ns() < until;) {
        ssize_t moved = random_word() % 2 ? write((int)me.answers, bytes, random_word() % 3)
                                          : read(ends[0], bytes, 1);
        (void)moved;
    }
}

/* Whoever touches a pipe of this program waits. answers: the one to the engine; else the doorbell.
 */
static void
hold(bool answers)
{
    struct held_pipe held;
    char path[64];
    int ends[2];
    require_service(pipe2(ends, O_CLOEXEC) == 0 && join_by(BUFFER, 2, ends[1]), "was not let in");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", (int)me.answers);
    int own = open(path, O_RDONLY | O_CLOEXEC);
    require_service(me.answers != OS_NO_HANDLE && own >= 0, "got no way to the engine");
    if (held_pipe_take(&held, answers ? own : ends[0], answers ? (int)me.answers : ends[1])) {
        os_sleep_until_ns(in_ms(attack_ms));
        held_pipe_release(&held);
    }
}

static void
held_doorbell(void)
{
    hold(false);
}

static void
held_answers(void)
{
    hold(true);
}

static void *
park(void *word)
{
    for (;;) {
        syscall(SYS_futex, word, FUTEX_WAIT_BITSET, atomic_load((_Atomic uint32_t *)word), NULL,
                NULL, FUTEX_BITSET_MATCH_ANY);
    }
    return NULL;
}

static void
many_waiters(void)
{
    pthread_t thread;
    pthread_attr_t small;
    require_joined();
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (unsigned i = 0; i < WAITERS; i++) {
        (void)pthread_create(&thread, &small, park,
                             i % 2 ? (void *)&me.rendezvous->wake : (void *)&me.segment->doorbell);
    }
    os_sleep_until_ns(in_ms(attack_ms));
}

/* Each reads 256 outputs of a program that is not there. */
static void
many_routes(void)
{
    enum { MANY = 6 };
    static struct os_shm memory[MANY];
    unsigned taken = 0;
    for (unsigned i = 0; i < MANY; i++) {
        struct proto_prepare prepare;
        os_handle handles[OS_LINK_MAX_HANDLES];
        require_service(i == 0 || connect_engine(&me.link), "could not connect again");
        require_service(proto_layout_init(&me.layout, BUFFER, 256, 0) == TUTTI_OK &&
                            os_shm_create(&memory[i], me.layout.size_bytes) == TUTTI_OK,
                        "no memory");
        proto_segment_init(memory[i].base, &me.layout);
        fill_prepare(&prepare, BUFFER, 256);
        prepare.outputs = 0;
        memset(prepare.output, 0, sizeof(prepare.output));
        for (unsigned c = 0; c < 256; c++) {
            prepare.input[c] =
                (struct proto_channel){PROTO_CHANNEL_PROGRAM, (uint16_t)c, UINT32_MAX - i};
        }
        const os_handle mine[2] = {memory[i].handle, OS_NO_HANDLE};
        taken += show(&prepare, mine, 1, handles);
    }
    require(taken <= 4, "more routes than the engine has room for were taken");
    os_sleep_until_ns(in_ms(attack_ms));
}

static void
running_and_stopping(void)
{
    require_joined();
    for (uint64_t until = in_ms(attack_ms); os_now_ns() < until;) {
        atomic_store(&me.segment->start_seq, some_word());
        atomic_store(&me.segment->run, (uint32_t)random_word());
        if (random_word() % 4 == 0) {
            os_sleep_until_ns(os_now_ns() + random_word() % 500000);
        }
    }
}

static void
samples_that_are_none(void)
{
    static const float values[] = {NAN, -NAN, INFINITY, -INFINITY, 1e-42f, 3e38f, -3e38f, 1e30f};
    require_joined();
    for (uint64_t until = in_ms(attack_ms); os_now_ns() < until;) {
        for (unsigned c = 0; c < 2; c++) {
            float *out = proto_output(&me.layout, me.segment, c, random_word() % 2);
            for (unsigned i = 0; i < BUFFER; i++) {
                out[i] = values[random_word() % 8];
            }
        }
    }
}

static void
someone_elses_thread(void)
{
    require_joined();
    atomic_store(&me.silent, true);
    for (uint64_t until = in_ms(500); os_now_ns() < until;) {
        uint32_t thread = me.others_count ? me.others[random_word() % me.others_count] : 1;
        atomic_store(&me.segment->thread_id, thread);
    }
}

static void
never_answers(void)
{
    require_joined();
    atomic_store(&me.silent, true);
    os_sleep_until_ns(in_ms(attack_ms));
}

static void
dies_in_a_call(void)
{
    require_joined();
    os_sleep_until_ns(os_now_ns() + random_word() % 20000000);
    _exit(0);
}

static void
holes(void)
{
    require_joined();
    for (uint64_t until = in_ms(attack_ms); os_now_ns() < until;) {
        off_t at = (off_t)(random_word() % (me.layout.size_bytes / 4096)) * 4096;
        fallocate((int)me.memory.handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, 4096);
    }
}

static void
other_sizes(void)
{
    require_joined();
    require(ftruncate((int)me.memory.handle, 0) != 0, "could shrink its segment");
    require(ftruncate((int)me.memory.handle, 1 << 24) != 0, "could grow its segment");
    require(fcntl((int)me.memory.handle, F_ADD_SEALS, F_SEAL_WRITE) != 0,
            "could seal its segment further");
    require(ftruncate((int)me.page.handle, 0) != 0, "could shrink the hint page");
    fallocate((int)me.page.handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
    os_sleep_until_ns(in_ms(20));
}

static int
make_memfd(size_t size, unsigned seals)
{
    int file = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (ftruncate(file, (off_t)size) != 0 || fcntl(file, F_ADD_SEALS, seals) != 0) {
        return -1;
    }
    return file;
}

/* One that shrinks under the engine must not be mapped. */
static int
wrong_file(unsigned which, size_t size)
{
    static const char *const paths[] = {"/dev/null", "/dev/zero", "/", "/proc/self/mem",
                                        "/proc/self/exe"};
    int pair[2];
    switch (which) {
    case 0:
        return make_memfd(size, 0);
    case 1:
        return make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW);
    case 2:
        return make_memfd(size / 2, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    case 3:
        return make_memfd(size * 2, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    case 4:
        return make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | F_SEAL_WRITE);
    case 5:
        return make_memfd(0, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    case 6:
        return eventfd(0, 0);
    case 7:
        return pipe(pair) == 0 ? pair[random_word() % 2] : -1;
    case 8:
        return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 ? pair[0] : -1;
    case 9:
        return memfd_create("huge", MFD_HUGETLB | MFD_ALLOW_SEALING);
    case 10:
        return (int)syscall(SYS_memfd_secret, 0);
    default:
        return open(paths[which % 5], O_RDONLY | O_CLOEXEC);
    }
}

static void
handles_of_the_wrong_kind(void)
{
    struct proto_prepare prepare;
    os_handle handles[OS_LINK_MAX_HANDLES];
    require_service(connect_engine(&me.link), "could not connect again");
    fill_prepare(&prepare, BUFFER, 2);
    proto_layout_init(&me.layout, BUFFER, 2, 2);
    for (unsigned which = 0; which < 16; which++) {
        int file = wrong_file(which, me.layout.size_bytes);
        if (file < 0) {
            continue; /* this system has none of these */
        }
        const os_handle mine[2] = {file, OS_NO_HANDLE};
        /* memory of zeros has no magic, so even that of the right size is none */
        require(!show(&prepare, mine, 1 + which % 2, handles), "a wrong handle was taken");
        close(file);
    }
    require(!show(&prepare, NULL, 0, handles), "no handle was taken for one");
}

static void
sizes_that_are_lies(void)
{
    static const uint32_t sizes[][2] = {{0, 2},     {1, 0},          {65537, 1},       {64, 257},
                                        {64, 9999}, {0xffffffff, 1}, {64, 0xffffffff}, {8193, 1},
                                        {4096, 2},  {63, 2},         {65, 2},          {128, 1}};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct proto_prepare prepare;
        os_handle handles[OS_LINK_MAX_HANDLES];
        struct os_shm memory;
        require_service(connect_engine(&me.link), "could not connect again");
        proto_layout_init(&me.layout, BUFFER, 2, 2);
        require_service(os_shm_create(&memory, me.layout.size_bytes) == TUTTI_OK, "no memory");
        proto_segment_init(memory.base, &me.layout);
        fill_prepare(&prepare, sizes[i][0], sizes[i][1]);
        const os_handle mine[2] = {memory.handle, OS_NO_HANDLE};
        require(!show(&prepare, mine, 1, handles), "a size that is a lie was believed");
        os_shm_close(&memory);
        os_link_close(me.link);
    }
    me.link = NULL;
}

static void
one_segment_twice(void)
{
    struct proto_prepare prepare;
    os_handle handles[OS_LINK_MAX_HANDLES];
    require_joined();
    struct os_link *first = me.link;
    const os_handle mine[2] = {me.memory.handle, OS_NO_HANDLE};
    fill_prepare(&prepare, BUFFER, 2);
    require(!show(&prepare, mine, 1, handles), "a program could join twice");
    require_service(connect_engine(&me.link), "could not connect again");
    (void)show(&prepare, mine, 1,
               handles); /* either is fine: both would write each other's words */
    os_sleep_until_ns(in_ms(attack_ms));
    os_link_close(first);
}

static void
joining_and_leaving(void)
{
    struct proto_empty dispose = {0};
    _Alignas(8) static unsigned char answer[OS_LINK_MAX_MESSAGE_BYTES];
    os_handle handles[OS_LINK_MAX_HANDLES];
    struct proto_prepare prepare;
    size_t bytes;
    require_joined();
    proto_header_init(&dispose.header, PROTO_DISPOSE, 3);
    fill_prepare(&prepare, BUFFER, 2);
    const os_handle mine[2] = {me.memory.handle, OS_NO_HANDLE};
    for (uint64_t until = in_ms(attack_ms); os_now_ns() < until;) {
        /* while calls are under way and the words run on */
        if (os_link_send(me.link, &dispose, sizeof(dispose), NULL, 0, in_ms(1000)) != TUTTI_OK ||
            os_link_recv(me.link, answer, sizeof(answer), &bytes, handles, in_ms(1000)) !=
                TUTTI_OK ||
            !show(&prepare, mine, 1, handles)) {
            return; /* refused: the words are no segment's any more */
        }
        os_handle_close(handles[0]);
        atomic_store(&me.segment->run, (uint32_t)random_word() | 1);
    }
}

/* As many paths as there can be, other ones each time, to its own output alone. */
static void
monitors_without_end(void)
{
    _Alignas(8) static unsigned char answer[OS_LINK_MAX_MESSAGE_BYTES];
    static struct proto_monitor monitor;
    os_handle handles[OS_LINK_MAX_HANDLES];
    size_t bytes;
    require_joined();
    proto_header_init(&monitor.header, PROTO_MONITOR, 3);
    for (uint64_t until = in_ms(attack_ms); os_now_ns() < until;) {
        atomic_store(&me.segment->meters_until_ns, random_word());
        monitor.count = (uint32_t)(random_word() % (PROTO_MAX_PATHS + 1));
        for (uint32_t p = 0; p < monitor.count; p++) {
            monitor.path[p] =
                (struct proto_path){.input = (uint16_t)(random_word() % PROTO_MAX_CHANNELS),
                                    .output = CHANNEL,
                                    .gain = (float)(random_word() % 17)};
        }
        for (uint32_t c = 0; c < PROTO_MAX_CHANNELS; c++) {
            monitor.input_gain[c] = (float)(random_word() % 17);
            monitor.output_gain[c] = (float)(random_word() % 17);
        }
        if (os_link_send(me.link, &monitor, sizeof(monitor), NULL, 0, in_ms(1000)) != TUTTI_OK ||
            os_link_recv(me.link, answer, sizeof(answer), &bytes, handles, in_ms(1000)) !=
                TUTTI_OK) {
            return; /* it was an event that was read, say, and the answers pile up */
        }
    }
}

static void
messages_that_are_none(void)
{
    _Alignas(8) static unsigned char message[OS_LINK_MAX_MESSAGE_BYTES];
    struct proto_header *header = (struct proto_header *)message;
    for (unsigned i = 0; i < 60; i++) {
        struct os_link *link = NULL;
        bool greeted = random_word() % 2;
        require_service(greeted ? connect_engine(&link)
                                : os_link_connect(&link, in_ms(PATIENCE_MS)) == TUTTI_OK,
                        "could not connect again");
        size_t bytes = random_word() % (random_word() % 4 ? 200 : sizeof(message));
        for (size_t b = 0; b < sizeof(message); b += 8) {
            uint64_t word = random_word();
            memcpy(message + b, &word, 8);
        }
        if (random_word() % 2) {
            proto_header_init(header, (enum proto_type)(1 + random_word() % (PROTO_TYPE_COUNT - 1)),
                              (uint32_t)random_word());
            if (random_word() % 2) {
                bytes = header->size_bytes;
            }
            if (header->type == PROTO_LEAVE && bytes == header->size_bytes) {
                header->size_bytes++; /* a good one would be obeyed */
            }
        }
        unsigned count = (unsigned)(random_word() % (OS_LINK_MAX_HANDLES + 1));
        os_handle mine[OS_LINK_MAX_HANDLES] = {0, 1, 2, 0};
        os_link_send(link, message, bytes ? bytes : 1, mine, count, in_ms(500));
        os_link_close(link);
    }
}

static void
questions_without_listening(void)
{
    struct proto_status status = {0};
    require_service(connect_engine(&me.link), "could not connect again");
    proto_header_init(&status.header, PROTO_STATUS, 7);
    for (unsigned i = 0; i < 3000; i++) {
        if (os_link_send(me.link, &status, sizeof(status), NULL, 0, in_ms(20)) != TUTTI_OK) {
            break; /* full, or thrown out */
        }
    }
    os_sleep_until_ns(in_ms(20));
}

static void
many_connections(void)
{
    enum { MANY = 300 };
    static struct os_link *links[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        if (os_link_connect(&links[i], in_ms(100)) != TUTTI_OK) {
            links[i] = NULL;
        }
    }
    os_sleep_until_ns(in_ms(50));
    for (unsigned i = 0; i < MANY; i++) {
        os_link_close(links[i]);
    }
}

/* As many handles as a message can carry, to fill the engine's table. */
static void
handle_flood(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[80];
    require_service(os_runtime_dir(folder, sizeof(folder)) == TUTTI_OK, "no runtime folder");
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/engine", folder);
    int handles[253];
    for (unsigned i = 0; i < 253; i++) {
        handles[i] = 0;
    }
    for (unsigned turn = 0; turn < 20; turn++) {
        int link = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (connect(link, (struct sockaddr *)&address, sizeof(address)) == 0) {
            char room[CMSG_SPACE(sizeof(handles))] = {0}, byte[16] = "flood";
            struct iovec part = {byte, sizeof(byte)};
            struct msghdr message = {.msg_iov = &part,
                                     .msg_iovlen = 1,
                                     .msg_control = room,
                                     .msg_controllen = sizeof(room)};
            struct cmsghdr *control = CMSG_FIRSTHDR(&message);
            control->cmsg_level = SOL_SOCKET;
            control->cmsg_type = SCM_RIGHTS;
            control->cmsg_len = CMSG_LEN(sizeof(handles));
            memcpy(CMSG_DATA(control), handles, sizeof(handles));
            for (unsigned i = 0; i < 4; i++) {
                sendmsg(link, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
            }
        }
        close(link);
    }
}

static const struct {
    const char *name;
    void (*attack)(void);
    const char *what;
} table[] = {
    {"words-everywhere", words_everywhere, "every word of the segment's header, random and chosen"},
    {"words-of-the-program", words_of_the_program, "run, start_seq, thread and times"},
    {"owner-words", owner_words, "owner and armed"},
    {"nearly-right-owners", owner_words_that_are_nearly_right, "numbers near the call's"},
    {"hint-page", hint_page, "the page that all programs share: pending and wake"},
    {"waking-storm", waking_storm, "the engine is woken without end"},
    {"answers", answers_without_calls, "answers to no call, by pipe"},
    {"held-doorbell", held_doorbell, "a doorbell that keeps who writes it waiting"},
    {"held-answers", held_answers, "a pipe that keeps who reads it waiting"},
    {"many-waiters", many_waiters, "1,000 threads wait on the words that are woken"},
    {"many-routes", many_routes, "hundreds of signals between programs"},
    {"run-words", running_and_stopping, "started and stopped thousands of times, any start_seq"},
    {"samples", samples_that_are_none, "NaN, infinities, denormals, huge numbers"},
    {"others-thread", someone_elses_thread, "late for long with another program's thread id"},
    {"never-answers", never_answers, "keeps every half"},
    {"dies-in-a-call", dies_in_a_call, "exits while it owns a half"},
    {"holes", holes, "holes are punched into the segment while it is used"},
    {"other-sizes", other_sizes, "shrinking, growing, sealing; a hole in the hint page"},
    {"wrong-handles", handles_of_the_wrong_kind, "pipes, sockets, files, memory without seals"},
    {"lying-sizes", sizes_that_are_lies, "PREPARE with sizes that the memory does not have"},
    {"one-segment-twice", one_segment_twice, "the same memory for two connections"},
    {"joining-and-leaving", joining_and_leaving, "PREPARE and DISPOSE with calls under way"},
    {"monitors", monitors_without_end, "hundreds of paths and gains, others in each message"},
    {"messages", messages_that_are_none, "random, truncated, oversized, in the wrong order"},
    {"questions", questions_without_listening, "asks and never reads"},
    {"many-connections", many_connections, "300 at once that say nothing"},
    {"handle-flood", handle_flood, "hundreds of handles in one message"},
};

int
main(int argc, char **argv)
{
    const unsigned count = sizeof(table) / sizeof(*table);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (unsigned i = 0; i < count; i++) {
            printf("%s\t%s\n", table[i].name, table[i].what);
        }
        return 0;
    }
    if (argc < 3) {
        fprintf(stderr, "usage: %s ATTACK SEED [THREAD...] | --list\n", argv[0]);
        return 2;
    }
    state = strtoull(argv[2], NULL, 10) * UINT64_C(2862933555777941757) + 3037000493;
    const char *longer = getenv("TUTTI_ATTACK_MS");
    attack_ms = longer ? strtoull(longer, NULL, 10) : attack_ms;
    uint32_t threads[64];
    for (int i = 3; i < argc && me.others_count < 64; i++) {
        threads[me.others_count++] = (uint32_t)strtoul(argv[i], NULL, 10);
    }
    me.others = threads;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(argv[1], table[i].name) == 0) {
            require_service(connect_engine(&me.link), "could not connect");
            table[i].attack();
            fflush(NULL);
            _exit(0);
        }
    }
    fprintf(stderr, "there is no attack '%s'\n", argv[1]);
    return 2;
}
