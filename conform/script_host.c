/* SPDX-License-Identifier: MIT */
/* The host of a script while it runs: what it answers, and what it does in its callbacks. */
#include "conform/script_player.h"

#include <string.h>

#include "conform/samples.h"

static int32_t
answer_message(struct host *host, int32_t selector, int32_t value, void *message, double *option)
{
    const struct script_player *player = host->user;
    const struct script_host *behaviour = &player->script->behaviour;

    (void)message;
    (void)option;
    switch (selector) {
    case ASIO_MESSAGE_SELECTOR_SUPPORTED:
        return value >= 0 && value < 32 && behaviour->knows >> value & 1;
    case ASIO_MESSAGE_ENGINE_VERSION:
        return 2;
    case ASIO_MESSAGE_SUPPORTS_TIME_INFO:
        return behaviour->wants_time;
    default:
        return selector >= 0 && selector < 32 && behaviour->knows >> selector & 1;
    }
}

void
script_clear_half(struct subject *s, int32_t half)
{
    for (int32_t i = 0; i < s->count; i++) {
        size_t bytes = (size_t)s->buffer_frames * samples_bytes(s->types[i]);
        if (!s->infos[i].is_input && s->infos[i].buffers[half]) {
            memset(s->infos[i].buffers[half], 0, bytes);
        }
    }
}

static void
each_block(struct host *host, const struct host_block *block)
{
    struct script_player *player = host->user;
    const struct script_host *behaviour = &player->script->behaviour;

    if (behaviour->first_ms && atomic_load(&host->block_count) == 0) {
        conform_sleep_ms(behaviour->first_ms);
    }
    if (!behaviour->writes_later) {
        script_clear_half(host->subject, block->half & 1);
        return;
    }
    EnterCriticalSection(&player->writer.lock);
    player->writer.subject = host->subject;
    player->writer.half = block->half & 1;
    LeaveCriticalSection(&player->writer.lock);
    SetEvent(player->writer.wake);
}

static DWORD WINAPI
writer_main(void *arg)
{
    struct script_writer *writer = arg;

    for (;;) {
        WaitForSingleObject(writer->wake, INFINITE);
        conform_sleep_ms(1); /* mixing; the callback has returned by then */
        EnterCriticalSection(&writer->lock);
        bool quit = writer->quit;
        if (!quit && writer->half >= 0) {
            script_clear_half(writer->subject, writer->half);
        }
        writer->half = -1;
        LeaveCriticalSection(&writer->lock);
        if (quit) {
            return 0;
        }
    }
}

bool
script_writer_open(struct script_writer *writer)
{
    InitializeCriticalSection(&writer->lock);
    writer->half = -1;
    writer->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
    writer->thread = CreateThread(NULL, 0, writer_main, writer, 0, NULL);
    return writer->wake && writer->thread;
}

void
script_writer_forget(struct script_writer *writer)
{
    EnterCriticalSection(&writer->lock);
    writer->half = -1;
    LeaveCriticalSection(&writer->lock);
}

void
script_writer_close(struct script_writer *writer)
{
    EnterCriticalSection(&writer->lock);
    writer->quit = true;
    LeaveCriticalSection(&writer->lock);
    SetEvent(writer->wake);
    if (writer->thread) {
        WaitForSingleObject(writer->thread, INFINITE);
        CloseHandle(writer->thread);
    }
    if (writer->wake) {
        CloseHandle(writer->wake);
    }
    DeleteCriticalSection(&writer->lock);
}

void
script_behave(struct script_player *player, struct subject *s)
{
    const struct script_host *behaviour = &player->script->behaviour;

    s->host.user = player;
    s->host.on_message = answer_message;
    s->host.on_block = each_block;
    s->host.ask_position = behaviour->asks_position;
    s->host.output_ready = behaviour->ready == READY_ALWAYS;
    if (behaviour->null_time_info) {
        s->host.callbacks.buffer_switch_time_info = NULL;
    }
}
