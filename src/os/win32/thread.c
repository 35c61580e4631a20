/* SPDX-License-Identifier: MIT */
/*
 * Threads: MMCSS "Pro Audio" where the service runs, plain priorities else.
 *
 * Each thread holds a reference to the module that this code is linked into and gives it back with
 * its last step, so that a host may unload the driver at any time.
 */
#include "bridge.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

enum { AVRT_HIGH = 1, AVRT_CRITICAL = 2 }; /* AVRT_PRIORITY of avrt.h */

typedef void (*any_fn)(void);
typedef HANDLE(WINAPI *set_characteristics_fn)(const wchar_t *task, DWORD *index);
typedef BOOL(WINAPI *set_mm_priority_fn)(HANDLE task, int priority);
typedef BOOL(WINAPI *revert_fn)(HANDLE task);
typedef HRESULT(WINAPI *set_description_fn)(HANDLE thread, const wchar_t *text);
typedef BOOL(WINAPI *set_process_information_fn)(HANDLE process, int what, void *data, DWORD bytes);

struct os_thread {
    HANDLE handle;
    HMODULE module;
    enum os_priority priority;
    void (*run)(void *arg);
    void *arg;
    char name[16];
};

static struct {
    INIT_ONCE once;
    set_characteristics_fn set_characteristics; /* these three: all or none */
    set_mm_priority_fn set_mm_priority;
    revert_fn revert;
    DWORD task_slot;  /* the thread's MMCSS task; FLS_OUT_OF_INDEXES: none left */
    DWORD linux_slot; /* the thread's id in Linux, for threads that a bridge raised */
} mmcss = {.once = INIT_ONCE_STATIC_INIT,
           .task_slot = FLS_OUT_OF_INDEXES,
           .linux_slot = FLS_OUT_OF_INDEXES};

uint32_t
os_thread_id(void)
{
    const uintptr_t there =
        mmcss.linux_slot != FLS_OUT_OF_INDEXES ? (uintptr_t)FlsGetValue(mmcss.linux_slot) : 0;
    return there != 0 ? (uint32_t)there : GetCurrentThreadId();
}

/* Windows 11 takes fine timers from processes without a visible window and puts background work on
 * slow cores; an older Windows knows only the second of the two flags, or neither. A host's process
 * is the host's: there single threads refuse the second. */
void
win32_refuse_power_throttling(void)
{
    enum { PROCESS_POWER_THROTTLING = 4, EXECUTION_SPEED = 1, IGNORE_TIMER_RESOLUTION = 4 };
    struct {
        ULONG version, control_mask, state_mask;
    } throttling = {1, EXECUTION_SPEED | IGNORE_TIMER_RESOLUTION, 0};
    const set_process_information_fn set = (set_process_information_fn)(any_fn)win32_function(
        L"kernel32.dll", "SetProcessInformation");
    if (set == NULL) {
        return;
    }
    if (set(GetCurrentProcess(), PROCESS_POWER_THROTTLING, &throttling, sizeof(throttling))) {
        return;
    }
    throttling.control_mask = EXECUTION_SPEED;
    (void)set(GetCurrentProcess(), PROCESS_POWER_THROTTLING, &throttling, sizeof(throttling));
}

static void
refuse_thread_throttling(void)
{
    enum { THREAD_POWER_THROTTLING = 3, EXECUTION_SPEED = 1 };
    struct {
        ULONG version, control_mask, state_mask;
    } throttling = {1, EXECUTION_SPEED, 0};
    const set_process_information_fn set =
        (set_process_information_fn)(any_fn)win32_function(L"kernel32.dll", "SetThreadInformation");
    if (set != NULL) {
        (void)set(GetCurrentThread(), THREAD_POWER_THROTTLING, &throttling, sizeof(throttling));
    }
}

static BOOL CALLBACK
init_mmcss(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    mmcss.linux_slot = FlsAlloc(NULL);
    const HMODULE avrt = LoadLibraryExW(L"avrt.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (avrt == NULL) {
        return TRUE;
    }
    mmcss.set_mm_priority =
        (set_mm_priority_fn)(any_fn)GetProcAddress(avrt, "AvSetMmThreadPriority");
    mmcss.revert = (revert_fn)(any_fn)GetProcAddress(avrt, "AvRevertMmThreadCharacteristics");
    const set_characteristics_fn set =
        (set_characteristics_fn)(any_fn)GetProcAddress(avrt, "AvSetMmThreadCharacteristicsW");
    if (mmcss.set_mm_priority != NULL && mmcss.revert != NULL) {
        mmcss.set_characteristics = set;
    }
    mmcss.task_slot = FlsAlloc(NULL);
    return TRUE;
}

__attribute__((destructor)) static void
free_task_slot(void)
{
    if (mmcss.task_slot != FLS_OUT_OF_INDEXES) {
        FlsFree(mmcss.task_slot);
    }
    mmcss.task_slot = FLS_OUT_OF_INDEXES;
    if (mmcss.linux_slot != FLS_OUT_OF_INDEXES) {
        FlsFree(mmcss.linux_slot);
    }
    mmcss.linux_slot = FLS_OUT_OF_INDEXES;
}

static bool
join_mmcss(enum os_priority priority)
{
    if (mmcss.set_characteristics == NULL || mmcss.task_slot == FLS_OUT_OF_INDEXES) {
        return false;
    }
    HANDLE task = FlsGetValue(mmcss.task_slot);
    if (task == NULL) {
        DWORD index = 0;
        task = mmcss.set_characteristics(L"Pro Audio", &index);
        if (task == NULL) {
            return false;
        }
        FlsSetValue(mmcss.task_slot, task);
    }
    return mmcss.set_mm_priority(task,
                                 priority == OS_PRIORITY_ENGINE ? AVRT_CRITICAL : AVRT_HIGH) != 0;
}

static void
leave_mmcss(void)
{
    const HANDLE task = mmcss.task_slot != FLS_OUT_OF_INDEXES ? FlsGetValue(mmcss.task_slot) : NULL;
    if (task == NULL) {
        return;
    }
    mmcss.revert(task);
    FlsSetValue(mmcss.task_slot, NULL);
}

bool
os_thread_set_priority(enum os_priority priority)
{
    InitOnceExecuteOnce(&mmcss.once, init_mmcss, NULL, NULL);
    if (priority == OS_PRIORITY_NORMAL) {
        leave_mmcss();
        return SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_NORMAL) != 0;
    }
    if (join_mmcss(priority)) {
        return true;
    }
    return SetThreadPriority(GetCurrentThread(), priority == OS_PRIORITY_ENGINE
                                                     ? THREAD_PRIORITY_TIME_CRITICAL
                                                     : THREAD_PRIORITY_HIGHEST) != 0;
}

bool
os_thread_raise_priority(enum os_priority priority)
{
    /* of the three the highest is as high as it goes, and setting it twice does no harm */
    return priority == OS_PRIORITY_NORMAL || os_thread_set_priority(priority);
}

void
win32_name_thread(const char *name)
{
    /* since Windows 10 1607 */
    const set_description_fn set =
        (set_description_fn)(any_fn)win32_function(L"kernel32.dll", "SetThreadDescription");
    wchar_t *wide = set != NULL ? win32_wide(name) : NULL;
    if (wide != NULL) {
        (void)set(GetCurrentThread(), wide);
    }
    free(wide);
}

/* Wine leaves every thread at normal priority; the native side can raise it. */
static void
become_linux_thread(const struct os_thread *thread)
{
    const uint32_t id = bridge_raise_thread(thread->priority);
    if (mmcss.linux_slot != FLS_OUT_OF_INDEXES) {
        FlsSetValue(mmcss.linux_slot, (void *)(uintptr_t)id);
    }
    win32_name_thread(thread->name);
}

static DWORD WINAPI
thread_main(LPVOID arg)
{
    const struct os_thread *thread = arg;
    const HMODULE module = thread->module;
    win32_name_thread(thread->name);
    if (thread->priority != OS_PRIORITY_NORMAL) {
        refuse_thread_throttling();
    }
    if (thread->priority != OS_PRIORITY_NORMAL && !os_thread_set_priority(thread->priority)) {
        log_warning("thread %s runs without raised priority (error %lu): see that the service "
                    "'Multimedia Class Scheduler' runs",
                    thread->name, GetLastError());
    }
    if (thread->priority != OS_PRIORITY_NORMAL && bridge_is_on()) {
        become_linux_thread(thread);
    }
    thread->run(thread->arg);
    if (thread->priority != OS_PRIORITY_NORMAL) {
        leave_mmcss();
    }
    FreeLibraryAndExitThread(module, 0);
}

enum tutti_status
os_thread_start(struct os_thread **out, const char *name, enum os_priority priority,
                void (*run)(void *arg), void *arg)
{
    struct os_thread *thread = calloc(1, sizeof(*thread));
    if (thread == NULL) {
        return TUTTI_NO_MEMORY;
    }
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    thread->priority = priority;
    thread->run = run;
    thread->arg = arg;

    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                            (const wchar_t *)(uintptr_t)&thread_main, &thread->module)) {
        goto failed;
    }
    thread->handle = CreateThread(NULL, 0, thread_main, thread, 0, NULL);
    if (thread->handle == NULL) {
        const DWORD error = GetLastError();
        FreeLibrary(thread->module);
        SetLastError(error);
        goto failed;
    }
    *out = thread;
    return TUTTI_OK;

failed:
    win32_log_failure("start a thread", GetLastError());
    free(thread);
    return TUTTI_NO_MEMORY;
}

bool
os_thread_join_until(struct os_thread *thread, uint64_t deadline_ns)
{
    if (thread == NULL) {
        return true;
    }
    if (WaitForSingleObject(thread->handle, win32_timeout_ms(deadline_ns)) != WAIT_OBJECT_0) {
        return false;
    }
    CloseHandle(thread->handle);
    free(thread);
    return true;
}

void
os_thread_join(struct os_thread *thread)
{
    os_thread_join_until(thread, UINT64_MAX);
}

bool
os_thread_promote(uint32_t tid, enum os_priority priority)
{
    (void)tid;
    (void)priority;
    return false;
}

bool
os_thread_demote(uint32_t pid, uint32_t tid, struct os_thread_level *former)
{
    const HANDLE thread =
        OpenThread(THREAD_SET_INFORMATION | THREAD_QUERY_LIMITED_INFORMATION, FALSE, tid);
    if (thread == NULL) {
        return false;
    }
    /* MMCSS raises a thread of its own again with time, but then not above us: its lateness has
     * lowered it before */
    const int level = GetThreadPriority(thread);
    const bool done = GetProcessIdOfThread(thread) == pid &&
                      level != THREAD_PRIORITY_ERROR_RETURN &&
                      SetThreadPriority(thread, THREAD_PRIORITY_NORMAL) != 0;
    CloseHandle(thread);
    if (done) {
        *former = (struct os_thread_level){0, level};
    }
    return done;
}

bool
os_thread_restore(uint32_t pid, uint32_t tid, const struct os_thread_level *former)
{
    const HANDLE thread =
        OpenThread(THREAD_SET_INFORMATION | THREAD_QUERY_LIMITED_INFORMATION, FALSE, tid);
    if (thread == NULL) {
        return false;
    }
    const bool done =
        GetProcessIdOfThread(thread) == pid && SetThreadPriority(thread, former->level) != 0;
    CloseHandle(thread);
    return done;
}

void
os_process_demote(uint32_t pid)
{
    const HANDLE process = OpenProcess(PROCESS_SET_INFORMATION, FALSE, pid);
    if (process == NULL) {
        return;
    }
    SetPriorityClass(process, BELOW_NORMAL_PRIORITY_CLASS);
    CloseHandle(process);
}

static uint64_t
ns_of(const FILETIME *time)
{
    return ((uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime) * 100;
}

os_handle
os_thread_time_open(uint32_t pid, uint32_t tid)
{
    const HANDLE thread = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, tid);
    if (thread == NULL) {
        return OS_NO_HANDLE;
    }
    if (GetProcessIdOfThread(thread) == pid) {
        return (os_handle)thread;
    }
    CloseHandle(thread);
    return OS_NO_HANDLE;
}

uint64_t
os_thread_time_ns(os_handle time)
{
    FILETIME created, ended, kernel, user;
    if (time == OS_NO_HANDLE || !GetThreadTimes((HANDLE)time, &created, &ended, &kernel, &user)) {
        return 0;
    }
    return ns_of(&kernel) + ns_of(&user);
}

uint64_t
os_process_realtime_cpu_ns(uint32_t pid)
{
    FILETIME created, ended, kernel, user;
    const HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL) {
        return 0;
    }
    const bool told = GetProcessTimes(process, &created, &ended, &kernel, &user) != 0;
    CloseHandle(process);
    return told ? ns_of(&kernel) + ns_of(&user) : 0;
}
