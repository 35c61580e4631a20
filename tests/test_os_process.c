/* SPDX-License-Identifier: MIT */
/*
 * The operating system's services between processes: this program starts itself once more in a
 * role, and the two meet through the control link as engine and program do.
 */
#include "os_fixture.h"

#include <unistd.h>

enum { SEGMENT_BYTES = 65536, IMAGE_BYTES = 64 };

static const char *const odd_arguments[] = {
    "plain", "two words",         "",     "say \"hi\"", "back\\slash",
    "end\\", "two words end\\\\", "\\\"", "a\tb"};
enum { ODD_ARGUMENTS = sizeof(odd_arguments) / sizeof(odd_arguments[0]) };

/* What the two processes share. */
struct segment {
    _Atomic uint32_t doorbell;
    _Atomic uint32_t answer;
    char text[32];
};

/* ---- the other process ---- */

static bool
say(struct os_link *link, const char *text)
{
    return os_link_send(link, text, strlen(text) + 1, NULL, 0, fixture_patience()) == TUTTI_OK;
}

/* Until the test closes the link, kills us or loses patience. */
static int
wait_for_the_end(struct os_link *link)
{
    char text[64];
    os_handle handles[OS_LINK_MAX_HANDLES];
    size_t bytes;
    while (os_link_recv(link, text, sizeof(text), &bytes, handles, fixture_patience()) ==
           TUTTI_OK) {
        continue;
    }
    os_link_close(link);
    return 0;
}

static int
play_holder(struct os_link *link)
{
    struct os_lock *lock = NULL;
    if (os_lock_take(&lock, "test-process", fixture_patience()) != TUTTI_OK) {
        return 1;
    }
    say(link, "held");
    const int result = wait_for_the_end(link);
    os_lock_release(lock);
    return result;
}

/* Owns a segment and a doorbell, as programs do, and answers the first ring. */
static int
play_program(struct os_link *link)
{
    struct os_shm shm = {0};
    struct os_wake wake;
    if (os_shm_create(&shm, SEGMENT_BYTES) != TUTTI_OK) {
        return 1;
    }
    struct segment *segment = shm.base;
    snprintf(segment->text, sizeof(segment->text), "from the program");
    if (os_wake_init(&wake, &segment->doorbell) != TUTTI_OK) {
        return 1;
    }
    const os_handle handles[] = {shm.handle, wake.event};
    if (os_link_send(link, "segment", 8, handles, 2, fixture_patience()) != TUTTI_OK) {
        return 1;
    }
    const uint64_t deadline = fixture_patience();
    while (!os_wake_wait(&wake, 0, deadline) && os_now_ns() < deadline) {
        continue;
    }
    atomic_store(&segment->answer, atomic_load(&segment->doorbell) + 41);
    say(link, "answered");
    return wait_for_the_end(link);
}

static int
play_witness(struct os_link *link, int argc, char **argv)
{
    char dir[4096], runtime[4096];
    bool same = argc == ODD_ARGUMENTS;
    for (int i = 0; same && i < argc; i++) {
        same = strcmp(argv[i], odd_arguments[i]) == 0;
    }
    say(link, same ? "arguments as sent" : "other arguments");
    same = getcwd(dir, sizeof(dir)) != NULL &&
           os_runtime_dir(runtime, sizeof(runtime)) == TUTTI_OK && strcmp(dir, runtime) == 0;
    say(link, same ? "in the runtime folder" : dir);
    /* the null device reads as empty, and what is written to it is gone */
    say(link, getc(stdin) == EOF ? "nothing to read" : "something to read");
    return wait_for_the_end(link);
}

static int
play(int argc, char **argv)
{
    struct os_link *link = NULL;
    if (os_link_connect(&link, fixture_patience()) != TUTTI_OK) {
        return 1;
    }
    if (strcmp(argv[1], "holder") == 0) {
        return play_holder(link);
    }
    if (strcmp(argv[1], "program") == 0) {
        return play_program(link);
    }
    return play_witness(link, argc - 2, argv + 2);
}

/* ---- the test ---- */

struct meeting {
    struct os_listener *listener;
    struct os_link *link;
    uint32_t pid;
};

static void
start(struct meeting *meeting, const char *const *argv)
{
    char module[4096];
    memset(meeting, 0, sizeof(*meeting));
    assert_int_equal(os_module_path(module, sizeof(module)), TUTTI_OK);
    assert_int_equal(os_listener_open(&meeting->listener), TUTTI_OK);
    uint32_t told = 0;
    assert_int_equal(os_process_spawn(module, argv, &told), TUTTI_OK);
    assert_int_equal(os_listener_accept(meeting->listener, &meeting->link, fixture_patience()),
                     TUTTI_OK);
    meeting->pid = os_link_peer_pid(meeting->link);
    assert_int_equal(meeting->pid, told);
    assert_int_not_equal(meeting->pid, os_process_id());
    assert_true(os_process_alive(meeting->pid));
}

static void
finish(struct meeting *meeting)
{
    os_link_close(meeting->link);
    os_listener_close(meeting->listener);
    while (os_process_alive(meeting->pid)) {
        os_sleep_until_ns(fixture_in_ms(1));
    }
}

static enum tutti_status
hear(const struct meeting *meeting, char *text, size_t room, os_handle *handles)
{
    os_handle none[OS_LINK_MAX_HANDLES];
    size_t bytes;
    return os_link_recv(meeting->link, text, room, &bytes, handles != NULL ? handles : none,
                        fixture_patience());
}

static void
expect(const struct meeting *meeting, const char *text)
{
    char got[4096] = "";
    assert_int_equal(hear(meeting, got, sizeof(got), NULL), TUTTI_OK);
    assert_string_equal(got, text);
}

/* The file name of this program without folder and extension. */
static const char *
own_image_name(void)
{
    static char path[4096];
    assert_int_equal(os_module_path(path, sizeof(path)), TUTTI_OK);
    char *name = path;
    for (char *at = path; *at != '\0'; at++) {
        if (*at == '/' || *at == '\\') {
            name = at + 1;
        }
    }
    char *extension = strrchr(name, '.');
    if (extension != NULL) {
        *extension = '\0';
    }
    return name;
}

static void
a_killed_holder_lets_go_of_its_lock_and_its_link(void **state)
{
    static const char *const argv[] = {"test", "holder", NULL};
    struct meeting meeting;
    struct os_lock *lock = NULL;
    char text[16];
    start(&meeting, argv);
    expect(&meeting, "held");
    assert_int_equal(os_lock_take(&lock, "test-process", 0), TUTTI_TIMEOUT);
    assert_false(os_process_kill(meeting.pid, "tuttid"));
    assert_true(os_process_alive(meeting.pid));

    assert_true(os_process_kill(meeting.pid, own_image_name()));
    assert_false(os_process_alive(meeting.pid));
    assert_int_equal(hear(&meeting, text, sizeof(text), NULL), TUTTI_CLOSED);
    assert_int_equal(os_lock_take(&lock, "test-process", fixture_patience()), TUTTI_OK);
    os_lock_release(lock);
    finish(&meeting);
}

static void
a_segment_and_its_doorbell_work_between_processes(void **state)
{
    static const char *const argv[] = {"test", "program", NULL};
    struct meeting meeting;
    struct os_shm shm = {0};
    struct os_wake wake;
    os_handle handles[OS_LINK_MAX_HANDLES];
    char text[16];
    start(&meeting, argv);
    assert_int_equal(hear(&meeting, text, sizeof(text), handles), TUTTI_OK);
    assert_string_equal(text, "segment");
    assert_int_equal(os_shm_adopt(&shm, handles[0], SEGMENT_BYTES), TUTTI_OK);
    struct segment *segment = shm.base;
    assert_string_equal(segment->text, "from the program");
    assert_int_equal(os_wake_adopt(&wake, &segment->doorbell, handles[1]), TUTTI_OK);
    os_wake_post(&wake);
    expect(&meeting, "answered");
    assert_int_equal(atomic_load(&segment->answer), 42);

    /* what a dead program leaves mapped stays mapped */
    assert_true(os_process_kill(meeting.pid, own_image_name()));
    segment->text[0] = 'F';
    assert_string_equal(segment->text, "From the program");
    os_wake_post(&wake);
    os_wake_fini(&wake);
    os_shm_close(&shm);
    finish(&meeting);
}

static void
a_started_program_gets_its_arguments_its_folder_and_no_input(void **state)
{
    const char *argv[ODD_ARGUMENTS + 3] = {"test", "witness"};
    struct meeting meeting;
    memcpy(argv + 2, odd_arguments, sizeof(odd_arguments));
    start(&meeting, argv);
    char runtime[4096];
    assert_int_equal(os_runtime_dir(runtime, sizeof(runtime)), TUTTI_OK);
    expect(&meeting, "arguments as sent");
    expect(&meeting, "in the runtime folder");
    expect(&meeting, "nothing to read");
    finish(&meeting);
}

static void
a_program_that_is_not_there_cannot_be_started(void **state)
{
    static const char *const argv[] = {"missing", NULL};
    char path[4200];
    uint32_t pid = 7;
    assert_int_equal(os_runtime_dir(path, sizeof(path) - 16), TUTTI_OK);
    strcat(path, "/missing.exe");
    assert_int_equal(os_process_spawn(path, argv, &pid), TUTTI_NO_ENGINE);
    assert_int_equal(pid, 7);
}

int
main(int argc, char **argv)
{
    if (argc > 1) {
        return play(argc, argv);
    }
    fixture_use_own_runtime_dir("run");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_holder_lets_go_of_its_lock_and_its_link),
        cmocka_unit_test(a_segment_and_its_doorbell_work_between_processes),
        cmocka_unit_test(a_started_program_gets_its_arguments_its_folder_and_no_input),
        cmocka_unit_test(a_program_that_is_not_there_cannot_be_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
