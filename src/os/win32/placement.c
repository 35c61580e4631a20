/* SPDX-License-Identifier: MIT */
/* On which processor threads run. Threads of other processes are left to Windows, which may park
 * the cores that it is given. */
#include "win32.h"

uint32_t
os_thread_cpu(void)
{
    return GetCurrentProcessorNumber();
}

bool
os_thread_pin(uint32_t cpu)
{
    return cpu < sizeof(DWORD_PTR) * 8 &&
           SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)1 << cpu) != 0;
}

bool
os_process_has_thread(uint32_t pid, uint32_t tid)
{
    const HANDLE thread = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, tid);
    if (thread == NULL) {
        return false;
    }
    const bool has = GetProcessIdOfThread(thread) == pid;
    CloseHandle(thread);
    return has;
}

bool
os_thread_gather(uint32_t pid, uint32_t tid, uint32_t cpu)
{
    return false;
}

bool
os_thread_scatter(uint32_t pid, uint32_t tid)
{
    return false;
}
