/* SPDX-License-Identifier: MIT */
/* Helps the cases of misbehaving hosts. See rude.h. */
#include "conform/rude.h"

#include "conform/inside.h"

#include <stdio.h>
#include <stdlib.h>

enum { DONE_MS = 25000, OUTSIDE_MS = 3000, PROCESS_MS = 10000, COMMAND_CHARS = 2048 };

/* ---- objects ---- */

struct rude *
rude_open(struct conform *t, void (*on_block)(struct host *host, const struct host_block *block))
{
    struct rude *rude = calloc(1, sizeof(*rude));

    if (!rude) {
        conform_fail(t, "no memory");
        return NULL;
    }
    rude->s = subject_open(t);
    if (!rude->s) {
        return NULL;
    }
    rude->at_block = 3;
    rude->s->host.user = rude;
    rude->s->host.on_block = on_block;
    if (subject_prepare(rude->s, 2, 2, 0)) {
        return rude;
    }
    subject_close(rude->s);
    return NULL;
}

bool
rude_wait_done(struct rude *rude, const char *what)
{
    for (unsigned ms = 0; ms < DONE_MS && !atomic_load(&rude->done); ms += 5) {
        conform_sleep_ms(5);
    }
    if (atomic_load(&rude->done)) {
        return true;
    }
    conform_fail(rude->s->t, "%s", atomic_load(&rude->entered) ? what : "no callback came");
    subject_abandon(rude->s);
    return false;
}

bool
rude_wait_outside(struct rude *rude)
{
    for (unsigned ms = 0; ms < OUTSIDE_MS && atomic_load(&rude->s->host.inside); ms++) {
        conform_sleep_ms(1);
    }
    return conform_expect(rude->s->t, !atomic_load(&rude->s->host.inside),
                          "a callback does not return");
}

bool
rude_goes_on(struct rude *rude, uint32_t count, const char *after)
{
    struct host *host = &rude->s->host;
    uint32_t before = atomic_load(&host->block_count);
    unsigned ms = 3000 + (unsigned)(2 * count * rude_period_ms(rude->s));

    if (host_wait(host, before + count, ms)) {
        return true;
    }
    conform_fail(rude->s->t, "%u of %u callbacks came after %s",
                 atomic_load(&host->block_count) - before, count, after);
    return false;
}

void
rude_close(struct rude *rude)
{
    subject_close(rude->s);
}

void
rude_expect_fresh(struct conform *t, const char *after)
{
    struct subject *s = subject_in(t, RUNNING);

    conform_expect(t, s, "another object does not play after %s", after);
    subject_close(s);
}

double
rude_period_ms(const struct subject *s)
{
    return s->buffer_frames * 1000.0 / (s->rate_hz >= 1000 ? s->rate_hz : 44100);
}

/* ---- processes ---- */

/* The process is the same program as a child of the parent is, with one case and this variable. */
static const wchar_t variable[] = L"TUTTI_CONFORM_ENDS";

void
rude_play_process(struct conform *t)
{
    wchar_t text[16];
    unsigned state, end;

    if (!GetEnvironmentVariableW(variable, text, ARRAYSIZE(text)) ||
        swscanf(text, L"%u,%u", &state, &end) != 2) {
        return;
    }
    if (!subject_in(t, (enum subject_state)state)) {
        TerminateProcess(GetCurrentProcess(), 1);
    }
    if (end == END_BY_ITSELF) {
        ExitProcess(0);
    }
    TerminateProcess(GetCurrentProcess(), 0);
}

static HANDLE
open_nothing(void)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};

    return CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                       &inherited, OPEN_EXISTING, 0, NULL);
}

static HANDLE
open_section(void)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};

    return CreateFileMappingW(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE, 0,
                              sizeof(struct conform_shared), NULL);
}

static HANDLE
start_process(struct conform *t, const char *case_name, HANDLE nothing, HANDLE section)
{
    wchar_t program[MAX_PATH], command[COMMAND_CHARS];
    char words[COMMAND_CHARS];
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION made = {0};

    startup.hStdInput = startup.hStdOutput = startup.hStdError = nothing;
    GetModuleFileNameW(NULL, program, ARRAYSIZE(program));
    snprintf(words, sizeof(words),
             "tutti conform \"%s\" --child=%llu,%llu,0 --seconds=1 \"--only=%s\"",
             conform_driver_name(t), (unsigned long long)(uintptr_t)nothing,
             (unsigned long long)(uintptr_t)section, case_name);
    if (!MultiByteToWideChar(CP_UTF8, 0, words, -1, command, COMMAND_CHARS) ||
        !CreateProcessW(program, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made)) {
        return NULL;
    }
    CloseHandle(made.hThread);
    return made.hProcess;
}

/* Waits for its end. */
static bool
judge_process(struct conform *t, HANDLE process, enum subject_state state)
{
    DWORD code = 1;

    if (WaitForSingleObject(process, PROCESS_MS) == WAIT_TIMEOUT) {
        TerminateProcess(process, 4);
        conform_fail(t, "a process that ends in %s does not end", subject_state_names[state]);
        return false;
    }
    GetExitCodeProcess(process, &code);
    return conform_expect(t, code == 0,
                          "a process that was to end in %s ended with %#lx before or while it did",
                          subject_state_names[state], (unsigned long)code);
}

bool
rude_process(struct conform *t, const char *case_name, enum subject_state state, enum rude_end end)
{
    HANDLE nothing = open_nothing(), section = open_section();
    wchar_t text[16];

    _snwprintf(text, ARRAYSIZE(text), L"%u,%u", (unsigned)state, (unsigned)end);
    SetEnvironmentVariableW(variable, text);
    HANDLE process = section ? start_process(t, case_name, nothing, section) : NULL;
    SetEnvironmentVariableW(variable, NULL);
    bool good = process && judge_process(t, process, state);
    conform_expect(t, process, "no process of its own: error %lu", GetLastError());
    if (process) {
        CloseHandle(process);
    }
    if (section) {
        CloseHandle(section);
    }
    CloseHandle(nothing);
    return good;
}
