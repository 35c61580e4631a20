/* SPDX-License-Identifier: MIT */
/* Runs cases, the driver loaded into this process. See inside.h. */
#include "conform/inside.h"

#include <objbase.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- crashes ---- */

enum { FIRST_PAGE = 0x10000 };

static const DWORD wine_stub = 0x80000100, wine_assertion = 0x80000101;

static const char *
exception_name(DWORD code)
{
    if (code == wine_stub) {
        return "call of what Wine does not have";
    }
    if (code == wine_assertion) {
        return "abort of a Unix library";
    }
    switch (code) {
    case EXCEPTION_ACCESS_VIOLATION:
        return "access violation";
    case EXCEPTION_STACK_OVERFLOW:
        return "stack overflow";
    case EXCEPTION_ILLEGAL_INSTRUCTION:
        return "illegal instruction";
    case EXCEPTION_INT_DIVIDE_BY_ZERO:
        return "division by zero";
    case EXCEPTION_BREAKPOINT:
        return "breakpoint";
    default:
        return "exception";
    }
}

/* "tutti.dll+0x1234", or the address where no module is. */
static void
describe_place(void *address, char text[128])
{
    HMODULE module = NULL;
    char path[MAX_PATH] = "";

    if ((uintptr_t)address >= FIRST_PAGE &&
        GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                               GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                           address, &module) &&
        GetModuleFileNameA(module, path, sizeof(path))) {
        const char *name = strrchr(path, '\\');
        snprintf(text, 128, "%.90s+0x%llx", name ? name + 1 : path,
                 (unsigned long long)((uintptr_t)address - (uintptr_t)module));
    } else {
        snprintf(text, 128, "0x%llx, in no module", (unsigned long long)(uintptr_t)address);
    }
}

static LONG WINAPI
say_crash(EXCEPTION_POINTERS *what)
{
    const EXCEPTION_RECORD *record = what->ExceptionRecord;
    char place[128], detail[64] = "";

    describe_place(record->ExceptionAddress, place);
    if (record->ExceptionCode == EXCEPTION_ACCESS_VIOLATION && record->NumberParameters >= 2) {
        snprintf(detail, sizeof(detail), " %s 0x%llx",
                 record->ExceptionInformation[0] == 1 ? "writing" : "reading",
                 (unsigned long long)record->ExceptionInformation[1]);
    }
    conform_say(conform_child, "crash\t%s (%#lx)%s at %s", exception_name(record->ExceptionCode),
                (unsigned long)record->ExceptionCode, detail, place);
    TerminateProcess(GetCurrentProcess(), 3);
    return EXCEPTION_EXECUTE_HANDLER;
}

/* ---- needs ---- */

/* Why a case makes no sense with this driver; NULL: it does. What is not known is tried. */
static const char *
missing(const struct conform_facts *facts, unsigned needs)
{
    static char text[CONFORM_TEXT_BYTES];

    if (needs & NEED_X86 && sizeof(void *) == 8) {
        return "this is about 32-bit programs";
    }
    if (!facts->looked) {
        return NULL;
    }
    if (!facts->init &&
        needs & (NEED_INIT | NEED_STREAM | NEED_INPUT | NEED_OUTPUT | NEED_LOOPBACK)) {
        snprintf(text, sizeof(text), "init fails here: %s",
                 facts->error[0] ? facts->error : "without a reason");
        return text;
    }
    if (needs & NEED_STREAM && !facts->streams) {
        return "no callbacks come";
    }
    if (needs & NEED_INPUT && facts->inputs < 1) {
        return "the driver has no input channels";
    }
    if (needs & NEED_OUTPUT && facts->outputs < 1) {
        return "the driver has no output channels";
    }
    if (needs & NEED_LOOPBACK && facts->loop_output < 0) {
        return "no input hears what an output plays: connect one by a cable";
    }
    return NULL;
}

/* ---- running ---- */

static void
run_case(struct conform *t, unsigned number, const struct conform_case *one)
{
    const char *lacking = missing(&t->shared->facts, one->needs);

    t->current = one;
    t->failures = 0;
    t->skipped = false;
    conform_say(t, "case\t%u", number);
    if (lacking) {
        conform_skip(t, "%s", lacking);
    } else {
        one->run(t);
    }
    conform_say(t, "done");
}

static void
run_cases(struct conform *t, unsigned first, const char *only)
{
    const struct conform_group *group;
    const struct conform_case *one;

    for (unsigned i = first; (one = conform_case_at(i, &group)) != NULL; i++) {
        if (conform_chosen(only, group, one)) {
            run_case(t, i, one);
        }
    }
}

int
child_run(const char *driver_name, const char *handles, const char *only, double seconds)
{
    static struct conform t;
    char error[FIND_ERROR_BYTES];
    unsigned long long pipe = 0, section = 0;
    int first = 0;

    if (sscanf(handles, "%llu,%llu,%d", &pipe, &section, &first) != 3) {
        return 2;
    }
    t.driver_name = driver_name;
    t.seconds = seconds;
    t.pipe = (HANDLE)(uintptr_t)pipe;
    t.shared =
        MapViewOfFile((HANDLE)(uintptr_t)section, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(*t.shared));
    if (!t.shared || !find_clsid(driver_name, &t.clsid, error)) {
        return 2;
    }
    InitializeCriticalSection(&t.lock);
    conform_child = &t;
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    SetUnhandledExceptionFilter(say_crash);
    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    if (first == CHILD_LOOKS) {
        look(&t);
    } else {
        run_cases(&t, (unsigned)first, only);
    }
    conform_say(&t, "end");
    /* What a driver does when it is unloaded was judged by cases, or not: it cannot change what was
     * said. */
    TerminateProcess(GetCurrentProcess(), 0);
    return 0;
}
