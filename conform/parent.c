/* SPDX-License-Identifier: MIT */
/*
 * Runs children and collects what their cases say. The parent never loads the driver: whatever a
 * driver does to its process, a verdict comes out, and the next case gets a new process.
 */
#include "conform/results.h"

#include "conform/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

enum {
    POLL_MS = 20,
    END_MS = 5000,
    SETTLE_MS = 1000,
    AGAIN_MS = 5000,
    LOOKS = 2,
    COMMAND_CHARS = 8192,
    READ_BYTES = 65536
};

const char *const verdict_names[VERDICTS] = {
    [VERDICT_PASSED] = "passed",
    [VERDICT_FAILED] = "failed",
    [VERDICT_SKIPPED] = "skipped",
};

/* The run. */
struct parent {
    struct results *results;
    const struct parent_options *options;
    struct conform_shared *shared;
    HANDLE section;
    /* the child */
    HANDLE process, pipe, childs_pipe;
    char line[LINE_BYTES];
    size_t line_length;
    bool ended;                     /* it said so */
    bool looks;                     /* it runs no cases */
    uint32_t silent_since_ms;       /* while no case runs */
    char crash[CONFORM_TEXT_BYTES]; /* of its own words; "": none */
    /* the case */
    struct result *current; /* NULL: none */
    unsigned next;          /* number of the first case that has not begun */
    uint64_t began_ns;
    struct text reasons;
};

/* ---- results ---- */

void
results_init(struct results *results, const char *driver)
{
    SYSTEMTIME now;

    memset(results, 0, sizeof(*results));
    snprintf(results->driver, sizeof(results->driver), "%s", driver);
    GetLocalTime(&now);
    snprintf(results->date, sizeof(results->date), "%04u-%02u-%02u %02u:%02u", now.wYear,
             now.wMonth, now.wDay, now.wHour, now.wMinute);
}

static void
clear_result(struct result *result)
{
    for (unsigned i = 0; i < result->series_count; i++) {
        free(result->series[i].x);
        free(result->series[i].y);
    }
    free(result->reason);
    memset(result, 0, sizeof(*result));
}

void
results_fini(struct results *results)
{
    for (unsigned i = 0; i < results->count; i++) {
        clear_result(&results->list[i]);
    }
    free(results->list);
    memset(results, 0, sizeof(*results));
}

static struct series *
series_of(struct result *result, const char *name)
{
    for (unsigned i = 0; i < result->series_count; i++) {
        if (strcmp(result->series[i].name, name) == 0) {
            return &result->series[i];
        }
    }
    if (result->series_count == RESULT_SERIES) {
        return NULL;
    }
    struct series *series = &result->series[result->series_count++];
    snprintf(series->name, sizeof(series->name), "%s", name);
    return series;
}

static void
add_points(struct series *series, const char *text)
{
    double x, y;
    int used;

    if (!series->x) {
        series->x = calloc(SERIES_POINTS, sizeof(*series->x));
        series->y = calloc(SERIES_POINTS, sizeof(*series->y));
    }
    while (series->x && series->y && series->count < SERIES_POINTS &&
           sscanf(text, "%lf\t%lf%n", &x, &y, &used) == 2) {
        series->x[series->count] = x;
        series->y[series->count++] = y;
        text += used;
    }
}

/* ---- a case begins and ends ---- */

static void
add_reason(struct parent *parent, const char *sentence)
{
    if (parent->reasons.length) {
        text_add(&parent->reasons, "; ");
    }
    text_add(&parent->reasons, sentence);
}

/* A failure that was declared beforehand is told, and not counted as one; a crash is. */
static void
excuse(struct parent *parent)
{
    struct result *result = parent->current;
    char reason[LINE_BYTES];

    if (result->verdict != VERDICT_FAILED || !parent->options->except ||
        !conform_chosen(parent->options->except, result->group, result->one)) {
        return;
    }
    snprintf(reason, sizeof(reason), "an exception that was declared: %s",
             text_get(&parent->reasons));
    text_clear(&parent->reasons);
    add_reason(parent, reason);
    result->verdict = VERDICT_SKIPPED;
}

static void
finish_case(struct parent *parent)
{
    struct result *result = parent->current;

    if (!result) {
        return;
    }
    if (parent->reasons.length) {
        result->reason = strdup(text_get(&parent->reasons));
    }
    text_clear(&parent->reasons);
    result->seconds = (double)(conform_now_ns() - parent->began_ns) / 1e9;
    parent->results->verdicts[result->verdict]++;
    parent->current = NULL;
    parent->silent_since_ms = conform_now_ms();
    if (parent->options->progress) {
        parent->options->progress(parent->options->user, result);
    }
}

static void
begin_case(struct parent *parent, unsigned number)
{
    const struct conform_group *group = NULL;
    const struct conform_case *one = conform_case_at(number, &group);

    finish_case(parent);
    if (!one || number < parent->next || parent->results->count >= conform_case_count()) {
        return;
    }
    parent->current = &parent->results->list[parent->results->count++];
    parent->current->group = group;
    parent->current->one = one;
    parent->next = number + 1;
    parent->began_ns = conform_now_ns();
}

/* The case could not end by itself. */
static void
break_case(struct parent *parent, const char *sentence)
{
    if (parent->looks) {
        snprintf(parent->results->look_error, sizeof(parent->results->look_error), "%s", sentence);
    } else if (parent->current) {
        parent->current->verdict = VERDICT_FAILED;
        add_reason(parent, sentence);
        finish_case(parent);
    } else if (parent->results->count) {
        /* It was the one before that left something behind. */
        struct result *last = &parent->results->list[parent->results->count - 1];
        struct text reason;
        text_init(&reason);
        text_addf(&reason, "%s%safter the case: %s", last->reason ? last->reason : "",
                  last->reason ? "; " : "", sentence);
        parent->results->verdicts[last->verdict]--;
        last->verdict = VERDICT_FAILED;
        parent->results->verdicts[VERDICT_FAILED]++;
        free(last->reason);
        last->reason = strdup(text_get(&reason));
        text_fini(&reason);
        if (parent->options->progress) {
            parent->options->progress(parent->options->user, last);
        }
    }
}

/* ---- what a child says ---- */

static void
take_words(struct parent *parent, char *word, char *rest)
{
    struct result *result = parent->current;

    if (strcmp(word, "case") == 0) {
        begin_case(parent, (unsigned)strtoul(rest, NULL, 10));
    } else if (strcmp(word, "end") == 0) {
        parent->ended = true;
    } else if (strcmp(word, "crash") == 0) {
        snprintf(parent->crash, sizeof(parent->crash), "%s", rest);
    } else if (!result) {
        return;
    } else if (strcmp(word, "fail") == 0) {
        if (result->verdict == VERDICT_SKIPPED) {
            text_clear(&parent->reasons);
        }
        result->verdict = VERDICT_FAILED;
        add_reason(parent, rest);
    } else if (strcmp(word, "skip") == 0 && result->verdict == VERDICT_PASSED) {
        result->verdict = VERDICT_SKIPPED;
        add_reason(parent, rest);
    } else if (strcmp(word, "figure") == 0) {
        const char *unit = rest;
        (void)number_read(rest, &unit, &result->figure);
        result->has_figure = true;
        snprintf(result->unit, sizeof(result->unit), "%s", *unit ? unit + 1 : "");
    } else if (strcmp(word, "tries") == 0) {
        result->tries = (unsigned)strtoul(rest, NULL, 10);
    } else if (strcmp(word, "series") == 0) {
        struct series *series = series_of(result, rest);
        if (series) {
            series->count = 0;
        }
    } else if (strcmp(word, "points") == 0 && result->series_count) {
        add_points(&result->series[result->series_count - 1], rest);
    } else if (strcmp(word, "done") == 0) {
        excuse(parent);
        finish_case(parent);
    }
}

static void
take_line(struct parent *parent)
{
    static char nothing[] = "";
    char *tab;

    parent->line[parent->line_length] = '\0';
    parent->line_length = 0;
    tab = strchr(parent->line, '\t');
    if (tab) {
        *tab = '\0';
    }
    take_words(parent, parent->line, tab ? tab + 1 : nothing);
}

/* All that has come. */
static void
drain(struct parent *parent)
{
    static char bytes[READ_BYTES];
    DWORD there = 0, read = 0;

    while (PeekNamedPipe(parent->pipe, NULL, 0, NULL, &there, NULL) && there > 0 &&
           ReadFile(parent->pipe, bytes, there < READ_BYTES ? there : READ_BYTES, &read, NULL)) {
        for (DWORD i = 0; i < read; i++) {
            if (bytes[i] == '\n') {
                take_line(parent);
            } else if (parent->line_length < LINE_BYTES - 1) {
                parent->line[parent->line_length++] = bytes[i];
            }
        }
    }
}

/* ---- a child ---- */

static bool
widen(wchar_t *to, size_t room, const char *utf8)
{
    return MultiByteToWideChar(CP_UTF8, 0, utf8, -1, to, (int)room) > 0;
}

static bool
start_process(struct parent *parent, int first)
{
    static wchar_t command[COMMAND_CHARS];
    wchar_t program[MAX_PATH];
    char words[COMMAND_CHARS];
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION made = {0};
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    const struct parent_options *options = parent->options;

    GetModuleFileNameW(NULL, program, ARRAYSIZE(program));
    snprintf(words, sizeof(words), "%s \"%s\" --child=%llu,%llu,%d --seconds=%g%s%s%s",
             options->called, options->driver, (unsigned long long)(uintptr_t)parent->childs_pipe,
             (unsigned long long)(uintptr_t)parent->section, first, options->seconds,
             options->only ? " \"--only=" : "", options->only ? options->only : "",
             options->only ? "\"" : "");
    HANDLE nowhere =
        CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    &inherited, OPEN_EXISTING, 0, NULL);
    startup.hStdInput = startup.hStdOutput = startup.hStdError = nowhere;
    bool started =
        widen(command, ARRAYSIZE(command), words) &&
        CreateProcessW(program, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made);
    if (nowhere != INVALID_HANDLE_VALUE) {
        CloseHandle(nowhere);
    }
    if (!started) {
        return false;
    }
    CloseHandle(made.hThread);
    parent->process = made.hProcess;
    return true;
}

static bool
start_child(struct parent *parent, int first)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};

    memset(parent->shared->calls, 0, sizeof(parent->shared->calls));
    parent->line_length = 0;
    parent->ended = false;
    parent->looks = first == CHILD_LOOKS;
    parent->crash[0] = '\0';
    parent->silent_since_ms = conform_now_ms();
    if (!CreatePipe(&parent->pipe, &parent->childs_pipe, &inherited, READ_BYTES)) {
        return false;
    }
    SetHandleInformation(parent->pipe, HANDLE_FLAG_INHERIT, 0);
    bool started = start_process(parent, first);
    CloseHandle(parent->childs_pipe);
    if (!started) {
        CloseHandle(parent->pipe);
    }
    return started;
}

/* The method that is in the longest call, and for how long; METHOD_COUNT: none is. */
static enum conform_method
longest_call(const struct parent *parent, uint32_t *ms)
{
    enum conform_method method = METHOD_COUNT;

    *ms = 0;
    for (unsigned i = 0; i < SHARED_CALLS; i++) {
        struct shared_call *call = &parent->shared->calls[i];
        uint32_t inside = atomic_load(&call->method), since = atomic_load(&call->since_ms);
        uint32_t lasted = since ? conform_now_ms() - since : 0;
        if (inside && inside <= METHOD_COUNT && (method == METHOD_COUNT || lasted > *ms)) {
            method = (enum conform_method)(inside - 1);
            *ms = lasted;
        }
    }
    return method;
}

/* Kills a child that hangs, with the sentence that says so. */
static bool
has_hung(struct parent *parent)
{
    char sentence[CONFORM_TEXT_BYTES];
    uint32_t call_ms = 0;
    enum conform_method method = longest_call(parent, &call_ms);
    double lasted_s = parent->current ? (double)(conform_now_ns() - parent->began_ns) / 1e9
                                      : (double)(conform_now_ms() - parent->silent_since_ms) / 1000;
    double limit_s = CONFORM_CASE_S + (parent->current ? parent->current->one->seconds : 0) +
                     parent->options->seconds;

    if (call_ms >= parent->options->patience_s * 1000) {
        snprintf(sentence, sizeof(sentence), "the driver hung in %s for %u s",
                 conform_method_name(method), call_ms / 1000);
    } else if (lasted_s > limit_s) {
        snprintf(sentence, sizeof(sentence), "not done after %.0f s%s%s", lasted_s,
                 method < METHOD_COUNT ? ", in " : "",
                 method < METHOD_COUNT ? conform_method_name(method) : "");
    } else {
        return false;
    }
    TerminateProcess(parent->process, 4);
    WaitForSingleObject(parent->process, END_MS);
    drain(parent);
    break_case(parent, sentence);
    return true;
}

static void
judge_end(struct parent *parent)
{
    char sentence[2 * CONFORM_TEXT_BYTES];
    DWORD code = 0;
    uint32_t ms;
    enum conform_method method = longest_call(parent, &ms);
    const char *in = method < METHOD_COUNT ? ", in " : "";
    const char *name = method < METHOD_COUNT ? conform_method_name(method) : "";

    GetExitCodeProcess(parent->process, &code);
    if (parent->crash[0]) {
        snprintf(sentence, sizeof(sentence), "the driver crashed: %s%s%s", parent->crash, in, name);
    } else {
        snprintf(sentence, sizeof(sentence), "the process ended without a word, exit code %#lx%s%s",
                 (unsigned long)code, in, name);
    }
    break_case(parent, sentence);
}

/* False: there is no child. */
static bool
run_child(struct parent *parent, int first)
{
    bool hung = false;

    if (!start_child(parent, first)) {
        return false;
    }
    while (!hung && WaitForSingleObject(parent->process, POLL_MS) == WAIT_TIMEOUT) {
        drain(parent);
        hung = has_hung(parent);
    }
    drain(parent);
    if (!hung && !parent->ended) {
        judge_end(parent);
    }
    /* What the driver talked to, a server, a device, is to notice before the next one comes. */
    if (!parent->ended) {
        Sleep(SETTLE_MS);
    }
    CloseHandle(parent->process);
    CloseHandle(parent->pipe);
    return true;
}

/* ---- the run ---- */

static bool
any_left(const struct parent *parent)
{
    const struct conform_group *group;
    const struct conform_case *one;

    for (unsigned i = parent->next; (one = conform_case_at(i, &group)) != NULL; i++) {
        if (conform_chosen(parent->options->only, group, one)) {
            return true;
        }
    }
    return false;
}

static bool
open_section(struct parent *parent)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};

    parent->section = CreateFileMappingW(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE, 0,
                                         sizeof(*parent->shared), NULL);
    if (parent->section) {
        parent->shared =
            MapViewOfFile(parent->section, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(*parent->shared));
    }
    return parent->shared != NULL;
}

static void
close_section(struct parent *parent)
{
    if (parent->shared) {
        UnmapViewOfFile(parent->shared);
    }
    if (parent->section) {
        CloseHandle(parent->section);
    }
}

/* True when each chosen case has a verdict. */
static bool
run_all(struct parent *parent, char error[CONFORM_TEXT_BYTES])
{
    while (any_left(parent)) {
        unsigned before = parent->next;
        if (!run_child(parent, (int)before)) {
            snprintf(error, CONFORM_TEXT_BYTES, "no child process: error %lu", GetLastError());
            return false;
        }
        if (parent->next == before && parent->ended) {
            break;
        }
        if (parent->next == before) {
            snprintf(error, CONFORM_TEXT_BYTES, "the child process ended before its first case");
            return false;
        }
    }
    return true;
}

bool
parent_run(struct results *results, const struct parent_options *options,
           char error[CONFORM_TEXT_BYTES])
{
    struct parent parent = {.results = results, .options = options};
    struct asio_guid clsid;
    char why[FIND_ERROR_BYTES];
    bool good = false;
    uint64_t began = conform_now_ns();

    if (!find_clsid(options->driver, &clsid, why)) {
        snprintf(error, CONFORM_TEXT_BYTES, "%s", why);
        return false;
    }
    results->list = calloc(conform_case_count() + 1, sizeof(*results->list));
    text_init(&parent.reasons);
    if (!results->list || !open_section(&parent)) {
        snprintf(error, CONFORM_TEXT_BYTES, "out of memory");
    } else {
        for (unsigned i = 0; i < LOOKS && !parent.shared->facts.looked; i++) {
            run_child(&parent, CHILD_LOOKS);
        }
        results->facts = parent.shared->facts;
        good = run_all(&parent, error);
    }
    text_fini(&parent.reasons);
    close_section(&parent);
    results->seconds = (double)(conform_now_ns() - began) / 1e9;
    return good;
}
