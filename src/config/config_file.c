/* SPDX-License-Identifier: MIT */
/* One question at a time for the thread that touches the file. See config_file.h. */
#include "config/config_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "os/os.h"

enum { PATH_BYTES = 1024 };

enum question { NOTHING, LOOK, LOAD, ANSWERED };

/* Never freed: a thread that hangs comes back to it. On Windows such a thread keeps the module
 * loaded, and this with it. */
static struct {
    struct os_mutex lock; /* of all that follows */
    struct os_cond changed;
    struct os_thread *thread; /* NULL: none runs */
    struct os_thread *ended;  /* one that hung, came back and found no users: to be joined */
    unsigned generation;      /* of the thread that shall run; an earlier one ends */
    unsigned users;
    enum question question; /* ANSWERED: for the one who asked */
    bool given_up;          /* nobody waits for the answer any more */
    char path[PATH_BYTES];
    struct config_text answer;
} reader;

__attribute__((constructor)) static void
init_reader(void)
{
    os_mutex_init(&reader.lock);
    os_cond_init(&reader.changed);
}

/* Without the lock. */
static void
answer(const char *path, enum question question, struct config_text *text)
{
    file_look(path, &text->stamp);
    if (question == LOOK) {
        return;
    }
    text->status = config_load(path, &text->text, &text->bytes, text->problem);
    if (text->status == TUTTI_OK && !text->bytes) {
        config_is_misnamed(path, text->problem);
    }
}

/* With the lock, which is given back for the time that the file takes. */
static void
answer_question(void)
{
    char path[PATH_BYTES];
    struct config_text text = {.status = TUTTI_OK};
    enum question question = reader.question;
    memcpy(path, reader.path, sizeof(path));
    os_mutex_unlock(&reader.lock);
    answer(path, question, &text);
    os_mutex_lock(&reader.lock);
    if (reader.given_up) {
        free(text.text);
        reader.question = NOTHING;
    } else {
        reader.answer = text;
        reader.question = ANSWERED;
    }
    reader.given_up = false;
    os_cond_signal_all(&reader.changed);
}

static void
run(void *arg)
{
    const unsigned generation = (unsigned)(uintptr_t)arg;
    os_mutex_lock(&reader.lock);
    while (reader.generation == generation) {
        if (reader.question != LOOK && reader.question != LOAD) {
            os_cond_wait_until(&reader.changed, &reader.lock, UINT64_MAX);
            continue;
        }
        answer_question();
        if (!reader.users) {
            reader.generation++;
            reader.ended = reader.thread;
            reader.thread = NULL;
        }
    }
    os_mutex_unlock(&reader.lock);
}

/* With the lock. */
static bool
start_thread(void)
{
    if (reader.thread) {
        return true;
    }
    if (os_thread_start(&reader.thread, "tutti-config", OS_PRIORITY_NORMAL, run,
                        (void *)(uintptr_t)reader.generation) != TUTTI_OK) {
        reader.thread = NULL;
    }
    return reader.thread != NULL;
}

void
config_file_begin(void)
{
    os_mutex_lock(&reader.lock);
    reader.users++;
    struct os_thread *ended = reader.ended;
    reader.ended = NULL;
    os_mutex_unlock(&reader.lock);
    os_thread_join(ended);
}

void
config_file_end(void)
{
    struct os_thread *thread = NULL;
    os_mutex_lock(&reader.lock);
    reader.users--;
    if (!reader.users && reader.question == NOTHING) {
        thread = reader.thread;
        reader.thread = NULL;
        reader.generation++;
        os_cond_signal_all(&reader.changed);
    }
    os_mutex_unlock(&reader.lock);
    os_thread_join(thread);
}

/* With the lock. True: the question is put; false: it cannot be, till the deadline. */
static bool
put(const char *path, enum question question, uint64_t deadline_ns)
{
    while (reader.question != NOTHING && !reader.given_up && os_now_ns() < deadline_ns) {
        os_cond_wait_until(&reader.changed, &reader.lock, deadline_ns);
    }
    if (reader.question != NOTHING || strlen(path) >= PATH_BYTES || !start_thread()) {
        return false;
    }
    memcpy(reader.path, path, strlen(path) + 1);
    reader.question = question;
    os_cond_signal_all(&reader.changed);
    return true;
}

static bool
ask(const char *path, enum question question, unsigned limit_ms, struct config_text *text)
{
    const uint64_t deadline_ns = os_now_ns() + limit_ms * OS_NS_PER_MS;
    os_mutex_lock(&reader.lock);
    bool answered = false;
    if (put(path, question, deadline_ns)) {
        while (reader.question != ANSWERED && os_now_ns() < deadline_ns) {
            os_cond_wait_until(&reader.changed, &reader.lock, deadline_ns);
        }
        answered = reader.question == ANSWERED;
        reader.given_up = !answered;
    }
    if (answered) {
        *text = reader.answer;
        reader.question = NOTHING;
    }
    os_cond_signal_all(&reader.changed); /* others wait for their turn */
    os_mutex_unlock(&reader.lock);
    return answered;
}

bool
config_file_look(const char *path, unsigned limit_ms, struct file_stamp *stamp)
{
    struct config_text text;
    bool answered = ask(path, LOOK, limit_ms, &text);
    if (answered) {
        *stamp = text.stamp;
    }
    return answered;
}

bool
config_file_load(const char *path, unsigned limit_ms, struct config_text *text)
{
    if (ask(path, LOAD, limit_ms, text)) {
        return true;
    }
    *text = (struct config_text){.status = TUTTI_BAD_CONFIG};
    config_write_problem(text->problem, path,
                         "this does not answer; a folder on a network is away, or hangs");
    return false;
}

enum tutti_status
config_file_read(const char *path, char **text, size_t *bytes, char problem[CONFIG_TEXT_BYTES])
{
    struct config_text read;
    config_file_begin();
    config_file_load(path, CONFIG_FILE_LIMIT_MS, &read);
    config_file_end();
    *text = read.text;
    *bytes = read.bytes;
    utf8_copy(problem, CONFIG_TEXT_BYTES, read.problem);
    return read.status;
}
