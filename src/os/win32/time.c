/* SPDX-License-Identifier: MIT */
/*
 * Time: QueryPerformanceCounter, and a high-resolution waitable timer that each thread keeps.
 *
 * The timers hang on fiber-local storage whose callback is CloseHandle itself: it is called when a
 * thread of the host ends, maybe after this DLL was unloaded, and must not be code of ours.
 */
#include "win32.h"

#include <stdlib.h>

#ifndef CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 0x2
#endif

enum { NS_PER_TICK = 100 }; /* of NT's times */

typedef LONG(NTAPI *delay_execution_fn)(BOOLEAN alertable, const LARGE_INTEGER *delay);
typedef void (*any_fn)(void);

static struct {
    INIT_ONCE once;
    uint64_t frequency_hz;
    DWORD timer_slot;              /* FLS_OUT_OF_INDEXES: none left */
    delay_execution_fn wine_delay; /* set under Wine only */
} state = {.once = INIT_ONCE_STATIC_INIT, .timer_slot = FLS_OUT_OF_INDEXES};

static BOOL CALLBACK
init_state(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    LARGE_INTEGER frequency;
    QueryPerformanceFrequency(&frequency);
    state.frequency_hz = (uint64_t)frequency.QuadPart;
    state.timer_slot = FlsAlloc((PFLS_CALLBACK_FUNCTION)(any_fn)CloseHandle);
    /* Wine's timers fire on whole milliseconds, its delays within 75 us; on Windows it is the other
     * way round */
    if (win32_function(L"ntdll.dll", "wine_get_version") != NULL) {
        state.wine_delay =
            (delay_execution_fn)(any_fn)win32_function(L"ntdll.dll", "NtDelayExecution");
    }
    return TRUE;
}

static void
ensure_state(void)
{
    InitOnceExecuteOnce(&state.once, init_state, NULL, NULL);
}

/* A host may load and unload the driver many times, and a process has few of these indexes. */
__attribute__((destructor)) static void
free_timer_slot(void)
{
    if (state.timer_slot != FLS_OUT_OF_INDEXES) {
        FlsFree(state.timer_slot);
    }
    state.timer_slot = FLS_OUT_OF_INDEXES;
}

uint64_t
os_now_ns(void)
{
    ensure_state();
    LARGE_INTEGER counter;
    QueryPerformanceCounter(&counter);
    const uint64_t count = (uint64_t)counter.QuadPart;
    /* whole seconds apart, so that nothing overflows: the rest is below the frequency */
    return count / state.frequency_hz * OS_NS_PER_S +
           count % state.frequency_hz * OS_NS_PER_S / state.frequency_hz;
}

DWORD
win32_timeout_ms(uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX) {
        return INFINITE;
    }
    const uint64_t now = os_now_ns();
    if (deadline_ns <= now) {
        return 0;
    }
    const uint64_t ms = (deadline_ns - now + OS_NS_PER_MS - 1) / OS_NS_PER_MS;
    return ms < INFINITE - 1 ? (DWORD)ms : INFINITE - 1;
}

static HANDLE
thread_timer(void)
{
    ensure_state();
    if (state.timer_slot == FLS_OUT_OF_INDEXES) {
        return NULL;
    }
    HANDLE timer = FlsGetValue(state.timer_slot);
    if (timer != NULL) {
        return timer;
    }
    timer =
        CreateWaitableTimerExW(NULL, NULL, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, TIMER_ALL_ACCESS);
    if (timer == NULL) { /* before Windows 10 1803 */
        timer = CreateWaitableTimerExW(NULL, NULL, 0, TIMER_ALL_ACCESS);
    }
    if (timer != NULL && !FlsSetValue(state.timer_slot, timer)) {
        CloseHandle(timer);
        timer = NULL;
    }
    return timer;
}

static LARGE_INTEGER
relative_ticks(uint64_t delay_ns)
{
    LARGE_INTEGER ticks;
    ticks.QuadPart = -(LONGLONG)((delay_ns + NS_PER_TICK - 1) / NS_PER_TICK);
    return ticks;
}

HANDLE
win32_set_timer(uint64_t delay_ns)
{
    const HANDLE timer = thread_timer();
    if (timer == NULL) {
        return NULL;
    }
    const LARGE_INTEGER due = relative_ticks(delay_ns);
    return SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE) ? timer : NULL;
}

void
os_sleep_until_ns(uint64_t deadline_ns)
{
    for (uint64_t now = os_now_ns(); now < deadline_ns; now = os_now_ns()) {
        if (state.wine_delay != NULL) {
            const LARGE_INTEGER delay = relative_ticks(deadline_ns - now);
            state.wine_delay(FALSE, &delay);
            continue;
        }
        const HANDLE timer = win32_set_timer(deadline_ns - now);
        if (timer != NULL) {
            WaitForSingleObject(timer, INFINITE);
        } else {
            Sleep(win32_timeout_ms(deadline_ns));
        }
    }
}
