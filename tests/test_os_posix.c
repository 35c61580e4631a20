/* SPDX-License-Identifier: MIT */
/*
 * What only POSIX has to get right: memory without seals, packets of a hostile peer, folders of
 * other people, sudden death, and a started program that takes nothing of ours with it.
 */
#include "os_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE_BYTES = 65536 };

static unsigned
count_open_fds(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

/* ---- wake-ups ---- */

struct crowd {
    _Atomic uint32_t word, elsewhere;
    _Atomic unsigned awake;
};

static void *
wait_on_the_word(void *arg)
{
    struct crowd *crowd = arg;
    syscall(SYS_futex, &crowd->word, FUTEX_WAIT, 0, NULL, NULL, 0);
    atomic_fetch_add(&crowd->awake, 1);
    return NULL;
}

/* Thousands would take milliseconds, which the poster has not. */
static void
a_post_wakes_one_however_many_wait(void **state)
{
    enum { WAITERS = 20 };
    static struct crowd crowd;
    pthread_t thread[WAITERS];
    struct os_wake wake;
    for (unsigned i = 0; i < WAITERS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, wait_on_the_word, &crowd), 0);
    }
    /* who can be moved to another word does wait */
    for (long moved = 0; moved < WAITERS; sched_yield()) {
        moved += syscall(SYS_futex, &crowd.word, FUTEX_REQUEUE, 0, WAITERS, &crowd.elsewhere, 0);
    }
    assert_int_equal(os_wake_init(&wake, &crowd.elsewhere), TUTTI_OK);
    for (unsigned i = 0; i < WAITERS; i++) {
        assert_int_equal(crowd.awake, i);
        os_wake_post(&wake);
        while (crowd.awake < i + 1) {
            sched_yield();
        }
    }
    os_wake_fini(&wake);
    for (unsigned i = 0; i < WAITERS; i++) {
        pthread_join(thread[i], NULL);
    }
}

/* ---- threads ---- */

static _Atomic bool thread_began, thread_may_end, alarm_came;

static void
await_end(void *arg)
{
    (void)arg;
    thread_began = true;
    while (!thread_may_end) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
}

static void
on_alarm(int number)
{
    (void)number;
    alarm_came = true;
}

static uint64_t
blocked_signals(uint32_t tid)
{
    char path[64], line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%u/status", tid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        sscanf(line, "SigBlk: %llx", &mask);
    }
    fclose(file);
    return mask;
}

/* A program that blocks a signal in all its threads to read it from a descriptor, or that handles
 * one on a thread of its choice, has threads of ours in it. */
/* Ours: a sanitizer has threads, too. */
static bool
is_named(uint32_t tid, const char *name)
{
    char path[64], comm[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%u/comm", tid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    const bool got = fgets(comm, sizeof(comm), file) != NULL;
    fclose(file);
    comm[strcspn(comm, "\n")] = '\0';
    return got && strcmp(comm, name) == 0;
}

static void
a_thread_takes_no_signal_of_the_programs(void **state)
{
    unsigned looked_at = 0;
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    const struct timespec patience = {.tv_sec = 10};
    const struct sigaction action = {.sa_handler = on_alarm};
    struct sigaction before_action;
    struct os_thread *thread;
    sigset_t wanted, before, after;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGALRM);
    sigaddset(&wanted, SIGTERM);
    sigaction(SIGALRM, &action, &before_action);
    memset(&before, 0, sizeof(before));
    memset(&after, 0, sizeof(after));
    sigprocmask(SIG_SETMASK, NULL, &before);
    assert_int_equal(os_thread_start(&thread, "test", OS_PRIORITY_NORMAL, await_end, NULL),
                     TUTTI_OK);
    while (!thread_began) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
    sigprocmask(SIG_SETMASK, NULL, &after);
    assert_memory_equal(&before, &after, sizeof(before));
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    kill(getpid(), SIGALRM); /* to the process: whoever may take it */
    kill(getpid(), SIGTERM);
    assert_true(sigtimedwait(&wanted, NULL, &patience) > 0);
    assert_true(sigtimedwait(&wanted, NULL, &patience) > 0);
    assert_false(alarm_came);
    DIR *tasks = opendir("/proc/self/task");
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        const uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (tid == 0 || tid == (uint32_t)getpid() || !is_named(tid, "test")) {
            continue;
        }
        looked_at++;
        for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
            assert_int_equal(blocked_signals(tid) >> (faults[i] - 1) & 1, 0);
        }
    }
    closedir(tasks);
    assert_int_equal(looked_at, 1);
    thread_may_end = true;
    os_thread_join(thread);
    sigprocmask(SIG_SETMASK, &before, NULL);
    sigaction(SIGALRM, &before_action, NULL);
}

/* ---- memory ---- */

static void
a_process_maps_what_it_has_mapped_and_nobody_is_believed_to_be_us(void **state)
{
    struct os_shm shm, other;
    int ends[2];
    char byte;
    assert_int_equal(os_shm_create(&shm, SIZE_BYTES), TUTTI_OK);
    assert_int_equal(os_shm_create(&other, SIZE_BYTES), TUTTI_OK);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        munmap(other.base, SIZE_BYTES);
        (void)!write(ends[1], "x", 1);
        for (;;) {
            pause();
        }
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_true(os_process_maps((uint32_t)child, &shm));
    assert_false(os_process_maps((uint32_t)child, &other));
    assert_false(os_process_maps(os_process_id(), &shm));
    assert_false(os_process_maps(0, &shm));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    os_shm_close(&other);
    os_shm_close(&shm);
}

static void
expect_refused(int fd)
{
    struct os_shm shm = {0};
    assert_true(fd >= 0);
    assert_int_equal(os_shm_adopt(&shm, fd, SIZE_BYTES), TUTTI_PROTOCOL);
    assert_null(shm.base);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed */
}

static int
memfd(off_t size, int seals)
{
    const int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void
memory_is_adopted_only_with_all_three_seals_and_the_right_size(void **state)
{
    const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    expect_refused(memfd(SIZE_BYTES, 0));
    expect_refused(memfd(SIZE_BYTES, F_SEAL_GROW | F_SEAL_SEAL));
    expect_refused(memfd(SIZE_BYTES, F_SEAL_SHRINK | F_SEAL_SEAL));
    expect_refused(memfd(SIZE_BYTES, F_SEAL_SHRINK | F_SEAL_GROW));
    expect_refused(memfd(SIZE_BYTES / 2, all));
    expect_refused(memfd(SIZE_BYTES * 2, all));
    expect_refused(open("/dev/null", O_RDWR | O_CLOEXEC));
    expect_refused(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));

    struct os_shm shm = {0};
    assert_int_equal(os_shm_adopt(&shm, memfd(SIZE_BYTES, all), SIZE_BYTES), TUTTI_OK);
    os_shm_close(&shm);
}

static void
memory_that_cannot_be_mapped_is_closed(void **state)
{
    const int fd = memfd(SIZE_BYTES, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | F_SEAL_WRITE);
    struct os_shm shm = {0};
    assert_int_equal(os_shm_adopt(&shm, fd, SIZE_BYTES), TUTTI_NO_MEMORY);
    assert_null(shm.base);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
our_own_memory_cannot_be_resized(void **state)
{
    struct os_shm shm = {0};
    assert_int_equal(os_shm_create(&shm, SIZE_BYTES), TUTTI_OK);
    assert_int_equal(ftruncate((int)shm.handle, 0), -1);
    assert_int_equal(ftruncate((int)shm.handle, (off_t)SIZE_BYTES * 2), -1);
    assert_int_equal(fcntl((int)shm.handle, F_ADD_SEALS, F_SEAL_WRITE), -1);
    os_shm_close(&shm);
}

/* ---- a hostile peer ---- */

static void
socket_path(char *path, size_t room)
{
    char dir[4096];
    assert_int_equal(os_runtime_dir(dir, sizeof(dir)), TUTTI_OK);
    assert_true((size_t)snprintf(path, room, "%s/engine", dir) < room);
}

static int
connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socket_path(address.sun_path, sizeof(address.sun_path));
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Sends a packet with fd_count descriptors, as the system allows it to anybody. */
static void
send_raw(int socket_fd, const void *data, size_t bytes, unsigned fd_count)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * 16)];
    } control;
    struct iovec part = {.iov_base = (void *)data, .iov_len = bytes};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    int fds[16];
    assert_true(fd_count <= 16);
    for (unsigned i = 0; i < fd_count; i++) {
        fds[i] = socket_fd;
    }
    if (fd_count > 0) {
        memset(&control, 0, sizeof(control));
        packet.msg_control = &control;
        packet.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
    }
    assert_int_equal(sendmsg(socket_fd, &packet, MSG_NOSIGNAL), (ssize_t)bytes);
}

static void
malformed_packets_end_the_link_and_leave_no_descriptor_open(void **state)
{
    /* length said, handles said, bytes of the packet, descriptors sent, what comes of it */
    static const struct {
        uint32_t message_bytes, handle_mask;
        size_t bytes;
        unsigned fds;
        enum tutti_status status;
    } packets[] = {
        {4, 0, 12, 0, TUTTI_OK},         {4, 0xa, 12, 2, TUTTI_OK},
        {4, 0, 3, 0, TUTTI_PROTOCOL},    {4, 0, 3, 4, TUTTI_PROTOCOL},
        {0, 0, 8, 0, TUTTI_PROTOCOL},    {4, 0, 8, 0, TUTTI_PROTOCOL},
        {5, 0, 12, 0, TUTTI_PROTOCOL},   {UINT32_MAX, 0, 12, 0, TUTTI_PROTOCOL},
        {4, 1, 12, 0, TUTTI_PROTOCOL},   {4, 0, 12, 1, TUTTI_PROTOCOL},
        {4, 1, 12, 2, TUTTI_PROTOCOL},   {4, 0x10, 12, 1, TUTTI_PROTOCOL},
        {4, 0xf, 12, 5, TUTTI_PROTOCOL}, {4, 0x1f, 12, 16, TUTTI_PROTOCOL},
        {4, 0, 0, 0, TUTTI_CLOSED},      {4, 0, 0, 3, TUTTI_CLOSED},
    };
    struct os_listener *listener = NULL;
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    const unsigned before = count_open_fds();
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        const uint32_t data[3] = {packets[i].message_bytes, packets[i].handle_mask, 0};
        struct os_link *link = NULL;
        os_handle handles[OS_LINK_MAX_HANDLES];
        char message[64];
        size_t bytes;
        const int fd = connect_raw();
        assert_int_equal(os_listener_accept(listener, &link, fixture_patience()), TUTTI_OK);
        send_raw(fd, data, packets[i].bytes, packets[i].fds);
        assert_int_equal(
            os_link_recv(link, message, sizeof(message), &bytes, handles, fixture_patience()),
            packets[i].status);
        if (packets[i].status == TUTTI_OK) {
            for (int h = 0; h < OS_LINK_MAX_HANDLES; h++) {
                assert_int_equal(handles[h] != OS_NO_HANDLE, packets[i].handle_mask >> h & 1u);
                os_handle_close(handles[h]);
            }
        } else if (packets[i].status == TUTTI_PROTOCOL) {
            assert_int_equal(
                os_link_recv(link, message, sizeof(message), &bytes, handles, fixture_patience()),
                TUTTI_CLOSED);
        }
        os_link_close(link);
        close(fd);
        assert_int_equal(count_open_fds(), before);
    }
    os_listener_close(listener);
}

static void
descriptors_that_are_none_are_not_sent(void **state)
{
    struct os_listener *listener = NULL;
    struct os_link *program = NULL;
    const os_handle none = 9999;
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    assert_int_equal(os_link_connect(&program, fixture_patience()), TUTTI_OK);
    assert_int_equal(os_link_send(program, "x", 1, &none, 1, fixture_patience()), TUTTI_REFUSED);
    os_link_close(program);
    os_listener_close(listener);
}

static void
a_dead_engines_socket_is_replaced_and_a_living_ones_left_alone(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct os_listener *first = NULL, *second = NULL;
    struct os_link *link = NULL;
    socket_path(address.sun_path, sizeof(address.sun_path));
    const int stale = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(os_link_connect(&link, fixture_patience()), TUTTI_NO_ENGINE);
    close(stale);
    assert_int_equal(os_link_connect(&link, fixture_patience()), TUTTI_NO_ENGINE);

    assert_int_equal(os_listener_open(&first), TUTTI_OK);
    assert_int_equal(os_listener_open(&second), TUTTI_OK); /* took over */
    os_listener_close(first);
    assert_int_equal(os_link_connect(&link, fixture_patience()), TUTTI_OK);
    os_link_close(link);
    os_listener_close(second);
    assert_int_equal(access(address.sun_path, F_OK), -1);
}

static struct os_listener *woken_by_signal;

static void
wake_it(int number)
{
    os_listener_wake(woken_by_signal);
}

static void
a_signal_handler_may_wake_the_listener(void **state)
{
    struct os_link *link = NULL;
    const struct sigaction action = {.sa_handler = wake_it};
    struct sigaction before;
    assert_int_equal(os_listener_open(&woken_by_signal), TUTTI_OK);
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    raise(SIGUSR1);
    assert_int_equal(os_listener_accept(woken_by_signal, &link, UINT64_MAX), TUTTI_CLOSED);
    sigaction(SIGUSR1, &before, NULL);
    os_listener_close(woken_by_signal);
}

/* ---- the runtime folder ---- */

static char variable[4400];

static void
set_runtime_dir(const char *path)
{
    snprintf(variable, sizeof(variable), "TUTTI_RUNTIME_DIR=%s", path);
    putenv(variable);
}

static void
a_folder_that_others_can_enter_or_own_or_redirect_is_refused(void **state)
{
    char base[4000], dir[4096], link[4096], got[4200];
    assert_int_equal(os_runtime_dir(base, sizeof(base)), TUTTI_OK);
    snprintf(dir, sizeof(dir), "%s/inner", base);
    snprintf(link, sizeof(link), "%s/inner-link", base);
    (void)unlink(link);
    (void)rmdir(dir);

    set_runtime_dir(dir);
    assert_int_equal(os_runtime_dir(got, sizeof(got)), TUTTI_OK);
    struct stat status;
    assert_int_equal(stat(dir, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    static const mode_t open_to_others[] = {0710, 0750, 0701, 0704, 0777};
    for (size_t i = 0; i < sizeof(open_to_others) / sizeof(open_to_others[0]); i++) {
        assert_int_equal(chmod(dir, open_to_others[i]), 0);
        assert_int_equal(os_runtime_dir(got, sizeof(got)), TUTTI_REFUSED);
    }
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(os_runtime_dir(got, sizeof(got)), TUTTI_OK);

    assert_int_equal(symlink(dir, link), 0);
    set_runtime_dir(link);
    assert_int_equal(os_runtime_dir(got, sizeof(got)), TUTTI_REFUSED);
    strcat(link, "///");
    set_runtime_dir(link);
    assert_int_equal(os_runtime_dir(got, sizeof(got)), TUTTI_REFUSED);

    struct os_lock *lock = NULL;
    struct os_listener *listener = NULL;
    struct os_link *client = NULL;
    assert_int_equal(os_lock_take(&lock, "test", 0), TUTTI_REFUSED);
    assert_int_equal(os_listener_open(&listener), TUTTI_REFUSED);
    assert_int_equal(os_link_connect(&client, fixture_patience()), TUTTI_REFUSED);

    if (geteuid() == 0) { /* nobody else can give a folder away */
        set_runtime_dir(dir);
        assert_int_equal(chown(dir, 12345, 12345), 0);
        assert_int_equal(os_runtime_dir(got, sizeof(got)), TUTTI_REFUSED);
    }
    fixture_use_own_runtime_dir("run");
}

static void
the_folder_follows_the_session_when_nothing_else_is_said(void **state)
{
    static char session[4200], unset[] = "TUTTI_RUNTIME_DIR=";
    char base[4000], wanted[4200], got[4200];
    assert_int_equal(os_runtime_dir(base, sizeof(base)), TUTTI_OK);
    snprintf(session, sizeof(session), "XDG_RUNTIME_DIR=%s", base);
    snprintf(wanted, sizeof(wanted), "%s/tutti", base);
    putenv(session);
    putenv(unset);
    assert_int_equal(os_runtime_dir(got, sizeof(got)), TUTTI_OK);
    assert_string_equal(got, wanted);
    fixture_use_own_runtime_dir("run");
}

static void
a_folder_longer_than_a_sockets_name_serves_all_the_same(void **state)
{
    char base[4000], dir[4200], got[4200];
    struct os_listener *listener = NULL;
    struct os_link *program = NULL, *engine = NULL;
    assert_int_equal(os_runtime_dir(base, sizeof(base)), TUTTI_OK);
    snprintf(dir, sizeof(dir), "%s/%0120d", base, 0);
    set_runtime_dir(dir);
    assert_int_equal(os_runtime_dir(got, sizeof(got)), TUTTI_OK);
    const unsigned before = count_open_fds();
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    assert_int_equal(os_link_connect(&program, fixture_patience()), TUTTI_OK);
    assert_int_equal(os_listener_accept(listener, &engine, fixture_patience()), TUTTI_OK);
    os_link_close(engine);
    os_link_close(program);
    os_listener_close(listener);
    assert_int_equal(count_open_fds(), before);
    assert_int_equal(os_link_connect(&program, fixture_patience()), TUTTI_NO_ENGINE);
    fixture_use_own_runtime_dir("run");
}

/* ---- processes ---- */

static void
a_killed_child_lets_go_of_its_lock_and_its_link(void **state)
{
    struct os_listener *listener = NULL;
    struct os_link *link = NULL;
    struct os_lock *lock = NULL;
    os_handle handles[OS_LINK_MAX_HANDLES];
    char text[16] = "";
    size_t bytes;
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (os_lock_take(&lock, "test-fork", 0) != TUTTI_OK ||
            os_link_connect(&link, fixture_patience()) != TUTTI_OK ||
            os_link_send(link, "held", 5, NULL, 0, fixture_patience()) != TUTTI_OK) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    assert_int_equal(os_listener_accept(listener, &link, fixture_patience()), TUTTI_OK);
    assert_int_equal(os_link_peer_pid(link), (uint32_t)child);
    assert_int_equal(os_link_recv(link, text, sizeof(text), &bytes, handles, fixture_patience()),
                     TUTTI_OK);
    assert_string_equal(text, "held");
    assert_int_equal(os_lock_take(&lock, "test-fork", 0), TUTTI_TIMEOUT);

    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(os_link_recv(link, text, sizeof(text), &bytes, handles, fixture_patience()),
                     TUTTI_CLOSED);
    assert_int_equal(os_lock_take(&lock, "test-fork", fixture_patience()), TUTTI_OK);
    os_lock_release(lock);
    while (
        os_process_alive((uint32_t)child)) { /* until it is a zombie, for nobody has waited yet */
        os_sleep_until_ns(fixture_in_ms(1));
    }
    assert_int_equal(kill(child, 0), 0);
    assert_true(os_process_kill((uint32_t)child, "whatever"));
    assert_int_equal(waitpid(child, NULL, 0), child);
    os_link_close(link);
    os_listener_close(listener);
}

static void
a_stopped_process_is_killed_too(void **state)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
    assert_true(os_process_alive((uint32_t)child));
    assert_false(os_process_kill((uint32_t)child, "test_os"));
    assert_true(os_process_alive((uint32_t)child));
    assert_true(os_process_kill((uint32_t)child, "test_os_posix"));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* What a started program finds out about itself. */
struct report {
    pid_t pid, session, parent;
    unsigned fds;
    bool blocked, ignored, null_streams;
    int policy;
};

static int
report_on_myself(void)
{
    struct report report = {.pid = getpid(),
                            .session = getsid(0),
                            .parent = getppid(),
                            .policy = sched_getscheduler(0)};
    struct stat null_device, stream;
    sigset_t mask;
    struct sigaction action;
    struct os_link *link = NULL;
    /* "." and "..", the three streams and the folder's own */
    report.fds = count_open_fds() - 6;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    report.blocked = sigismember(&mask, SIGUSR1) != 0;
    sigaction(SIGUSR2, NULL, &action);
    report.ignored = action.sa_handler == SIG_IGN;
    report.null_streams = stat("/dev/null", &null_device) == 0;
    for (int fd = 0; fd < 3; fd++) {
        report.null_streams =
            report.null_streams && fstat(fd, &stream) == 0 && stream.st_rdev == null_device.st_rdev;
    }
    if (os_link_connect(&link, fixture_patience()) != TUTTI_OK ||
        os_link_send(link, &report, sizeof(report), NULL, 0, fixture_patience()) != TUTTI_OK) {
        return 1;
    }
    os_link_close(link);
    return 0;
}

static void
a_started_program_takes_nothing_of_ours_with_it(void **state)
{
    static const char *const argv[] = {"test", "report", NULL};
    struct os_listener *listener = NULL;
    struct os_link *link = NULL;
    struct report report = {0};
    os_handle handles[OS_LINK_MAX_HANDLES];
    char module[4096];
    size_t bytes;
    uint32_t pid = 0;
    sigset_t usr1, mask;
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    assert_int_equal(os_module_path(module, sizeof(module)), TUTTI_OK);
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    const int inherited = open("/dev/zero", O_RDONLY); /* without O_CLOEXEC, as careless hosts do */
    assert_true(inherited >= 0);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, &mask);
    sigaction(SIGUSR2, &ignore, &before);
    const bool fifo = os_thread_set_priority(OS_PRIORITY_PROGRAM);

    const enum tutti_status status = os_process_spawn(module, argv, &pid);

    if (fifo) {
        assert_true(os_thread_set_priority(OS_PRIORITY_NORMAL));
    }
    sigaction(SIGUSR2, &before, NULL);
    sigset_t after;
    sigprocmask(SIG_SETMASK, &mask, &after);
    assert_true(sigismember(&after, SIGUSR1)); /* our own mask came back */
    close(inherited);
    assert_int_equal(status, TUTTI_OK);
    assert_int_equal(os_listener_accept(listener, &link, fixture_patience()), TUTTI_OK);
    assert_int_equal(
        os_link_recv(link, &report, sizeof(report), &bytes, handles, fixture_patience()), TUTTI_OK);
    assert_int_equal(bytes, sizeof(report));
    assert_int_not_equal(report.session, getsid(0));
    assert_int_not_equal(report.parent, getpid());
    assert_int_equal(report.fds, 0);
    assert_false(report.blocked);
    assert_false(report.ignored);
    assert_true(report.null_streams);
    assert_int_equal(report.policy, SCHED_OTHER);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie of ours is left */
    os_link_close(link);
    os_listener_close(listener);
}

static void
what_cannot_be_executed_is_told(void **state)
{
    static const char *const argv[] = {"x", NULL};
    const unsigned before = count_open_fds();
    uint32_t pid;
    assert_int_equal(os_process_spawn("/dev/null", argv, &pid), TUTTI_NO_ENGINE);
    assert_int_equal(os_process_spawn("/", argv, &pid), TUTTI_NO_ENGINE);
    assert_int_equal(count_open_fds(), before);
}

static void
a_lock_whose_file_was_removed_is_taken_anew(void **state)
{
    struct os_lock *first = NULL, *second = NULL, *third = NULL;
    char dir[4096], path[4200];
    assert_int_equal(os_runtime_dir(dir, sizeof(dir)), TUTTI_OK);
    snprintf(path, sizeof(path), "%s/test-gone.lock", dir);
    assert_int_equal(os_lock_take(&first, "test-gone", 0), TUTTI_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(os_lock_take(&second, "test-gone", 0), TUTTI_OK);
    assert_int_equal(os_lock_take(&third, "test-gone", 0), TUTTI_TIMEOUT);
    os_lock_release(second);
    os_lock_release(first);
}

/* ---- libraries ---- */

static void
a_library_is_loaded_when_it_is_there(void **state)
{
    struct os_library *library = NULL;
    char reason[256] = "";
    size_t (*function)(const char *text) = NULL;
    assert_int_equal(os_library_open(&library, "no-such-library", reason), TUTTI_UNSUPPORTED);
    assert_null(library);
    assert_true(reason[0] != '\0');
    assert_int_equal(os_library_open(&library, "libc.so.6", reason), TUTTI_OK);
    assert_false(os_library_symbol(library, "no_such_function", &function));
    assert_null(function);
    assert_true(os_library_symbol(library, "strlen", &function));
    assert_int_equal(function("four"), 4);
    os_library_close(library);
    os_library_close(NULL);
}

static void
a_table_is_filled_with_a_librarys_functions_or_the_missing_one_is_named(void **state)
{
    static const struct {
        const char *name;
        enum tutti_status status;
        const char *function, *reason;
    } cases[] = {
        {"no-such-library", TUTTI_UNSUPPORTED, "strlen", "no-such-library"},
        {"libc.so.6", TUTTI_VERSION_MISMATCH, "no_such_function", "no_such_function"},
        {"libc.so.6", TUTTI_OK, "strlen", ""},
    };
    struct {
        int (*compare)(const char *a, const char *b);
        size_t (*length)(const char *text);
    } table = {NULL, NULL};
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct os_library_function functions[] = {
            {"strcmp", (size_t)((char *)&table.compare - (char *)&table)},
            {cases[i].function, (size_t)((char *)&table.length - (char *)&table)},
        };
        char reason[256] = "";
        assert_int_equal(os_library_load(cases[i].name, functions, 2, &table, reason),
                         cases[i].status);
        assert_non_null(strstr(reason, cases[i].reason));
    }
    assert_int_equal(table.length("four"), 4);
    assert_int_equal(table.compare("a", "a"), 0);
}

int
main(int argc, char **argv)
{
    if (argc > 1) {
        return report_on_myself();
    }
    fixture_use_own_runtime_dir("run");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_is_loaded_when_it_is_there),
        cmocka_unit_test(a_table_is_filled_with_a_librarys_functions_or_the_missing_one_is_named),
        cmocka_unit_test(a_post_wakes_one_however_many_wait),
        cmocka_unit_test(a_process_maps_what_it_has_mapped_and_nobody_is_believed_to_be_us),
        cmocka_unit_test(a_thread_takes_no_signal_of_the_programs),
        cmocka_unit_test(memory_is_adopted_only_with_all_three_seals_and_the_right_size),
        cmocka_unit_test(memory_that_cannot_be_mapped_is_closed),
        cmocka_unit_test(our_own_memory_cannot_be_resized),
        cmocka_unit_test(malformed_packets_end_the_link_and_leave_no_descriptor_open),
        cmocka_unit_test(descriptors_that_are_none_are_not_sent),
        cmocka_unit_test(a_dead_engines_socket_is_replaced_and_a_living_ones_left_alone),
        cmocka_unit_test(a_signal_handler_may_wake_the_listener),
        cmocka_unit_test(a_folder_that_others_can_enter_or_own_or_redirect_is_refused),
        cmocka_unit_test(the_folder_follows_the_session_when_nothing_else_is_said),
        cmocka_unit_test(a_folder_longer_than_a_sockets_name_serves_all_the_same),
        cmocka_unit_test(a_killed_child_lets_go_of_its_lock_and_its_link),
        cmocka_unit_test(a_stopped_process_is_killed_too),
        cmocka_unit_test(a_started_program_takes_nothing_of_ours_with_it),
        cmocka_unit_test(what_cannot_be_executed_is_told),
        cmocka_unit_test(a_lock_whose_file_was_removed_is_taken_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
