/* SPDX-License-Identifier: MIT */
/* The thread that tells the host what happened, so that the host may do anything in answer. */
#include "broken.h"

volatile DWORD telling_tid;

static void
tell(struct stream *stream, uint32_t what)
{
    const struct asio_callbacks *host = &stream->callbacks;

    if (what & TELL_RATE && host->sample_rate_did_change) {
        host->sample_rate_did_change(stream->rate_hz);
    }
    if (what & TELL_LATENCIES && host->asio_message) {
        host->asio_message(ASIO_MESSAGE_LATENCIES_CHANGED, 0, NULL, NULL);
    }
    if (what & TELL_OVERLOAD && stream->host_knows & 1u << ASIO_MESSAGE_OVERLOAD) {
        host->asio_message(ASIO_MESSAGE_OVERLOAD, 0, NULL, NULL);
    }
    stream->reset_told = stream->reset_told || what & TELL_RESET;
    if (what & TELL_RESET && stream->host_knows & 1u << ASIO_MESSAGE_RESET_REQUEST) {
        host->asio_message(ASIO_MESSAGE_RESET_REQUEST, 0, NULL, NULL);
    }
}

void
message_post(struct stream *stream, uint32_t what)
{
    AcquireSRWLockExclusive(&stream->lock);
    stream->tell |= what;
    WakeAllConditionVariable(&stream->changed);
    ReleaseSRWLockExclusive(&stream->lock);
}

DWORD WINAPI
message_main(void *arg)
{
    struct stream *stream = arg;
    HMODULE module = stream->module;
    /* The reset request is told by the clock's own thread, see callback.c. */
    uint32_t mine = BROKEN(reset_in_callback_thread) ? ~(uint32_t)TELL_RESET : ~0u;

    if (BROKEN(thread_outlives_module)) {
        FreeLibrary(module);
    }
    AcquireSRWLockExclusive(&stream->lock);
    while (!stream->quit || stream->leaks) {
        uint32_t what = stream->tell & mine;
        stream->tell &= ~mine;
        if (!what) {
            SleepConditionVariableSRW(&stream->changed, &stream->lock, INFINITE, 0);
            continue;
        }
        ReleaseSRWLockExclusive(&stream->lock);
        telling_tid = GetCurrentThreadId();
        tell(stream, what);
        telling_tid = 0;
        AcquireSRWLockExclusive(&stream->lock);
    }
    ReleaseSRWLockExclusive(&stream->lock);
    stream_release(stream);
    if (BROKEN(thread_outlives_module)) {
        Sleep(60);
        ExitThread(0);
    }
    FreeLibraryAndExitThread(module, 0);
}
