/* SPDX-License-Identifier: MIT */
/*
 * A program that os_process_spawn() starts has nothing of the starter's state, and the starter
 * does not notice that it had a child; descriptors of ours stay clear of the standard streams.
 */
#include "os_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the started program finds out about itself. */
struct state {
    int processors, nice, umask, timer_slack_ns, oom_score;
    unsigned long long files, file_bytes;
    bool preloaded, kept_variable, alarm_ignored, alarm_blocked;
};

static int
read_oom_score(void)
{
    int score = -9999;
    FILE *file = fopen("/proc/self/oom_score_adj", "re");
    if (file != NULL && fscanf(file, "%d", &score) != 1) {
        score = -9999;
    }
    if (file != NULL) {
        fclose(file);
    }
    return score;
}

static struct state
look_at_myself(void)
{
    cpu_set_t processors;
    struct rlimit files, bytes;
    struct sigaction action;
    sigset_t mask;
    sched_getaffinity(0, sizeof(processors), &processors);
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_FSIZE, &bytes);
    sigaction(SIGALRM, NULL, &action);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    return (struct state){
        .processors = CPU_COUNT(&processors),
        .nice = getpriority(PRIO_PROCESS, 0),
        .umask = (int)umask(0),
        .timer_slack_ns = prctl(PR_GET_TIMERSLACK),
        .oom_score = read_oom_score(),
        .files = files.rlim_cur,
        .file_bytes = bytes.rlim_cur,
        .preloaded = getenv("LD_PRELOAD") != NULL,
        .kept_variable = getenv("TUTTI_TEST_KEPT") != NULL,
        .alarm_ignored = action.sa_handler == SIG_IGN,
        .alarm_blocked = sigismember(&mask, SIGALRM) != 0,
    };
}

/* By fields: what lies between them may differ. */
static bool
same_state(const struct state *a, const struct state *b)
{
    return a->processors == b->processors && a->nice == b->nice && a->umask == b->umask &&
           a->timer_slack_ns == b->timer_slack_ns && a->oom_score == b->oom_score &&
           a->files == b->files && a->file_bytes == b->file_bytes && a->preloaded == b->preloaded &&
           a->kept_variable == b->kept_variable && a->alarm_ignored == b->alarm_ignored &&
           a->alarm_blocked == b->alarm_blocked;
}

static int
report_on_myself(const char *path)
{
    const struct state state = look_at_myself();
    char draft[512];
    snprintf(draft, sizeof(draft), "%s.new", path);
    const int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const bool written = write(fd, &state, sizeof(state)) == sizeof(state);
    close(fd);
    return written && rename(draft, path) == 0 ? 0 : 1;
}

static struct state
await_report(const char *path)
{
    struct state state;
    int fd;
    while ((fd = open(path, O_RDONLY)) < 0 && os_now_ns() < fixture_patience()) {
        os_sleep_until_ns(os_now_ns() + OS_NS_PER_MS);
    }
    assert_true(fd >= 0);
    assert_int_equal(read(fd, &state, sizeof(state)), sizeof(state));
    close(fd);
    unlink(path);
    return state;
}

static volatile sig_atomic_t children_seen;

static void
on_child(int number)
{
    (void)number;
    children_seen++;
}

/* The host: one processor, niced, hemmed in. */
static void
spoil_everything(void)
{
    const struct rlimit few = {48, 4096}, small = {65536, RLIM_INFINITY};
    struct rlimit files = few, limit;
    cpu_set_t one;
    sigset_t alarm;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
    setpriority(PRIO_PROCESS, 0, 15);
    umask(0777);
    getrlimit(RLIMIT_NOFILE, &limit);
    files.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_FSIZE, &small);
    prctl(PR_SET_TIMERSLACK, 40000000);
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY);
    (void)!write(fd, "500", 3);
    close(fd);
    setenv("LD_PRELOAD", "", 1);
    setenv("TUTTI_TEST_KEPT", "1", 1);
    signal(SIGALRM, SIG_IGN);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm, NULL);
}

static int
be_the_host(const char *path)
{
    const char *const argv[] = {"test", "report", path, NULL};
    const struct sigaction action = {.sa_handler = on_child};
    char module[4096];
    uint32_t pid = 0;
    spoil_everything();
    sigaction(SIGCHLD, &action, NULL);
    const struct state before = look_at_myself();
    if (os_module_path(module, sizeof(module)) != TUTTI_OK ||
        os_process_spawn(module, argv, &pid) != TUTTI_OK) {
        return 10;
    }
    umask((mode_t)before.umask);
    const struct state after = look_at_myself();
    if (!same_state(&before, &after)) {
        return 11; /* the host's own state */
    }
    return children_seen != 0 ? 12 : 0;
}

static void
a_started_program_has_nothing_of_its_starters_state(void **state)
{
    char path[512];
    int status = -1;
    const struct state mine = look_at_myself();
    umask((mode_t)mine.umask);
    assert_int_equal(os_runtime_dir(path, sizeof(path)), TUTTI_OK);
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "/state");
    const pid_t host = fork();
    if (host == 0) {
        _exit(be_the_host(path));
    }
    assert_int_equal(waitpid(host, &status, 0), host);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    const struct state found = await_report(path);
    assert_int_equal(found.processors, mine.processors);
    if (geteuid() == 0) { /* others may not, and then it stays */
        assert_int_equal(found.nice, 0);
    }
    assert_int_equal(found.umask, 077);
    assert_true(found.files > 48);
    assert_true(found.file_bytes == RLIM_INFINITY);
    assert_int_equal(found.timer_slack_ns, 50000);
    assert_true(found.oom_score < 500);
    assert_false(found.preloaded);
    assert_true(found.kept_variable);
    assert_false(found.alarm_ignored || found.alarm_blocked);
}

/* A program without standard streams: whatever it prints would go into what has their numbers. */
static int
be_without_streams(void)
{
    static const char *const argv[] = {"x", NULL};
    struct os_shm shm = {0};
    struct os_lock *lock = NULL;
    struct os_link *link = NULL;
    uint32_t pid;
    for (int fd = 0; fd < 3; fd++) {
        close(fd);
    }
    if (os_shm_create(&shm, 65536) != TUTTI_OK || os_lock_take(&lock, "test", 0) != TUTTI_OK) {
        return 20;
    }
    const os_handle other = os_handle_duplicate(shm.handle);
    os_link_connect(&link, os_now_ns());
    os_process_spawn("/dev/null", argv, &pid);
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            return 21 + fd;
        }
    }
    os_handle_close(other);
    os_lock_release(lock);
    os_shm_close(&shm);
    os_process_begin();
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            return 31 + fd;
        }
    }
    return 0;
}

static void
descriptors_stay_clear_of_the_standard_streams(void **state)
{
    int status = -1;
    const pid_t host = fork();
    if (host == 0) {
        _exit(be_without_streams());
    }
    assert_int_equal(waitpid(host, &status, 0), host);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* The next program takes the lock all the same. */
static void
a_lock_is_for_all_whatever_the_umask_is(void **state)
{
    struct os_lock *lock = NULL;
    const mode_t before = umask(0777);
    const enum tutti_status first = os_lock_take(&lock, "umask", 0);
    umask(before);
    assert_int_equal(first, TUTTI_OK);
    os_lock_release(lock);
    char path[512];
    struct stat file;
    assert_int_equal(os_runtime_dir(path, sizeof(path)), TUTTI_OK);
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "/umask.lock");
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_started_program_has_nothing_of_its_starters_state),
        cmocka_unit_test(descriptors_stay_clear_of_the_standard_streams),
        cmocka_unit_test(a_lock_is_for_all_whatever_the_umask_is),
    };
    fixture_use_own_runtime_dir("clean.run");
    if (argc == 3 && strcmp(argv[1], "report") == 0) {
        return report_on_myself(argv[2]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
