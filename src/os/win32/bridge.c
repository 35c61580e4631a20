/* SPDX-License-Identifier: MIT */
/*
 * The bridge of this process: starting it, asking it, hearing it. It runs while somebody holds it
 * (a link, a pipe, a memory file), and a little longer; one that died is replaced when it is held
 * or asked next.
 *
 * Two locks: `life` is held while a bridge is started or ended, `state.lock` guards what the reader
 * thread shares with the rest. Requests go one at a time.
 */
#include "bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/log.h"

enum {
    /* Of a bridge that started: on a busy machine it takes long, and who gave up on it would bring
     * an engine of Wine's own beside the native one. One that cannot serve says so at once. */
    START_MS = 15000,
    LOOK_AGAIN_MS = 2,
    LINGER_MS = 2000, /* without a holder: hosts reload often; a start is slow */
    GRACE_MS = 10000, /* that a bridge may take longer than it was asked to */
    NAME_BYTES = 16,  /* of a Linux thread */
    NATIVE_PATHS = 3,
};

typedef void (*any_fn)(void);
typedef char *(__cdecl *unix_name_fn)(const wchar_t *path);

enum mode { MODE_UNDECIDED, MODE_OFF, MODE_ON };

static struct {
    SRWLOCK lock;
    CONDITION_VARIABLE changed;
    /* guarded by lock */
    bool answered;
    uint32_t serial;
    struct bridge_record answer;
    bool reads; /* the reader has begun, under its first name */
    /* guarded by life; read without it */
    _Atomic uint32_t epoch; /* 0: none runs */
    _Atomic uint32_t pid;
    HANDLE requests, answers;
    struct os_thread *reader;
    char reader_name[NAME_BYTES]; /* its first */
    unsigned holders;
    bool lingers;          /* a thread waits to end it */
    uint64_t released_ns;  /* by the last holder */
    uint32_t bridges;      /* so far */
    wchar_t program[1024]; /* tutti-bridge, as Wine sees it */
    char engine_dir[BRIDGE_TEXT_BYTES + 16];
    uint32_t host_pid;
    /* stays mapped from bridge to bridge */
    const struct bridge_clock *_Atomic clock;
} state = {.lock = SRWLOCK_INIT, .changed = CONDITION_VARIABLE_INIT};

static SRWLOCK life = SRWLOCK_INIT, asking = SRWLOCK_INIT;
static _Atomic int mode; /* enum mode */

bool
bridge_is_on(void)
{
    return atomic_load_explicit(&mode, memory_order_relaxed) == MODE_ON;
}

uint32_t
bridge_epoch(void)
{
    return atomic_load(&state.epoch);
}

uint32_t
bridge_pid(void)
{
    return atomic_load(&state.pid);
}

/* ---- the pipes ---- */

static bool
read_all(void *data, size_t bytes)
{
    unsigned char *at = data;
    while (bytes > 0) {
        DWORD got = 0;
        if (!ReadFile(state.answers, at, (DWORD)bytes, &got, NULL) || got == 0) {
            return false;
        }
        at += got;
        bytes -= got;
    }
    return true;
}

static bool
write_all(const void *data, size_t bytes)
{
    const unsigned char *at = data;
    while (bytes > 0) {
        DWORD put = 0;
        if (!WriteFile(state.requests, at, (DWORD)bytes, &put, NULL) || put == 0) {
            return false;
        }
        at += put;
        bytes -= put;
    }
    return true;
}

static void
run_reader(void *arg)
{
    static struct {
        struct bridge_record record;
        unsigned char payload[OS_LINK_MAX_MESSAGE_BYTES];
    } in; /* one reader at a time */
    bool named = false;
    (void)arg;
    AcquireSRWLockExclusive(&state.lock);
    state.reads = true;
    ReleaseSRWLockExclusive(&state.lock);
    WakeAllConditionVariable(&state.changed);
    while (read_all(&in.record, sizeof(in.record)) && in.record.size_bytes >= sizeof(in.record) &&
           in.record.size_bytes <= sizeof(in)) {
        const size_t bytes = in.record.size_bytes - sizeof(in.record);
        if (!read_all(in.payload, bytes)) {
            break;
        }
        if (!named) {
            win32_name_thread("tutti-bridge");
        }
        named = true;
        if (in.record.kind != BRIDGE_ANSWER) {
            bridge_link_take(&in.record, in.payload, bytes);
            continue;
        }
        AcquireSRWLockExclusive(&state.lock);
        if (in.record.serial == state.serial) {
            state.answer = in.record;
            state.answered = true;
        }
        ReleaseSRWLockExclusive(&state.lock);
        WakeAllConditionVariable(&state.changed);
    }
    AcquireSRWLockExclusive(&state.lock);
    atomic_store(&state.epoch, 0);
    ReleaseSRWLockExclusive(&state.lock);
    WakeAllConditionVariable(&state.changed);
    bridge_link_lose_all();
}

static bool
await_answer(uint64_t deadline_ns)
{
    AcquireSRWLockExclusive(&state.lock);
    while (!state.answered && atomic_load(&state.epoch) != 0 && os_now_ns() < deadline_ns) {
        SleepConditionVariableSRW(&state.changed, &state.lock, win32_timeout_ms(deadline_ns), 0);
    }
    const bool answered = state.answered;
    ReleaseSRWLockExclusive(&state.lock);
    return answered;
}

enum tutti_status
bridge_ask(struct bridge_record *request, const void *payload, size_t payload_bytes,
           struct bridge_record *reply, uint64_t timeout_ms)
{
    enum tutti_status status = TUTTI_CLOSED;
    AcquireSRWLockExclusive(&asking);
    AcquireSRWLockExclusive(&state.lock);
    request->serial = ++state.serial;
    state.answered = false;
    ReleaseSRWLockExclusive(&state.lock);
    request->size_bytes = (uint32_t)(sizeof(*request) + payload_bytes);
    if (atomic_load(&state.epoch) != 0 && write_all(request, sizeof(*request)) &&
        write_all(payload, payload_bytes) &&
        await_answer(os_now_ns() + (timeout_ms + GRACE_MS) * OS_NS_PER_MS)) {
        status = (enum tutti_status)state.answer.status;
        if (reply != NULL) {
            *reply = state.answer;
        }
    }
    ReleaseSRWLockExclusive(&asking);
    return status;
}

void
bridge_tell(struct bridge_record *request)
{
    AcquireSRWLockExclusive(&asking);
    AcquireSRWLockExclusive(&state.lock);
    request->serial = ++state.serial;
    ReleaseSRWLockExclusive(&state.lock);
    request->size_bytes = sizeof(*request);
    if (atomic_load(&state.epoch) != 0) {
        (void)write_all(request, sizeof(*request));
    }
    ReleaseSRWLockExclusive(&asking);
}

/* ---- starting one ---- */

HANDLE
bridge_open(uint32_t pid, int fd, DWORD access)
{
    wchar_t path[64];
    swprintf(path, sizeof(path) / sizeof(path[0]), L"\\\\?\\unix\\proc\\%u\\fd\\%d", (unsigned)pid,
             fd);
    const HANDLE file =
        CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    return file == INVALID_HANDLE_VALUE ? NULL : file;
}

/* A path of Wine's as Linux has it, utf-8, allocated on the process heap; NULL when this is not
 * Wine. */
static char *
unix_name(const wchar_t *path)
{
    const unix_name_fn convert =
        (unix_name_fn)(any_fn)win32_function(L"kernel32.dll", "wine_get_unix_file_name");
    return convert != NULL ? convert(path) : NULL;
}

/* The file in which the bridge tells where its ends are: in this user's own temporary folder. */
static bool
choose_file(wchar_t *path, size_t room)
{
    wchar_t folder[MAX_PATH];
    LARGE_INTEGER now;
    const DWORD length = GetTempPathW(MAX_PATH, folder);
    QueryPerformanceCounter(&now);
    return length > 0 && length < MAX_PATH &&
           swprintf(path, room, L"%lstutti-bridge-%lx-%llx", folder, GetCurrentProcessId(),
                    (unsigned long long)now.QuadPart) > 0;
}

static bool
start_process(const wchar_t *file)
{
    wchar_t line[2048];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION info;
    char *const name = unix_name(file);
    wchar_t *const wide = name != NULL ? win32_wide(name) : NULL;
    bool started = false;
    if (wide != NULL &&
        swprintf(line, sizeof(line) / sizeof(line[0]), L"tutti-bridge \"%ls\"", wide) > 0) {
        started = CreateProcessW(state.program, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL,
                                 NULL, &startup, &info) != 0;
    }
    if (started) {
        CloseHandle(info.hThread);
        CloseHandle(info.hProcess);
    } else {
        win32_log_failure("start the bridge to the native engine", GetLastError());
    }
    free(wide);
    if (name != NULL) {
        HeapFree(GetProcessHeap(), 0, name);
    }
    return started;
}

/* What the bridge wrote; it is renamed into place when it is complete. */
static bool
read_file(const wchar_t *file, int ends[4])
{
    const uint64_t deadline_ns = os_now_ns() + (uint64_t)START_MS * OS_NS_PER_MS;
    HANDLE handle;
    char text[128] = "";
    DWORD bytes = 0;
    int version = 0;
    for (;;) {
        handle = CreateFileW(file, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                             OPEN_EXISTING, 0, NULL);
        if (handle != INVALID_HANDLE_VALUE || os_now_ns() >= deadline_ns) {
            break;
        }
        os_sleep_until_ns(os_now_ns() + LOOK_AGAIN_MS * OS_NS_PER_MS);
    }
    if (handle == INVALID_HANDLE_VALUE) {
        log_warning("the bridge to the native engine does not answer");
        return false;
    }
    (void)ReadFile(handle, text, sizeof(text) - 1, &bytes, NULL);
    CloseHandle(handle);
    DeleteFileW(file);
    return sscanf(text, "%d %d %d %d %d", &version, &ends[0], &ends[1], &ends[2], &ends[3]) == 5 &&
           version == BRIDGE_VERSION;
}

static void
map_clock(int pid, int fd)
{
    if (atomic_load(&state.clock) != NULL) {
        UnmapViewOfFile((void *)(uintptr_t)atomic_exchange(&state.clock, NULL));
    }
    const HANDLE file = bridge_open((uint32_t)pid, fd, GENERIC_READ | GENERIC_WRITE);
    const HANDLE section =
        file != NULL ? CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 65536, NULL) : NULL;
    if (section != NULL) {
        atomic_store(&state.clock, MapViewOfFile(section, FILE_MAP_READ, 0, 0, 65536));
    }
    if (section != NULL) {
        CloseHandle(section);
    }
    if (file != NULL) {
        CloseHandle(file);
    }
}

/* A name that no other thread of this machine has. */
static void
unique_name(char name[NAME_BYTES])
{
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    uint64_t mix = (uint64_t)now.QuadPart ^ (uint64_t)GetCurrentThreadId() << 32 ^
                   (uint64_t)GetCurrentProcessId() << 48;
    mix *= UINT64_C(0x9e3779b97f4a7c15);
    snprintf(name, NAME_BYTES, "tb%012llx", (unsigned long long)(mix >> 16));
}

/* Gives the calling thread, one of ours, another name, by which the bridge finds it. */
static enum tutti_status
ask_by_name(struct bridge_record *request, struct bridge_record *reply)
{
    char name[NAME_BYTES];
    unique_name(name);
    win32_name_thread(name);
    snprintf(request->text, sizeof(request->text), "%s", name);
    return bridge_ask(request, NULL, 0, reply, 0);
}

/* The thread that the bridge finds us by is the reader, which has a name for it until the answer is
 * there: this one may be the host's, with a name that the host gave it. */
static bool
greet(void)
{
    struct bridge_record reply, request = {.kind = BRIDGE_GREET};
    AcquireSRWLockExclusive(&state.lock);
    while (!state.reads) {
        SleepConditionVariableSRW(&state.changed, &state.lock, INFINITE, 0);
    }
    ReleaseSRWLockExclusive(&state.lock);
    snprintf(request.text, sizeof(request.text), "%s", state.reader_name);
    request.value = os_now_ns();
    if (bridge_ask(&request, NULL, 0, &reply, 0) != TUTTI_OK) {
        return false;
    }
    state.host_pid = reply.number;
    snprintf(state.engine_dir, sizeof(state.engine_dir), "\\\\?\\unix%.250s", reply.text);
    for (char *at = state.engine_dir; *at != '\0'; at++) {
        *at = *at == '/' ? '\\' : *at;
    }
    return true;
}

/* ---- its life ---- */

/* life held. The bridge ends when its requests end; the reader when the bridge does. */
static void
end_session(void)
{
    if (state.requests != NULL) {
        CloseHandle(state.requests);
    }
    os_thread_join(state.reader);
    if (state.answers != NULL) {
        CloseHandle(state.answers);
    }
    state.requests = state.answers = NULL;
    state.reader = NULL;
}

/* life held. */
static bool
start_session(void)
{
    wchar_t file[MAX_PATH + 64];
    int ends[4];
    end_session();
    if (!choose_file(file, sizeof(file) / sizeof(file[0])) || !start_process(file) ||
        !read_file(file, ends)) {
        return false;
    }
    state.answers = bridge_open((uint32_t)ends[0], ends[1], GENERIC_READ);
    state.requests = bridge_open((uint32_t)ends[0], ends[2], GENERIC_WRITE);
    if (state.answers == NULL || state.requests == NULL) {
        log_warning("the bridge's pipes cannot be opened");
        end_session();
        return false;
    }
    map_clock(ends[0], ends[3]);
    atomic_store(&state.pid, (uint32_t)ends[0]);
    atomic_store(&state.epoch, ++state.bridges);
    unique_name(state.reader_name);
    state.reads = false;
    if (os_thread_start(&state.reader, state.reader_name, OS_PRIORITY_NORMAL, run_reader, NULL) !=
        TUTTI_OK) {
        atomic_store(&state.epoch, 0);
        end_session();
        return false;
    }
    if (!greet()) {
        log_warning("the bridge to the native engine does not speak our language");
        end_session();
        return false;
    }
    return true;
}

enum tutti_status
bridge_hold(void)
{
    AcquireSRWLockExclusive(&life);
    const bool runs = atomic_load(&state.epoch) != 0 || start_session();
    if (runs) {
        state.holders++;
    }
    ReleaseSRWLockExclusive(&life);
    return runs ? TUTTI_OK : TUTTI_NO_ENGINE;
}

/* Ends the bridge when nobody came again in time. It holds a reference on the module until then. */
static DWORD WINAPI
linger(LPVOID module)
{
    bool waits = true;
    while (waits) {
        Sleep(LINGER_MS);
        AcquireSRWLockExclusive(&life);
        waits = state.holders == 0 && os_now_ns() < state.released_ns + LINGER_MS * OS_NS_PER_MS;
        if (!waits && state.holders == 0) {
            end_session();
        }
        state.lingers = waits;
        ReleaseSRWLockExclusive(&life);
    }
    FreeLibraryAndExitThread(module, 0);
}

/* life held. */
static bool
start_lingering(void)
{
    HMODULE module;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (const wchar_t *)&state,
                            &module)) {
        return false;
    }
    const HANDLE thread = CreateThread(NULL, 0, linger, module, 0, NULL);
    if (thread == NULL) {
        FreeLibrary(module);
        return false;
    }
    CloseHandle(thread);
    return true;
}

void
bridge_release(void)
{
    AcquireSRWLockExclusive(&life);
    state.released_ns = os_now_ns();
    if (--state.holders == 0 && !state.lingers) {
        state.lingers = start_lingering();
        if (!state.lingers) {
            end_session();
        }
    }
    ReleaseSRWLockExclusive(&life);
}

/* ---- whether ---- */

static bool
is_there(const wchar_t *path)
{
    const DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

static bool
take_unix_path(const wchar_t *path)
{
    if (swprintf(state.program, sizeof(state.program) / sizeof(state.program[0]), L"%ls%ls",
                 path[0] == L'/' ? L"\\\\?\\unix" : L"", path) <= 0) {
        return false;
    }
    for (wchar_t *at = state.program; *at != L'\0'; at++) {
        *at = *at == L'/' ? L'\\' : *at;
    }
    return is_there(state.program);
}

/* A file beside the driver that names it: `tutti wine install` puts both into a prefix. */
static bool
take_told(const char *module)
{
    char path[WIN32_PATH_BYTES + 32], text[900] = "";
    DWORD bytes = 0;
    snprintf(path, sizeof(path), "%s", module);
    char *name = strrchr(path, '\\');
    if (name == NULL) {
        return false;
    }
    snprintf(name + 1, sizeof(path) - (size_t)(name + 1 - path), "tutti-bridge.txt");
    wchar_t *const wide = win32_wide(path);
    const HANDLE file = wide != NULL ? CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL,
                                                   OPEN_EXISTING, 0, NULL)
                                     : INVALID_HANDLE_VALUE;
    free(wide);
    if (file == INVALID_HANDLE_VALUE) {
        return false;
    }
    (void)ReadFile(file, text, sizeof(text) - 1, &bytes, NULL);
    CloseHandle(file);
    text[strcspn(text, "\r\n")] = '\0';
    wchar_t *const native = win32_wide(text);
    const bool found = native != NULL && native[0] == L'/' && take_unix_path(native);
    free(native);
    return found;
}

/* Where it lies beside an installed driver: lib/tutti/SYSTEM/tutti.dll and bin/tutti-bridge. */
static bool
take_installed(const char *module)
{
    wchar_t path[900];
    bool found = false;
    wchar_t *const wide = win32_wide(module);
    char *const native = wide != NULL ? unix_name(wide) : NULL;
    free(wide);
    if (native == NULL) {
        return false;
    }
    for (unsigned up = 0; up < NATIVE_PATHS && strrchr(native, '/') != NULL; up++) {
        *strrchr(native, '/') = '\0';
    }
    wchar_t *const root = win32_wide(native);
    found = root != NULL &&
            swprintf(path, sizeof(path) / sizeof(path[0]), L"%ls/../bin/tutti-bridge", root) > 0 &&
            take_unix_path(path);
    free(root);
    HeapFree(GetProcessHeap(), 0, native);
    return found;
}

static bool
find_program(void)
{
    char text[900], module[WIN32_PATH_BYTES];
    if (os_getenv("TUTTI_BRIDGE", text, sizeof(text))) {
        wchar_t *const wide = win32_wide(text);
        const bool found = wide != NULL && wide[0] != L'\0' && take_unix_path(wide);
        free(wide);
        return found;
    }
    return os_module_path(module, sizeof(module)) == TUTTI_OK &&
           (take_told(module) || take_installed(module));
}

bool
bridge_choose(void)
{
    AcquireSRWLockExclusive(&life);
    if (atomic_load(&mode) == MODE_UNDECIDED) {
        const bool wine = win32_function(L"ntdll.dll", "wine_get_version") != NULL;
        const bool found = wine && find_program();
        /* tried, not only found: a sandbox may hide what it needs */
        const bool on = found && start_session();
        if (on) {
            log_info("Wine: by the bridge to the native engine");
        } else if (wine) {
            log_warning("Wine: %s, so this program plays through Wine's own sound system and meets "
                        "no native program; 'tutti wine status' tells more",
                        found ? "tutti-bridge does not work here" : "there is no tutti-bridge");
        }
        atomic_store(&mode, on ? MODE_ON : MODE_OFF);
    }
    ReleaseSRWLockExclusive(&life);
    return bridge_is_on();
}

/* ---- what the rest of the house asks ---- */

uint32_t
bridge_raise_thread(enum os_priority priority)
{
    struct bridge_record reply, request = {.kind = BRIDGE_THREAD, .number = (uint32_t)priority};
    const enum tutti_status status = ask_by_name(&request, &reply);
    return status == TUTTI_OK || status == TUTTI_REFUSED ? reply.number : 0;
}

uint32_t
os_link_host_pid(void)
{
    return bridge_is_on() ? state.host_pid : 0;
}

int64_t
os_link_clock_offset_ns(void)
{
    const struct bridge_clock *clock = atomic_load_explicit(&state.clock, memory_order_acquire);
    return clock != NULL ? atomic_load_explicit(&clock->offset_ns, memory_order_relaxed) : 0;
}

enum tutti_status
os_link_runtime_dir(char *path, size_t path_bytes)
{
    if (!bridge_is_on()) {
        return os_runtime_dir(path, path_bytes);
    }
    const int length = snprintf(path, path_bytes, "%s", state.engine_dir);
    return length > 0 && (size_t)length < path_bytes ? TUTTI_OK : TUTTI_IO;
}
