/* SPDX-License-Identifier: MIT */
/* One question at a time for the thread that touches the file. See live_file.h. */
#include "engine/live_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "os/os.h"

enum { PATH_BYTES = 1024 };

enum question { NOTHING, LOOK, LOAD, QUIT };

struct live_file {
    char path[PATH_BYTES];
    struct os_thread *thread;
    struct os_mutex lock; /* of all that follows */
    struct os_cond changed;
    enum question question; /* NOTHING: it is answered */
    bool abandoned;         /* the thread frees all when it comes back */
    struct file_stamp stamp;
    struct live_text text;
};

static void
free_file(struct live_file *file)
{
    free(file->text.text);
    os_cond_fini(&file->changed);
    os_mutex_fini(&file->lock);
    free(file);
}

/* Without the lock. */
static void
answer(const struct live_file *file, enum question question, struct file_stamp *stamp,
       struct live_text *text)
{
    if (question == LOOK) {
        file_look(file->path, stamp);
        return;
    }
    text->status = config_load(file->path, &text->text, &text->bytes, text->problem);
    if (text->status == TUTTI_OK && !text->bytes) {
        config_is_misnamed(file->path, text->problem);
    }
}

static void
run(void *arg)
{
    struct live_file *file = arg;
    bool abandoned = false;
    os_mutex_lock(&file->lock);
    while (!abandoned && file->question != QUIT) {
        if (file->question == NOTHING) {
            os_cond_wait_until(&file->changed, &file->lock, UINT64_MAX);
            continue;
        }
        struct file_stamp stamp = {0};
        struct live_text text = {.text = NULL};
        enum question question = file->question;
        os_mutex_unlock(&file->lock);
        answer(file, question, &stamp, &text);
        os_mutex_lock(&file->lock);
        free(file->text.text);
        file->stamp = stamp;
        file->text = text;
        abandoned = file->abandoned;
        file->question = NOTHING;
        os_cond_signal_all(&file->changed);
    }
    os_mutex_unlock(&file->lock);
    if (abandoned) {
        free_file(file);
    }
}

struct live_file *
live_file_open(const char *path)
{
    struct live_file *file = calloc(1, sizeof(*file));
    if (!file) {
        return NULL;
    }
    utf8_copy(file->path, sizeof(file->path), path);
    os_mutex_init(&file->lock);
    os_cond_init(&file->changed);
    if (os_thread_start(&file->thread, "tutti-config", OS_PRIORITY_NORMAL, run, file) != TUTTI_OK) {
        free_file(file);
        return NULL;
    }
    return file;
}

void
live_file_close(struct live_file *file)
{
    if (!file) {
        return;
    }
    struct os_thread *thread = file->thread;
    os_mutex_lock(&file->lock);
    bool out = file->question != NOTHING;
    file->abandoned = out;
    file->question = out ? file->question : QUIT;
    os_cond_signal_all(&file->changed);
    os_mutex_unlock(&file->lock);
    if (!out) {
        os_thread_join(thread);
        free_file(file);
    }
}

/* True: answered, and the lock is held. */
static bool
ask(struct live_file *file, enum question question, unsigned limit_ms)
{
    uint64_t deadline_ns = os_now_ns() + limit_ms * OS_NS_PER_MS;
    os_mutex_lock(&file->lock);
    bool free_to_ask = file->question == NOTHING;
    if (free_to_ask) {
        file->question = question;
        os_cond_signal_all(&file->changed);
    }
    while (free_to_ask && file->question != NOTHING && os_now_ns() < deadline_ns) {
        os_cond_wait_until(&file->changed, &file->lock, deadline_ns);
    }
    bool answered = free_to_ask && file->question == NOTHING;
    if (!answered) {
        os_mutex_unlock(&file->lock);
    }
    return answered;
}

bool
live_file_look(struct live_file *file, unsigned limit_ms, struct file_stamp *stamp)
{
    if (!file || !ask(file, LOOK, limit_ms)) {
        return false;
    }
    *stamp = file->stamp;
    os_mutex_unlock(&file->lock);
    return true;
}

bool
live_file_load(struct live_file *file, unsigned limit_ms, struct live_text *text)
{
    if (!file || !ask(file, LOAD, limit_ms)) {
        return false;
    }
    *text = file->text;
    file->text.text = NULL;
    os_mutex_unlock(&file->lock);
    return true;
}
