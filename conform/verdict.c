/* SPDX-License-Identifier: MIT */
/*
 * What a case says goes to the parent as lines, fields separated by tabs:
 *
 *   case NUMBER · fail SENTENCE · skip SENTENCE · figure VALUE UNIT · tries COUNT
 *   crash SENTENCE · done · series NAME · points X Y X Y ...   (of the series before)
 *
 * Each line is one write, so lines of several threads do not mix.
 */
#include "conform/inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

struct conform *conform_child;

/* ---- lines ---- */

static void
write_line(struct conform *t, char line[LINE_BYTES])
{
    DWORD written;
    size_t length = strlen(line);

    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\n' || line[i] == '\r') {
            line[i] = ' ';
        }
    }
    if (length > LINE_BYTES - 2) {
        length = LINE_BYTES - 2;
    }
    line[length++] = '\n';
    /* nobody listens any more */
    if (!WriteFile(t->pipe, line, (DWORD)length, &written, NULL)) {
        TerminateProcess(GetCurrentProcess(), 5);
    }
}

void
conform_say(struct conform *t, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list list;

    va_start(list, format);
    vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    write_line(t, line);
}

static void
say_sentence(struct conform *t, const char *word, const char *format, va_list list)
{
    char text[CONFORM_TEXT_BYTES], clean[CONFORM_TEXT_BYTES];

    vsnprintf(text, sizeof(text), format, list);
    for (char *tab = text; (tab = strchr(tab, '\t')) != NULL;) {
        *tab = ' ';
    }
    utf8_copy(clean, sizeof(clean), text); /* a driver's texts may be anything */
    conform_say(t, "%s\t%s", word, clean);
}

/* ---- what cases say ---- */

void
conform_fail(struct conform *t, const char *format, ...)
{
    va_list list;

    EnterCriticalSection(&t->lock);
    bool kept = t->failures < FAILURES_KEPT;
    t->failures++;
    LeaveCriticalSection(&t->lock);
    if (!kept) {
        return;
    }
    va_start(list, format);
    say_sentence(t, "fail", format, list);
    va_end(list);
}

void
conform_skip(struct conform *t, const char *format, ...)
{
    va_list list;

    EnterCriticalSection(&t->lock);
    bool first = !t->skipped;
    t->skipped = true;
    LeaveCriticalSection(&t->lock);
    if (!first) {
        return;
    }
    va_start(list, format);
    say_sentence(t, "skip", format, list);
    va_end(list);
}

void
conform_figure(struct conform *t, double value, const char *unit)
{
    conform_say(t, "figure\t%s\t%s", number_write(value, NUMBER_EXACT_DIGITS).text, unit);
}

void
conform_tries(struct conform *t, unsigned tries)
{
    conform_say(t, "tries\t%u", tries);
}

void
conform_series(struct conform *t, const char *name, const double *x, const double *y,
               unsigned count)
{
    enum { LINE_POINTS = 40 };
    char line[LINE_BYTES];

    if (count > SERIES_POINTS) {
        count = SERIES_POINTS;
    }
    conform_say(t, "series\t%s", name);
    for (unsigned at = 0; at < count; at += LINE_POINTS) {
        int length = snprintf(line, sizeof(line), "points");
        for (unsigned i = at; i < count && i < at + LINE_POINTS; i++) {
            length += snprintf(line + length, sizeof(line) - (size_t)length, "\t%s\t%s",
                               number_write(x[i], 9).text, number_write(y[i], 9).text);
        }
        write_line(t, line);
    }
}

bool
conform_failed(const struct conform *t)
{
    return t->failures > 0;
}

/* ---- what cases may know ---- */

double
conform_seconds(const struct conform *t)
{
    return t->seconds;
}

const char *
conform_driver_name(const struct conform *t)
{
    return t->driver_name;
}

const struct asio_guid *
conform_clsid(const struct conform *t)
{
    return &t->clsid;
}

const struct conform_facts *
conform_facts(const struct conform *t)
{
    return &t->shared->facts;
}

uint64_t
conform_now_ns(void)
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER now;

    if (!frequency.QuadPart) {
        QueryPerformanceFrequency(&frequency);
    }
    QueryPerformanceCounter(&now);
    uint64_t hz = (uint64_t)frequency.QuadPart, ticks = (uint64_t)now.QuadPart;
    return ticks / hz * 1000000000u + ticks % hz * 1000000000u / hz;
}

uint32_t
conform_now_ms(void)
{
    uint32_t now = (uint32_t)GetTickCount64();

    return now ? now : 1;
}

void
conform_sleep_ms(unsigned ms)
{
    Sleep(ms);
}

const char *
conform_error_text(int32_t error)
{
    enum { TEXTS = 16 };
    static char texts[TEXTS][40];
    static _Atomic unsigned next;
    static const struct {
        int32_t error;
        const char *name;
    } names[] = {
        {ASIO_OK, "OK"},
        {ASIO_SUCCESS, "SUCCESS"},
        {ASIO_NOT_PRESENT, "NotPresent"},
        {ASIO_HW_MALFUNCTION, "HWMalfunction"},
        {ASIO_INVALID_PARAMETER, "InvalidParameter"},
        {ASIO_INVALID_MODE, "InvalidMode"},
        {ASIO_SP_NOT_ADVANCING, "SPNotAdvancing"},
        {ASIO_NO_CLOCK, "NoClock"},
        {ASIO_NO_MEMORY, "NoMemory"},
    };
    char *text = texts[atomic_fetch_add(&next, 1) % TEXTS];

    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (names[i].error == error) {
            snprintf(text, sizeof(texts[0]), i < 2 ? "%s" : "%s (%d)", names[i].name, (int)error);
            return text;
        }
    }
    snprintf(text, sizeof(texts[0]), "%d, which is no ASIO error", (int)error);
    return text;
}

/* ---- threads ---- */

struct thread_start {
    enum conform_apartment apartment;
    void (*run)(void *arg);
    void *arg;
};

static DWORD WINAPI
thread_main(void *arg)
{
    struct thread_start *start = arg;
    HRESULT ready = E_FAIL;

    if (start->apartment != APARTMENT_NONE) {
        ready = CoInitializeEx(NULL, start->apartment == APARTMENT_STA ? COINIT_APARTMENTTHREADED
                                                                       : COINIT_MULTITHREADED);
    }
    start->run(start->arg);
    if (SUCCEEDED(ready)) {
        CoUninitialize();
    }
    HeapFree(GetProcessHeap(), 0, start);
    return 0;
}

bool
conform_on_thread(struct conform *t, enum conform_apartment apartment, unsigned seconds,
                  void (*run)(void *arg), void *arg)
{
    struct thread_start *start = HeapAlloc(GetProcessHeap(), 0, sizeof(*start));
    HANDLE thread = NULL;

    if (start) {
        *start = (struct thread_start){apartment, run, arg};
        thread = CreateThread(NULL, 0, thread_main, start, 0, NULL);
    }
    if (!thread) {
        HeapFree(GetProcessHeap(), 0, start);
        conform_fail(t, "the system gave no thread");
        return false;
    }
    DWORD waited = WaitForSingleObject(thread, seconds * 1000);
    CloseHandle(thread);
    if (waited == WAIT_OBJECT_0) {
        return true;
    }
    conform_fail(t, "another thread was not back from the driver after %u s", seconds);
    return false;
}
